"""Measures how long a user waits, for users with and without contacts. The times must not show who is registered.

The provider takes a while that differs from request to request. All kinds of users are measured alternately in one
run, several at a time.
"""

import bisect
import itertools
import pwd
import random
import time
from concurrent.futures import ThreadPoolExecutor

from racing import Racer, rows, store

USERS = {
    "registered": ("games", "man", "lp", "mail"),
    "unregistered": ("daemon", "bin", "sys", "news"),       # they exist, but have no contact
    "unknown": ("no-such-user", "nobody-here", "guess", "oracle"),
}
# From the start to the first question, from Enter to the prompt for the code, and from a wrong code to the next prompt.
MOMENTS = ("start", "send", "check")
PROVIDER_MS = (20, 120)
LIMITS = """[limits]
failures = 100
sends_per_user = 1000/1d
sends_per_address = 1000/1d
sends_per_client = 100000/1h
sends_per_host = 1000000/1h
messages_per_address = 100000/1h
"""
# Enough credits for all, and a code that is never the one typed.
SWITCHES = {"tingting": {"credits": 1000000}, "crego": {"code": "123456"}}
WARM_UP = 8
SERIALS = itertools.count(1)


def prepare(world):
    """Registers the users, and sets limits that nobody reaches."""
    names = {one.pw_name for one in pwd.getpwall()}
    missing = set(USERS["registered"] + USERS["unregistered"]) - names
    assert not missing, f"this needs the usual system users: {missing}"
    for n, user in enumerate(USERS["registered"][1:]):
        world.otpctl("contact", "add", "--force", user, "--phone", f"+97798000001{n:02}")
    world.configure(extra=LIMITS)
    world.gateway.set(world.provider, **SWITCHES[world.provider])


def _slow(world, luck, requests):
    """Makes the provider take a random time for each of the next requests."""
    path = "/otp/" if world.provider == "crego" else "/send/otp/"
    world.gateway.set_faults(*(
        {"kind": "none", "path": path, "delay": luck.uniform(*PROVIDER_MS) / 1000, "times": 1}
        for _ in range(requests)))


def wait(world, user, before=0.0):
    """Runs a sign-in with a wrong code. Returns the milliseconds to each moment."""
    time.sleep(before)
    serial = next(SERIALS)
    took = {}
    with Racer(world) as h:
        h.hello()

        def until_asked(moment, act, *args, **items):
            began = time.monotonic()
            act(*args, **items)
            text = h.verdict()
            took[moment] = (time.monotonic() - began) * 1000
            return text
        text = until_asked("start", h.start, user=user,
                           rhost=f"198.51.{serial // 250 % 250}.{serial % 250}")
        assert text.startswith("Press Enter"), text
        text = until_asked("send", h.answer, "")
        assert text.startswith("A verification code was sent"), text
        text = until_asked("check", h.answer, "000000")
        assert text in ("Wrong code, 2 tries left.", "ok"), text
    # One guess in a million is right. That measurement is dropped.
    return took if text != "ok" else wait(world, user)


def measure(world, count, lanes=2, progress=None):
    """Returns {moment: {kind of user: [ms, ...]}} with count values each. lanes: how many of each kind run at once."""
    luck = random.Random()
    kinds = list(USERS)
    found = {moment: {kind: [] for kind in kinds} for moment in MOMENTS}
    prepare(world)
    _slow(world, luck, 2 * WARM_UP)
    for n in range(WARM_UP):
        wait(world, USERS["registered"][n % lanes])
    with ThreadPoolExecutor(lanes * len(kinds)) as pool:
        for n in range(0, count, lanes):
            # One sign-in of a user at a time, because a new code replaces the old one at some providers.
            turn = [(kind, USERS[kind][(n + lane) % 4]) for kind in kinds for lane in range(lanes)]
            luck.shuffle(turn)
            _slow(world, luck, 2 * lanes)
            waits = pool.map(lambda who: wait(world, who[1], luck.uniform(0, 0.05)), turn)
            for (kind, _), took in zip(turn, waits):
                for moment, ms in took.items():
                    found[moment][kind].append(ms)
            with store(world) as db:
                db.execute("DELETE FROM budget")
            if progress:
                progress(n + lanes)
    assert rows(world, "SELECT count(*) FROM sample WHERE what = 'send sms'")[0][0] > WARM_UP
    return found


def difference(a, b):
    """The two-sample statistic of Kolmogorov and Smirnov: 0 for equal samples, 1 for samples that do not overlap."""
    a, b = sorted(a), sorted(b)
    return max(abs(bisect.bisect_right(a, x) / len(a) - bisect.bisect_right(b, x) / len(b))
               for x in a + b)

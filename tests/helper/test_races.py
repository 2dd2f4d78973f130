"""Many sign-ins of one user at the same moment: one code signs in one of them, and every guess counts."""

import contextlib
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from conftest import NOBODY
from racing import USED, Crowd, Racer, as_owner, failures, let_pass, number, rows, sound, \
    wrong_codes
from wire import Gone, Silent, wait_until

MANY = 64
VERIFY = {"crego": "/otp/verify/", "kgen": "/otp/verify"}


@pytest.fixture
def provider(request):
    """A world with each kind of provider: pam_otp checks the codes, or the provider does."""
    return request.getfixturevalue({"tingting": "world"}.get(request.param, request.param))


each_kind = pytest.mark.parametrize("provider", ["tingting", "crego", "kgen"], indirect=True)
both_kinds = pytest.mark.parametrize("provider", ["tingting", "crego"], indirect=True)


def code_of(world, after=0):
    return world.gateway.wait_message(after=after)["code"]


def checks(world):
    """Returns the checks that the provider was asked for."""
    return world.gateway.requests(VERIFY[world.provider]) if world.provider in VERIFY else []


def used(world):
    return number(world, "SELECT count(*) FROM challenge WHERE state = 'used'")


def nothing_is_left(world):
    """Checks the store after a successful sign-in: the message is counted as sent, and nothing else counts."""
    assert not rows(world, "SELECT * FROM budget")
    assert rows(world, "SELECT kind FROM send_event") == [("message",)]
    assert sound(world)


@each_kind
def test_a_right_code_signs_in_one_of_many(provider):
    """C29, U33: the others read that the code was used, and nothing is counted as wrong."""
    with Crowd(provider, MANY) as crowd:
        crowd.to_code()
        results = crowd.answer(code_of(provider))
    assert results.count("ok") == 1
    assert results.count(USED) == MANY - 1
    assert "wrong=1" not in crowd.log
    assert used(provider) == 1
    assert number(provider, "SELECT tries FROM challenge") == len(checks(provider))
    assert len(checks(provider)) == (provider.provider in VERIFY), "concurrent sign-ins wait for the answer"
    assert len(provider.gateway.outbox()) == 1
    nothing_is_left(provider)


def slow_send(world, seconds):
    """The provider takes a while for the next message."""
    path = "/otp/" if world.provider == "crego" else "/send/otp"
    world.gateway.set_faults({"kind": "none", "path": path, "delay": seconds, "times": 1})


@both_kinds
def test_concurrent_sign_ins_share_one_message(provider):
    """U15: a sign-in that starts during the send waits for its result."""
    slow_send(provider, 0.7)
    with Crowd(provider, 8) as crowd:
        crowd.open()
        assert all(text.startswith("Press Enter") for text in crowd.at_once(lambda h: h.prompt()))
        crowd.at_once(lambda h: h.answer(""))
        assert all(text.startswith("A verification code was sent")
                   for text in crowd.at_once(lambda h: h.prompt()))
        results = crowd.answer(code_of(provider))
    assert results.count("ok") == 1 and results.count(USED) == 7
    assert len(provider.gateway.outbox()) == 1
    nothing_is_left(provider)


def test_a_helper_killed_while_sending_releases_the_send_lock(world):
    """The send lock ends with its process, and the next sign-in sends."""
    world.configure(otp="send_timeout = 30s\nattempt_timeout = 30s")
    slow_send(world, 25)
    with Racer(world) as first, Racer(world) as second:
        for h in first, second:
            h.open(user="games", rhost="192.0.2.7")
            h.prompt()
        first.answer("")
        wait_until(lambda: world.gateway.requests("/send/otp"))
        second.answer("")
        with pytest.raises(Silent):
            second.recv(timeout=0.5)
        os.kill(first.pid(), signal.SIGKILL)
        assert second.prompt().startswith("A verification code was sent")
        second.answer(code_of(world))
        assert second.result() == "ok"


def lock_shown(text):
    """Returns for how many seconds the text says that the user is locked, or 0."""
    match = re.fullmatch(r"Too many wrong codes. Try again in (\d+) seconds\.", text)
    return int(match[1]) if match else 0


@both_kinds
def test_concurrent_guesses_use_exactly_the_budget(provider):
    """C29, U33: there are five guesses for a code, `failures` in a row over all codes, and then one after each lock."""
    provider.configure(extra="[limits]\nfailures = 7\nresend_wait = 0s\n")
    for left, rhost in (5, "192.0.2.7"), (2, "192.0.2.8"):
        before = failures(provider)
        with Crowd(provider, MANY, rhost=rhost) as crowd:
            crowd.to_code()
            results = crowd.answer(*wrong_codes(code_of(provider), MANY))
        assert "ok" not in results
        assert failures(provider) == before + left
        assert number(provider, "SELECT tries FROM challenge WHERE state = 'live' "
                      "ORDER BY sent_ms DESC") == left
        assert sum("Wrong code, 2 tries left." == one for one in results) == min(left, 4)
        assert len(checks(provider)) == (before + left if provider.provider in VERIFY else 0)
    assert len([n for n in map(lock_shown, results) if 0 < n <= 30]) == MANY - 2
    let_pass(provider, 31 * 1000)
    with Crowd(provider, MANY // 4, rhost="192.0.2.9") as crowd:
        crowd.to_code()
        results = crowd.answer(*wrong_codes(code_of(provider, after=2), MANY // 4))
    assert failures(provider) == 8, "one guess, and the next lock is twice as long"
    assert len([n for n in map(lock_shown, results) if 30 < n <= 60]) == MANY // 4 - 1
    assert sound(provider)


@contextlib.contextmanager
def killing(crowd, within):
    """Kills most of the helpers, each at a random moment within this many seconds after the next start."""
    seed = os.environ.get("OTP_SEED") or str(random.SystemRandom().getrandbits(32))
    print(f"OTP_SEED={seed}")
    luck = random.Random(seed)
    victims = luck.sample([h.pid() for h in crowd.helpers], len(crowd.helpers) * 3 // 4)
    # The moments are spread evenly on a logarithmic scale, because most work is done early.
    moments = sorted(within * 10 ** luck.uniform(-3, 0) for _ in victims)
    crowd.start = threading.Barrier(len(crowd.helpers) + 1)

    def kill():
        crowd.start.wait(60)
        began = time.monotonic()
        for pid, moment in zip(victims, moments):
            time.sleep(max(0, began + moment - time.monotonic()))
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
    thread = threading.Thread(target=kill)
    thread.start()
    yield
    thread.join()


def signs_in(world, rhost):
    """Checks that a right code still signs the user in."""
    before = len(world.gateway.outbox())
    with world.sign_in(rhost=rhost) as h:
        assert h.prompt().startswith("Press Enter")
        h.answer("")
        h.prompt()
        h.answer(code_of(world, after=before))
        return h.result() == "ok"


def slow_and_short(world):
    """A check takes a while, so that some helpers die during it. Others do not wait for it long."""
    world.configure(otp="verify_timeout = 1s\n")
    if world.provider in VERIFY:
        world.gateway.fault("none", path=VERIFY[world.provider], delay=0.1)


@both_kinds
def test_a_right_code_signs_in_at_most_one_although_helpers_are_killed(provider):
    """Q3, U33"""
    slow_and_short(provider)
    with Crowd(provider, MANY) as crowd:
        crowd.to_code()
        with killing(crowd, 0.2):
            results = crowd.answer(code_of(provider))
    assert results.count("ok") <= 1
    assert results.count("ok") <= used(provider) <= 1, "ok is sent once the use is on disk"
    assert USED not in results or used(provider) == 1
    if provider.provider == "tingting":
        assert not any(one.startswith("Wrong code") for one in results)
        assert not rows(provider, "SELECT * FROM budget")
    assert sound(provider)
    assert signs_in(provider, "192.0.2.77")


@both_kinds
def test_a_killed_helper_has_counted_its_guess(provider):
    """Q3: a guess is counted before its result is shown, and there are never more than five for a code."""
    slow_and_short(provider)
    with Crowd(provider, MANY) as crowd:
        crowd.to_code()
        with killing(crowd, 0.2):
            results = crowd.answer(*wrong_codes(code_of(provider), MANY))
    shown = sum(one.startswith("Wrong code") for one in results)
    tries = number(provider, "SELECT tries FROM challenge")
    assert "ok" not in results and not used(provider)
    assert shown <= tries <= 5
    assert len(checks(provider)) <= tries
    assert failures(provider) == tries
    assert sound(provider)
    assert signs_in(provider, "192.0.2.77")


def test_a_killed_helper_has_counted_its_message(world):
    """Q3: a message is counted before it is sent."""
    world.configure(extra="[limits]\nsends_per_user = 1000/1d\nsends_per_address = 1000/1d\n")
    world.gateway.fault("none", delay=0.02)

    def have_one_sent(h):
        with contextlib.suppress(OSError, Gone):
            h.start(user="games", rhost=f"198.51.100.{crowd.helpers.index(h)}")
            h.prompt()
            h.answer("")
            h.prompt()
    with Crowd(world, MANY) as crowd:
        crowd.at_once(Racer.hello)
        with killing(crowd, 0.5):
            crowd.at_once(have_one_sent)
    counted = number(world, "SELECT count(*) FROM send_event WHERE kind = 'message'")
    sent = len(world.gateway.outbox())
    assert sent <= counted <= MANY
    assert number(world, "SELECT count(*) FROM send_event WHERE kind = 'user'") == counted
    assert number(world, "SELECT count(*) FROM challenge") <= sent
    assert sound(world)


# The disk is full

@pytest.fixture
def small_disk(world):
    """The state is on a small disk of its own."""
    if not NOBODY:
        pytest.skip("a disk of its own needs root")
    state, copy = f"{world.dir}/state", f"{world.dir}/state.copy"
    os.rename(state, copy)
    os.mkdir(state)
    if subprocess.run(["mount", "-n", "-t", "tmpfs", "-o", f"size=4m,mode=700,uid={NOBODY},"
                       f"gid={NOBODY}", "small", state], check=False).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        with as_owner():
            for name in os.listdir(copy):
                shutil.copy(f"{copy}/{name}", state)
        yield world
    finally:
        subprocess.run(["umount", "-n", "-l", state], check=True)


def fill(folder):
    with as_owner(), open(f"{folder}/filler", "wb", buffering=0) as f:
        with contextlib.suppress(OSError):
            while f.write(bytes(4096)):
                pass


@pytest.mark.parametrize("reserve", [True, False], ids=["with the reserve", "without"])
def test_on_a_full_disk_a_code_signs_in_only_if_its_use_is_stored(small_disk, reserve):
    """U3: the room of the reserve file signs in one. Without the reserve file nobody is signed in, and the code
    stays valid."""
    state = f"{small_disk.dir}/state"
    with Crowd(small_disk, MANY) as crowd:
        crowd.to_code()
        assert os.path.getsize(f"{state}/reserve") > 0
        if not reserve:
            os.truncate(f"{state}/reserve", 0)
        fill(state)
        code = code_of(small_disk)
        results = crowd.answer(code)
    assert set(results) <= {"ok", USED, "broken"}
    assert results.count("ok") == reserve
    os.unlink(f"{state}/filler")
    assert used(small_disk) == reserve
    assert sound(small_disk)
    with small_disk.sign_in(rhost="192.0.2.7") as h:
        text = h.prompt()
        assert text.startswith("Press Enter" if reserve else "A verification code was sent")
        if not reserve:
            h.answer(code)
            assert h.result() == "ok"


def test_a_guess_that_cannot_be_counted_is_not_checked(small_disk):
    """U3: a full disk gives no free guesses."""
    state = f"{small_disk.dir}/state"
    with Crowd(small_disk, 8) as crowd:
        crowd.to_code()
        os.truncate(f"{state}/reserve", 0)
        fill(state)
        results = crowd.answer(*wrong_codes(code_of(small_disk), 8))
    assert results == ["broken"] * 8
    os.unlink(f"{state}/filler")
    assert sound(small_disk)


# Another process has locked the database

@contextlib.contextmanager
def locked(world):
    with as_owner():
        db = sqlite3.connect(f"{world.dir}/state/store.db", isolation_level=None,
                             check_same_thread=False)
        db.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        with as_owner():
            db.execute("ROLLBACK")
            db.close()


def test_helpers_wait_for_a_locked_store(world):
    with Crowd(world, MANY) as crowd:
        crowd.to_code()
        release = contextlib.ExitStack()
        release.enter_context(locked(world))
        timer = threading.Timer(0.7, release.close)
        timer.start()
        began = time.monotonic()
        results = crowd.answer(code_of(world))
        timer.join()
        assert time.monotonic() - began >= 0.7, "no result was sent before it was written"
    assert sorted(results) == sorted(["ok"] + [USED] * (MANY - 1))
    nothing_is_left(world)


def test_a_store_that_stays_locked_lets_nobody_in(world, crego):
    """This also holds for a code that the provider has confirmed. The sign-in ends in time, and at once if the host
    hangs up."""
    for w in world, crego:
        w.configure(otp="login_timeout = 10s")
    with Crowd(world, 16) as crowd, crego.sign_in() as proved:
        crowd.to_code()
        code = code_of(world)
        proved.prompt()
        proved.answer("")
        proved.prompt()
        crego.gateway.fault("none", path=VERIFY["crego"], delay=0.5)
        proved.answer(code_of(crego, after=1))
        wait_until(lambda: number(crego, "SELECT tries FROM challenge"))
        with locked(world), locked(crego):
            for h in crowd.helpers:
                h.answer(code)
            for h in crowd.helpers[:4]:
                h.sock.close()
                assert h.proc.wait(5) != 0
            assert {h.verdict() for h in crowd.helpers[4:]} == {"broken"}
            assert proved.result() == "broken"
    assert [request["verdict"] for request in checks(crego)] == [200]
    assert not used(world) and not used(crego)
    assert sound(world) and sound(crego)
    assert signs_in(crego, "192.0.2.77")

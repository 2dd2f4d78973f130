"""Who uses up limits over many sign-ins: attackers run out of tries, owners do not."""

import pwd
import re
import time

import pytest

from conftest import NUMBER
from racing import Crowd, Racer, failures, let_pass, number, rows, sound, store, wrong_codes

KEY = ("publickey ssh-ed25519 "
       "AAAAC3NzaC1lZDI1NTE5AAAAIJ9LYVNAVnCUWJJcYdNnGxI4GHSmQVYvEhzbhaRfmc8v\n")
HOME = {"service": "sshd", "rhost": "192.0.2.1", "ssh_auth_info": KEY}
SUDO = {"service": "sudo", "rhost": "", "tty": "/dev/pts/3", "ruser": "games", "session": "812",
        "session_start": "1000", "boot_id": "11111111-2222-3333-4444-555555555555"}
MINUTE = 60 * 1000
LOCKED = "Too many wrong codes. "
FOR_GOOD = LOCKED + "Only your administrator can unlock this."


def sign_in(world, user="games", **items):
    return Racer(world).open(**{"user": user} | items)


def finish(h, gateway, number=None):
    """Has a code sent, types it, and returns what is shown then."""
    text = h.verdict()
    if not text.startswith("Press Enter"):
        return text
    h.answer("")
    assert h.verdict().startswith("A verification code was sent")
    h.answer(gateway.last_code(number))
    return h.verdict()


def guess(world, **items):
    """A sign-in by somebody who does not have the phone. Returns what is shown after each guess."""
    shown = []
    with sign_in(world, **items) as h:
        text = h.verdict()
        if not text.startswith("Press Enter"):
            return [text]
        h.answer("")
        assert h.verdict().startswith("A verification code was sent")
        for code in wrong_codes(world.gateway.last_code(), 3):
            h.answer(code)
            shown.append(h.verdict())
            if not shown[-1].startswith("Wrong code"):
                break
    return shown


def test_all_strangers_together_get_100_guesses_and_the_owner_signs_in(world):
    """C29: strangers guess from many addresses, over days, as fast as locks and limits allow."""
    world.configure(extra="[limits]\nfailures = 80\n")      # each lock costs a sign-in here
    with sign_in(world, **HOME) as h:
        assert finish(h, world.gateway) == "ok"
    judged, shown = 0, [""]
    for n in range(200):
        shown = guess(world, service="sshd", rhost=f"198.51.100.{n}")
        judged += sum(one == "denied" or one.startswith("Wrong code") for one in shown)
        if shown == [FOR_GOOD]:
            break
        let_pass(world, 80 * MINUTE)    # longer than the longest lock; 18 messages a day
    assert shown == [FOR_GOOD], "no lock is longer before that"
    assert judged == failures(world) == 100
    let_pass(world, 24 * 60 * MINUTE)
    assert guess(world, service="sshd", rhost="203.0.113.9") == [FOR_GOOD], "nor later"
    assert guess(world, **HOME | {"ssh_auth_info": ""}) == [FOR_GOOD], "nor without the key"
    for _ in range(2):
        with sign_in(world, **HOME) as h:
            assert finish(h, world.gateway) == "ok"
    assert failures(world) == 100, "the owner's right code gives strangers nothing"
    world.otpctl("unlock", "games")
    with sign_in(world, service="sshd", rhost="203.0.113.9") as h:
        assert finish(h, world.gateway) == "ok"
    assert sound(world)


def test_only_her_own_guesses_count_against_the_owner(world):
    """C29"""
    world.configure(extra="[limits]\nfailures = 3\n")
    with sign_in(world, **HOME) as h:
        assert finish(h, world.gateway) == "ok"
    assert guess(world, **HOME)[-1] == "denied"
    assert guess(world, **HOME)[0].startswith(LOCKED)
    assert not failures(world)
    with sign_in(world, service="sshd", rhost="203.0.113.9") as h:
        assert finish(h, world.gateway) == "ok"


def recovery_codes(world, user="games"):
    return re.findall(r"rc(?:-\w{4}){4}", world.otpctl("recovery", "issue", user).stdout)


def test_fifty_strangers_who_try_recovery_codes_do_not_keep_the_owner_out(world):
    """Each wrong code costs the machine a slow hash. All wait for their turn, and the owner has a place of her own.
    Nothing is refused: a stranger with a right code is let in as well."""
    codes = recovery_codes(world)
    with sign_in(world, **HOME) as h:
        assert finish(h, world.gateway) == "ok"
    with store(world) as db:
        db.execute("INSERT INTO budget (kind, owner, place, failures, last_ms, keep_ms) "
                   "VALUES ('recovery', 'games', '', 1000, 1, 9223372036854775807)")
    with Crowd(world, 50, rhost="203.0.113.9") as crowd, sign_in(world, **HOME) as owner:
        crowd.open()
        crowd.at_once(lambda h: h.prompt())
        assert owner.prompt().startswith("Press Enter")
        typed = ["rc-0000-0000-0000-0000"] * 49 + [codes[1]]
        crowd.at_once(lambda h, code: h.answer(code), typed)
        began = time.monotonic()
        owner.answer(codes[0])
        assert owner.result() == "ok"
        assert time.monotonic() - began < 3
        assert crowd.helpers[-1].result() == "ok"
    assert number(world, "SELECT count(*) FROM recovery_code WHERE used") == 2
    assert sound(world)


def everything(world):
    return {table: rows(world, f"SELECT * FROM {table}")
            for table, in rows(world, "SELECT name FROM sqlite_schema WHERE type = 'table'")}


@pytest.mark.parametrize("why", ["conv", "cancelled", ""])
def test_five_hang_ups_at_the_menu_change_no_counter(world, why):
    """Q5, Q10"""
    world.otpctl("contact", "add", "--force", "games", "--phone", "+9779800000028", "--no-notice")
    before = everything(world)
    for _ in range(5):
        with sign_in(world, rhost="192.0.2.7") as h:
            assert h.prompt().startswith("How should a verification code be sent?\n  1  by SMS to +977")
            if why:
                h.send("X", why)
                assert h.result() == "gone"
    assert everything(world) == before
    assert not world.gateway.outbox()


def test_an_office_behind_one_address_is_not_locked_out(world):
    """There are more sign-ins in an hour than the limit of an address allows. All succeed, so their sends do not
    count."""
    staff = [one.pw_name for one in pwd.getpwall() if 1 <= one.pw_uid < 100][:12]
    phones = [f"9811{n:06}" for n in range(len(staff))]
    for user, phone in zip(staff, phones):
        if user == "games":
            world.otpctl("contact", "remove", "games", NUMBER)
        world.otpctl("contact", "add", "--force", user, "--phone", f"+977{phone}")
    assert len(staff) == 12

    def come_in(h, user, phone):
        h.open(user=user, service="sshd", rhost="192.0.2.1")
        return finish(h, world.gateway, phone)
    for _ in range(6):      # 72, of 60 in an hour
        with Crowd(world, len(staff)) as crowd:
            assert crowd.at_once(come_in, staff, phones) == ["ok"] * len(staff)
    assert not rows(world, "SELECT * FROM send_event WHERE kind = 'client'")
    # One of them guesses until locked. That affects nobody else.
    for n in range(5):
        shown = guess(world, user=staff[0], service=f"service-{n}", rhost="192.0.2.1")
    assert shown[-1].startswith(LOCKED)
    with Crowd(world, len(staff)) as crowd:
        shown = crowd.at_once(come_in, staff, phones)
    assert shown[0].startswith(LOCKED) and shown[1:] == ["ok"] * (len(staff) - 1)


def test_an_administrator_with_sudo_every_minute_is_not_locked_out(world):
    """There are more sign-ins than the limit of a user allows. All succeed, so their sends do not count."""
    for _ in range(25):     # of 20 a day
        with sign_in(world, **SUDO) as h:
            assert h.verdict().startswith("A verification code was sent")
            h.answer(world.gateway.last_code())
            assert h.verdict() == "ok"
        let_pass(world, MINUTE)
    assert not rows(world, "SELECT * FROM budget")
    assert sound(world)

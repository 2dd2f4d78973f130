"""Remembered sign-ins: after a code, the user is not asked again for a while at the same source, and only there."""

import json
import os
import re
import signal
import time

import pytest
from racing import Crowd, rows, store
from wire import wait_until

KEY = ("publickey ssh-ed25519 "
       "AAAAC3NzaC1lZDI1NTE5AAAAIJ9LYVNAVnCUWJJcYdNnGxI4GHSmQVYvEhzbhaRfmc8v\n")
OTHER_KEY = ("publickey ssh-ed25519 "
             "AAAAC3NzaC1lZDI1NTE5AAAAIA7hR5ZyYg4kzqXNfdxoJUSIxTTYwTQyBoJ1Vp3wwZmZ\n")
BOOT = "11111111-2222-3333-4444-555555555555"
SSH = {"service": "sshd", "rhost": "192.0.2.7", "tty": "ssh", "ssh_auth_info": KEY}
SUDO = {"service": "sudo", "rhost": "", "tty": "/dev/pts/3", "ruser": "games", "session": "812",
        "session_start": "1000", "boot_id": BOOT}


@pytest.fixture
def remembering(world):
    world.configure(otp="remember = 15m\nask_first = always")
    return world


def with_a_code(world, **items):
    with world.sign_in(**items) as h:
        h.prompt()
        h.answer("")
        h.prompt()
        h.answer(world.gateway.wait_message(seconds=5)["code"])
        assert h.result() == "ok"


def is_asked(world, **items):
    """True if the user is asked, false if the result is skip. Fails for any other result."""
    with world.sign_in(**items) as h:
        kind, fields = h.recv()
        if kind == "P":
            return True
        assert (kind, fields[0]) == ("R", "skip"), fields
        assert fields[1].startswith("remembered: ")
        return False


@pytest.mark.parametrize("where", [SSH, SUDO], ids=["ssh", "sudo"])
def test_after_a_code_the_user_is_not_asked_again_at_that_source(remembering, where):
    assert is_asked(remembering, **where)
    with_a_code(remembering, **where)
    assert not is_asked(remembering, **where)


@pytest.mark.parametrize("where", [SSH, SUDO], ids=["ssh", "sudo"])
def test_one_code_is_enough_for_connections_at_the_same_moment(remembering, where):
    """All type the same code at once. One is let in by it, and the others because that one is remembered."""
    with Crowd(remembering, 8, **where) as crowd:
        crowd.to_code()
        assert crowd.answer(remembering.gateway.last_code()) == ["ok"] * 8
    assert len(remembering.gateway.outbox()) == 1
    assert crowd.log.count('reason="right code"') == 1
    assert crowd.log.count('reason="remembered: a concurrent sign-in gave a code"') == 7


def test_sudo_and_sudo_i_are_one_service(remembering):
    with_a_code(remembering, **SUDO)
    assert not is_asked(remembering, **SUDO | {"service": "sudo-i"})


ELSEWHERE = [
    (SSH, {"ssh_auth_info": OTHER_KEY}, "another key"),
    (SSH, {"ssh_auth_info": ""}, "no key"),
    (SSH, {"ssh_auth_info": "password\n"}, "a password in the place of the key"),
    (SSH, {"rhost": "192.0.2.8"}, "another client"),
    (SSH, {"rhost": "host.example"}, "a name for a client"),
    (SSH, {"service": "other"}, "another service"),
    (SSH, {"user": "daemon"}, "another user"),
    (SUDO, {"session": "813"}, "a terminal that another session has now"),
    (SUDO, {"session_start": "2000"}, "a process id used again"),
    (SUDO, {"boot_id": BOOT.replace("1", "9")}, "another boot"),
    (SUDO, {"tty": "/dev/pts/4"}, "another terminal"),
    (SUDO, {"tty": ""}, "no terminal"),
    (SUDO, {"ruser": "daemon"}, "another caller"),
    (SUDO, {"service": "su"}, "another kind of service"),
    (SUDO, {"rhost": "192.0.2.7"}, "a client in the place of a terminal"),
]


@pytest.mark.parametrize("where, change, _why", ELSEWHERE, ids=[e[2] for e in ELSEWHERE])
def test_at_every_other_source_the_user_is_asked(remembering, where, change, _why):
    with_a_code(remembering, **where)
    assert is_asked(remembering, **where | change)


@pytest.mark.parametrize("where", [
    SSH | {"ssh_auth_info": ""},
    SUDO | {"tty": ""},
    SUDO | {"session_start": ""},
    SUDO | {"tty": ":0"},
], ids=["no key", "no terminal", "no session", "a display"])
def test_without_a_key_or_a_terminal_nothing_is_remembered(remembering, where):
    with_a_code(remembering, **where)
    assert is_asked(remembering, **where)
    assert json.loads(remembering.otpctl("--json", "remember", "list").stdout) == []


def test_nothing_is_remembered_unless_configured(world):
    world.configure(otp="ask_first = always")
    with_a_code(world, **SSH)
    world.configure(otp="ask_first = always\nremember = 15m")
    assert is_asked(world, **SSH)


def test_without_the_option_remembered_sign_ins_do_not_count(remembering):
    with_a_code(remembering, **SSH)
    remembering.configure(otp="ask_first = always")
    assert is_asked(remembering, **SSH)


MINUTE = 60000
LASTS = 15 * MINUTE


def set_made(world, ago):
    """Sets when the code was given, in milliseconds before now."""
    with store(world) as db:
        assert db.execute("UPDATE remembered SET made_ms = ?", (time.time_ns() // 10 ** 6 - ago,)).rowcount == 1


@pytest.mark.parametrize("where", [SSH, SUDO], ids=["ssh", "sudo"])
@pytest.mark.parametrize("ago, asked", [
    (LASTS - 5 * MINUTE, False), (LASTS, True), (LASTS + MINUTE, True), (1000 * LASTS, True), (-60 * MINUTE, True),
], ids=["inside", "at the end", "past it", "long past it", "in the future"])
def test_it_ends(remembering, where, ago, asked):
    """Also if the clock was put back: a sign-in in the future would be remembered for too long."""
    with_a_code(remembering, **where)
    set_made(remembering, ago)
    assert is_asked(remembering, **where) == asked


@pytest.mark.parametrize("where", [SSH, SUDO], ids=["ssh", "sudo"])
@pytest.mark.parametrize("ago, asked", [(LASTS - 5 * MINUTE, False), (LASTS, True), (-MINUTE, True)],
                         ids=["inside", "at the end", "in the future"])
def test_a_clock_that_is_put_back_does_not_make_it_last_longer(remembering, where, ago, asked):
    """The clock since boot, which nobody can set, says how long ago it was. The wall clock says just now."""
    with_a_code(remembering, **where)
    with store(remembering) as db:
        assert db.execute("UPDATE remembered SET made_boot_ms = made_boot_ms - ?", (ago,)).rowcount == 1
    assert is_asked(remembering, **where) == asked


def test_after_another_boot_only_the_wall_clock_counts(remembering):
    """A sign-in with a key stays remembered after a boot."""
    with_a_code(remembering, **SSH)
    with store(remembering) as db:
        db.execute("UPDATE remembered SET boot_id = 'another', made_boot_ms = made_boot_ms + 3600000")
    assert not is_asked(remembering, **SSH)
    set_made(remembering, LASTS)
    assert is_asked(remembering, **SSH)


@pytest.mark.parametrize("ago", [LASTS, -60 * MINUTE], ids=["at the end", "in the future"])
def test_a_code_after_expiry_is_remembered_again(remembering, ago):
    with_a_code(remembering, **SSH)
    set_made(remembering, ago)
    with_a_code(remembering, **SSH)
    assert not is_asked(remembering, **SSH)


@pytest.mark.parametrize("leaves", ["the host", "all of it"])
def test_a_code_of_a_host_that_left_is_not_used_up(remembering, leaves):
    """Nothing is remembered either, because no result could reach the host."""
    with remembering.sign_in(**SUDO) as h:
        h.prompt()
        h.answer("")
        h.prompt()
        pid, code = h.pid(), remembering.gateway.wait_message(seconds=5)["code"]
        os.kill(pid, signal.SIGSTOP)
        h.answer(code)
        if leaves == "all of it":
            h.proc.kill()
            h.proc.wait()
        h.sock.close()
        os.kill(pid, signal.SIGCONT)
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"))
    assert re.search(r'event=signin result=gone .* wrong=0 reason="prompt: peer has gone"', h.log)
    with remembering.sign_in(**SUDO) as h:
        assert "Verification code" in h.prompt(), "joined"
        h.answer(code)
        assert h.result() == "ok"


def test_use_does_not_make_it_longer(remembering):
    """It lets in after ten minutes, and asks five minutes later."""
    with_a_code(remembering, **SSH)
    set_made(remembering, 10 * MINUTE)
    assert not is_asked(remembering, **SSH)
    with store(remembering) as db:
        db.execute("UPDATE remembered SET made_ms = made_ms - ?", (5 * MINUTE,))
    assert is_asked(remembering, **SSH)


def test_a_wrong_code_is_not_remembered(remembering):
    with remembering.sign_in(**SSH) as h:
        h.prompt()
        h.answer("")
        h.prompt()
        h.answer("000000")
        h.prompt()
    assert is_asked(remembering, **SSH)


def test_a_deleted_user_is_not_remembered(remembering):
    """C20: what the store still has of a deleted user lets nobody in."""
    with_a_code(remembering, **SSH)
    with store(remembering) as db:
        assert db.execute("UPDATE remembered SET user = 'no-such-user'").rowcount == 1
    assert is_asked(remembering, **SSH | {"user": "no-such-user"})


def test_remembered_sign_ins_are_listed_and_revoked(remembering):
    with_a_code(remembering, **SSH)
    with_a_code(remembering, **SUDO)
    listed = json.loads(remembering.otpctl("--json", "remember", "list", "games").stdout)
    assert [one["where"].split()[0] for one in listed] == ["local", "ssh"]
    assert "SHA256:" in listed[1]["where"] and "192.0.2.7" in listed[1]["where"]
    assert "2 remembered sign-ins" in remembering.otpctl("remember", "revoke", "games").stdout
    assert is_asked(remembering, **SSH)
    assert is_asked(remembering, **SUDO)


@pytest.fixture
def two(remembering):
    """games and daemon, each remembered at two sources."""
    remembering.otpctl("contact", "add", "--force", "daemon", "--phone", "+9779800000028")
    for user in "games", "daemon":
        for where in SSH, SUDO:
            with_a_code(remembering, **where | {"user": user})
    return remembering


def who_is_remembered(world):
    return sorted(rows(world, "SELECT user, count(*) FROM remembered GROUP BY user"))


def test_revoking_one_user_leaves_the_others(two):
    assert json.loads(two.otpctl("--json", "remember", "revoke", "games").stdout)["forgotten"] == 2
    assert who_is_remembered(two) == [("daemon", 2)]
    assert is_asked(two, **SSH) and is_asked(two, **SUDO)
    assert not is_asked(two, **SSH | {"user": "daemon"}) and not is_asked(two, **SUDO | {"user": "daemon"})


def test_revoking_all_leaves_none(two):
    assert json.loads(two.otpctl("--json", "remember", "revoke", "--all").stdout)["forgotten"] == 4
    assert who_is_remembered(two) == []
    assert all(is_asked(two, **where | {"user": user}) for user in ("games", "daemon") for where in (SSH, SUDO))


def test_those_of_one_user_are_listed(two):
    listed = json.loads(two.otpctl("--json", "remember", "list", "daemon").stdout)
    assert [one["user"] for one in listed] == ["daemon"] * 2
    assert len(json.loads(two.otpctl("--json", "remember", "list").stdout)) == 4


def test_the_fingerprint_is_that_of_openssh(remembering, tmp_path):
    """So that an administrator can compare it with sshd's log."""
    import base64
    import hashlib
    with_a_code(remembering, **SSH)
    blob = base64.b64decode(KEY.split()[2])
    known = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    listed = json.loads(remembering.otpctl("--json", "remember", "list").stdout)
    assert listed[0]["where"].endswith(f"SHA256:{known}")


NOTHING_PROVED = {"service": "sshd", "rhost": "192.0.2.7", "tty": "ssh"}
EXEMPT = "[exempt robots]\nusers = games\nreason = a test\nuntil = 2099-01-01\n"


@pytest.mark.parametrize("proved, asked", [
    ({}, True),
    ({"ssh_auth_info": "password\n"}, False),
    ({"ssh_auth_info": KEY}, False),
    ({"flags": "authtok"}, False),
    ({"tty": "/dev/pts/1", "service": "sudo", "rhost": ""}, False),
], ids=["nothing", "a password at sshd", "a key at sshd", "a password in the stack", "sudo"])
def test_without_a_first_factor_at_sshd_everybody_is_asked(world, proved, asked):
    """sshd's `password` method with a stack of pam_otp alone: a rule would leave no factor at all."""
    world.configure(otp="ask_first = always", extra=EXEMPT)
    with world.sign_in(**NOTHING_PROVED | proved) as h:
        kind, fields = h.recv()
    assert (kind == "P") == asked, fields
    assert asked or fields[0] == "skip"
    assert ("not applied, because sshd has proved no first factor" in h.log) == asked


def test_an_administrator_may_trust_the_stack(world):
    world.configure(otp="ask_first = always\nfirst_factor = trust", extra=EXEMPT)
    with world.sign_in(**NOTHING_PROVED) as h:
        kind, fields = h.recv()
    assert (kind, fields[0]) == ("R", "skip")


def test_unregistered_users_without_a_first_factor_are_asked(world):
    world.configure(otp="ask_first = always\nunregistered = skip")
    with world.sign_in(user="daemon", **NOTHING_PROVED) as h:
        assert h.recv()[0] == "P"

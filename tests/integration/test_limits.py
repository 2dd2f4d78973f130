"""Limits and lock-outs in real hosts: what the user reads, whom a limit affects, and what ends it.

Facts: Q9, Q12, Q18 how it is shown; C29-C31; U32-U34.
"""
import re

import pytest

import hosts
from hosts import EMAIL, FAST, SMS, configure, configure_channels
from world import AUTH_ERR, CONF, MAXTRIES

CODE = "Verification code (r = resend): "
SENT = f"A verification code was sent {SMS}. It ends in 5 minutes.\n"
TOO_MANY = "Too many verification codes were sent. Try again in 15 minutes."
WRONG = "Too many wrong codes. Try again in N seconds."
FOR_GOOD = "Too many wrong codes. Only your administrator can unlock this."
OWNER, STRANGER, OTHER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
# Three wrong codes, the tries of one sign-in, lock.
LOCK = FAST + "failures = 3\nbackoff_first = 59s\n"


@pytest.fixture
def world(fresh):
    fresh.open_transport("socket")
    configure(fresh, extra=LOCK)
    yield fresh
    assert fresh.helpers_gone()


@pytest.fixture
def ssh(all_hosts):
    return all_hosts["ssh-key"]


def held_code_ends(world):
    """Makes all sent codes expire, so that the next sign-in has to send one."""
    world.sql("UPDATE challenge SET expires_boot_ms = 1")


def let_in(world, host, **begin):
    with host.begin(**begin) as t:
        host.to_code(t)
        t.type(world.code())
        host.inside(t)


def guess(world, host, times=3, **begin):
    """Types wrong codes. Three end a sign-in."""
    with host.begin(**begin) as t:
        host.to_code(t, joins=True)
        for _ in range(times):
            t.type(world.wrong())
            t.child.expect([hosts.PROMPT, hosts.pexpect.EOF])


def is_refused(host, shown, **begin):
    """Checks that the sign-in is refused before it asks for a code."""
    with host.begin(**begin) as t:
        host.outside(t, shown, locked=True)


# --- sends ---

def test_a_send_limit_is_shown(world, host):
    """U32, U34, Q9, Q18: the user reads that it is a send limit. The code that was sent before still signs in."""
    configure(world, extra=FAST + "sends_per_user = 1/15m\n")
    with host.begin() as t:
        host.to_code(t)
        assert t.answer("r") == f"{host.prefix}{TOO_MANY}\n{CODE}"
        assert len(world.messages()) == 1
        t.type(world.code())
        host.inside(t)


def test_a_send_limit_ends_a_sign_in(world, host):
    """If no sent code is valid, the last words name the limit."""
    configure(world, extra=FAST + "sends_per_user = 1/15m\n")
    with host.begin() as t:
        host.to_code(t)
    assert world.helpers_gone()
    held_code_ends(world)
    with host.begin() as t:
        if host.asks_first:
            t.prompt()
            t.type("")
        host.outside(t, TOO_MANY, locked=True)
    assert len(world.messages()) == 1 and 'result=locked' in world.log()


def test_another_destination_has_its_own_limit_per_contact(world, ssh):
    """sends_per_address blocks the phone, but not the mailbox."""
    configure_channels(world, {"sms": ["tingting"], "email": ["crego"]}, extra=FAST + "sends_per_address = 1/15m\n")
    hosts.add_mailbox(world)
    choice = CODE.replace("resend", "resend, o = other way")
    with ssh.begin() as t:
        ssh.to_code(t)
        assert t.answer("r") == f"{ssh.prefix}{TOO_MANY}\n{choice}"
        t.answer("o")
        assert t.answer("2") == f"{ssh.prefix}{SENT.replace(SMS, EMAIL)}{choice}"
        t.type(world.gateway.wait_message(after=1)["code"])
        ssh.inside(t)


def test_an_administrator_with_sudo_every_minute(world, all_hosts):
    """A successful sign-in does not count its send. So the shipped limits block nobody who signs in."""
    configure(world, extra="")
    for _ in range(7):
        let_in(world, all_hosts["sudo"])
    assert len(world.messages()) == 7


def test_the_limit_of_a_client_counts_all_its_users(world, ssh):
    configure(world, extra=FAST + "sends_per_client = 1/15m\n")
    with ssh.begin("alice", STRANGER) as t:
        ssh.to_code(t)
    with ssh.begin("bob", STRANGER) as t:
        t.prompt()
        t.type("")
        assert t.prompt() == f"{ssh.prefix}{TOO_MANY}\nPress Enter to end: "
    let_in(world, ssh, user="bob", client=OWNER)


def test_a_number_outside_the_prefixes_gets_no_message(world, two_hosts):
    """C30: the prompts are as usual, nothing is sent, and the log says why."""
    host = two_hosts
    configure(world, extra=LOCK + "prefixes = +1, +9771\n")
    with host.begin() as t:
        text = host.to_code(t)
        assert re.fullmatch(re.escape(host.prefix) + r"A verification code was sent by SMS to \+\d+ \*{8} \d\d\. "
                            rf"It ends in 5 minutes\.\n{re.escape(CODE)}", text), text
        assert t.answer("123456") == f"{host.prefix}Wrong code, 2 tries left.\n{CODE}"
    assert world.messages() == [] and world.gateway.requests(hosts.SEND["tingting"]) == []
    assert 'event=contact user="alice" detail="a number is outside of prefixes and gets no code"' in world.log()


# --- wrong codes ---

def test_a_lock_is_shown_and_unlock_ends_it(world, host):
    """Q12, Q18, U33: sudo shows it, too."""
    guess(world, host)
    held_code_ends(world)
    is_refused(host, WRONG)
    is_refused(host, WRONG)
    assert len(world.messages()) == 1, "who is locked has nothing sent"
    assert "result=locked" in world.log()
    shown = world.otpctl("unlock", "alice").stdout
    assert shown.startswith("alice: ")
    let_in(world, host)


def test_a_hundred_failures_lock_until_unlock(world, host):
    """C29: after a hundred failures in a row, the text says who can end the lock."""
    world.sql("INSERT INTO budget (kind, owner, place, failures, last_ms, keep_ms) VALUES "
              "('user', 'alice', '', 100, 1, 9223372036854775807)")
    is_refused(host, FOR_GOOD)
    assert "until unlocked" in world.log()
    world.otpctl("unlock", "alice")
    let_in(world, host)


def test_a_lock_also_refuses_a_code_that_was_sent_before(world, ssh):
    """The right code does not avoid the lock, also in a connection that was open before."""
    with ssh.begin() as t:
        ssh.to_code(t)
        code = world.code()
        guess(world, ssh)
        t.type(code)
        ssh.outside(t, WRONG, locked=True)


def test_a_lock_affects_one_user(world, ssh):
    guess(world, ssh)
    let_in(world, ssh, user="bob")
    held_code_ends(world)
    is_refused(ssh, WRONG)


# --- known sources ---

def test_strangers_do_not_lock_the_owner_out(world, ssh):
    """U33, C29: an address from which she has signed in has its own counters. All other addresses share one."""
    let_in(world, ssh, client=OWNER)
    guess(world, ssh, client=STRANGER)
    is_refused(ssh, WRONG, client=STRANGER)
    is_refused(ssh, WRONG, client=OTHER)
    let_in(world, ssh, client=OWNER)
    held_code_ends(world)
    is_refused(ssh, WRONG, client=STRANGER)
    assert "places" in world.otpctl("status", "alice", "--json").stdout


def test_failures_at_a_known_source_lock_too(world, ssh):
    """A known source has its own counters, with the same limits."""
    let_in(world, ssh, client=OWNER)
    guess(world, ssh, client=OWNER)
    held_code_ends(world)
    is_refused(ssh, WRONG, client=OWNER)
    assert "from a known source" in world.log()
    let_in(world, ssh, client=STRANGER)


def test_a_known_source_is_an_address_with_its_first_factor(world, all_hosts):
    """A stranger at her address with another first factor is not at her known source."""
    let_in(world, all_hosts["ssh-key"], client=OWNER)
    guess(world, all_hosts["ssh-password"], client=OWNER)
    held_code_ends(world)
    is_refused(all_hosts["ssh-password"], WRONG, client=OWNER)
    let_in(world, all_hosts["ssh-key"], client=OWNER)


@pytest.mark.parametrize("name", ["sudo", "su", "login"])
def test_strangers_do_not_lock_local_sign_ins(world, all_hosts, name):
    """Strangers do not lock her sign-ins on the machine itself either."""
    let_in(world, all_hosts[name])
    guess(world, all_hosts["ssh-key"], client=STRANGER)
    is_refused(all_hosts["ssh-key"], WRONG, client=OTHER)
    let_in(world, all_hosts[name])


def test_send_limits_are_separate_for_known_sources(world, ssh):
    """C31: messages that strangers cause do not use up the owner's limit."""
    configure(world, extra=FAST + "sends_per_user = 2/15m\nsends_per_address = 2/15m\n")
    let_in(world, ssh, client=OWNER)
    with ssh.begin(client=STRANGER) as t:
        ssh.to_code(t)
        t.answer("r")
        assert t.answer("r") == f"{ssh.prefix}{TOO_MANY}\n{CODE}"
    let_in(world, ssh, client=OWNER)


# --- unknown users ---

def test_unknown_users_meet_the_same_limits(world):
    """C32: the lock-out comes after as many tries, with the same words."""
    world.edit(CONF, r"^\[otp\]", "[otp]\nask_first = always")
    answers = ["", "123456", "111111", "222222"]
    shown = {user: [hosts.conversation(world, user, client, answers) for client in (STRANGER, OTHER)]
            for user in ("alice", "nobody-there", "carol")}
    assert shown["alice"][0][-1] == AUTH_ERR and shown["alice"][1] == [f"{WRONG}\nPress Enter to end: ", MAXTRIES]
    assert shown["nobody-there"] == shown["alice"]
    assert shown["carol"] == shown["alice"]
    assert len(world.messages()) == 1, "alice's alone"


def test_unknown_users_meet_the_same_send_limits(world):
    world.edit(CONF, r"^\[otp\]", "[otp]\nask_first = always")
    world.edit(CONF, "resend_wait = 0s", "resend_wait = 0s\nsends_per_user = 1/15m")
    shown = {user: [hosts.conversation(world, user, client, ["", *more]) for client, more in
                   ((STRANGER, ["r", "1", "2", "3"]), (OTHER, [""]))]
            for user in ("alice", "nobody-there", "carol")}
    assert f"{TOO_MANY}\n{CODE}" in shown["alice"][0] and shown["alice"][1][-1] == MAXTRIES
    assert shown["nobody-there"] == shown["alice"]
    assert shown["carol"] == shown["alice"]
    assert len(world.messages()) == 1, "alice's alone"

"""What a user is asked and shown in real hosts: menu, another destination, resend, failover, codes as people type
them.

Facts: Q9 and Q34 prompts; C31, C32; U21 another destination, U22 resend.
"""
import hashlib
import os
import re

import pytest

import hosts
from hosts import CALL, EMAIL, MAILBOX, SEND, SMS, VERIFY, Sshd, configure_channels
from world import AUTH_ERR, PHONE, STORE

CODE, CHOICE = "Verification code (r = resend): ", "Verification code (r = resend, o = other way): "
DESTINATIONS = f"  1  {SMS}\n  2  {CALL}\n  3  {EMAIL}\n"
MENU = f"How should a verification code be sent?\n{DESTINATIONS}Number (Enter = 1): "
BACK = f"How should a verification code be sent?\n{DESTINATIONS}Number (Enter = back): "
THREE = {"sms": ["tingting"], "voice": ["tingting"], "email": ["crego"]}
NOT_BY_SMS = "The code could not be sent by SMS.\n"
JUNK = "Please type one of the numbers.\n"
USED = f"Another connection used that code. Type r to have a new one sent.\n{CODE}"


def sent(how, first=""):
    return f"{first}A verification code was sent {how}. It ends in 5 minutes.\n"


@pytest.fixture
def world(fresh):
    """alice has a phone and a mailbox, and the socket is open."""
    fresh.open_transport("socket")
    hosts.add_mailbox(fresh)
    configure_channels(fresh, THREE)
    yield fresh
    assert fresh.helpers_gone()


@pytest.fixture
def ssh(all_hosts):
    return all_hosts["ssh-key"]


def mailed(world):
    return world.gateway.last_code(MAILBOX["alice"])


def texted(world):
    return world.gateway.last_code(PHONE["alice"][-10:])


def stored():
    """Returns the content of the store, including its log."""
    found = hashlib.sha256()
    for suffix in "", "-wal":
        if os.path.exists(STORE + suffix):
            with open(STORE + suffix, "rb") as f:
                found.update(f.read())
    return found.hexdigest()


# --- the menu ---

def test_the_menu_before_anything_is_sent(world, all_hosts):
    """Q9, U21, C31: the menu is in the prompt, and no message is sent before it is answered."""
    for name in "ssh-key", "ssh-password":
        ssh = all_hosts[name]
        before = len(world.messages())
        with ssh.begin() as t:
            assert t.prompt() == ssh.prefix + MENU
            for junk in "0", "4", "11", "x", "sms", "r", "o":
                assert t.answer(junk) == f"{ssh.prefix}{JUNK}{MENU}"
            assert len(world.messages()) == before
            assert t.answer("") == ssh.prefix + sent(SMS) + CHOICE
            t.type(world.code())
            ssh.inside(t)


def test_wrong_answers_at_the_menu_end_the_sign_in(world):
    """A program that answers by itself is not asked forever."""
    configure_channels(world, THREE, ask_first="always")
    *shown, result = hosts.conversation(world, "alice", "192.0.2.7", ["x"] * 20)
    assert shown == [hosts.without_names(text) for text in (MENU, *[JUNK + MENU] * 19)] and result == AUTH_ERR
    assert world.messages() == [] and 'reason="too many answers' in world.log()


@pytest.mark.parametrize("number,how,channel", [("1", SMS, "sms"), ("2", CALL, "voice"), ("3", EMAIL, "email")])
def test_a_destination_is_chosen(world, ssh, number, how, channel):
    with ssh.begin() as t:
        t.prompt()
        assert t.answer(number) == ssh.prefix + sent(how) + CHOICE
        t.type(world.gateway.wait_message()["code"])
        ssh.inside(t)
    assert [m["channel"] for m in world.messages()] == [channel]


def test_another_destination_is_chosen_later(world, host):
    """U21: `o` shows the menu, and Enter goes back. A code sent to another destination replaces the first."""
    with host.begin() as t:
        assert host.to_code(t) == host.prefix + sent(SMS) + CHOICE
        first = texted(world)
        assert t.answer("o") == host.prefix + BACK
        assert t.answer("7") == host.prefix + JUNK + BACK
        assert t.answer("") == host.prefix + CHOICE
        assert len(world.messages()) == 1, "nothing was sent for looking at the menu"
        t.answer("O")
        assert t.answer("3") == host.prefix + sent(EMAIL) + CHOICE
        world.gateway.wait_message(after=1)
        assert t.answer(first) == f"{host.prefix}Wrong code, 2 tries left.\n{CHOICE}"
        t.type(mailed(world))
        host.inside(t)
    assert [m["channel"] for m in world.messages()] == ["sms", "email"]
    assert re.search(f'event=signin result=ok .* service="{host.service}" .*channel=email provider=crego', world.log())


def test_a_code_at_the_menu(world, host):
    """A user who has received the message need not leave the menu first."""
    with host.begin() as t:
        host.to_code(t)
        t.answer("o")
        assert t.answer("000000") == f"{host.prefix}Wrong code, 2 tries left.\n{CHOICE}"
        t.answer("o")
        t.type(world.code())
        host.inside(t)
    assert len(world.messages()) == 1


def test_a_code_at_the_first_menu(world, ssh):
    """A code that a concurrent sign-in of the same client had sent is accepted. If none was sent, the user reads
    that."""
    with ssh.begin() as one, ssh.begin() as other:
        one.prompt()
        assert other.prompt() == ssh.prefix + MENU
        assert other.answer("123456") == f"{ssh.prefix}No verification code has been sent yet.\n{MENU}"
        one.answer("")
        other.type(world.code())
        ssh.inside(other)
    assert len(world.messages()) == 1


def test_one_destination_has_no_menu(world, two_hosts):
    configure_channels(world, {"sms": ["tingting"], "email": ["crego"]})
    with two_hosts.begin("bob") as t:
        text = two_hosts.to_code(t)
        assert text == two_hosts.prefix + sent(SMS).replace("19.", "28.") + CODE
        assert t.answer("o") == f"{two_hosts.prefix}A verification code has 6 digits, 2 tries left.\n{CODE}"


def test_five_destinations_fit_into_a_prompt(world, ssh):
    """Q9: a prompt has 511 bytes. The contacts are the longest that are shown."""
    for user in "alice", "bob":
        world.otpctl("contact", "add", "alice", f"--email={user}{'x' * 40}@{'mail.' * 30}example", "--no-notice")
    world.otpctl("contact", "add", "alice", "--phone=+9779800000028", "--no-notice")
    configure_channels(world, {"sms": ["tingting"], "email": ["crego"], "voice": ["tingting"]})
    with ssh.begin() as t:
        text = t.prompt()
        assert [line[:5] for line in text.splitlines()[1:-1]] == [f"  {n}  " for n in range(1, 6)]
        assert text.endswith("\nNumber (Enter = 1): ") and len(text) - len(ssh.prefix) < 512
        assert t.answer("5").startswith(f"{ssh.prefix}A verification code was sent by e-mail to ")
        t.type(world.gateway.wait_message()["code"])
        ssh.inside(t)


def test_hanging_up_at_the_menu_costs_nothing(world, ssh):
    """C31: after five hang-ups, the store is byte for byte the same."""
    with ssh.begin() as t:
        ssh.to_code(t)
        t.type(world.code())
        ssh.inside(t)
    assert world.helpers_gone()
    before = stored()
    for _ in range(5):
        with ssh.begin() as t:
            assert t.prompt() == ssh.prefix + MENU
            t.kill()
        assert world.helpers_gone()
    assert stored() == before and len(world.messages()) == 1
    assert len(re.findall("result=gone .* wrong=0", world.log())) == 5


def lookalikes(world):
    """Removes the contacts of all users but alice, so that unknown users look like her. Returns the number of
    messages."""
    for user in "bob", "robot":
        world.otpctl("contact", "remove", user, "--all", "--no-notice")
    return len(world.messages())  # each removal sends a notice


def test_an_unknown_user_sees_a_menu_too(world):
    """C32: the questions are the same to the end, with contacts of the same form. Nothing is sent."""
    before = lookalikes(world)
    configure_channels(world, THREE, ask_first="always")
    answers = ["9", "x", "123456", "3", "1234", "o", "x", "", "o", "1", "r", "", "111111", "222222"]
    real, unknown, none = (hosts.conversation(world, user, f"192.0.2.{n}", answers)
                           for n, user in enumerate(("alice", "nobody-there", "carol")))
    assert real[0] == hosts.without_names(MENU) and real[-1] == AUTH_ERR
    assert unknown == real
    assert none == real
    assert len(world.messages()) - before == 3, "alice's alone"


def test_an_unknown_user_of_sshd_sees_a_menu_too(world, all_hosts):
    """C32, Q5: sshd passes on only an empty answer of such a user."""
    before = lookalikes(world)
    answers = ["", "", "123456", "123456", "123456"]
    with Sshd("sshd-key") as bare:  # without a first factor, which our documents do not recommend
        real, unknown, none = (hosts.seen(bare.ssh(user, options=[f"BindAddress=127.0.0.{n}"]), user, answers)
                               for n, user in ((2, "alice"), (3, "nobody-there"), (4, "carol")))
    assert "Number (Enter = 1): " in real[0]
    assert unknown == real
    assert none == real
    assert len(world.messages()) - before == 1, "alice's alone"


# --- resend ---

def test_resending_has_a_cool_down_that_is_shown(world, host):
    """U22: the seconds are shown, and only for the contact that they concern."""
    configure_channels(world, THREE, extra="")
    with host.begin() as t:
        host.to_code(t)
        t.answer("r")
        assert re.search(r"A new code can be sent in (30|[12]\d|\d) seconds\.", t.child.before + t.child.after)
        assert len(world.messages()) == 1
        t.answer("o")
        assert t.answer("1") == f"{host.prefix}A new code can be sent in N seconds.\n{CHOICE}"
        assert len(world.messages()) == 1
        t.type(world.code())
        host.inside(t)


def test_a_resent_code_replaces_the_first(world, two_hosts):
    host = two_hosts
    with host.begin() as t:
        host.to_code(t)
        first = world.code()
        assert t.answer("R") == host.prefix + sent(SMS) + CHOICE
        assert len(world.messages()) == 2 and world.code() != first
        assert t.answer(first) == f"{host.prefix}Wrong code, 2 tries left.\n{CHOICE}"
        t.type(world.code())
        host.inside(t)


# --- failover ---

def test_the_second_provider(world, host):
    """U21: the prompt names the failover, and the second provider checks the code."""
    configure_channels(world, {"sms": ["tingting", "crego"]})
    world.gateway.fault("status", status=500, path=SEND["tingting"])
    with host.begin() as t:
        text = host.to_code(t)
        assert text == f"{host.prefix}{sent(SMS)[:-1]} It was sent by another service than usual.\n{CODE}"
        t.type(world.code())
        host.inside(t)
    assert len(world.messages()) == 1 and world.gateway.requests(VERIFY["crego"])
    assert "result=ok" in world.log() and "provider=crego" in world.log()


def test_the_other_channel(world, host):
    """No provider of SMS works, so the code goes by e-mail. The prompt says so, and `r` uses e-mail again."""
    configure_channels(world, {"sms": ["tingting", "kgen"], "email": ["crego"]})
    world.gateway.set_faults({"kind": "status", "status": 500, "path": SEND["tingting"]},
                             {"kind": "status", "status": 500, "path": SEND["kgen"]})
    text = f"{host.prefix}{sent(EMAIL, NOT_BY_SMS)}{CHOICE}"
    with host.begin() as t:
        assert host.to_code(t) == text
        assert t.answer("r") == host.prefix + sent(EMAIL) + CHOICE
        t.type(mailed(world))
        host.inside(t)
    assert [m["channel"] for m in world.messages()] == ["email", "email"]


def test_no_other_channel_if_fallback_is_off(world, host):
    configure_channels(world, {"sms": ["tingting"], "email": ["crego"]}, fallback="no")
    world.gateway.fault("status", status=500, path=SEND["tingting"])
    with host.begin() as t:
        if host.asks_first:
            t.prompt()
            t.type("")
        host.outside(t, "The verification code could not be sent: its delivery service cannot be reached.")
    assert world.messages() == []


def test_a_message_that_may_have_been_sent(world, two_hosts):
    """Nobody confirmed the message. It is not sent again by itself, and its code counts if it arrives."""
    host = two_hosts
    configure_channels(world, {"sms": ["tingting", "crego"]}, attempt_timeout="1s")
    world.gateway.fault("hang", path=SEND["tingting"], deliver=True)
    with host.begin() as t:
        assert host.to_code(t) == (f"{host.prefix}A verification code may be on its way {SMS}. It ends in 5 minutes.\n"
                                   + CODE)
        assert len(world.messages()) == 1 and not world.gateway.requests(SEND["crego"])
        t.type(world.code())
        host.inside(t)


def test_a_resend_after_an_unconfirmed_message_uses_the_next_provider(world, two_hosts):
    """After `r`, the next provider sends."""
    host = two_hosts
    configure_channels(world, {"sms": ["tingting", "crego"]}, attempt_timeout="1s")
    world.gateway.fault("hang", path=SEND["tingting"], deliver=False)
    with host.begin() as t:
        host.to_code(t)
        assert world.messages() == []
        assert t.answer("r") == f"{host.prefix}{sent(SMS)}{CODE}"
        t.type(world.code())
        host.inside(t)
    assert len(world.messages()) == 1 and world.gateway.requests(SEND["crego"])


# --- several at once ---

def test_four_connections_of_an_editor(world, ssh):
    """Q34, U15: four sign-ins are at the menu at once, and there is one message. One connection uses the code. The
    others read that, and it costs no try. A new message is again for one of them."""
    many = [ssh.begin() for _ in range(4)]
    try:
        assert [t.prompt() for t in many] == [ssh.prefix + MENU] * 4
        assert [t.answer("") for t in many] == [ssh.prefix + sent(SMS) + CHOICE] * 4
        assert len(world.messages()) == 1
        code = world.code()
        for t in many:
            t.type(code)
        let_in = many[0]
        ssh.inside(let_in)
        for t in many[1:]:
            assert t.prompt() == ssh.prefix + USED.replace(CODE, CHOICE)
        assert t.answer(code) == ssh.prefix + USED.replace(CODE, CHOICE), "not a wrong one, however often"
        assert t.answer("r") == ssh.prefix + sent(SMS) + CHOICE
        t.type(world.code())
        ssh.inside(t)
    finally:
        for t in many:
            t.child.close(force=True)
    assert len(world.messages()) == 2
    assert world.sql("SELECT coalesce(sum(failures), 0) FROM budget") == "0"


def test_rounds_of_sudo_share_one_code(world, all_hosts):
    """Q17: a destination chosen in the first round stays, and its code counts in the next rounds."""
    host = all_hosts["sudo"]
    with host.begin() as t:
        host.to_code(t)
        t.answer("o")
        assert t.answer("3") == sent(EMAIL) + CHOICE
        world.gateway.wait_message(after=1)
        for _ in range(2):
            t.answer("000000")
        assert t.answer("000000") == "Sorry, try again.\n[sudo] password for alice: "
        assert t.answer("alice-password") == sent(EMAIL) + CHOICE
        t.type(mailed(world))
        host.inside(t)
    assert len(world.messages()) == 2


# --- codes as people type them ---

@pytest.mark.parametrize("how", [
    lambda c: f"{c[:3]} {c[3:]}", lambda c: f"{c[:3]}-{c[3:]}", lambda c: " ".join(c), lambda c: f"\t {c}  ",
    lambda c: c.translate({ord(str(n)): 0xff10 + n for n in range(10)}),
    lambda c: c.translate({ord(str(n)): 0x966 + n for n in range(10)})],
    ids=["in groups", "with a dash", "one by one", "between blanks", "full width", "Devanagari"])
def test_a_code_counts_however_it_is_typed(world, two_hosts, how):
    with two_hosts.begin() as t:
        two_hosts.to_code(t)
        t.type(how(world.code()))
        two_hosts.inside(t)

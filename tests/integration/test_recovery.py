"""Recovery codes in real hosts: where they are accepted, what the user reads, and that they stay on the machine.

Facts: U23; S11; Q9, Q18 what the user reads; C32.
"""
import re

import pytest

import hosts
from hosts import FAST, SMS, configure
from test_otpctl_recovery import codes_of
from world import AUTH_ERR, CONF

CODE, RECOVERY = "Verification code (r = resend): ", "Recovery code (r = send a code): "
LOCKED = "Recovery code: "
SENT = f"A verification code was sent {SMS}. It ends in 5 minutes.\n"
ENTER = f"Press Enter to have a verification code sent {SMS} (or type a recovery code): "
LEFT = "That recovery code is used up now. You have {} recovery codes left."
USED = "That recovery code was used before. Type another one.\n"
UNAVAILABLE = "The verification code could not be sent: its delivery service cannot be reached.\n"
NOBODYS = "rc-7k2m-9xqd-4hvt-w3np"
NO_ROUTE = "https://192.0.2.1"  # there is no network in the sandbox


@pytest.fixture
def world(fresh):
    fresh.open_transport("socket")
    configure(fresh, extra=FAST + "failures = 3\nbackoff_first = 59s\n")
    yield fresh
    assert fresh.helpers_gone()


@pytest.fixture
def ssh(all_hosts):
    return all_hosts["ssh-key"]


@pytest.fixture(scope="module")
def issued():
    """alice's codes and their rows in the store. They are made once, because the ten hashes are slow."""
    return {}


@pytest.fixture
def codes(world, issued):
    if issued:
        world.sql(issued["rows"])
    else:
        issued["codes"] = issue(world)
        issued["rows"] = world.sql(".dump --data-only recovery%")
    assert left(world) == "10"
    return list(issued["codes"])


def issue(world, user="alice"):
    found = codes_of(world.otpctl("recovery", "issue", user).stdout)
    assert len(found) == 10
    return found


def without_network(world):
    world.edit(CONF, "^base = .*", f"base = {NO_ROUTE}")


def left(world, user="alice"):
    return world.sql(f"SELECT count(*) FROM recovery_code JOIN recovery ON issue = id "
                     f"WHERE user = '{user}' AND NOT used")


def failures(world, kind):
    return world.sql(f"SELECT coalesce(sum(failures), 0) FROM budget WHERE kind = '{kind}'")


# --- where they are accepted ---

def test_at_the_first_question(world, ssh, codes):
    """Nothing is sent."""
    with ssh.begin() as t:
        assert t.prompt() == ssh.prefix + ENTER
        t.type(codes[0])
        ssh.inside(t, LEFT.format(9))
    assert world.messages() == [] and left(world) == "9"


def test_at_the_menu(world, ssh, codes):
    hosts.configure_channels(world, {"sms": ["tingting"], "voice": ["tingting"]})
    with ssh.begin() as t:
        assert t.prompt().endswith("Number (Enter = 1), or a recovery code: ")
        t.type(codes[0])
        ssh.inside(t, LEFT.format(9))
    assert world.messages() == []


def test_at_the_prompt_for_a_code(world, host, codes):
    """U23, Q18: in every host. The user reads there how many are left."""
    with host.begin() as t:
        assert host.to_code(t) == host.prefix + SENT + CODE
        t.type(codes[0])
        host.inside(t, LEFT.format(9))
    assert left(world) == "9"


def test_the_number_left_is_shown_in_a_shell(world, ssh, codes):
    """Q9: sshd keeps the text for the terminal of the session."""
    def give(t):
        t.prompt()
        t.type(codes[0])

    assert ssh.shell(give).startswith(f"{LEFT.format(9)}\n")


@pytest.mark.parametrize("how", [str.upper, lambda c: c.replace("-", " "), lambda c: f"  {c[:2]} {c[3:]} ",
                                 lambda c: "RC-" + c[3:].replace("0", "O").replace("1", "I")],
                         ids=["capitals", "blanks for dashes", "no dash", "letters like digits"])
def test_codes_as_people_type_them(world, ssh, codes, how):
    with ssh.begin() as t:
        t.prompt()
        t.type(how(codes[0]))
        ssh.inside(t, LEFT.format(9))


# --- when nothing else goes ---

def test_without_a_network(world, host, codes):
    """U23: if no message can be sent, the prompt offers a recovery code, which needs no network."""
    without_network(world)
    with host.begin() as t:
        text = t.prompt()
        if host.asks_first:
            text = t.answer("")
        assert text == host.prefix + UNAVAILABLE + RECOVERY
        assert t.answer("123456") == f"{host.prefix}No verification code has been sent yet.\n{RECOVERY}"
        t.type(codes[3])
        host.inside(t, LEFT.format(9))
    assert world.gateway.requests() == []


def test_while_locked_out(world, host, codes):
    """A lock-out by wrong codes does not lock recovery codes."""
    with host.begin() as t:
        host.to_code(t)
        for _ in range(3):
            t.type("000000")
            t.child.expect([hosts.PROMPT, hosts.pexpect.EOF])
    with host.begin() as t:
        assert t.prompt() == f"{host.prefix}Too many wrong codes. Try again in N seconds.\n{LOCKED}"
        assert t.answer("r") == f"{host.prefix}Too many wrong codes. Try again in N seconds.\n{LOCKED}"
        t.type(codes[0])
        host.inside(t, LEFT.format(9))
    assert len(world.messages()) == 1


def test_when_no_more_may_be_sent(world, ssh, codes):
    world.edit(CONF, "resend_wait = 0s", "resend_wait = 0s\nsends_per_user = 1/15m")
    with ssh.begin() as t:
        ssh.to_code(t)
    assert world.helpers_gone()
    world.sql("UPDATE challenge SET expires_boot_ms = 1")
    with ssh.begin() as t:
        t.prompt()
        assert t.answer("") == (f"{ssh.prefix}Too many verification codes were sent. Try again in 15 minutes.\n"
                                + RECOVERY)
        t.type(codes[0])
        ssh.inside(t, LEFT.format(9))


def test_without_an_address(world, all_hosts):
    """A user with recovery codes and no phone: nothing is sent, and only a recovery code lets in."""
    codes = issue(world, "carol")
    for name in "sudo", "ssh-key":
        host = all_hosts[name]
        with host.begin("carol") as t:
            text = host.to_code(t)
            assert "A verification code was sent by SMS to +977 ******** " in text
            assert t.answer("123456") == f"{host.prefix}Wrong code, 2 tries left.\n{CODE}"
            t.type(codes.pop())
            host.inside(t, LEFT.format(len(codes)))
    assert world.messages() == []


# --- each once ---

def test_a_code_used_twice_is_refused_with_a_message(world, two_hosts, codes):
    """S11: it does not let in, and it does not count as wrong."""
    host = two_hosts
    with host.begin() as t:
        host.to_code(t)
        t.type(codes[0])
        host.inside(t, LEFT.format(9))
    with host.begin() as t:
        host.to_code(t, joins=True)
        for _ in range(4):
            assert t.answer(codes[0]) == host.prefix + USED + CODE
        t.type(codes[1])
        host.inside(t, LEFT.format(8))
    assert failures(world, "recovery") == "0"


def test_the_last_one(world, ssh, codes):
    """The user reads that it was the last one. Afterwards none is offered."""
    world.sql("UPDATE recovery_code SET used = 1 WHERE nr != (SELECT min(nr) FROM recovery_code)")
    assert left(world) == "1"
    with ssh.begin() as t:
        t.prompt()
        assert codes[0] and t.answer(codes[1]) == ssh.prefix + USED + RECOVERY
        t.type(codes[0])
        ssh.inside(t)
    assert left(world) == "0"
    with ssh.begin() as t:
        assert t.prompt() == ssh.prefix + ENTER.replace(" (or type a recovery code)", "")


def test_older_codes_are_void(world, ssh, codes):
    """Only the codes of the last issue are valid, even in a sign-in that began before it."""
    with ssh.begin() as t:
        t.prompt()
        new = issue(world)
        assert t.answer(codes[0]) == f"{ssh.prefix}Wrong recovery code, 2 tries left.\n{RECOVERY}"
    with ssh.begin() as t:
        t.prompt()
        t.type(new[0])
        ssh.inside(t, LEFT.format(9))


def test_one_code_used_by_two_sign_ins_lets_one_in(world, ssh, codes):
    """The other user reads that it is used up."""
    with ssh.begin() as one, ssh.begin() as two:
        one.prompt()
        two.prompt()
        one.type(codes[0])
        ssh.inside(one, LEFT.format(9))
        assert two.answer(codes[0]) == ssh.prefix + USED + RECOVERY


# --- wrong ones ---

def test_wrong_recovery_codes_lock_nothing(world, two_hosts, codes):
    """However many were wrong, the code that was sent and the right recovery code still let in."""
    host = two_hosts
    with host.begin() as t:
        host.to_code(t)
        assert t.answer(NOBODYS) == f"{host.prefix}Wrong recovery code, 2 tries left.\n{CODE}"
        assert t.answer("rc-1") == f"{host.prefix}A recovery code is rc- and 16 letters or digits, 1 try left.\n{CODE}"
        t.type(NOBODYS)
        host.outside(t)
    assert failures(world, "user") == "0"
    world.sql("UPDATE budget SET failures = 300 WHERE kind = 'recovery'")
    with host.begin() as t:
        host.to_code(t, joins=True)
        t.type(world.code())
        host.inside(t)
    with host.begin() as t:
        host.to_code(t)
        t.type(codes[0])
        host.inside(t, LEFT.format(9))


def test_a_code_of_another_user_is_wrong(world, ssh, codes):
    issue(world, "bob")
    with ssh.begin("bob") as t:
        t.prompt()
        assert t.answer(codes[0]) == f"{ssh.prefix}Wrong recovery code, 2 tries left.\n{RECOVERY}"
    assert left(world) == "10"


def test_an_unknown_user(world):
    """C32: it looks like a user who has codes and types wrong ones."""
    for user in "bob", "robot":
        world.otpctl("contact", "remove", user, "--all")
    issue(world)
    world.edit(CONF, r"^\[otp\]", "[otp]\nask_first = always")
    answers = [NOBODYS, NOBODYS, NOBODYS]
    shown = {user: [hosts.conversation(world, user, f"192.0.2.{n}", answers) for n in range(3)]
            for user in ("alice", "nobody-there", "carol")}
    assert shown["alice"][0][-1] == AUTH_ERR
    assert "Wrong recovery code, 1 try left." in shown["alice"][2][-2]
    assert shown["nobody-there"] == shown["alice"]
    assert shown["carol"] == shown["alice"]
    assert world.messages("alice") == []


# --- recovery codes stay on the machine ---

def test_no_provider_and_no_log_has_recovery_codes(world, all_hosts, codes):
    """C40: even if the provider checks the codes."""
    configure(world, hosts.SENDERS[3])
    host = all_hosts["sudo"]
    with host.begin() as t:
        host.to_code(t)
        for typed in NOBODYS, codes[0][:-1], codes[0]:
            t.type(typed)
            t.child.expect([hosts.PROMPT, hosts.pexpect.EOF])
    assert 'result=ok' in world.log() and 'reason="recovery code"' in world.log()
    shown = world.log() + str(world.gateway.requests())
    assert not [c for c in (NOBODYS, *codes) if c in shown or re.sub("rc|-", "", c) in shown]
    assert world.gateway.requests(hosts.VERIFY["crego"]) == []

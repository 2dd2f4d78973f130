"""Recovery codes in real hosts: where they are taken, what is told, and that nothing of them leaves the machine.

ids of hosts.md: U23; S11; Q9, Q18 what is told; C32.
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
LEFT = "That recovery code is used up now. {} left."
USED = "That recovery code was used before. Type another one.\n"
UNAVAILABLE = "The verification code could not be sent: its delivery service cannot be reached.\n"
NOBODYS = "rc-7k2m-9xqd-4hvt-w3np"
NO_ROUTE = "https://192.0.2.1"  # there is no network in the sandbox


@pytest.fixture
def world(fresh):
    fresh.open_door("socket")
    configure(fresh, extra=FAST + "failures = 3\nbackoff_first = 59s\n")
    yield fresh
    assert fresh.helpers_gone()


@pytest.fixture
def ssh(all_hosts):
    return all_hosts["ssh-key"]


@pytest.fixture(scope="module")
def issued():
    """alice's codes and how the store keeps them: ten hashes that are slow to make, made once."""
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


# --- where they are taken ---

def test_at_the_first_question(world, ssh, codes):
    """Nothing is sent for it."""
    with ssh.begin() as t:
        assert t.prompt() == ssh.prefix + ENTER
        t.type(codes[0])
        ssh.inside(t, LEFT.format(9))
    assert world.messages() == [] and left(world) == "9"


def test_at_the_menu(world, ssh, codes):
    hosts.configure_ways(world, {"sms": ["tingting"], "voice": ["tingting"]})
    with ssh.begin() as t:
        assert t.prompt().endswith("Number (Enter = 1), or a recovery code: ")
        t.type(codes[0])
        ssh.inside(t, LEFT.format(9))
    assert world.messages() == []


def test_at_the_prompt_for_a_code(world, host, codes):
    """U23, Q18: in every host, and what is left is told there."""
    with host.begin() as t:
        assert host.to_code(t) == host.prefix + SENT + CODE
        t.type(codes[0])
        host.inside(t, LEFT.format(9))
    assert left(world) == "9"


def test_what_is_left_is_told_in_a_shell(world, ssh, codes):
    """Q9: sshd keeps it for the terminal of the session."""
    def give(t):
        t.prompt()
        t.type(codes[0])

    assert ssh.shell(give).startswith(f"{LEFT.format(9)}\n")


@pytest.mark.parametrize("how", [str.upper, lambda c: c.replace("-", " "), lambda c: f"  {c[:2]} {c[3:]} ",
                                 lambda c: "RC-" + c[3:].replace("0", "O").replace("1", "I")],
                         ids=["capitals", "blanks for dashes", "no dash", "letters like digits"])
def test_as_people_type_them(world, ssh, codes, how):
    with ssh.begin() as t:
        t.prompt()
        t.type(how(codes[0]))
        ssh.inside(t, LEFT.format(9))


# --- when nothing else goes ---

def test_without_a_network(world, host, codes):
    """U23: the prompt offers it where no message can be sent, and it needs nobody."""
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
    """A lock of sent codes is none of recovery codes."""
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
    """A user who has codes on paper and no phone: nothing is sent, and only paper lets in."""
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

def test_used_twice_is_told(world, two_hosts, codes):
    """S11: not let in, not counted."""
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
    """It says so, and afterwards none is offered."""
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


def test_older_ones_are_void(world, ssh, codes):
    """Those of the last issue count, also where the sign-in began before it."""
    with ssh.begin() as t:
        t.prompt()
        new = issue(world)
        assert t.answer(codes[0]) == f"{ssh.prefix}Wrong recovery code, 2 tries left.\n{RECOVERY}"
    with ssh.begin() as t:
        t.prompt()
        t.type(new[0])
        ssh.inside(t, LEFT.format(9))


def test_two_at_once(world, ssh, codes):
    """One lets in, the other is told."""
    with ssh.begin() as one, ssh.begin() as two:
        one.prompt()
        two.prompt()
        one.type(codes[0])
        ssh.inside(one, LEFT.format(9))
        assert two.answer(codes[0]) == ssh.prefix + USED + RECOVERY


# --- wrong ones ---

def test_wrong_ones_are_counted_apart(world, two_hosts, codes):
    """Three lock recovery codes; the code that was sent still lets in."""
    host = two_hosts
    with host.begin() as t:
        host.to_code(t)
        assert t.answer(NOBODYS) == f"{host.prefix}Wrong recovery code, 2 tries left.\n{CODE}"
        assert t.answer("rc-1") == f"{host.prefix}Wrong recovery code, 1 try left.\n{CODE}"
        t.type(NOBODYS)
        host.outside(t)
    assert failures(world, "user") == "0"
    world.sql("UPDATE budget SET failures = 3 WHERE kind = 'recovery'")
    with host.begin() as t:
        host.to_code(t, joins=True)
        assert t.answer(codes[0]) == (f"{host.prefix}Too many wrong recovery codes. Try again in N seconds.\n"
                                      + CODE)
        t.type(world.code())
        host.inside(t)
    assert left(world) == "10"


def test_another_users(world, ssh, codes):
    issue(world, "bob")
    with ssh.begin("bob") as t:
        t.prompt()
        assert t.answer(codes[0]) == f"{ssh.prefix}Wrong recovery code, 2 tries left.\n{RECOVERY}"
    assert left(world) == "10"


def test_an_unknown_user(world):
    """C32: as for somebody who has codes and types a wrong one, up to the lock-out."""
    for user in "bob", "robot":
        world.otpctl("contact", "remove", user, "--all")
    issue(world)
    world.edit(CONF, r"^\[otp\]", "[otp]\nask_first = always")
    answers = [NOBODYS, NOBODYS, NOBODYS]
    told = {user: [hosts.conversation(world, user, f"192.0.2.{n}", answers) for n in range(3)]
            for user in ("alice", "nobody-there", "carol")}
    assert told["alice"][0][-1] == AUTH_ERR
    assert "Too many wrong recovery codes. " in told["alice"][2][-2]
    assert told["nobody-there"] == told["alice"]
    assert told["carol"] == told["alice"]
    assert world.messages("alice") == []


# --- nothing of them leaves ---

def test_no_provider_and_no_log_has_them(world, all_hosts, codes):
    """C40: where the provider checks the codes, too."""
    configure(world, hosts.DESTINATIONS[3])
    host = all_hosts["sudo"]
    with host.begin() as t:
        host.to_code(t)
        for typed in NOBODYS, codes[0][:-1], codes[0]:
            t.type(typed)
            t.child.expect([hosts.PROMPT, hosts.pexpect.EOF])
    assert 'result=ok' in world.log() and 'reason="recovery code"' in world.log()
    told = world.log() + str(world.gateway.requests())
    assert not [c for c in (NOBODYS, *codes) if c in told or re.sub("rc|-", "", c) in told]
    assert world.gateway.requests(hosts.VERIFY["crego"]) == []

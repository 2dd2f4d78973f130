"""The real sshd with the stack of etc/pam.d/sshd: what the user sees, and what is sent, counted and left behind.

Facts: Q1-Q15 sshd, Q34 its clients.
"""
import re
import subprocess
import time

import pytest

import hosts
from hosts import CALL, IN, SENDERS, Sshd, SshHost, Terminal, configure
from world import CONF

ENTER = "Press Enter to have a verification code sent by SMS to +977 ******** 19: "
SENT = "A verification code was sent by SMS to +977 ******** 19. It ends in 5 minutes.\n"
CODE = "Verification code (r = resend): "
ALICE = "(alice@127.0.0.1) "
DENIED = "alice@127.0.0.1: Permission denied (keyboard-interactive).\n"
BOTH = "publickey,keyboard-interactive"


@pytest.fixture(scope="module")
def stacks(one_world):
    """Three services: the shipped stack, the same with its password line, and the machine's own."""
    hosts.install("sshd-key", "sshd")
    hosts.install("sshd-password", "sshd", hosts.with_password)
    subprocess.run(["chpasswd"], input="root:root-password\n", text=True, check=True)
    yield
    hosts.put_back()


@pytest.fixture(scope="module")
def by_key(stacks):
    with Sshd("sshd-key", AuthenticationMethods=BOTH) as sshd:
        yield sshd


@pytest.fixture(scope="module")
def by_password(stacks):
    with Sshd("sshd-password") as sshd:
        yield sshd


@pytest.fixture
def world(fresh):
    fresh.open_transport("socket")
    configure(fresh)
    yield fresh
    assert fresh.helpers_gone()


def failures(world):
    return world.sql("SELECT coalesce(sum(failures), 0) FROM budget")


def sends(world):
    """Returns the sends counted against the user. A successful sign-in does not count its send."""
    return world.sql("SELECT count(*) FROM send_event WHERE kind = 'user'")


# --- what the person sees ---

def test_after_a_public_key(world, by_key):
    """Q9: everything that the user must know is in the prompts. Q34: they have the words that clients look for."""
    with Terminal(*by_key.ssh(key="alice")) as t:
        assert t.prompt() == ALICE + ENTER
        assert world.messages() == [] and sends(world) == "0"
        assert t.answer("") == ALICE + SENT + CODE
        assert t.answer("000000") == f"{ALICE}Wrong code, 2 tries left.\n{CODE}"
        assert t.answer("12345") == f"{ALICE}A verification code has 6 digits, 1 try left.\n{CODE}"
        assert t.answer("") == ALICE + CODE
        assert t.type(world.code()).end() == f"{IN}\n"
        assert t.status == 0
    assert "Accepted keyboard-interactive/pam for alice from 127.0.0.1 port" in by_key.log_text()
    assert failures(world) == "0" and sends(world) == "0", "a challenge that ends well gives its send back"


def test_after_a_password(world, by_password):
    with Terminal(*by_password.ssh()) as t:
        assert t.prompt() == ALICE + "Password: "
        assert t.answer("alice-password") == ALICE + ENTER
        assert t.answer("") == ALICE + SENT + CODE
        assert t.type(world.code()).end() == f"{IN}\n"
        assert t.status == 0


def test_a_wrong_password_sends_nothing(world, by_password):
    with Terminal(*by_password.ssh()) as t:
        t.prompt()
        assert t.type("wrong").end() == DENIED
    assert world.messages() == [] and "otp-helper" not in world.log()


def test_three_wrong_codes(world, by_key):
    with Terminal(*by_key.ssh(key="alice")) as t:
        t.prompt()
        t.answer("")
        t.answer("000000")
        assert t.answer("000000") == f"{ALICE}Wrong code, 1 try left.\n{CODE}"
        assert t.type("000000").end() == DENIED
        assert t.status == 255
    assert failures(world) == "3"


def test_three_rounds_of_a_client_share_one_message(world, by_key):
    """ssh starts again twice by itself."""
    with Terminal(*by_key.ssh(key="alice", options=["NumberOfPasswordPrompts=3"])) as t:
        t.prompt()
        t.answer("")
        for _ in range(2):
            t.answer("000000")
        assert t.answer("000000") == ALICE + SENT + CODE, "a new conversation, the same code"
        assert t.type(world.code()).end() == f"{IN}\n"
    assert len(world.messages()) == 1


def test_connections_of_an_editor_share_one_message(world, by_key):
    """U15: one client opens four connections at once, and shows their prompts one after the other."""
    many = [Terminal(*by_key.ssh(key="alice")) for _ in range(4)]
    try:
        assert [t.prompt() for t in many] == [ALICE + ENTER] * 4
        assert [t.answer("") for t in many] == [ALICE + SENT + CODE] * 4
        assert len(world.messages()) == 1
        assert many[0].type(world.code()).end() == f"{IN}\n"
        assert many[1].answer(world.code()) == (
            f"{ALICE}Another connection used that code. Type r to have a new one sent.\n{CODE}")
    finally:
        for t in many:
            t.child.close(force=True)


def test_with_a_spawned_helper(world, by_key):
    """Q1, Q2: there is no socket, so the module in sshd spawns the helper."""
    world.open_transport("spawn")
    with SshHost(by_key, True).begin() as t:
        t.prompt()
        t.answer("")
        assert t.type(world.code()).end() == f"{IN}\n"


def test_a_call(world, by_key):
    configure(world, SENDERS[1])
    with Terminal(*by_key.ssh(key="alice")) as t:
        assert t.prompt() == f"{ALICE}Press Enter to have a verification code sent {CALL}: "
        assert t.answer("") == f"{ALICE}A verification code was sent {CALL}. It ends in 5 minutes.\n{CODE}"


def test_exempt_by_public_key(world, by_key, by_password):
    """Q14: sshd says which key it accepted. A password is no key."""
    world.edit(CONF, r"\Z", "[exempt robots]\nusers = alice\nrequires = publickey\nreason = x\nuntil = 2099-12-31\n")
    with Terminal(*by_key.ssh(key="alice")) as t:
        assert t.end() == f"{IN}\n"
    with Terminal(*by_password.ssh()) as t:
        t.prompt()
        assert t.answer("alice-password") == ALICE + ENTER


# --- last words: sshd 9.2 shows texts with the next prompt alone, so they are one ---

def test_a_send_that_fails(world, by_key):
    world.gateway.fault("status", status=500)
    with Terminal(*by_key.ssh(key="alice")) as t:
        t.prompt()
        assert t.answer("") == (f"{ALICE}The verification code could not be sent: its delivery service cannot be "
                                "reached.\nPress Enter to end: ")
        assert t.type("").end() == DENIED
    assert "result=unavail" in world.log()


def test_locked(world, by_key):
    """Q12: MAXTRIES ends keyboard-interactive for the connection. The client then asks for a password in vain."""
    configure(world, extra="[limits]\nfailures = 1\n")
    with Terminal(*by_key.ssh(key="alice")) as t:
        t.prompt()
        t.answer("")
        t.answer("000000")
    with Terminal(*by_key.ssh(key="alice")) as t:
        assert t.prompt() == f"{ALICE}Too many wrong codes. Try again in N seconds.\nPress Enter to end: "
        assert t.answer("") == "alice@127.0.0.1's password: "
        assert t.type("alice-password").end() == "alice@127.0.0.1: Permission denied ().\n"
        assert t.status == 255
    assert "result=locked" in world.log() and len(world.messages()) == 1


# --- sshd's password method: it answers by itself ---

@pytest.mark.parametrize("service,methods,key", [
    ("sshd-password", "password", None), ("sshd-key", "password", None), ("sshd-key", "publickey,password", "alice")])
def test_password_method(world, stacks, service, methods, key):
    """Q10: this method cannot answer a visible prompt. Nothing is sent or counted, and nobody signs in."""
    with Sshd(service, PasswordAuthentication="yes", KbdInteractiveAuthentication="no",
              AuthenticationMethods=methods) as sshd:
        with Terminal(*sshd.ssh(key=key)) as t:
            assert t.prompt() == "alice@127.0.0.1's password: "
            assert t.type("alice-password").end() == "alice@127.0.0.1: Permission denied (password).\n"
            assert t.status == 255
    assert world.messages() == [] and sends(world) == "0" and failures(world) == "0"
    assert "result=gone" in world.log()


def test_password_method_is_named_in_the_log(world, stacks):
    """Q10: the log says that this host cannot ask, not that the user left."""
    with Sshd("sshd-key", PasswordAuthentication="yes", KbdInteractiveAuthentication="no",
              AuthenticationMethods="password") as sshd:
        with Terminal(*sshd.ssh()) as t:
            t.prompt()
            t.type("alice-password").end()
    assert re.search(r'result=gone .*reason="[^"]*(cannot prompt|cannot ask)', world.log())


def test_a_client_without_a_terminal(world, by_key):
    """Q34: ssh then gives an empty answer to every prompt, as a user who presses Enter. It is refused soon, and only
    the one message is counted."""
    began = time.monotonic()
    done = subprocess.run(by_key.ssh(key="alice"), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          start_new_session=True, timeout=30)
    assert done.returncode == 255 and IN not in done.stdout
    assert len(world.messages()) <= 1 and failures(world) == "0"
    assert time.monotonic() - began < 5


def test_a_client_in_batch_mode(world, by_key):
    done = subprocess.run(by_key.ssh(key="alice", options=["BatchMode=yes"]), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    assert done.returncode == 255 and done.stderr == DENIED
    assert world.messages() == []


# --- root ---

def root(world, sshd, key):
    """Answers as long as root is asked. Returns what was shown."""
    with Terminal(*sshd.ssh("root", key=key)) as t:
        seen = []
        while t.child.expect([hosts.PROMPT, hosts.pexpect.EOF]) == 0:
            seen.append(t._shown(t.child.before + t.child.after).replace("(root@127.0.0.1) ", ""))
            t.type({"Password: ": "root-password", ENTER: ""}.get(seen[-1]) or (
                world.code() if seen[-1].endswith(CODE) else ""))
        return seen + [t._shown(t.child.before)]


REFUSED = "root@127.0.0.1: Permission denied (keyboard-interactive).\n"
WRONG = [f"Wrong code, {left} left.\n{CODE}" for left in ("2 tries", "1 try")]
ROOT = [  # PermitRootLogin; what root sees after a key, and after a password
    ("yes", [ENTER, SENT + CODE, f"{IN}\n"], ["Password: ", ENTER, SENT + CODE, f"{IN}\n"]),
    ("prohibit-password", [ENTER, SENT + CODE, *WRONG, REFUSED], ["Password: ", REFUSED]),
    ("forced-commands-only", [ENTER, SENT + CODE, *WRONG, REFUSED], ["Password: ", REFUSED]),
    ("no", ["root@127.0.0.1: Permission denied (publickey).\n"], ["Password: ", REFUSED]),
]


@pytest.mark.parametrize("permit,after_key,after_password", ROOT, ids=[row[0] for row in ROOT])
def test_root(world, stacks, permit, after_key, after_password):
    """Q5, Q6: sshd replaces root's answers unless PermitRootLogin is yes. An empty answer stays empty, so Enter
    sends a code. The code itself is replaced: it is reported as wrong, as for everybody, and not counted."""
    world.otpctl("contact", "add", "root", "--phone=+9779800000019")
    with Sshd("sshd-key", PermitRootLogin=permit, AuthenticationMethods=BOTH) as sshd:
        assert root(world, sshd, "root") == after_key
    with Sshd("sshd-password", PermitRootLogin=permit) as sshd:
        assert root(world, sshd, None) == after_password
        assert "should have failed" not in sshd.log_text()
    assert failures(world) == "0"
    if permit != "yes":
        assert "result=ok" not in world.log()
        assert len(world.messages()) == (SENT + CODE in after_key)


# --- unknown users ---

def seen(sshd, user, key, answers):
    return hosts.seen(sshd.ssh(user, key=key), user, answers)


def test_unknown_user_with_a_password(world, by_password):
    """C20, C32: everything is as for a user who types a wrong password."""
    assert seen(by_password, "nobody-there", None, ["wrong"]) == seen(by_password, "alice", None, ["wrong"])
    assert world.messages() == []


def test_unknown_user_with_a_key(world, by_key):
    assert seen(by_key, "nobody-there", "stranger", []) == seen(by_key, "alice", "stranger", [])
    assert world.messages() == []


@pytest.fixture(scope="module")
def bare(stacks):
    """A stack without a first factor, which our documents do not recommend."""
    with Sshd("sshd-key") as sshd:
        yield sshd


def test_unknown_user_alone(world, bare):
    """Q5: the prompts are those of a user without a phone. Nothing is sent, nobody signs in, and sshd logs no error."""
    shown = seen(bare, "nobody-there", None, ["", "123456", "123456", "123456"])
    assert shown[:2] == seen(bare, "carol", None, ["", "123456", "123456", "123456"])[:2]
    assert shown[:2] == ["(USER@127.0.0.1) Press Enter to have a verification code sent by SMS to +977 ******** NN: ",
                        "(USER@127.0.0.1) A verification code was sent by SMS to +977 ******** NN. "
                        f"It ends in 5 minutes.\n{CODE}"]
    assert world.messages() == [] and "should have failed" not in bare.log_text()


def test_unknown_user_to_the_end(world, bare):
    """C32: to the last answer, nothing shows who exists."""
    answers = ["", "123456", "123456", "123456"]
    assert seen(bare, "nobody-there", None, answers) == seen(bare, "carol", None, answers)


def test_a_user_whom_sshd_refuses(world, stacks):
    """Q5: with DenyUsers, sshd replaces the answers of a user who exists. The right code becomes wrong, and is not
    counted against her. The stack has only pam_otp, because a password line would refuse the replaced answer
    first."""
    with Sshd("sshd-key", DenyUsers="alice") as sshd, Terminal(*sshd.ssh()) as t:
        assert t.prompt() == ALICE + ENTER
        assert t.answer("") == ALICE + SENT + CODE
        code = world.code()
        assert [t.answer(code), t.answer(code)] == [ALICE + wrong for wrong in WRONG]
        assert t.type(code).end() == DENIED
    log = world.log()
    assert 'event=signin result=gone rhost="127.0.0.1" user="alice" service="sshd-key"' in log, "pam_otp was reached"
    assert "it answered by itself" in log and "result=ok" not in log and failures(world) == "0"


# --- a client that goes ---

def wait_for(condition, within=5.0):
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def begin(sshd, world, step):
    """Brings a client to this step."""
    t = Terminal(*sshd.ssh(key="alice"))
    t.prompt()
    if step == "first prompt":
        return t
    if step == "sending":
        world.gateway.fault("hang")
        t.type("")
        wait_for(lambda: world.gateway.requests(hosts.SEND["crego"]))
        return t
    t.answer("")
    if step == "after a wrong code":
        t.answer("000000")
    if step == "checking":
        world.gateway.fault("hang", path=hosts.VERIFY["crego"])
        t.type("123456")
        wait_for(lambda: world.gateway.requests(hosts.VERIFY["crego"]))
    return t


STEPS = {"first prompt": ("0", "0"), "sending": ("1", "0"), "code prompt": ("1", "0"),
         "after a wrong code": ("1", "1"), "checking": ("1", "1")}


@pytest.mark.parametrize("through", ["socket", "spawn"])
@pytest.mark.parametrize("step", STEPS)
def test_a_client_is_killed(world, by_key, step, through):
    """Q3, U1: the helper and sshd's processes end soon. Only what reached a provider is counted, and the log has all
    of it."""
    world.open_transport(through)
    configure(world, SENDERS[3], attempt_timeout="1s", verify_timeout="1s")
    with begin(by_key, world, step) as t:
        assert world.helpers()
        t.kill()
        began = time.monotonic()
        assert world.helpers_gone() and by_key.idle()
        assert time.monotonic() - began < (2.5 if step in ("sending", "checking") else 1.0)
    assert (sends(world), failures(world)) == STEPS[step]
    ends = re.findall(r' event=signin result=(\w+) .* wrong=(\d) .* client="127.0.0.1"', world.log())
    assert ends == [("gone", STEPS[step][1])], world.log()
    world.gateway.clear_faults()
    with Terminal(*by_key.ssh(key="alice")) as t:
        if step in ("first prompt",):
            assert t.prompt() == ALICE + ENTER
            t.answer("")
        else:
            assert t.prompt().endswith(CODE), "the same challenge goes on"
        if step == "sending":
            t.answer("r")
        assert t.type(world.code()).end() == f"{IN}\n", "nothing stays locked"


@pytest.mark.parametrize("step", ["first prompt", "code prompt"])
def test_login_grace_time(world, stacks, step):
    """Q3: sshd's own alarm comes while the user says nothing."""
    with Sshd("sshd-key", AuthenticationMethods=BOTH, LoginGraceTime=2) as sshd:
        with begin(sshd, world, step) as t:
            assert world.helpers_gone(4.0) and sshd.idle(1.0)
            t.type("").end()
            assert t.status == 255
    assert failures(world) == "0"


def test_a_client_without_a_valid_key_starts_no_helper(world, by_key):
    """The client only tries keys. No helper starts."""
    done = subprocess.run([*by_key.ssh(key="alice", options=["PreferredAuthentications=publickey"])],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 255
    assert "otp-helper" not in world.log()

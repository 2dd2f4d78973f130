"""The real su and login with the stacks of etc/pam.d, and a host that is not root, like a screen locker.

Facts: Q22 su, Q23 login, Q24 misc_conv, Q30 screen lockers.
"""
import configparser
import os
import re
import time

import pexpect
import pytest

import hosts
from hosts import AS, FAST, HERE, LoginHost, Terminal, configure
from world import AUTH_ERR, CONF, CONV_ERR, HELPER, PERM_DENIED, SUCCESS

SENT = "A verification code was sent by SMS to +977 ******** 19. It ends in 5 minutes.\n"
BOBS = SENT.replace("19", "28")
CODE = "Verification code (r = resend): "
LOGIN = "sandbox login: "
INCORRECT = f"\nLogin incorrect\n{LOGIN}"
CALLER = FAST + "[service su su-l]\nidentity = caller\n"


@pytest.fixture(scope="module")
def stacks(one_world):
    hosts.install("su")
    hosts.install("login")
    yield
    hosts.put_back()


@pytest.fixture
def world(fresh, stacks):
    fresh.open_transport("spawn")
    configure(fresh)
    yield fresh
    assert fresh.helpers_gone()


def failures(world):
    return world.sql("SELECT coalesce(sum(failures), 0) FROM budget")


# --- su ---

def su(*arguments, user="alice"):
    return Terminal(*AS[user], "su", *arguments, "-c", "id -un")


@pytest.mark.parametrize("login_shell", [(), ("-",)], ids=["su", "su -"])
@pytest.mark.parametrize("identity", ["target", "caller"])
def test_su_asks(world, identity, login_shell):
    """Q22, U26: su asks for the password of the target user. The code goes to that user, or to the caller if so
    configured."""
    if identity == "caller":
        configure(world, extra=CALLER)
    with su(*login_shell, "bob") as t:
        assert t.prompt() == "Password: "
        assert world.messages() == []
        assert t.answer("bob-password") == (BOBS if identity == "target" else SENT) + CODE
        assert len(world.messages("bob" if identity == "target" else "alice")) == len(world.messages()) == 1
        assert t.answer("000000") == f"Wrong code, 2 tries left.\n{CODE}"
        assert t.type(world.code()).end() == "bob\n"
        assert t.status == 0
    who = "bob" if identity == "target" else "alice"
    assert f'result=ok rhost="" user="{who}" service="su{"-l" if login_shell else ""}" ' in world.log()


@pytest.mark.parametrize("identity", ["target", "caller"])
def test_su_through_the_socket(world, identity):
    """su runs as root there too, so the process that connects is not the caller."""
    world.open_transport("socket")
    if identity == "caller":
        configure(world, extra=CALLER)
    with su("bob") as t:
        t.prompt()
        t.answer("bob-password")
        assert t.type(world.code()).end() == "bob\n"


def test_su_counts_against_the_user_who_is_asked(world):
    """The limits are those of the user whose phone gets the code."""
    configure(world, extra=CALLER)
    with su("bob") as t:
        t.prompt()
        t.answer("bob-password")
        t.answer("000000")
        t.answer("000000")
        assert t.type("000000").end() == "su: Authentication failure\n"
        assert t.status == 1
    assert world.sql("SELECT kind, owner, failures FROM budget") == "user|alice|3"


def test_su_with_a_wrong_password(world):
    with su("bob") as t:
        t.prompt()
        assert t.type("alice-password").end() == "su: Authentication failure\n"
    assert world.messages() == [] and "otp-helper" not in world.log()


def test_su_by_root_is_not_asked(world):
    with Terminal("su", "bob", "-c", "id -un") as t:
        assert t.end() == "bob\n"
    assert world.messages() == [] and "otp-helper" not in world.log()


def test_su_with_another_users_code(world):
    """Both are asked at once. A code signs in only the user to whom it was sent."""
    with su("bob") as t, su("alice", user="carol") as other:
        t.prompt()
        t.answer("bob-password")
        other.prompt()
        assert other.answer("alice-password") == SENT + CODE
        assert t.answer(world.gateway.last_code("9800000019")) == f"Wrong code, 2 tries left.\n{CODE}"
        assert t.type(world.gateway.last_code("9800000028")).end() == "bob\n"


@pytest.mark.parametrize("key,shown", [("c", "^C"), ("d", "\nsu: Conversation error\n")])
def test_su_leaves(world, key, shown):
    """Q24: no answer is no wrong guess."""
    with su("bob") as t:
        t.prompt()
        t.answer("bob-password")
        t.press(key)
        assert t.end() == shown
    assert world.helpers_gone(1.0) and failures(world) == "0"


def test_su_shows_that_nothing_could_be_sent(world):
    world.gateway.fault("status", status=500)
    with su("bob") as t:
        t.prompt()
        assert t.type("bob-password").end() == (
            "The verification code could not be sent: its delivery service cannot be reached.\n"
            "su: Permission denied\n"), "an outage is nothing that a local person may bring about"


# --- login ---

def test_login_asks(world):
    with Terminal("login") as t:
        assert t.prompt() == LOGIN
        assert t.answer("alice") == "Password: "
        assert t.answer("alice-password") == SENT + CODE
        assert t.answer("000000") == f"Wrong code, 2 tries left.\n{CODE}"
        assert t.answer(world.code()).endswith("alice@sandbox:~$ ")
        t.type("exit").end()
        assert t.status == 0


def test_login_tries(world):
    """Q23: login tries five times with one handle. The code ends with its fifth wrong answer, and one message was
    sent."""
    with Terminal("login") as t:
        t.prompt()
        for n in range(5):
            t.answer("alice")
            assert t.answer("alice-password").endswith(CODE)
            for left in ("2 tries", "1 try"):
                text = t.answer("000000")
                assert n or text == f"Wrong code, {left} left.\n{CODE}"
            if n < 4:
                assert t.answer("000000") == INCORRECT
        assert t.type("000000").end() == "\nLogin incorrect\nMaximum number of tries exceeded (5)\n"
    assert len(world.messages()) == 1


def test_login_of_another_user_on_the_same_handle(world):
    """Q23: PAM_USER changes between the tries. Nothing of the first user remains."""
    with Terminal("login") as t:
        t.prompt()
        t.answer("alice")
        assert t.answer("alice-password") == SENT + CODE
        for _ in range(2):
            t.answer("000000")
        assert t.answer("000000") == INCORRECT
        assert t.answer("bob") == "Password: "
        assert t.answer("bob-password") == BOBS + CODE
        assert t.answer(world.gateway.last_code("9800000019")) == f"Wrong code, 2 tries left.\n{CODE}"
        assert "bob@sandbox:" in t.answer(world.gateway.last_code("9800000028"))


def test_login_with_a_wrong_password(world):
    with Terminal("login") as t:
        t.prompt()
        t.answer("alice")
        assert t.answer("wrong") == INCORRECT
        t.answer("nobody-there")
        assert t.answer("wrong") == INCORRECT
    assert world.messages() == []


def test_login_that_is_locked(world):
    """MAXTRIES ends login at once, and the user reads why."""
    configure(world, extra="[limits]\nfailures = 1\n")
    with LoginHost().begin() as t:
        t.prompt()
        t.answer("000000")
        t.hang_up()
    assert world.helpers_gone()
    with LoginHost().begin() as t:
        assert t.end() == "Too many wrong codes. Try again in N seconds.\nMaximum number of tries exceeded (1)\n"


def test_login_shows_what_happened(world):
    configure(world, next(sender for sender in hosts.SENDERS if sender.provider == "bridgekeeper"))
    world.gateway.set("bridgekeeper", tfa="setup")
    with LoginHost().begin() as t:
        t.prompt()
        assert t.answer(world.code()) == ("The code was right, but your account at its service needs another step "
                                          "first. Ask your administrator.\n" + INCORRECT)
        world.gateway.fault("status", status=500)
        t.answer("bob")
        assert t.answer("bob-password") == ("The verification code could not be sent: its delivery service cannot be "
                                            "reached.\n" + INCORRECT)


def test_login_whose_terminal_is_closed(world):
    with LoginHost().begin() as t:
        t.prompt()
        t.hang_up()
        assert world.helpers_gone(1.0)
    assert failures(world) == "0"


def test_login_timeout_is_shipped_below_the_alarm():
    """Q23: /etc/login.defs has one alarm for all tries of login."""
    conf = configparser.ConfigParser()
    conf.read(f"{HERE}/../../etc/pam_otp.conf")
    with open("/etc/login.defs") as f:
        alarm = int(re.search(r"^LOGIN_TIMEOUT\s+(\d+)", f.read(), re.MULTILINE)[1])
    assert conf["service login"]["login_timeout"] == "50s" and alarm == 60


@pytest.fixture
def short_alarm(world):
    """The same order of deadlines, but shorter: 10 s for a sign-in, 14 s for login's alarm."""
    with open("/etc/login.defs") as f:
        before = f.read()
    world.write("/etc/login.defs", re.sub(r"(?m)^LOGIN_TIMEOUT.*", "LOGIN_TIMEOUT 14", before))
    configure(world, extra=FAST + "[service login]\nlogin_timeout = 10s\n")
    yield world
    world.write("/etc/login.defs", before)


def test_login_alarm(short_alarm):
    """Q23: a user who answers after login_timeout is refused even with the right code, and can try again. login's
    alarm ends a user who says nothing, and the helper ends too."""
    began = time.monotonic()
    with LoginHost().begin() as silent, LoginHost().begin() as late:
        silent.prompt()
        late.prompt()
        code = short_alarm.code()
        time.sleep(10.6 - (time.monotonic() - began))
        assert late.answer(code) == INCORRECT
        silent.child.expect(pexpect.EOF)
        assert silent.child.before == "\r\nLogin timed out after 14 seconds.\r\n"
        assert 13 < time.monotonic() - began < 16
        assert short_alarm.helpers_gone(1.0)
    assert failures(short_alarm) == "0"


# --- a host that is not root ---

LOCKER, USER_SOCKET = "otp-locker", "/run/pam_otp/user.sock"
LOCKER_STACK = ("auth requisite pam_unix.so\nauth requisite pam_otp.so socket={socket}\nauth required pam_permit.so\n"
                "account required pam_permit.so\n")


@pytest.fixture
def locker(world):
    """A second socket, to which everybody may connect. Only root may connect to the first."""
    world.write(f"/etc/pam.d/{LOCKER}", LOCKER_STACK.format(socket=USER_SOCKET))
    world.open_transport("socket")
    os.chmod("/run/pam_otp/otp.sock", 0o600)
    world.listen(USER_SOCKET, (HELPER,))
    os.chmod(USER_SOCKET, 0o666)
    yield world
    os.unlink(f"/etc/pam.d/{LOCKER}")


def unlock(world, user, host="alice", service=LOCKER):
    return world.sign_in(user, service, prefix=AS[host])


def test_locker_of_ones_own_account(locker):
    """Q30: the helper sees which user connects. She signs in to her own account, with a challenge and limits of that
    host alone."""
    with unlock(locker, "alice") as d:
        assert d.prompt() == "Password: "
        assert "Press Enter" in d.answer("alice-password").prompt()
        assert d.answer("").prompt() == SENT + CODE
        assert d.answer(locker.code()).result() == SUCCESS
    assert f'result=ok rhost="" user="alice" service="peer:{LOCKER}" ' in locker.log()


def test_locker_of_another_account(locker):
    """The password proves nothing to the helper: user ID and account must agree."""
    locker.write(f"/etc/pam.d/{LOCKER}", LOCKER_STACK.format(socket=USER_SOCKET).split("\n", 1)[1])
    for user in ("bob", "root", "nobody-there"):
        with unlock(locker, user) as d:
            assert d.result() == AUTH_ERR, user
    assert locker.messages() == []
    assert "may not sign in this user" in locker.log()


def test_locker_cannot_use_the_socket_of_root(locker):
    """It can neither connect to that socket nor spawn a helper."""
    locker.write(f"/etc/pam.d/{LOCKER}", "auth required pam_otp.so\n")
    with unlock(locker, "alice") as d:
        assert d.result() == PERM_DENIED
    locker.close_transport()
    with unlock(locker, "alice") as d:
        assert d.result() == PERM_DENIED
    assert locker.messages() == []


def test_locker_cannot_use_the_state_of_another_service(locker):
    """It may claim any service. It still gets no challenge, limit or exemption of that service."""
    locker.edit(CONF, r"\Z", "[exempt x]\nusers = alice\nservices = su\nreason = x\nuntil = 2099-12-31\n")
    locker.write("/etc/pam.d/su", LOCKER_STACK.format(socket=USER_SOCKET).split("\n", 1)[1])
    with unlock(locker, "alice", service="su") as d:
        assert d.prompt() == SENT + CODE, "not exempt"
        d.answer("000000").prompt()
        assert locker.sql("SELECT kind, owner, failures FROM budget") == "peer-user|alice|1"
        assert locker.sql("SELECT service FROM challenge") == "peer:su"
        assert d.answer(locker.code()).result() == SUCCESS
    hosts.install("su")


def test_locker_that_leaves(locker):
    with unlock(locker, "alice") as d:
        d.prompt()
        d.answer("alice-password").prompt()
        d.answer("").prompt()
        d.say("!")
        assert d.result() == CONV_ERR
    with unlock(locker, "alice") as d:
        d.prompt()
        d.answer("alice-password").prompt()
        d.answer("").prompt()
        d.process.kill()
        assert locker.helpers_gone(1.0)
    assert failures(locker) == "0"

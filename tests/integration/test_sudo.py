"""The real sudo with the stack of etc/pam.d/sudo: what the user sees, and what is sent and counted.

Facts: Q16-Q21.
"""
import json
import os
import subprocess
import time

import pexpect
import pytest

import hosts
from hosts import AS, SudoHost, Terminal, SENDERS, configure

SENT = "A verification code was sent by SMS to +977 ******** 19. It ends in 5 minutes.\n"
CODE = "Verification code (r = resend): "
PASSWORD, AGAIN = "[sudo] password for alice: ", "Sorry, try again.\n[sudo] password for alice: "
UNCHECKED = "The code could not be checked: its service cannot be reached. 2 tries left.\n"


@pytest.fixture(scope="module")
def stacks(one_world):
    hosts.install("sudo")
    hosts.install("sudo-i", "sudo", rest="sudo-i")
    with hosts.sudoers():
        yield
    hosts.put_back()


@pytest.fixture
def world(fresh, stacks, transport):
    fresh.open_transport(transport)
    configure(fresh)
    subprocess.run(["rm", "-rf", "/run/sudo/ts"], check=True)
    yield fresh
    assert fresh.helpers_gone()


@pytest.fixture
def spawned(fresh, stacks):
    """A world with a spawned helper, for tests that do not depend on the transport."""
    fresh.open_transport("spawn")
    configure(fresh)
    subprocess.run(["rm", "-rf", "/run/sudo/ts"], check=True)
    yield fresh
    assert fresh.helpers_gone()


def failures(world):
    return world.sql("SELECT coalesce(sum(failures), 0) FROM budget")


def wait_for(condition, within=5.0):
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def sudo(*arguments, **popen):
    """Runs sudo without a terminal."""
    return subprocess.Popen([*AS["alice"], "sudo", *arguments, "id", "-u"], text=True, start_new_session=True,
                            **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | popen)


def test_what_is_seen(world):
    """Q18, Q21: the code goes to the caller's own phone, and the prompts say everything that is needed."""
    with Terminal(*AS["alice"], "sudo", "id", "-u") as t:
        assert t.prompt() == PASSWORD
        assert world.messages() == []
        assert t.answer("alice-password") == SENT + CODE
        assert t.answer("000000") == f"Wrong code, 2 tries left.\n{CODE}"
        assert t.answer("12 34") == f"A verification code has 6 digits, 1 try left.\n{CODE}"
        assert t.answer("") == CODE
        assert t.type(world.code()).end() == "0\n"
        assert t.status == 0
    assert len(world.messages("alice")) == 1


def test_three_rounds_share_one_message(spawned):
    """Q17: five wrong answers end the code, however often sudo starts again. There is one message."""
    with Terminal(*AS["alice"], "sudo", "id", "-u") as t:
        t.prompt()
        assert t.answer("alice-password") == SENT + CODE
        assert t.answer("000000") == f"Wrong code, 2 tries left.\n{CODE}"
        assert t.answer("000000") == f"Wrong code, 1 try left.\n{CODE}"
        assert t.answer("000000") == AGAIN
        assert t.answer("alice-password") == SENT + CODE
        assert t.answer("000000") == f"Wrong code, 2 tries left.\n{CODE}"
        assert t.answer("000000") == f"That code has ended. Type r to have a new one sent.\n{CODE}"
        assert t.answer("000000") == AGAIN
        assert t.type("wrong password").end() == "sudo: 3 incorrect password attempts\n"
    assert len(spawned.messages()) == 1


def test_right_in_the_third_round(spawned):
    with Terminal(*AS["alice"], "sudo", "id", "-u") as t:
        t.prompt()
        t.answer("alice-password")
        for _ in range(2):
            t.answer("000000")
        assert t.answer("000000") == AGAIN
        assert t.answer("wrong password") == AGAIN
        assert t.answer("alice-password") == SENT + CODE
        assert t.type(spawned.code()).end() == "0\n"
    assert len(spawned.messages()) == 1


def test_the_rounds_end(spawned):
    with Terminal(*AS["alice"], "sudo", "id", "-u") as t:
        t.prompt()
        for _ in range(2):
            assert t.answer("wrong password") == AGAIN
        assert t.type("wrong password").end() == "sudo: 3 incorrect password attempts\n"
        assert t.status == 1
    assert spawned.messages() == [], "a wrong password sends nothing"


def test_with_a_prompt_of_its_own(spawned):
    """With sudo -p, the user sees that text instead of every prompt of pam_otp. The code still signs in."""
    own = "Say it, alice: "
    with Terminal(*AS["alice"], "sudo", "-p", "Say it, %p: ", "id", "-u") as t:
        assert t.prompt(own) == own
        assert t.answer("alice-password", own) == own
        assert len(spawned.messages()) == 1
        assert t.answer("000000", own) == own
        assert t.type(spawned.code()).end() == "0\n"


@pytest.mark.parametrize("line", ["", "Defaults noninteractive_auth"])
def test_non_interactive(spawned, line):
    """Q19: sudo -n asks nobody, even if it runs the stack with a conversation that fails."""
    with open("/etc/sudoers.d/otp-test-more", "w") as f:
        f.write(line + "\n")
    try:
        p = sudo("-n")
        out, err = p.communicate(timeout=20)
    finally:
        os.unlink("/etc/sudoers.d/otp-test-more")
    assert (p.returncode, out, err) == (1, "", "sudo: a password is required\n")
    assert spawned.messages() == [] and "otp-helper" not in spawned.log()


def test_no_terminal(spawned):
    p = sudo(stdin=subprocess.DEVNULL)
    out, err = p.communicate(timeout=20)
    assert (p.returncode, out) == (1, "")
    assert err == ("sudo: a terminal is required to read the password; either use the -S option to read from "
                   "standard input or configure an askpass helper\nsudo: a password is required\n")
    assert spawned.messages() == []


def test_from_standard_input(world):
    """sudo -S reads a line for each prompt."""
    p = sudo("-S")
    p.stdin.write("alice-password\n")
    p.stdin.flush()
    code = world.gateway.wait_message()["code"]
    out, err = p.communicate(f"{code}\n", timeout=20)
    assert (p.returncode, out, err) == (0, "0\n", PASSWORD + SENT + CODE)


def test_standard_input_that_ends(spawned):
    """Only a password comes, so nobody answers the prompt for the code. sudo starts again in vain."""
    p = sudo("-S")
    out, err = p.communicate("alice-password\n", timeout=20)
    assert p.returncode == 1 and out == ""
    assert err.startswith(PASSWORD + SENT + CODE) and err.endswith(
        "sudo: no password was provided\nsudo: a password is required\n"), err
    assert len(spawned.messages()) == 1 and failures(spawned) == "0"


@pytest.mark.parametrize("key", ["c", "d", "\\"])
def test_leaves_at_the_prompt(world, key):
    """^C, ^D and ^\\ are no wrong guesses, and the code that was sent stays valid."""
    with SudoHost().begin() as t:
        assert t.prompt() == SENT + CODE
        t.press(key)
        t.child.expect(pexpect.EOF)
    assert world.helpers_gone(1.0)
    assert failures(world) == "0" and "result=gone" in world.log()


def test_leaves_while_it_is_checked(spawned):
    """Q16: sudo blocks ^C outside of its prompts. The deadline ends the wait, and then the user reads that the code
    was not checked."""
    configure(spawned, SENDERS[3], verify_timeout="2s")
    with SudoHost().begin() as t:
        t.prompt()
        spawned.gateway.fault("hang", path=hosts.VERIFY["crego"])
        t.type(spawned.code())
        time.sleep(0.3)
        began = time.monotonic()
        t.press("c")
        assert t.prompt().replace("^C", "").lstrip("\n") == UNCHECKED + CODE
        assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("how", ["KILL", "terminal gone"])
@pytest.mark.parametrize("step", ["sending", "code prompt"])
def test_sudo_is_killed(spawned, step, how):
    """No process remains, and nothing counts against the user. sudo reacts to other signals later."""
    configure(spawned, attempt_timeout="1s")
    if step == "sending":
        spawned.gateway.fault("hang")
    with SudoHost().begin() as t:
        if step == "code prompt":
            t.prompt()
        wait_for(lambda: spawned.gateway.requests())
        if how == "KILL":
            t.kill()
        else:
            t.hang_up()
        assert spawned.helpers_gone(2.5)
    assert failures(spawned) == "0"


def test_timestamp(spawned):
    """While it is valid, a second sudo asks for nothing, and nothing is sent."""
    with Terminal(*AS["alice"], "sh") as t:
        assert t.prompt() == "$ "
        assert t.answer("sudo id -u") == PASSWORD
        assert t.answer("alice-password") == SENT + CODE
        assert t.answer(spawned.code()) == "0\n$ "
        assert t.answer("sudo id -u") == "0\n$ "
        assert len(spawned.messages()) == 1
        assert t.answer("sudo -k") == "$ "
        assert t.answer("sudo id -u") == PASSWORD
        assert t.answer("alice-password") == SENT + CODE
        assert len(spawned.messages()) == 2


def test_no_timestamp_after_a_wrong_code(spawned):
    with Terminal(*AS["alice"], "sh") as t:
        t.prompt()
        t.answer("sudo id -u")
        t.answer("alice-password")
        for _ in range(2):
            t.answer("000000")
        assert t.answer("000000") == AGAIN
        t.press("c")
        t.prompt(r"\$ $")
        assert t.answer("sudo id -u") == PASSWORD


def test_a_login_shell_is_asked_too(spawned):
    """The service of sudo -i is sudo-i."""
    with Terminal(*AS["alice"], "sudo", "-i", "id", "-u") as t:
        assert t.prompt() == PASSWORD
        assert t.answer("alice-password") == SENT + CODE
        assert t.type(spawned.code()).end() == "0\n"
    assert 'service="sudo-i"' in spawned.log()


def test_shows_that_nothing_could_be_sent(spawned):
    spawned.gateway.fault("status", status=500)
    with SudoHost().begin() as t:
        assert t.prompt() == ("The verification code could not be sent: its delivery service cannot be reached.\n"
                              + AGAIN)


def test_shows_that_the_provider_wants_a_second_factor(spawned):
    configure(spawned, next(sender for sender in SENDERS if sender.provider == "bridgekeeper"))
    spawned.gateway.set("bridgekeeper", tfa="setup")
    with SudoHost().begin() as t:
        t.prompt()
        assert t.answer(spawned.code()) == ("The code was right, but your account at its service needs another step "
                                            "first. Ask your administrator.\n" + AGAIN)


def test_shows_that_the_user_is_locked(spawned):
    configure(spawned, extra="[limits]\nfailures = 1\n")
    with SudoHost().begin() as t:
        t.prompt()
        t.answer("000000")
        t.press("c")
        t.child.expect(pexpect.EOF)
    with SudoHost().begin() as t:
        assert t.prompt() == "Too many wrong codes. Try again in N seconds.\n" + AGAIN


def test_explain_knows_the_caller(spawned):
    """sudo says that alice calls, and explain assumes the same. Her own wrong codes lock her out; those of strangers
    do not."""
    def outcome(*more):
        done = spawned.otpctl("explain", "alice", "--service", "sudo", "--json", *more)
        return json.loads(done.stdout)["outcome"]

    configure(spawned, extra="[limits]\nfailures = 2\nresend_wait = 0s\n", tries="1")
    host = SudoHost()
    with host.begin() as t:
        assert t.prompt() == SENT + CODE
        t.type(spawned.code())
        host.inside(t)
    for _ in range(2):
        assert (outcome(), outcome("--ruser", "bob")) == ("asked", "asked")
        with host.begin() as t:
            assert t.prompt() == SENT + CODE
            assert t.answer(spawned.wrong()).endswith(PASSWORD)
    assert (outcome(), outcome("--ruser", "bob")) == ("locked", "asked")
    with host.begin() as t:
        assert "Too many wrong codes" in t.prompt()

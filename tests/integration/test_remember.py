"""Remembered sign-ins in the real sshd and sudo: one code, then none in the same place; a code in every other.

ids of hosts.md: Q14 the key, U15 an editor's connections, U56 a session's own freshness.
"""
import subprocess

import pytest

import hosts
from hosts import AS, IN, Sshd, Terminal, configure

CODE = "Verification code (r = resend): "
BOTH = "publickey,keyboard-interactive"


@pytest.fixture(scope="module")
def stacks(one_world):
    hosts.install("sshd-key", "sshd")
    hosts.install("sudo")
    hosts.install("sudo-i", "sudo", rest="sudo-i")
    with hosts.sudoers("Defaults timestamp_timeout=0"):
        yield
    hosts.put_back()


@pytest.fixture(scope="module")
def by_key(stacks):
    with Sshd("sshd-key", AuthenticationMethods=BOTH) as sshd:
        yield sshd


@pytest.fixture
def world(fresh, stacks):
    fresh.open_door("spawn")
    configure(fresh, remember="15m")
    subprocess.run(["rm", "-rf", "/run/sudo/ts"], check=True)
    yield fresh
    assert fresh.helpers_gone()


def ssh_with_a_code(world, by_key):
    with Terminal(*by_key.ssh(key="alice")) as t:
        t.prompt()
        assert t.answer("").endswith(CODE)
        assert t.type(world.code()).end() == f"{IN}\n"


def test_ssh_asks_once_for_a_key_and_address(world, by_key):
    ssh_with_a_code(world, by_key)
    with Terminal(*by_key.ssh(key="alice")) as t:
        assert t.end() == f"{IN}\n" and t.status == 0
    assert len(world.messages()) == 1
    assert 'result=skip' in world.log() and "remembered: " in world.log()


def test_ssh_asks_again_after_it_was_revoked(world, by_key):
    ssh_with_a_code(world, by_key)
    world.otpctl("remember", "revoke", "alice")
    with Terminal(*by_key.ssh(key="alice")) as t:
        assert "Press Enter" in t.prompt()


def shell():
    """alice at a terminal of her own, with a shell in it."""
    t = Terminal(*AS["alice"], "env", "PS1=otp$ ", "bash", "--norc", "--noprofile", "-i")
    t.child.expect_exact("otp$ ")
    return t


def sudo_in(t, world, *, asked, command="sudo id -u"):
    t.child.sendline(command)
    t.child.expect("password for alice: ")
    t.child.sendline("alice-password")
    if asked:
        t.child.expect_exact(CODE)
        t.child.sendline(world.code())
    assert t.child.expect_exact([CODE, "0\r\n"]) == 1, "it asked for a code"
    t.child.expect_exact("otp$ ")


def test_sudo_asks_once_in_a_session_of_a_terminal(world):
    with shell() as t:
        sudo_in(t, world, asked=True)
        sudo_in(t, world, asked=False)
        sudo_in(t, world, asked=False, command="sudo -i id -u")
    assert len(world.messages()) == 1


def tty_of(t):
    t.child.sendline("tty")
    t.child.expect(r"(/dev/pts/\d+)\r\n")
    name = t.child.match[1]
    t.child.expect_exact("otp$ ")
    return name


def test_a_terminal_used_again_by_another_session_is_asked(world):
    with shell() as t:
        first = tty_of(t)
        sudo_in(t, world, asked=True)
    with shell() as t:
        assert tty_of(t) == first, "the lowest free name is given out again"
        sudo_in(t, world, asked=True)


def test_another_terminal_is_asked(world):
    with shell() as one, shell() as two:
        sudo_in(one, world, asked=True)
        sudo_in(two, world, asked=True)
        sudo_in(one, world, asked=False)


def test_without_a_terminal_sudo_is_asked_each_time(world):
    """sudo -S reads the password from a pipe; the prompt for a code meets its end."""
    with shell() as t:
        sudo_in(t, world, asked=True)
    done = subprocess.run([*AS["alice"], "setsid", "-w", "sudo", "-S", "id", "-u"],
                          input="alice-password\n", capture_output=True, text=True)
    assert done.returncode and done.stdout == ""
    assert "result=skip" not in world.log()

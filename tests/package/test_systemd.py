"""The units of the package under a real systemd: the socket, its sandbox, and their life.

Facts: U5, U50 the socket, U30 hosts that are not root.
"""
import os
import re
import socket
import subprocess
import time

import pytest

from machine import CODE, ENTER, IN, PASSWORD, SSHD
from test_life import refused, signs_in, signs_in_as_ever

HERE = os.path.dirname(os.path.abspath(__file__))
SOCK, USER_SOCK = "/run/pam_otp/otp.sock", "/run/pam_otp/user.sock"


@pytest.fixture
def ready(booted, gateway):
    booted.ready(gateway)
    booted.stack("sshd")
    booted.sshd(SSHD)
    return booted


def units(debian, pattern="pam_otp@*"):
    """Returns the helpers that systemd runs now."""
    done = debian.run("systemctl", "list-units", "--plain", "--no-legend", "--state=running", pattern)
    return [line.split()[0] for line in done.stdout.splitlines()]


def active(debian, unit):
    return debian.run("systemctl", "is-active", unit, check=False).stdout.strip()


def wait_for(condition, within=10.0):
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_sign_in_through_the_socket(ready, code):
    """The socket is there after the installation. The helper runs in its own unit, as its own user and without
    privileges, and nothing of it remains."""
    assert active(ready, "pam_otp.socket") == "active"
    assert ready.run("stat", "-c", "%U %a %F", SOCK).stdout == "root 600 socket\n"
    assert ready.run("stat", "-c", "%U %a", "/run/pam_otp").stdout == "root 755\n"
    with ready.ssh(code) as p:
        p.until(CODE)
        unit, = units(ready)
        pid = ready.run("systemctl", "show", "-P", "MainPID", unit).stdout.strip()
        status = dict(line.split(":\t", 1) for line in ready.run("cat", f"/proc/{pid}/status").stdout.splitlines())
        assert ready.run("ps", "-o", "user=", pid, check=False).stdout.strip() in ("pam_otp", "")
        uid = ready.run("id", "-u", "pam_otp").stdout.strip()
        assert status["Uid"].split() == [uid] * 4
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
        assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        assert p.go_on(CODE).let_in
    wait_for(lambda: not units(ready))
    assert ready.run("systemctl", "list-units", "--all", "--no-legend", "pam_otp@*").stdout == ""
    assert re.search(r"otp-helper.* event=signin result=ok .*service=\"sshd\"", ready.log())


def test_a_user_who_leaves_is_no_failed_unit(ready, code):
    with ready.ssh(code) as p:
        p.until(CODE)
        p.vanish()
    wait_for(lambda: not units(ready))
    assert "Failed with result" not in ready.log() and "result=gone" in ready.log()


# What the unit is to allow and to forbid.
ALLOWED = ["write /var/lib/pam_otp/state", "write /tmp", "boot ID", "read /dev/urandom", "AF_UNIX", "AF_INET", "AF_INET6",
           "AF_NETLINK", "memory to write"]
FORBIDDEN = ["write /var/lib/pam_otp", "write /etc/pam_otp", "write /run", "list /home", "list /home/alice", "process 1",
             "read /dev/probe", "AF_VSOCK", "AF_ALG", "memory to write and execute", "set-user-ID", "real time",
             "user namespace", "personality", "setuid", "mount", "clock", "trace", "core dumps", "root"]


def probe(debian):
    """Runs a program instead of the helper, which tries what it may do. Returns {name: yes or no}."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(20)
        s.connect(f"/proc/{debian.process_1()}/root{SOCK}")
        report = s.recv(8192).decode()
    return dict(line.rsplit(" ", 1) for line in report.splitlines())


def test_the_sandbox(ready):
    """A program tries each directive of the unit. The same program without the directives shows that it would notice
    their absence."""
    subprocess.run(["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-o", ready.path("/usr/local/bin/probe"),
                    f"{HERE}/probe.c"], check=True)
    ready.run("sh", "-c", "chmod 755 /home/alice; mkdir -m 1777 /run/open-to-all; mknod -m 666 /dev/probe c 1 3; "
              "chown pam_otp /etc/pam_otp /var/lib/pam_otp")
    drop_in = "/etc/systemd/system/pam_otp@.service.d/probe.conf"
    ready.write(drop_in, "[Service]\nExecStart=\nExecStart=/usr/local/bin/probe\n")
    ready.run("systemctl", "daemon-reload")
    can = probe(ready)
    assert {name: can[name] for name in ALLOWED} == dict.fromkeys(ALLOWED, "yes")
    assert {name: can[name] for name in FORBIDDEN} == dict.fromkeys(FORBIDDEN, "no")
    assert len(can) == len(ALLOWED) + len(FORBIDDEN)
    unit = ready.read("/lib/systemd/system/pam_otp@.service").splitlines()
    kept = [line for line in unit if line.startswith(("[", "Description", "CollectMode", "Standard", "User="))]
    ready.write("/etc/systemd/system/pam_otp@.service", "\n".join(kept) + "\n")
    ready.write(drop_in, "[Service]\nExecStart=/usr/local/bin/probe\n")
    ready.run("systemctl", "daemon-reload")
    can = probe(ready)
    # These three are the kernel's to forbid to who is not root; AF_VSOCK and AF_ALG depend on the machine.
    assert [name for name in FORBIDDEN if can[name] == "no" and name not in ("AF_VSOCK", "AF_ALG")] == [
        "real time", "mount", "clock", "root"]


@pytest.mark.parametrize("how", ["stopped", "dead"])
def test_without_a_listener(ready, code, how):
    """There is no socket, or nobody listens. The module spawns the helper."""
    ready.run("systemctl", "stop", "pam_otp.socket")
    if how == "dead":
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.bind(f"/proc/{ready.process_1()}/root{SOCK}")
    with ready.ssh(code) as p:
        p.until(CODE)
        assert units(ready) == []
        assert p.go_on(CODE).let_in


def test_a_helper_that_cannot_start(ready, code):
    """End-of-file comes before the first message, so the module spawns a helper."""
    ready.write("/etc/systemd/system/pam_otp@.service.d/broken.conf", "[Service]\nExecStart=\nExecStart=/bin/false\n")
    ready.run("systemctl", "daemon-reload")
    signs_in(ready.ssh(code), PASSWORD, ENTER, CODE)


def test_a_burst_does_not_stop_the_socket(ready, code):
    """With systemd's default limit, 200 connections in 2 seconds would."""
    path = f"/proc/{ready.process_1()}/root{SOCK}"
    for _ in range(300):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(30)
            s.connect(path)
    # systemd accepts connections in their order: the helper of one more has spoken when the burst is through.
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(120)
        s.connect(path)
        assert s.recv(64).startswith(b"H")
    wait_for(lambda: not units(ready), 60)
    assert active(ready, "pam_otp.socket") == "active"
    signs_in(ready.ssh(code), PASSWORD, ENTER, CODE)


def test_an_upgrade_with_sign_ins_waiting(ready, gateway, code):
    """Sign-ins at the socket continue with the old helper. The socket is there again for the next."""
    with ready.ssh(code) as at_code, ready.ssh(code, user="bob") as at_enter:
        at_code.until(CODE)
        at_enter.until(ENTER)
        alices = gateway.last_code("9800000019")
        at_code.code = lambda: alices
        assert len(units(ready)) == 2
        ready.install("next")
        assert ready.installed() == "0.2.0-1" and active(ready, "pam_otp.socket") == "active"
        assert len(units(ready)) == 2
        assert at_code.go_on(CODE).let_in
        assert at_enter.go_on(ENTER).let_in
    signs_in(ready.ssh(code), PASSWORD, ENTER, CODE)


# --- the second socket ---

STACK = "auth requisite pam_otp.so{}\nauth required pam_permit.so\naccount required pam_permit.so\n"


@pytest.fixture
def locker(booted, gateway):
    """A program that alice runs, and that asks the person at the screen."""
    booted.ready(gateway)
    subprocess.run(["gcc", "-std=gnu11", "-O1", "-D_GNU_SOURCE", "-o", booted.path("/usr/local/bin/locker"),
                    f"{HERE}/../sandbox/pamdrive.c", "-lpam", "-lpam_misc", "-pthread"], check=True)
    booted.write("/etc/pam.d/locker", STACK.format(f" socket={USER_SOCK}"))
    booted.write("/etc/pam.d/locker-first", STACK.format(""))
    return booted


def runs_locker(debian, code, user="alice", service="locker"):
    """Runs the locker as alice, for this user."""
    return debian.person(["setpriv", "--reuid=alice", "--regid=alice", "--init-groups", "sh", "-c",
                          f"locker --terminal {service} {user} && echo {IN}"], code, user)


def test_the_socket_of_users_is_off(locker, code):
    assert active(locker, "pam_otp-user.socket") == "inactive"
    assert locker.run("systemctl", "is-enabled", "pam_otp-user.socket", check=False).stdout == "disabled\n"
    refused(runs_locker(locker, code))
    refused(runs_locker(locker, code, service="locker-first"))


def test_the_socket_of_users(locker, code, gateway):
    """alice signs in only to her own account. The first socket stays closed to her."""
    locker.run("systemctl", "enable", "--now", "pam_otp-user.socket")
    assert locker.run("stat", "-c", "%U %a", USER_SOCK).stdout == "root 666\n"
    signs_in(runs_locker(locker, code), ENTER, CODE)
    sent = len(gateway.outbox())
    refused(runs_locker(locker, code, user="bob"))
    refused(runs_locker(locker, code, service="locker-first"))
    assert len(gateway.outbox()) == sent
    os.unlink(locker.path("/etc/pam.d/locker"))
    os.unlink(locker.path("/etc/pam.d/locker-first"))
    locker.apt("remove", "libpam-otp")
    assert not locker.run("sh", "-c", "ls /run/pam_otp 2>/dev/null", check=False).stdout


def test_a_purge(ready, code):
    ready.put_back("sshd")
    ready.apt("purge", "libpam-otp")
    assert active(ready, "pam_otp.socket") in ("inactive", "unknown")
    assert ready.run("ls", "/run/pam_otp", check=False).returncode != 0
    signs_in_as_ever(ready)

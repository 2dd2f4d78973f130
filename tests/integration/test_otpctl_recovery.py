"""otpctl recovery: recovery codes are shown once and stored nowhere, and each signs in one time (S11)."""
import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import time

import pytest

from test_otpctl import FAILED, FOLDER, NONE, OK, as_nobody, content, facts, otpctl
from world import GUARD, STORE, SUCCESS

CODE = re.compile(r"rc-([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}")


def issue(*args):
    done = otpctl("recovery", "issue", *args)
    assert done.returncode == OK, done.stderr
    return done.stdout


def codes_of(text):
    return [m.group() for m in CODE.finditer(text)]


def left(user="alice"):
    codes = json.loads(otpctl("status", user, "--json").stdout)["recovery_codes"]
    return codes and codes["left"]


def test_ten_codes_are_shown_once_and_stored_nowhere(fresh):
    assert left() is None
    head, *lines = issue("alice").splitlines()
    assert "alice" in head and socket.gethostname() in head and "all older ones are void" in head
    assert len(lines) == 10 == len(set(lines)) and all(CODE.fullmatch(x) for x in lines)
    assert left() == 10
    log = fresh.log()
    assert 'event=recovery_issue by=0 user="alice"' in log
    for name in os.listdir(FOLDER):
        stored = content(f"{FOLDER}/{name}")
        assert facts(f"{FOLDER}/{name}")[0] == fresh.user.pw_uid, "root made a file in the state folder"
        for code in lines:
            assert code.encode() not in stored and code[3:].replace("-", "").encode() not in stored
    shown = otpctl("status", "alice").stdout
    assert not any(code in log + shown for code in lines)


def test_a_new_issue_replaces_the_old(fresh):
    first, second = codes_of(issue("alice")), codes_of(issue("alice"))
    assert not set(first) & set(second) and left() == 10
    assert fresh.sql("SELECT count(*) FROM recovery_code") == "10"
    codes_of(issue("bob"))
    assert left("alice") == left("bob") == 10


def test_the_sheet_fits_on_paper(fresh):
    sheet = issue("alice", "--sheet")
    lines = sheet.splitlines()
    assert max(map(len, lines)) <= 72 and sheet.isascii()
    boxes = [x for x in lines if "[ ]" in x]
    assert [re.search(r"[0-9]+", x).group() for x in boxes] == [str(n) for n in range(1, 11)]
    assert len(codes_of("\n".join(boxes))) == 10
    assert f"Host    {socket.gethostname()}" in lines and "User    alice" in lines
    assert re.search(r"^Issued +20[0-9]{2}-[0-9]{2}-[0-9]{2} ", sheet, re.MULTILINE)
    assert "HOW TO USE" in sheet and "WHERE TO KEEP" in sheet


def test_json_has_the_codes_too(fresh):
    said = json.loads(issue("alice", "--json"))
    assert said["user"] == "alice" and said["host"] == socket.gethostname() and said["issued"].endswith("Z")
    assert len(said["codes"]) == 10 and all(CODE.fullmatch(x) for x in said["codes"])


def to_full(args):
    with open("/dev/full", "w") as full:
        return subprocess.run(args, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=30)


def to_nobody(args):
    r, w = os.pipe()
    os.close(r)
    with open(w, "w") as pipe:
        return subprocess.run(args, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False, timeout=30)


def to_full_pipe(args):
    """To a full pipe that does not block."""
    r, w = os.pipe()
    os.set_blocking(w, False)
    try:
        while True:
            os.write(w, b"x" * 4096)
    except BlockingIOError:
        pass
    with open(r), open(w, "w") as pipe:
        return subprocess.run(args, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False, timeout=30)


def to_closed(args):
    return subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *args], stderr=subprocess.PIPE, text=True, check=False,
                          timeout=30)


@pytest.mark.parametrize("out, options", [
    (to_full, ()), (to_full, ("--sheet",)), (to_full, ("--json",)), (to_nobody, ()), (to_full_pipe, ()),
    (to_closed, ()),
])
def test_codes_that_could_not_be_shown_are_revoked(fresh, out, options):
    issue("alice")
    done = out(["otpctl", "recovery", "issue", "alice", *options])
    assert done.returncode == FAILED
    assert "could not be printed" in done.stderr and "revoked" in done.stderr and "again" in done.stderr
    assert not codes_of(done.stderr)
    assert left() is None
    assert [e for e in events(fresh) if e.startswith("recovery")] == [
        "recovery_issue", "recovery_issue", "recovery_revoke"]


def events(world):
    return re.findall(r"event=(\w+) by=0 user=\"alice\"", world.log())


@contextlib.contextmanager
def full_pipe():
    """The writing end of a full pipe that nobody reads."""
    end, full = os.pipe()
    os.set_blocking(full, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(full, b"x" * 4096)
    os.set_blocking(full, True)
    yield full
    os.close(full)
    os.close(end)


def busy(world):
    """A process that has the store locked until it reads a line."""
    return subprocess.Popen(["setpriv", "--reuid=pam_otp", "--regid=pam_otp", "--clear-groups", "/usr/bin/python3", "-c",
                             f"import sqlite3; d = sqlite3.connect('{STORE}', isolation_level=None)\n"
                             "d.execute('BEGIN IMMEDIATE'); print('busy', flush=True); input()"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("command", ["recovery issue alice", "recovery revoke alice", "unlock alice",
                                     "remember revoke alice"])
def test_an_interrupt_while_the_store_is_busy_changes_nothing(fresh, command):
    """In particular, it makes no codes that nobody sees, and voids no old ones."""
    issue("alice")
    rows = "SELECT hex(salt), hex(hash) FROM recovery JOIN recovery_code ON issue = id ORDER BY nr"
    before = fresh.sql(rows)
    assert before
    with busy(fresh) as other:
        assert other.stdout.readline() == "busy\n"
        p = subprocess.Popen(["otpctl", *command.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + GUARD
        while not waits(p.pid):
            assert p.poll() is None and time.monotonic() < end
            time.sleep(0.01)
        p.send_signal(signal.SIGINT)
        out, _ = p.communicate(timeout=GUARD)
        other.communicate("\n")
    assert p.returncode == -signal.SIGINT and not out
    assert fresh.sql(rows) == before and events(fresh) == ["recovery_issue"]


STRUCK = """
#include <signal.h>
#include <unistd.h>
#include <sys/syscall.h>
int
fdatasync(int fd)
{
	static int struck;

	if (!struck++)
		kill(getpid(), SIGINT);
	return (int)syscall(SYS_fdatasync, fd);
}
"""


def test_an_interrupt_while_codes_are_written_revokes_them(fresh, tmp_path):
    """No codes are better than ten that nobody has seen."""
    library = tmp_path / "struck.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, "-x", "c", "-"], input=STRUCK, text=True, check=True)
    done = subprocess.run(["otpctl", "recovery", "issue", "alice"], capture_output=True, text=True, check=False,
                          env=os.environ | {"LD_PRELOAD": str(library)})
    assert done.returncode == -signal.SIGINT and not done.stdout
    assert "interrupted: the codes were revoked" in done.stderr
    assert left() is None and events(fresh) == ["recovery_issue", "recovery_revoke"]


def waits(pid):
    """True if the process holds interrupts back and sleeps, which it does only while it waits for the store."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
    return int(status["SigBlk"], 16) & 1 << (signal.SIGINT - 1) and status["State"].startswith("S")


def test_an_interrupt_while_codes_are_printed_is_logged_as_an_issue(fresh):
    """The codes stay valid, because somebody may have read some of them."""
    with full_pipe() as full:
        p = subprocess.Popen(["otpctl", "recovery", "issue", "alice"], stdout=full, stderr=subprocess.DEVNULL)
        late = time.monotonic() + GUARD
        while left() is None:
            assert time.monotonic() < late
            time.sleep(0.01)
        p.send_signal(signal.SIGINT)
        assert p.wait(GUARD) == -signal.SIGINT
    assert left() == 10 and events(fresh) == ["recovery_issue"]


def test_a_warning_says_that_the_terminal_keeps_the_codes(fresh):
    master, slave = pty.openpty()
    done = subprocess.run(["otpctl", "recovery", "issue", "alice"], stdout=slave, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=30)
    os.close(slave)
    assert done.returncode == OK and "this terminal may keep the codes" in done.stderr
    assert len(codes_of(os.read(master, 65536).decode())) == 10
    os.close(master)


def test_only_root_issues_codes_and_only_for_users_who_exist(fresh):
    done = otpctl("recovery", "issue", "no-such-user")
    assert done.returncode == NONE and "getent passwd" in done.stderr and not done.stdout
    assert otpctl("recovery", "revoke", "alice").returncode == NONE
    issue("alice")
    for args in (("issue", "alice"), ("revoke", "alice")):
        done = as_nobody("recovery", *args)
        assert done.returncode == FAILED and "sudo" in done.stderr and not done.stdout
    assert left() == 10
    assert otpctl("recovery", "revoke", "alice").returncode == OK
    assert left() is None and 'event=recovery_revoke by=0 user="alice"' in fresh.log()
    issue("alice")
    assert json.loads(otpctl("recovery", "revoke", "alice", "--json").stdout) == {"user": "alice", "revoked": True}


def test_each_code_of_the_sheet_signs_in_once_without_a_provider(fresh):
    fresh.open_transport("spawn")
    first, second = codes_of(issue("alice", "--sheet"))[:2]
    fresh.gateway.fault("status", status=503)
    typed = first.upper().replace("-", " ")
    assert fresh.finish("alice", typed) == SUCCESS
    assert left() == 9
    assert fresh.finish("alice", typed) != SUCCESS
    assert fresh.finish("bob", second) != SUCCESS
    assert fresh.finish("alice", second) == SUCCESS
    assert left() == 8 and not fresh.messages()

"""pam_otp-protocol(7) from the module's side, in Python: otp-helper at the end of a socket pair.

The helper wants to be the child of its session's leader, as the module's supervisor is. Here a
small launcher plays that part: it makes a session, starts the helper and waits for it.
"""

import os
import select
import socket
import subprocess
import time

START = ("version", "service", "user", "rhost", "tty", "ruser", "language", "flags",
         "ssh_connection", "ssh_auth_info", "session", "session_start", "boot_id")

LAUNCHER = ["setsid", "sh", "-c", 'env -i "$0" "$@"; exit $?']


# Behind what is told at the end where only a question is shown.
LAST_WORDS = "\nPress Enter to end: "


class Gone(Exception):
    """End-of-file."""


class Silent(Exception):
    """Nothing came in time."""


class Helper:
    """One helper process; the methods are the module's half of the conversation."""

    def __init__(self, argv, uid=None):
        # The kernel remembers who made the pair: the helper takes that for the host's uid.
        if uid:
            os.seteuid(uid)
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if uid:
            os.seteuid(0)
        self.proc = subprocess.Popen(
            [*LAUNCHER, *argv], stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            user=uid, group=uid, extra_groups=[] if uid else None)
        theirs.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()
        try:
            self.proc.wait(15)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            raise AssertionError("the helper outlived its peer") from None
        finally:
            self.log = self.proc.stderr.read().decode(errors="replace")
            self.proc.stderr.close()
            print(self.log)

    def pid(self):
        """The helper itself, the child of our launcher."""
        with open(f"/proc/{self.proc.pid}/task/{self.proc.pid}/children", encoding="ascii") as f:
            return int(f.read().split()[0])

    def send_raw(self, data):
        self.sock.send(data)

    def send(self, kind, *fields):
        self.send_raw(kind.encode() + b"".join(
            (f if isinstance(f, bytes) else f.encode()) + b"\0" for f in fields))

    def recv(self, timeout=20):
        if not select.select([self.sock], [], [], timeout)[0]:
            raise Silent()
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            # It left without reading our last message; what it had said is still there.
            data = self.sock.recv(65536)
        if not data:
            raise Gone()
        assert data.endswith(b"\0"), data
        return data[:1].decode(), [f.decode() for f in data[1:-1].split(b"\0")]

    def hello(self):
        assert self.recv() == ("H", ["1", "1"])

    def start(self, **items):
        values = dict.fromkeys(START, "") | {"version": "1", "service": "test"} | items
        assert set(values) == set(START), "no such field"
        self.send("S", *(values[name] for name in START))

    def open(self, **items):
        """Hello and start; returns self."""
        self.hello()
        self.start(**items)
        return self

    def prompt(self):
        """The next prompt's text; information and errors before it are kept in .told."""
        self.shown = []
        while True:
            kind, fields = self.recv()
            if kind == "P":
                assert fields[0] == "1"
                return fields[1]
            assert kind in "IE", (kind, fields)
            self.shown.append(fields[0])

    def answer(self, text):
        self.send("A", text)

    def result(self):
        """The word of the result, which must be the last thing said."""
        self.shown = []
        while True:
            kind, fields = self.recv()
            if kind == "R":
                break
            if kind == "P" and fields[1].endswith(LAST_WORDS):
                self.shown.append(fields[1][:-len(LAST_WORDS)])
                self.answer("")
                continue
            assert kind in "IE", (kind, fields)
            self.shown.append(fields[0])
        self.reason, self.request_id = fields[1], fields[2]
        try:
            self.recv(10)
        except Gone:
            return fields[0]
        raise AssertionError("something after the result")


def processes_in_session(sid):
    """The ids of live processes of a session."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == sid and fields[0] != "Z":
            found.append(int(pid))
    return found


def wait_until(condition, seconds=10):
    """Waits for a condition; a hang guard, not a measurement."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.02)

"""The module's side of pam_otp-protocol(7) in Python. otp-helper is at the other end of a socket pair.

The helper must be the child of the leader of its session, as under the module's supervisor. Here a small launcher is
that leader: it makes a session, starts the helper and waits for it.
"""

import os
import select
import socket
import subprocess
import time

START = ("version", "service", "user", "rhost", "tty", "ruser", "language", "flags",
         "ssh_connection", "ssh_auth_info", "session", "session_start", "boot_id")

LAUNCHER = ["setsid", "sh", "-c", 'env -i "$0" "$@"; exit $?']


# Follows the last words in a host that shows only questions.
LAST_WORDS = "\nPress Enter to end: "


class Gone(Exception):
    """The helper has closed the connection."""


class Silent(Exception):
    """Nothing came in time."""


class Helper:
    """A helper process. The methods are the module's half of the conversation."""

    def __init__(self, argv, uid=None):
        # The kernel records who makes the pair. The helper takes that user for the host's.
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
        """The process ID of the helper itself, the child of the launcher."""
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
            # The helper ended without reading our last message. What it sent before is still there.
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
        """Receives the hello, sends the start message, and returns self."""
        self.hello()
        self.start(**items)
        return self

    def prompt(self):
        """Returns the text of the next prompt. .shown keeps the information and error texts before it."""
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
        """Returns the word of the result. Nothing may follow it. .shown keeps the texts before it."""
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
    """Returns the IDs of the live processes of a session."""
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
    """Waits for a condition. The time only guards against a hang."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.02)

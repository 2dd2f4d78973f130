"""Two network namespaces, for a client and a server, and a line of known delay between them."""

import contextlib
import ctypes
import os
import subprocess

CLIENT, SERVER = "10.77.0.1", "10.77.0.2"
CLONE_NEWNET = 0x40000000


def _ip(*words):
    subprocess.run(["ip", *words], check=True)


class Line:
    """The line, for as long as the context lasts. It needs root, ip(8) and /dev/net/tun."""

    def __init__(self, program, one_way_ms):
        self.client, self.server = (f"otp-bench-{side}-{os.getpid()}" for side in ("c", "s"))
        self._command = [program, self.client, "td0", self.server, "td1", str(one_way_ms)]
        self._undo = contextlib.ExitStack()

    def __enter__(self):
        with self._undo:
            for name in self.client, self.server:
                _ip("netns", "add", name)
                self._undo.callback(_ip, "netns", "del", name)
            carrier = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
            self._undo.callback(carrier.wait)
            self._undo.callback(carrier.kill)
            if carrier.stdout.readline() != "ready\n":
                raise RuntimeError("the delay line did not start")
            for name, device, mine, other in ((self.client, "td0", CLIENT, SERVER),
                                              (self.server, "td1", SERVER, CLIENT)):
                _ip("-n", name, "link", "set", "lo", "up")
                _ip("-n", name, "addr", "add", mine, "peer", other, "dev", device)
                _ip("-n", name, "link", "set", device, "up", "mtu", "1500")
            self._undo = self._undo.pop_all()
        return self

    def __exit__(self, *_):
        self._undo.close()

    @staticmethod
    @contextlib.contextmanager
    def on(side):
        """Moves this thread, and what it starts, to one side of the line."""
        libc = ctypes.CDLL(None, use_errno=True)

        def move(fd):
            if libc.setns(fd, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{side}", os.O_RDONLY)
        try:
            move(there)
            yield
        finally:
            move(before)
            os.close(there)
            os.close(before)

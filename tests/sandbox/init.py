"""The first process of a sandbox. It reaps processes, collects the log, runs one command, and ends on a signal.

Its exit status is the command's. When it ends, the kernel kills everything else in the namespace.
"""
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

LOG = "/run/sandbox/log"
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(s, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def log_collect():
    """Writes everything that syslog(3) sends to the log file. Each line keeps its <priority>."""
    sink = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sink.bind("/dev/log")
    os.chmod("/dev/log", 0o666)
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def collect():
        while True:
            line = sink.recv(65536).rstrip(b"\0\n").replace(b"\n", b"\\n")
            os.write(log, line + b"\n")

    threading.Thread(target=collect, daemon=True).start()


def host_name():
    name = "sandbox"
    socket.sethostname(name)
    with open("/etc/hosts", "w") as f:
        f.write(f"127.0.0.1 localhost {name}\n::1 localhost {name}\n")
    with open("/etc/resolv.conf", "w") as f:
        f.write("# the sandbox has no network\n")


def start(command):
    """Starts the command with default signal handling. It keeps the terminal, if there is one."""
    def ready():
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
            signal.signal(sig, signal.SIG_DFL)

    return subprocess.Popen(command, preexec_fn=ready, close_fds=False)


def end(sig, _frame):
    os._exit(128 + sig)


def main():
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(sig, end)
    os.umask(0o022)
    loopback_up()
    host_name()
    log_collect()
    try:
        child = start(sys.argv[1:])
    except OSError as e:
        print(f"sandbox: {sys.argv[1]}: {e.strerror}", file=sys.stderr)
        return 127
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            code = os.waitstatus_to_exitcode(status)
            time.sleep(0.01)  # for the last lines of the log
            return code if code >= 0 else 128 - code


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)

"""An installed pam_otp with its provider and its hosts, for the tests."""
import glob
import json
import os
import pwd
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../gateway")
from gateway import Gateway  # noqa: E402

SUCCESS, PERM_DENIED, AUTH_ERR, AUTHINFO_UNAVAIL = 0, 6, 7, 9
MAXTRIES, CONV_ERR, IGNORE = 11, 19, 25
NAMES = {SUCCESS: "success", PERM_DENIED: "broken", AUTH_ERR: "denied", AUTHINFO_UNAVAIL: "unavail",
         MAXTRIES: "locked", CONV_ERR: "gone", IGNORE: "skip"}

ETC, STATE, SOCKET = "/etc/pam_otp", "/var/lib/pam_otp", "/run/pam_otp/otp.sock"
HELPER = "/usr/libexec/pam_otp/otp-helper"
CONF, HOST_KEY, TOKEN = f"{ETC}/pam_otp.conf", f"{ETC}/secrets/host.key", f"{ETC}/secrets/tingting"
STORE, CONTACTS = f"{STATE}/state/store.db", f"{STATE}/contacts.db"
LOG = "/run/sandbox/log"
SERVICE = "otp-test"
PHONE = {"alice": "+9779800000019", "bob": "+9779800000028", "robot": "+9779800000037"}
GUARD = 10.0
REMOTE = ["--item=rhost=192.0.2.7"]  # a client address; without one no failure is an outage

# As the package ships it: only a code signs in, or a rule that skips it.
STACK = "auth requisite pam_otp.so {args}\nauth required pam_permit.so\naccount required pam_permit.so\n"
SOLE = "auth required pam_otp.so {args}\naccount required pam_permit.so\n"


class Drive:
    """A running sign-in: pamdrive, its prompts and its results."""

    def __init__(self, command, **popen):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **popen)
        self.events, self.buffer = [], b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def next(self, timeout=GUARD):
        """Returns the next event, or None at the end."""
        end = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise TimeoutError(f"silent for {timeout} s after {self.events[-1:]}")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return None
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        event = json.loads(line.decode("utf-8", "surrogateescape"))
        self.events.append(event)
        return event

    def until(self, *kinds, timeout=GUARD):
        while True:
            event = self.next(timeout)
            if event is None or event["event"] in kinds:
                return event

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def prompt(self, timeout=GUARD):
        """Returns the text of the next prompt. Fails if the sign-in ends instead."""
        event = self.until("prompt", "result", timeout=timeout)
        assert event and event["event"] == "prompt", f"no prompt, but {event}"
        return event["text"]

    def result(self, timeout=GUARD):
        """Returns the PAM code of the call. Fails at a prompt."""
        event = self.until("prompt", "result", timeout=timeout)
        assert event, f"the host died: {self.process.wait()}"
        assert event["event"] == "result", f"no result, but {event}"
        return event["code"]

    def enter(self):
        """Goes on to the prompt for a code. Answers "Press Enter" if it comes first."""
        text = self.prompt()
        if "Press Enter" in text:
            self.say("=")
            text = self.prompt()
        return text

    def answer(self, code):
        self.say(f"={code}")
        return self

    def rest(self):
        """Returns all events to the end."""
        while self.next():
            pass
        return self.events

    def snap(self, when):
        return next(e for e in self.events if e["event"] == "snap" and e["when"] == when)


class World:
    def __init__(self):
        self.transport, self.listeners, self.mounts = None, [], []
        self.user = pwd.getpwnam("pam_otp")

    def __enter__(self):
        self.gateway = Gateway(credits=10 ** 6).__enter__()
        self.pristine = "/tmp/pristine"
        subprocess.run(["otpctl", "init"], check=True, capture_output=True)
        for path in (ETC, STATE):
            os.makedirs(os.path.dirname(self.pristine + path), exist_ok=True)
            subprocess.run(["cp", "-a", path, self.pristine + path], check=True)
        return self

    def __exit__(self, *exc):
        self.close_transport()
        self.gateway.__exit__(*exc)

    # --- state ---

    def fresh(self):
        self.close_transport()
        for path in self.mounts[::-1]:
            subprocess.run(["umount", "-n", "-l", path], check=True)
        self.mounts = []
        subprocess.run(["pkill", "-KILL", "-x", "otp-helper"], check=False)
        for path in (ETC, STATE):
            subprocess.run(["rm", "-rf", path], check=True)
            subprocess.run(["cp", "-a", self.pristine + path, path], check=True)
        self.gateway.clear()
        self.secret(self.gateway.token)
        self.configure()
        self.pam(SERVICE)
        for user, number in PHONE.items():
            self.otpctl("contact", "add", user, f"--phone={number}")
        self.log_start = os.path.getsize(LOG)
        self.log()  # what this logs belongs to no test
        self.log_start = os.path.getsize(LOG)

    def secret(self, text):
        with open(TOKEN, "w") as f:
            f.write(text + "\n")
        shutil.chown(TOKEN, "root", "pam_otp")
        os.chmod(TOKEN, 0o640)

    def configure(self, extra="", ca=None, listener="right", **otp):
        """Writes pam_otp.conf. otp: keys of [otp] with a value that differs from the default of the tests."""
        own = {"channels": "sms", "ask_first": "never"} | otp
        text = "[otp]\n" + "".join(f"{k} = {v}\n" for k, v in own.items() if v is not None)
        text += f"""
[channel sms]
providers = tingting
message = Sign-in to ${{host}} (${{service}}). Code: ${{code}}

[provider tingting]
base = {self.gateway.urls[listener]}
token = file:{TOKEN}
company_name = Example
ca = {ca or self.gateway.ca_file}
"""
        self.write(CONF, text + extra)

    @staticmethod
    def write(path, text, mode=0o644):
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)

    @staticmethod
    def edit(path, pattern, replacement):
        """Replaces a text that must exist."""
        with open(path) as f:
            text, n = re.subn(pattern, replacement, f.read(), flags=re.MULTILINE)
        assert n, f"{pattern} is not in {path}"
        with open(path, "w") as f:
            f.write(text)

    def pam(self, service, stack=STACK, args=""):
        self.write(f"/etc/pam.d/{service}", stack.format(args=args))

    def mount(self, *arguments):
        """Mounts until the next fresh state."""
        subprocess.run(["mount", "-n", *arguments], check=True)
        if arguments[-1] not in self.mounts:
            self.mounts.append(arguments[-1])

    @staticmethod
    def otpctl(*args, check=True):
        return subprocess.run(["otpctl", *args], check=check, capture_output=True, text=True)

    def sql(self, statement, path=STORE):
        """Runs a statement on the store as its owner, as the helper would."""
        done = subprocess.run(["setpriv", "--reuid=pam_otp", "--regid=pam_otp", "--clear-groups",
                               "sqlite3", path, statement], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    # --- transports ---

    def open_transport(self, transport, helper=(HELPER,)):
        """socket: listens as a socket unit would. spawn: there is no socket."""
        self.close_transport()
        self.transport = transport
        if transport == "socket":
            self.listen(SOCKET, helper)

    def listen(self, path, helper):
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        listener = subprocess.Popen(
            ["systemd-socket-activate", "--inetd", "--accept", "--seqpacket", "-l", path, *helper],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        self.listeners.append((listener, path))
        end = time.monotonic() + GUARD
        while not self.listened(path):
            assert listener.poll() is None and time.monotonic() < end, "no listener"
            time.sleep(0.005)

    @staticmethod
    def listened(path):
        """Returns whether the socket accepts connections. Between bind and listen it refuses them."""
        with open("/proc/net/unix") as f:
            return any(line.split()[3] == "00010000" and line.endswith(f" {path}\n") for line in f)

    def close_transport(self):
        for listener, path in self.listeners:
            os.killpg(listener.pid, signal.SIGKILL)
            listener.wait()
            if os.path.lexists(path):
                os.unlink(path)
        self.listeners = []

    # --- sign-ins ---

    def sign_in(self, user="alice", service=SERVICE, *options, calls=(), host="pamdrive", prefix=(), **popen):
        return Drive([*prefix, host, *options, service, user, *calls], **popen)

    def finish(self, user="alice", answer="right", options=(), service=SERVICE, **kwargs):
        """Runs a whole sign-in that gives the same answer to each prompt. Returns its PAM code."""
        with self.sign_in(user, service, *options, **kwargs) as d:
            event = d.until("prompt", "result", timeout=30)
            while event and event["event"] == "prompt":
                text = event["text"]
                d.say("=" if "Press Enter" in text else "=" + (self.code() if answer == "right" else answer))
                event = d.until("prompt", "result", timeout=30)
            assert event, f"the host died: {d.process.wait()}"
            return event["code"]

    def messages(self, user=None):
        return self.gateway.outbox(user and PHONE[user][-10:])

    def code(self):
        """Returns the code of the last message."""
        return self.gateway.last_code()

    def wrong(self):
        """Returns a well-formed code that is not the right one."""
        return f"{(int(self.code()) + 1) % 1000000:06d}"

    # --- what is left to see ---

    def log(self):
        """Returns everything logged until now. It is complete once a line of the test itself is there."""
        time.sleep(0.02)  # for processes that log as they end
        mark = f"<15>read {time.monotonic_ns()}\n"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(mark.encode(), "/dev/log")
        end = time.monotonic() + GUARD
        while True:
            with open(LOG, errors="surrogateescape") as f:
                f.seek(self.log_start)
                text = f.read()
            if mark in text:
                return re.sub(r"(?m)^<15>read \d+\n", "", text)
            assert time.monotonic() < end, "the log is not written"
            time.sleep(0.002)

    @staticmethod
    def helpers():
        """Returns the processes that are or were our helpers and supervisors."""
        found = []
        for path in glob.glob("/proc/[0-9]*/exe"):
            try:
                if os.readlink(path) == HELPER:
                    found.append(int(path.split("/")[2]))
            except OSError:
                pass
        return found

    def helpers_gone(self, within=5.0):
        end = time.monotonic() + within
        while self.helpers():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

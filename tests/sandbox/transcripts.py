#!/usr/bin/python3
"""Records sign-ins in real hosts and draws the last screen of each: the pictures of doc/transcripts.

    tests/sandbox/run tests/sandbox/transcripts.py [SCENE...] >PICTURES.tar

Inside a sandbox it builds and installs pam_otp, plays the scenes, and writes a tar file with one SVG for each. A
picture shows what the host printed, and in another colour what was typed. Random parts, such as codes and seconds
left, become examples of the same length, so that a second run draws the same pictures.
"""
import contextlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree as ET

import pexpect

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../integration")
import hosts  # noqa: E402
from private_sshd import CLIENT, SSH, Sshd  # noqa: E402
from world import World  # noqa: E402

SERVER, COLUMNS, LINE_HEIGHT = "server", 100, 17
TYPED, PLAIN = "\x1b[33m", "\x1b[0m"
CHANNELS = {"sms": ["tingting"], "voice": ["tingting"], "email": ["crego"]}
SPECIMENS = ["432541", "205973", "861307"]
RECOVERY = "rc-7k2m-9xqd-4hvt-w3np"
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"
AT_HOME, AT_SERVER, ROOT = "alice@laptop:~$ ", "alice@server:~$ ", "root@server:~# "


class Recording:
    """The text of a terminal, as an asciicast."""

    def __init__(self, command, **env):
        env |= {"TERM": "dumb", "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        self.child = pexpect.spawn(command[0], command[1:], timeout=20, encoding="utf-8", env=env,
                                   dimensions=(50, COLUMNS))
        self.child.delaybeforesend = 0.1  # hosts drop what is typed before they ask
        self.events, self.specimens = [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close(force=True)

    def hide(self, real, specimen):
        """Shows the specimen instead of the real text."""
        assert len(real) == len(specimen), (real, specimen)
        self.specimens.append((real, specimen))
        return real

    def see(self, pattern):
        """Waits until this text is shown."""
        self.child.expect_exact(pattern)
        self._show(self.child.before + self.child.after)

    def type(self, text, then, echo=True):
        """Types a line, and waits until `then` is shown."""
        self.child.sendline(text)
        self.child.expect_exact(f"{text}\r\n" if echo else "\r\n")
        before = self.child.before
        self._show(f"{before}{TYPED}{text}{PLAIN}\r\n" if echo and text else f"{before}\r\n")
        self.see(then)

    def _show(self, text):
        for real, specimen in self.specimens:
            text = text.replace(real, specimen)
        text = re.sub(r"\bin \d\d seconds", "in 27 seconds", text)
        text = re.sub(rf"\buntil {TIME}", "until 2026-06-15 10:32:35Z", text)
        self.events.append(re.sub(rf"(?<!until ){TIME}", "2026-06-15 10:32:05Z", text))

    def lines(self):
        """Returns the screen as text."""
        text = re.sub(r"\x1b\[[\d;]*m", "", "".join(self.events)).replace("\r", "")
        return [line[n:n + COLUMNS].rstrip() for line in text.split("\n") for n in range(0, len(line) or 1, COLUMNS)]

    def asciicast(self):
        head = {"version": 2, "width": COLUMNS, "height": len(self.lines())}
        rows = [head, *([n, "o", text] for n, text in enumerate(self.events, 1))]
        return "".join(json.dumps(row) + "\n" for row in rows)

    def svg(self):
        """Returns the last screen as SVG."""
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/cast", "w") as f:
                f.write(self.asciicast())
            os.mkdir(f"{folder}/frames")
            subprocess.run(["termtosvg", "render", f"{folder}/cast", f"{folder}/frames", "--still-frames",
                            "--template", "window_frame"], check=True, stdout=sys.stderr)
            with open(f"{folder}/frames/{max(os.listdir(f'{folder}/frames'))}") as f:
                return for_every_viewer(f.read())


def for_every_viewer(svg):
    """Writes blanks and letter sizes in a form that all programs know, not only browsers."""
    for pattern, instead in (r"dominant-baseline: text-before-edge;\s*white-space: pre;", ""), \
            ("font-size: 14px", "font-size: 13.29px"):  # a letter is eight pixels wide, like a column
        svg, n = re.subn(pattern, instead, svg)
        assert n == 1, pattern
    return svg.replace("<text ", '<text xml:space="preserve" dy="13" ')


def drawn_lines(svg):
    """Returns the screen in a picture as text."""
    space, link = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
    screen = ET.fromstring(svg).find(f"{space}svg")
    text = {g.get("id"): "".join(t.text or "" for t in g) for g in screen.iter(f"{space}g")}
    shown = {int(use.get("y")) // LINE_HEIGHT: text[use.get(link)[1:]] for use in screen.iter(f"{space}use")}
    return [shown.get(n, "").rstrip() for n in range(max(shown) + 1)]


# --- the machines: this one is both alice's laptop and the server ---

@contextlib.contextmanager
def server(world):
    """A server with this name, at whose sshd alice uses a key, and which prints no greeting."""
    name = socket.gethostname()
    socket.sethostname(SERVER)
    with open("/etc/hosts") as f:
        known = f.read()
    world.write("/etc/hosts", f"{known}127.0.0.1 {SERVER}\n")
    for service in "sudo", "login":
        hosts.install(service, change=hosts.quick)
    hosts.install("sshd-key", "sshd")
    for service in "sshd-key", "login":
        world.edit(f"/etc/pam.d/{service}", r"^session.*pam_(motd|mail|lastlog)\.so.*\n", "")
    try:
        with hosts.sudoers(), Sshd("sshd-key", AuthenticationMethods="publickey,keyboard-interactive") as sshd:
            world.write("/etc/ssh/ssh_config", f"Port {sshd.port}\nIdentityFile /run/sandbox/alice-key\n{CLIENT}"
                        "PreferredAuthentications publickey,keyboard-interactive\n")
            subprocess.run(["install", "-o", "alice", "-m", "600", f"{SSH}/alice", "/run/sandbox/alice-key"],
                           check=True)
            yield
    finally:
        hosts.put_back()
        world.write("/etc/hosts", known)
        socket.sethostname(name)


def fresh(world):
    """A server with a fresh state. alice has a phone and a mailbox."""
    world.fresh()
    world.open_transport("socket")
    hosts.add_mailbox(world)
    hosts.configure_channels(world, CHANNELS, extra="")
    subprocess.run(["rm", "-rf", "/run/sudo/ts"], check=True)


def shell(prompt, user="alice"):
    """A shell of alice or root, with this prompt and nothing else."""
    home = "/root" if user == "root" else f"/home/{user}"
    become = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
    there = Recording([*become, "bash", "--norc", "--noprofile"], PS1=prompt, HOME=home)
    there.see(prompt)
    return there


def newest(world, there, specimen):
    """Returns the code of the last message, and shows the specimen instead."""
    world.gateway.wait_message()
    return there.hide(world.gateway.last_code(), specimen)


# --- the scenes ---

def ssh_menu(world):
    choice = "other way): "
    there = shell(AT_HOME)
    there.type(f"ssh {SERVER}", "(Enter = 1): ")
    there.type("3", choice)
    there.type(newest(world, there, SPECIMENS[0]), AT_SERVER)
    return there


def ssh_resend(world):
    choice = "other way): "
    there = shell(AT_HOME)
    there.type(f"ssh {SERVER}", "(Enter = 1): ")
    there.type("", choice)
    first = newest(world, there, SPECIMENS[0])
    time.sleep(3)
    there.type("r", choice)
    time.sleep(28)
    there.type("r", choice)
    there.type(first, choice)
    there.type(newest(world, there, SPECIMENS[1]), AT_SERVER)
    return there


def ssh_failover(world):
    choice = "other way): "
    world.gateway.fault("status", status=500, path=hosts.SEND["tingting"])
    there = shell(AT_HOME)
    there.type(f"ssh {SERVER}", "(Enter = 1): ")
    there.type("", choice)
    there.type(newest(world, there, SPECIMENS[0]), AT_SERVER)
    return there


def ssh_lockout(world):
    world.edit("/etc/pam_otp/pam_otp.conf", r"\Z", "[limits]\nfailures = 3\n")
    choice = "other way): "
    there = shell(AT_HOME)
    there.type(f"ssh {SERVER}", "(Enter = 1): ")
    there.type("", choice)
    for code in "111111", "222222":
        there.type(code, choice)
    there.type("333333", AT_HOME)
    there.type(f"ssh {SERVER}", "to end: ")
    there.type("", AT_HOME)
    return there


def sudo_sign_in(world):
    choice = "other way): "
    there = shell(AT_SERVER)
    there.type("sudo id -un", "for alice: ")
    there.type("alice-password", choice, echo=False)
    code = newest(world, there, SPECIMENS[0])
    there.type(there.hide(world.wrong(), SPECIMENS[0][:-1] + "2"), choice)
    there.type(code, AT_SERVER)
    return there


def sudo_lockout(world):
    """A lock-out. An administrator ends it in another terminal."""
    world.edit("/etc/pam_otp/pam_otp.conf", r"\Z", "[limits]\nfailures = 3\n")
    choice = "other way): "
    there = shell(AT_SERVER)
    there.type("sudo id -un", "for alice: ")
    there.type("alice-password", choice, echo=False)
    for code in "111111", "222222":
        there.type(code, choice)
    there.type("333333", "for alice: ")
    there.type("alice-password", "for alice: ", echo=False)
    time.sleep(0.1)
    there.child.sendcontrol("c")
    there.see(AT_SERVER)
    return there


def admin_unlock(world):
    """What the administrator of that server sees and does."""
    sudo_lockout(world).__exit__()
    there = shell(ROOT, "root")
    there.type("otpctl status alice", ROOT)
    there.type("otpctl unlock alice", ROOT)
    return there


def login_recovery(world):
    """At the console, without a network."""
    code = re.search(r"rc-[\w-]+", world.otpctl("recovery", "issue", "alice").stdout)[0]
    world.edit("/etc/pam_otp/pam_otp.conf", "^base = .*", "base = https://192.0.2.1")
    there = Recording(["login"])
    there.see(f"{SERVER} login: ")
    there.type("alice", "Password: ")
    there.type("alice-password", "code): ", echo=False)
    there.type(there.hide(code, RECOVERY), AT_SERVER)
    return there


SCENES = {f.__name__.replace("_", "-"): f for f in (
    ssh_menu, ssh_resend, ssh_failover, ssh_lockout, sudo_sign_in, sudo_lockout, admin_unlock, login_recovery)}


def play(world, name):
    """Records one scene with a fresh state."""
    fresh(world)
    with SCENES[name](world) as there:
        return there


def main():
    names = sys.argv[1:] or list(SCENES)
    for name in names:
        if name not in SCENES:
            sys.exit(f"transcripts: there is no scene '{name}': {', '.join(SCENES)}")
    subprocess.run([f"{HERE}/setup", *os.environ.get("BUILD", "").split()], check=True, stdout=sys.stderr)
    os.setsid()
    with World() as world, server(world), tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as tar:
        for name in names:
            svg = play(world, name).svg().encode()
            entry = tarfile.TarInfo(f"{name}.svg")
            entry.size = len(svg)
            tar.addfile(entry, io.BytesIO(svg))


if __name__ == "__main__":
    main()

"""Real hosts for the tests: a private sshd, and people at terminals in ssh, sudo, su and login.

A stack is installed as the comments of etc/pam.d/NAME say it: its lines in the place of the
machine's own "auth" lines, everything else of the machine's file left as it is.
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import pexpect

from world import CONF, ETC, GUARD, SERVICE

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../sandbox")
from private_sshd import IN, Sshd  # noqa: E402
SHIPPED = f"{HERE}/../../etc/pam.d"
# As they were before any test: hosts.py is imported before the first one runs.
MACHINE = "/run/sandbox/pam.d"
if not os.path.exists(MACHINE):
    shutil.copytree("/etc/pam.d", MACHINE)

AS = {user: ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env"]
      for user in ("alice", "bob", "carol")}
MAILBOX = {"alice": "alice@mail.example", "bob": "bob@mail.example"}
FAST = "[limits]\nresend_wait = 0s\n"
PROMPT = re.compile(
    r"(?:[Pp]assword(?: for \w+)?: |Press Enter [^\n]*: |(?:Verification|Recovery) code(?: \([^\n]*\))?: "
    r"|Number \([^\n]*: |login: |[$#] )$")


# --- providers ---

@dataclass(frozen=True)
class Sender:
    """A provider with one of its channels, and how its messages name the two people."""
    provider: str
    channel: str
    alice: str
    bob: str
    shown: str                # what alice is told of where her code went
    variant: str = ""

    def __str__(self):
        return "-".join(filter(None, (self.provider, self.channel, self.variant)))

    @property
    def remote(self):
        """Whether the provider checks the code itself."""
        return self.provider in VERIFY


SMS, CALL = "by SMS to +977 ******** 19", "by phone call to +977 ******** 19"
EMAIL = "by e-mail to a***@m***.example"
NATIONAL, INTERNATIONAL = ("9800000019", "9800000028"), ("+9779800000019", "+9779800000028")
MAIL = MAILBOX["alice"], MAILBOX["bob"]
SENDERS = [
    Sender("tingting", "sms", *NATIONAL, SMS),
    Sender("tingting", "voice", *NATIONAL, CALL),
    Sender("tingting", "sms", *NATIONAL, SMS, "generated"),
    Sender("crego", "sms", *NATIONAL, SMS),
    Sender("crego", "email", *MAIL, EMAIL),
    Sender("bridgekeeper", "sms", *INTERNATIONAL, SMS),
    Sender("bridgekeeper", "email", *MAIL, EMAIL),
    Sender("kgen", "sms", *INTERNATIONAL, SMS),
]
SEND = {"tingting": "/send/otp/", "crego": "/otp/send/", "bridgekeeper": "/send-otp", "kgen": "/otp/re"}
VERIFY = {"crego": "/otp/verify/", "bridgekeeper": "/login", "kgen": "/otp/verify"}
SETTINGS = {
    "tingting": "token = file:{secrets}/tingting\ncompany_name = Example\n",
    "crego": "",
    "bridgekeeper": "",
    "kgen": "client_id = file:{secrets}/client_id\nclient_secret = file:{secrets}/client_secret\n",
}


def secret(name, text):
    path = f"{ETC}/secrets/{name}"
    with open(path, "w") as f:
        f.write(text + "\n")
    shutil.chown(path, "root", "pam_otp")
    os.chmod(path, 0o640)


def configure(world, sender=SENDERS[0], extra=FAST, **otp):
    """pam_otp.conf for one way of sending; otp: keys of [otp]. ask_first stays as it is shipped."""
    for name in "client_id", "client_secret":
        secret(name, world.gateway.secret(name, "kgen"))
    settings = SETTINGS[sender.provider].format(secrets=f"{ETC}/secrets")
    if sender.variant:
        settings += f"variant = {sender.variant}\n"
    lines = "".join(f"{k} = {v}\n" for k, v in ({"channels": sender.channel} | otp).items())
    world.write(CONF, f"[otp]\n{lines}\n[channel {sender.channel}]\nproviders = {sender.provider}\n\n"
                f"[provider {sender.provider}]\nbase = {world.gateway.url}\nca = {world.gateway.ca_file}\n"
                f"{settings}\n{extra}")
    done = world.otpctl("config", "check", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if sender.channel == "email":
        for user, address in MAILBOX.items():
            world.otpctl("contact", "add", user, f"--email={address}", "--no-notice")


def configure_channels(world, channels, extra=FAST, bases=None, **otp):
    """pam_otp.conf for several ways: {channel: [provider, ...]}. bases: where a provider is, if not at the gateway."""
    for name in "client_id", "client_secret":
        secret(name, world.gateway.secret(name, "kgen"))
    lines = "".join(f"{k} = {v}\n" for k, v in ({"channels": ", ".join(channels)} | otp).items())
    text = f"[otp]\n{lines}\n" + "".join(f"[channel {channel}]\nproviders = {', '.join(providers)}\n\n"
                                         for channel, providers in channels.items())
    for provider in sorted({p for providers in channels.values() for p in providers}):
        base = (bases or {}).get(provider, world.gateway.url)
        text += (f"[provider {provider}]\nbase = {base}\nca = {world.gateway.ca_file}\n"
                 f"{SETTINGS[provider].format(secrets=f'{ETC}/secrets')}\n")
    world.write(CONF, text + extra)
    done = world.otpctl("config", "check", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def add_mailbox(world, user="alice"):
    world.otpctl("contact", "add", user, f"--email={MAILBOX[user]}", "--no-notice")


# --- stacks ---

def shipped(name):
    with open(f"{SHIPPED}/{name}") as f:
        return f.read()


def with_password(text):
    """etc/pam.d/sshd, its pam_unix.so line made active as its comment says."""
    text, n = re.subn(r"^#auth\s+requisite\s+pam_unix\.so$", lambda m: m[0][1:], text, flags=re.MULTILINE)
    assert n == 1
    return text


def quick(text):
    """Without the two seconds that pam_unix.so has a host wait after every failure of its stack."""
    return re.sub(r"pam_unix\.so$", "pam_unix.so nodelay", text, flags=re.MULTILINE)


def install(service, lines=None, change=lambda text: text, rest=None):
    """The shipped lines of `lines` within the machine's own stack of `rest`, for a service of perhaps another
    name."""
    lines = lines or service
    with open(f"{MACHINE}/{rest or lines}") as f:
        kept = [line for line in f if not re.match(r"auth\s|@include\s+common-auth\s", line)]
    with open(f"/etc/pam.d/{service}", "w") as f:
        f.write(change(shipped(lines)) + "".join(kept))


def put_back():
    """The machine's own stacks."""
    subprocess.run(["rm", "-rf", "/etc/pam.d"], check=True)
    shutil.copytree(MACHINE, "/etc/pam.d")


@contextlib.contextmanager
def sudoers(*lines):
    """The test users may do everything, and are asked each time."""
    path = "/etc/sudoers.d/otp-test"
    with open(path, "w") as f:
        f.write("".join(f"{user} ALL=(ALL) ALL\n" for user in AS) + "".join(f"{line}\n" for line in lines))
    os.chmod(path, 0o440)
    try:
        yield
    finally:
        os.unlink(path)


# --- people ---

class Terminal:
    """Somebody at a terminal, who reads what is shown and types."""

    def __init__(self, *command, timeout=20, **spawn):
        self.child = pexpect.spawn(command[0], list(command[1:]), timeout=timeout, encoding="utf-8",
                                   dimensions=(24, 200), codec_errors="replace", **spawn)
        self.child.ptyproc.delayafterclose = self.child.ptyproc.delayafterterminate = 0.02
        self.typed, self.status = None, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.closed:
            self.child.ptyproc.terminate(force=True)
        else:
            self.child.close(force=True)

    def _shown(self, text):
        """What was shown since, without the echo of what was typed."""
        text = text.replace("\r", "")
        if self.typed is not None:
            for echo in (f"{self.typed}\n", "\n"):
                if text.startswith(echo):
                    text = text[len(echo):]
                    break
        self.typed = None
        return re.sub(r"\bin \d+ seconds?", "in N seconds", text)

    def prompt(self, pattern=PROMPT):
        """Up to the end of the next prompt."""
        try:
            self.child.expect(pattern)
        except pexpect.EOF:
            raise AssertionError(f"it ended at: {self.child.before!r}") from None
        except pexpect.TIMEOUT:
            raise AssertionError(f"no prompt, but: {self.child.before!r}") from None
        return self._shown(self.child.before + self.child.after)

    def type(self, line):
        self.child.sendline(line)
        self.typed = line
        return self

    def answer(self, line, pattern=PROMPT):
        """Types, and reads to the next prompt."""
        return self.type(line).prompt(pattern)

    def press(self, key):
        """A control key. sudo asks, and only then reads: what comes in between would interrupt nothing."""
        time.sleep(0.1)
        self.child.sendcontrol(key)

    def end(self):
        """Up to its end."""
        self.child.expect(pexpect.EOF)
        text = self._shown(self.child.before)
        self.child.close()
        self.status = self.child.exitstatus
        return text

    def kill(self, sig=signal.SIGKILL):
        """Fails where it does not end of it."""
        os.kill(self.child.pid, sig)
        end = time.monotonic() + GUARD
        while self.child.isalive():
            assert time.monotonic() < end, "it lives on"
            time.sleep(0.01)


    def hang_up(self):
        """The terminal is gone."""
        self.child.ptyproc.fileobj.close()
        self.child.ptyproc.closed = self.child.closed = True


def without_names(text):
    """Digits and letters of addresses, and seconds that go by, are what tells users apart."""
    text = re.sub(r"\bin \d+ seconds?", "in N seconds", re.sub(r"\*\*\* \d\d", "*** NN", text))
    return re.sub(r"to \w\*\*\*@", "to N***@", text)


def seen(command, user, answers):
    """What is shown when these answers are given, without what tells users apart."""
    texts = []
    with Terminal(*command) as t:
        for answer in answers:
            if t.child.expect([PROMPT, pexpect.EOF]):
                break
            texts.append(t._shown(t.child.before + t.child.after))
            t.type(answer)
        else:
            t.child.expect(pexpect.EOF)
        texts.append(t._shown(t.child.before))
    return [without_names(text.replace(user, "USER")) for text in texts]


def conversation(world, user, client, answers):
    """All that pamdrive shows, which hands on what is typed, and its result."""
    shown = []
    with world.sign_in(user, SERVICE, f"--item=rhost={client}") as d:
        event = d.until("prompt", "result")
        for answer in answers:
            if event["event"] == "result":
                break
            d.answer(answer)
            event = d.until("prompt", "result")
        if event["event"] == "prompt":
            assert event["text"].endswith("Press Enter to end: "), event
            d.answer("")
            event = d.until("prompt", "result")
        assert event["event"] == "result", event
        shown = [without_names(e["text"]) for e in d.events if "text" in e]
        return shown + [event["code"]]


class Host:
    """A program that asks for a password and then for a code. door: that of the module's helper."""
    name = service = ""
    transport = "spawn"
    asks_first = False
    prefix = ""

    def begin(self, user="alice"):
        """Up to where pam_otp.so begins."""
        raise NotImplementedError

    def inside(self, terminal, shown=""):
        """Fails unless the last answer let in; ends the session. told: exactly what is told besides."""
        raise NotImplementedError

    def outside(self, terminal, shown="", locked=False):
        """Fails unless the last answer ended the sign-in without letting in. told: the last words, exactly.
        locked: the host must not ask for the first factor again and again."""
        raise NotImplementedError

    def to_code(self, terminal, joins=False):
        """Up to the prompt for a code; what is shown at last. joins: one may be on its way."""
        text = terminal.prompt()
        if self.asks_first and not (joins and "Verification code" in text):
            asked = "Press Enter to have a verification code sent", "How should a verification code be sent?"
            assert text.startswith(tuple(self.prefix + one for one in asked)), text
            text = terminal.answer("")
        assert re.search(r"Verification code( \([^\n]*\))?: $", text), text
        return text


# --- ssh ---

class SshHost(Host):
    """keyboard-interactive, after a password in the same stack or after a public key."""
    transport = "socket"
    asks_first = True

    def __init__(self, sshd, key):
        self.sshd, self.key, self.service = sshd, key, sshd.service
        self.name = "ssh-key" if key else "ssh-password"

    def begin(self, user="alice", client="127.0.0.1"):
        """client: the address it comes from."""
        self.prefix = f"({user}@127.0.0.1) "
        t = Terminal(*self.sshd.ssh(user, key=user if self.key else None, options=[f"BindAddress={client}"]))
        if not self.key:
            assert t.prompt() == f"{self.prefix}Password: "
            t.type(f"{user}-password")
        return t

    def inside(self, terminal, shown=""):
        """sshd shows what is told at the end only to who gets a shell: see shell()."""
        assert terminal.end() == f"{IN}\n"
        assert terminal.status == 0

    def outside(self, terminal, shown="", locked=False):
        if shown:
            assert terminal.prompt() == f"{self.prefix}{shown}\nPress Enter to end: "
            terminal.type("")
        if locked:  # keyboard-interactive is over: the client tries what is left, in vain
            assert re.fullmatch(r"\w+@127\.0\.0\.1's password: ", terminal.prompt())
            terminal.child.close(force=True)
            return
        text = terminal.end()
        assert re.fullmatch(r"\w+@127\.0\.0\.1: Permission denied \(keyboard-interactive\)\.\n", text), text
        assert terminal.status == 255 and IN not in text


    def shell(self, terminal_after):
        """A sign-in that ends in a shell: terminal_after(t) types what is asked; what the shell is greeted with."""
        command = self.sshd.ssh("alice", key="alice" if self.key else None, command="")
        with Terminal(*command[:1], "-tt", *command[1:-1]) as t:
            terminal_after(t)
            return t.prompt()


# --- sudo, su, login ---

class SudoHost(Host):
    name = service = "sudo"

    def begin(self, user="alice", *more):
        t = Terminal(*AS[user], "sudo", *more, "id", "-u")
        assert t.prompt() == f"[sudo] password for {user}: "
        t.type(f"{user}-password")
        return t

    def inside(self, terminal, shown=""):
        assert terminal.end() == f"{shown}{shown and chr(10)}0\n"
        assert terminal.status == 0

    def outside(self, terminal, shown="", locked=False):
        """sudo begins again: no code came of it."""
        assert terminal.prompt() == f"{shown}{shown and chr(10)}Sorry, try again.\n[sudo] password for alice: "
        terminal.child.close(force=True)


class SuHost(Host):
    """Somebody becomes alice, and gives her password and her code."""
    name = service = "su"

    def begin(self, user="alice"):
        t = Terminal(*AS["carol"], "su", user, "-c", "id -un")
        assert t.prompt() == "Password: "
        t.type(f"{user}-password")
        return t

    def inside(self, terminal, shown=""):
        assert terminal.end() == f"{shown}{shown and chr(10)}alice\n"
        assert terminal.status == 0

    def outside(self, terminal, shown="", locked=False):
        text = terminal.end()
        assert re.fullmatch(re.escape(shown + (shown and chr(10))) + r"su: [^\n]*\n", text), text
        assert terminal.status == 1


class LoginHost(Host):
    name = service = "login"

    def begin(self, user="alice"):
        t = Terminal("login")
        assert t.prompt() == "sandbox login: "
        assert t.answer(user) == "Password: "
        t.type(f"{user}-password")
        return t

    def inside(self, terminal, shown=""):
        text = terminal.prompt()
        assert text.startswith(shown) and re.search(r"\w+@sandbox:~\$ $", text), text
        terminal.type("exit").end()
        assert terminal.status == 0

    def outside(self, terminal, shown="", locked=False):
        if locked:
            assert terminal.end() == f"{shown}{shown and chr(10)}Maximum number of tries exceeded (1)\n"
            return
        assert terminal.prompt() == f"{shown}{shown and chr(10)}\nLogin incorrect\nsandbox login: "
        terminal.child.close(force=True)


# --- all of them ---

@contextlib.contextmanager
def standing():
    """Every host, with the stacks of etc/pam.d and without pam_unix.so's pause; one sshd for each of its two."""
    install("sshd-password", "sshd", lambda text: quick(with_password(text)))
    install("sshd-key", "sshd")
    for service in "sudo", "su", "login":
        install(service, change=quick)
    with sudoers(), Sshd("sshd-password") as password, \
            Sshd("sshd-key", AuthenticationMethods="publickey,keyboard-interactive") as key:
        yield {"ssh-password": SshHost(password, False), "ssh-key": SshHost(key, True),
               "sudo": SudoHost(), "su": SuHost(), "login": LoginHost()}
    put_back()

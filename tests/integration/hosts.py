"""Real hosts for the tests: a private sshd, and people at terminals who use ssh, sudo, su and login.

A stack is installed as the comments of etc/pam.d/NAME say. The shipped lines replace the machine's own "auth" lines,
and everything else in the machine's file stays.
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
# The stacks before any test: hosts.py is imported before the first test runs.
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
    """A provider with one of its channels, and how its messages address the two users."""
    provider: str
    channel: str
    alice: str
    bob: str
    shown: str                # how a prompt names the destination of alice's code
    variant: str = ""

    def __str__(self):
        return "-".join(filter(None, (self.provider, self.channel, self.variant)))

    @property
    def remote(self):
        """True if the provider checks the code itself."""
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
    """Writes pam_otp.conf for one sender. otp: keys of [otp]. ask_first stays as shipped."""
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
    """Writes pam_otp.conf for several channels: {channel: [provider, ...]}. bases: the URL of a provider that is not
    the gateway."""
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
    """etc/pam.d/sshd with its pam_unix.so line active, as its comment says."""
    text, n = re.subn(r"^#auth\s+requisite\s+pam_unix\.so$", lambda m: m[0][1:], text, flags=re.MULTILINE)
    assert n == 1
    return text


def quick(text):
    """Removes the two seconds that pam_unix.so makes a host wait after every failure."""
    return re.sub(r"pam_unix\.so$", "pam_unix.so nodelay", text, flags=re.MULTILINE)


def install(service, lines=None, change=lambda text: text, rest=None):
    """Installs the shipped stack `lines` for a service, within the machine's own stack `rest`."""
    lines = lines or service
    with open(f"{MACHINE}/{rest or lines}") as f:
        kept = [line for line in f if not re.match(r"auth\s|@include\s+common-auth\s", line)]
    with open(f"/etc/pam.d/{service}", "w") as f:
        f.write(change(shipped(lines)) + "".join(kept))


def put_back():
    """Restores the machine's own stacks."""
    subprocess.run(["rm", "-rf", "/etc/pam.d"], check=True)
    shutil.copytree(MACHINE, "/etc/pam.d")


@contextlib.contextmanager
def sudoers(*lines):
    """The test users may run everything with sudo, and sudo asks each time."""
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
    """A user at a terminal, who reads what is shown, and types."""

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
        """The text shown, without the echo of the line that was typed."""
        text = text.replace("\r", "")
        if self.typed is not None:
            for echo in (f"{self.typed}\n", "\n"):
                if text.startswith(echo):
                    text = text[len(echo):]
                    break
        self.typed = None
        return re.sub(r"\bin \d+ seconds?", "in N seconds", text)

    def prompt(self, pattern=PROMPT):
        """Waits for the next prompt. Returns the text up to its end."""
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
        """Types a line. Returns the text up to the end of the next prompt."""
        return self.type(line).prompt(pattern)

    def press(self, key):
        """Presses a control key. sudo prints its prompt before it reads, and a key in between would not interrupt
        it."""
        time.sleep(0.1)
        self.child.sendcontrol(key)

    def end(self):
        """Waits for the end of the program. Returns the text up to there."""
        self.child.expect(pexpect.EOF)
        text = self._shown(self.child.before)
        self.child.close()
        self.status = self.child.exitstatus
        return text

    def kill(self, sig=signal.SIGKILL):
        """Sends a signal to the program. Fails if the program does not end."""
        os.kill(self.child.pid, sig)
        end = time.monotonic() + GUARD
        while self.child.isalive():
            assert time.monotonic() < end, "it lives on"
            time.sleep(0.01)


    def hang_up(self):
        """Closes the terminal."""
        self.child.ptyproc.fileobj.close()
        self.child.ptyproc.closed = self.child.closed = True


def without_names(text):
    """Replaces what differs between users: digits and letters of contacts, and seconds that pass."""
    text = re.sub(r"\bin \d+ seconds?", "in N seconds", re.sub(r"\*\*\* \d\d", "*** NN", text))
    return re.sub(r"to \w\*\*\*@", "to N***@", text)


def seen(command, user, answers):
    """Returns what is shown when these answers are given, without what differs between users."""
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
    """Returns all texts of a sign-in through pamdrive, which passes on every answer, and its result."""
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
    """A program that asks for a password and then for a code. transport: how its module reaches the helper."""
    name = service = ""
    transport = "spawn"
    asks_first = False
    prefix = ""

    def begin(self, user="alice"):
        """Runs the program until pam_otp.so begins."""
        raise NotImplementedError

    def inside(self, terminal, shown=""):
        """Fails unless the last answer signed in. Ends the session. shown: the exact text before it."""
        raise NotImplementedError

    def outside(self, terminal, shown="", locked=False):
        """Fails unless the last answer ended the sign-in without success. shown: the exact last words. locked: the
        host must not ask for the first factor again."""
        raise NotImplementedError

    def to_code(self, terminal, joins=False):
        """Goes on to the prompt for a code, and returns the text. joins: a code may have been sent before."""
        text = terminal.prompt()
        if self.asks_first and not (joins and "Verification code" in text):
            asked = "Press Enter to have a verification code sent", "How should a verification code be sent?"
            assert text.startswith(tuple(self.prefix + one for one in asked)), text
            text = terminal.answer("")
        assert re.search(r"Verification code( \([^\n]*\))?: $", text), text
        return text


# --- ssh ---

class SshHost(Host):
    """sshd with keyboard-interactive, after a password in the same stack or after a public key."""
    transport = "socket"
    asks_first = True

    def __init__(self, sshd, key):
        self.sshd, self.key, self.service = sshd, key, sshd.service
        self.name = "ssh-key" if key else "ssh-password"

    def begin(self, user="alice", client="127.0.0.1"):
        """client: the address from which the user comes."""
        self.prefix = f"({user}@127.0.0.1) "
        t = Terminal(*self.sshd.ssh(user, key=user if self.key else None, options=[f"BindAddress={client}"]))
        if not self.key:
            assert t.prompt() == f"{self.prefix}Password: "
            t.type(f"{user}-password")
        return t

    def inside(self, terminal, shown=""):
        """sshd shows the text before the end only in a shell: see shell()."""
        assert terminal.end() == f"{IN}\n"
        assert terminal.status == 0

    def outside(self, terminal, shown="", locked=False):
        if shown:
            assert terminal.prompt() == f"{self.prefix}{shown}\nPress Enter to end: "
            terminal.type("")
        if locked:  # keyboard-interactive has ended, and the client tries a password in vain
            assert re.fullmatch(r"\w+@127\.0\.0\.1's password: ", terminal.prompt())
            terminal.child.close(force=True)
            return
        text = terminal.end()
        assert re.fullmatch(r"\w+@127\.0\.0\.1: Permission denied \(keyboard-interactive\)\.\n", text), text
        assert terminal.status == 255 and IN not in text


    def shell(self, terminal_after):
        """Signs in to a shell. terminal_after(t) answers the questions. Returns what the shell shows first."""
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
        """sudo starts a new round, because the code was not right."""
        assert terminal.prompt() == f"{shown}{shown and chr(10)}Sorry, try again.\n[sudo] password for alice: "
        terminal.child.close(force=True)


class SuHost(Host):
    """carol becomes alice, and types alice's password and code."""
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
    """All hosts, with the stacks of etc/pam.d. pam_unix.so does not delay. Each of the two ssh hosts has its own
    sshd."""
    install("sshd-password", "sshd", lambda text: quick(with_password(text)))
    install("sshd-key", "sshd")
    for service in "sudo", "su", "login":
        install(service, change=quick)
    with sudoers(), Sshd("sshd-password") as password, \
            Sshd("sshd-key", AuthenticationMethods="publickey,keyboard-interactive") as key:
        yield {"ssh-password": SshHost(password, False), "ssh-key": SshHost(key, True),
               "sudo": SudoHost(), "su": SuHost(), "login": LoginHost()}
    put_back()

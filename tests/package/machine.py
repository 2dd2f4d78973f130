"""A Debian in which the package is installed, and people who sign in to it.

A Machine is a folder with a Debian, which is entered by chroot or runs its own systemd. Machine("/") is the machine
that runs this. The methods do what an administrator does: they write files and run commands. People sit at a
terminal, in ssh, sudo and login.
"""
import os
import re
import subprocess
import time
from dataclasses import dataclass, field

import pexpect

GUARD = 30.0
IN = "you are in"
ENTER, PASSWORD, CODE, NAME, SHELL = "Press Enter", "Password", "Verification code", "login:", "$"
PROMPTS = re.compile(r"(?:(Press Enter) [^\n]*|([Pp]assword)[^\n]*|(Verification code) [^\n]*|(login:)|(\$)) $")
STACKS = {  # the lines that ours replace in each service's file, as the comments of etc/pam.d say
    "sshd": r"@include\s+common-auth\s*\n",
    "sudo": r"@include\s+common-auth\s*\n",
    "su": r"(?:auth\s+sufficient\s+pam_rootok\.so|@include\s+common-auth)\s*\n",
    "login": r"(?:auth\s[^\n]*|@include\s+common-auth\s*)\n",
}
SSHD = "UsePAM yes\nKbdInteractiveAuthentication yes\nAuthenticationMethods keyboard-interactive\n"


@dataclass
class SignIn:
    """The outcome of a sign-in: its prompts in order, the whole text, and whether it succeeded."""
    asked: list = field(default_factory=list)
    text: str = ""
    let_in: bool = False


class Person:
    """A user at a terminal. code(): returns the code to type."""

    def __init__(self, command, user, code, password=None):
        self.user, self.code, self.password = user, code, password or f"{user}-password"
        self.child = pexpect.spawn(command[0], command[1:], timeout=GUARD, encoding="utf-8",
                                   dimensions=(24, 200), codec_errors="replace")
        self.child.delaybeforesend = None
        self.result = SignIn()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close(force=True)

    def vanish(self):
        """Kills the client. If only its terminal ended, the client might still send an empty answer."""
        subprocess.run(["pkill", "-KILL", "-s", str(self.child.pid)], check=True)

    def prompt(self):
        """Returns the next prompt, or None at the end."""
        if self.child.expect([PROMPTS, pexpect.EOF]):
            self.result.text += self.child.before
            self.result.let_in = self.result.let_in or IN in self.child.before.replace(f"echo {IN}", "")
            return None
        self.result.text += self.child.before + self.child.after
        kind = next(word for word in self.child.match.groups() if word)
        kind = PASSWORD if kind == "password" else kind
        self.result.asked.append(kind)
        return kind

    def answer(self, kind):
        if kind == SHELL:
            self.result.let_in = True
        self.child.sendline({ENTER: "", PASSWORD: self.password, NAME: self.user, SHELL: "exit"}.get(kind)
                            if kind != CODE else self.code())

    def until(self, wanted):
        """Answers prompts until this one comes, which stays open."""
        while True:
            kind = self.prompt()
            assert kind, f"it ended: {self.result}"
            if kind == wanted:
                return self
            self.answer(kind)

    def to_the_end(self):
        while len(self.result.asked) < 20:
            kind = self.prompt()
            if not kind:
                return self.result
            if kind == NAME and NAME in self.result.asked[:-1]:
                self.child.close(force=True)  # login starts again
                return self.result
            self.answer(kind)
        raise AssertionError(f"it does not end: {self.result}")

    def go_on(self, kind):
        """Answers the open prompt, and all others to the end."""
        self.answer(kind)
        return self.to_the_end()


class Machine:
    def __init__(self, root, prefix=()):
        self.root, self.prefix, self.processes = root.rstrip("/"), list(prefix), []

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes = []

    # --- files and commands ---

    def path(self, name):
        return self.root + name

    def read(self, name):
        with open(self.path(name), encoding="utf-8", errors="surrogateescape") as f:
            return f.read()

    def write(self, name, text, mode=0o644, group=None):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8", errors="surrogateescape") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        if group:
            self.run("chgrp", group, name)

    def exists(self, name):
        return os.path.lexists(self.path(name))

    def run(self, *command, check=True, **options):
        """.stdout of the result has standard output and standard error."""
        done = subprocess.run([*self.prefix, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, text=True, timeout=300, check=False, **options)
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
        return done

    def start(self, *command):
        self.processes.append(subprocess.Popen([*self.prefix, *command], stdin=subprocess.DEVNULL,
                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def apt(self, *arguments, check=True):
        env = {"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        return self.run("apt-get", "-q", "-y", "--no-install-recommends", *arguments, check=check, env=env)

    def installed(self):
        """Returns the version that is completely installed, or None."""
        done = self.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Version}", "libpam-otp", check=False)
        return done.stdout[4:] if done.stdout.startswith("ii  ") else None

    # --- what an administrator does ---

    def people(self, *users):
        for user in users:
            if self.run("id", user, check=False).returncode:
                self.run("useradd", "--create-home", "--shell", "/bin/sh", user)
            subprocess.run([*self.prefix, "chpasswd"], input=f"{user}:{user}-password\n", text=True, check=True)
            self.write(f"/etc/sudoers.d/{user}", f"{user} ALL=(ALL) ALL\n", 0o440)

    def provider(self, gateway, extra=""):
        """Keeps the shipped configuration, and puts the settings of this provider into a file beside it."""
        with open(gateway.ca_file, encoding="ascii") as f:
            self.write("/etc/pam_otp/gateway.pem", f.read())
        self.write("/etc/pam_otp/secrets/tingting", gateway.token + "\n", 0o640, "pam_otp")
        self.write("/etc/pam_otp/pam_otp.conf.d/provider.conf",
                   f"[provider tingting]\nbase = {gateway.url}\nca = /etc/pam_otp/gateway.pem\n"
                   f"company_name = Example\n[limits]\nresend_wait = 0s\nsends_per_user = 100/1d\n{extra}")
        self.run("otpctl", "config", "check")

    def stack(self, name, examples="/usr/share/doc/libpam-otp/examples/pam.d", service=None, password=True):
        """Installs the example where its comment says. password: with the password line, which the example leaves
        optional."""
        lines = self.read(f"{examples}/{name}")
        if password:
            lines = re.sub(r"^#(auth\s+requisite\s+pam_unix\.so)$", r"\1", lines, flags=re.MULTILINE)
        before = self.read(f"/etc/pam.d/{service or name}")
        first = re.search(f"^{STACKS[name]}", before, flags=re.MULTILINE)
        assert first, f"/etc/pam.d/{name} is not as Debian has it"
        rest = re.sub(f"^{STACKS[name]}", "", before[first.end():], flags=re.MULTILINE)
        self.write(f"/etc/pam.d/{service or name}", before[:first.start()] + lines + rest)

    def sshd(self, settings=""):
        """Starts a new sshd. These settings come before Debian's own."""
        self.write("/etc/ssh/sshd_config.d/pam_otp.conf", settings)
        self.run("mkdir", "-p", "/run/sshd")
        self.port = getattr(self, "port", 2200) + 1
        self.start("/usr/sbin/sshd", "-D", "-p", str(self.port), "-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none")
        end = time.monotonic() + GUARD
        while self.run("bash", "-c", f"echo >/dev/tcp/127.0.0.1/{self.port}", check=False).returncode:
            assert time.monotonic() < end, "no sshd"
            time.sleep(0.05)

    # --- people ---

    def person(self, command, code, user="alice", password=None):
        return Person([*self.prefix, *command], user, code, password)

    def ssh(self, code, user="alice", password=None):
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
                   "NumberOfPasswordPrompts=1", "PreferredAuthentications=keyboard-interactive,password",
                   f"Port={self.port}"]
        return self.person(["ssh", *(x for o in options for x in ("-o", o)), f"{user}@127.0.0.1", f"echo {IN}"],
                           code, user, password)

    def sudo(self, code, user="alice", password=None):
        return self.person(["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env",
                            "sudo", "-k", "echo", *IN.split()], code, user, password)

    def login(self, code, user="alice", password=None):
        return self.person(["login"], code, user, password)

"""Follows the pages of doc/ word for word in a clean Debian. It types the marked blocks in their order. A block of
text after one must be exactly what the commands print."""
import os
import re
import shutil

import pexpect
import pytest

from machine import CODE, ENTER, IN, NAME, PASSWORD, SHELL, Person
from test_life import nothing, refused, signs_in

DOC = f"{os.path.dirname(os.path.abspath(__file__))}/../../doc"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```\n", flags=re.MULTILINE | re.DOTALL)
TOKEN = "cat >/etc/pam_otp/secrets/tingting\n"


def page(name):
    with open(f"{DOC}/{name}.md", encoding="utf-8") as f:
        return f.read()


def part(text, begin, end=None):
    """Returns the text from one heading to another."""
    assert text.count(f"\n{begin}\n") == 1 and (end is None or text.count(f"\n{end}\n") == 1)
    text = text[text.index(f"\n{begin}\n"):]
    return text[:text.index(f"\n{end}\n")] if end else text


class Administrator:
    """root, who types what a page says, and answers questions."""

    def __init__(self, debian, gateway):
        self.debian, self.gateway = debian, gateway

    def types(self, block):
        """Types commands. Returns what they print, without the commands."""
        command = [*self.debian.prefix, "env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=dumb", "bash", "-ec",
                   f"cd /root\n{block}"]
        child = pexpect.spawn(command[0], command[1:], timeout=60, encoding="utf-8", echo=False, dimensions=(24, 200))
        if block.endswith(TOKEN):
            child.sendline(self.gateway.token)
            child.sendeof()
        shown = ""
        while child.expect([r"\[Y/n\] $", r"[Cc]ode[^\n]*: $", pexpect.EOF]) != 2:
            shown += child.before + child.after
            child.sendline("y" if "Y/n" in child.after else self.gateway.last_code())
        shown = (shown + child.before).replace("\r", "")
        child.close()
        assert child.exitstatus == 0, f"{block}\n{shown}"
        return shown

    def follows(self, text):
        """Types every marked block."""
        fences = list(FENCE.finditer(text))
        typed = 0
        for fence, then in zip(fences, fences[1:] + [None]):
            if fence[1] != "sh":
                continue
            printed = self.types(fence[2])
            typed += 1
            if then and then[1] == "text" and not text[fence.end():then.start()].strip():
                assert printed == then[2]
            if "libpam-otp_" in fence[2]:
                self.finds_the_provider_here()
        assert typed

    def finds_the_provider_here(self):
        """Sets the address of the simulated provider, which no page can name."""
        with open(self.gateway.ca_file, encoding="ascii") as f:
            self.debian.write("/etc/pam_otp/gateway.pem", f.read())
        self.debian.write("/etc/pam_otp/pam_otp.conf.d/gateway.conf",
                          f"[provider tingting]\nbase = {self.gateway.url}\nca = /etc/pam_otp/gateway.pem\n"
                          "[limits]\nresend_wait = 0s\n")


@pytest.fixture
def server(booted):
    """A fresh Debian with alice, who has a key, and the package in a folder."""
    shutil.copy(booted.path("/root/libpam-otp.deb"), booted.path("/root/libpam-otp_1_all.deb"))
    booted.run("systemctl", "unmask", "ssh")
    booted.run("systemctl", "start", "ssh")
    booted.run("su", "-c", "mkdir -m 700 .ssh && ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519 && "
               "cp .ssh/id_ed25519.pub .ssh/authorized_keys", "-", "alice")
    return booted


@pytest.fixture
def root(server, gateway):
    return Administrator(server, gateway)


def ssh(server, code, key=True):
    """alice signs in from another machine."""
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "NumberOfPasswordPrompts=1",
               f"PubkeyAuthentication={'yes' if key else 'no'}"]
    command = ["ssh", *(x for o in options for x in ("-o", o)), "alice@127.0.0.1", f"echo {IN}"]
    return Person([*server.prefix, "setpriv", "--reuid=alice", "--regid=alice", "--init-groups", "--reset-env", *command],
                  "alice", code)


def test_ssh(root, server, code):
    text = page("ssh")
    signs_in(ssh(server, nothing))
    root.follows(part(text, "## 1. A root shell that stays, and the package", "## 6. Sign in"))
    signs_in(ssh(server, code), ENTER, CODE)
    refused(ssh(server, lambda: "000000"))
    refused(ssh(server, code, key=False))
    away, = (fence[2] for fence in FENCE.finditer(part(text, "## Remove it")))
    root.types(away)
    assert not server.installed() and not server.exists("/etc/pam_otp") and not server.exists("/var/lib/pam_otp")
    assert server.state("/etc/pam.d") == server.before
    signs_in(ssh(server, nothing))
    signs_in(ssh(server, nothing, key=False), PASSWORD)


def test_ssh_with_a_password(root, server, code):
    text = page("ssh")
    root.follows(part(text, "## 1. A root shell that stays, and the package", "## 6. Sign in"))
    first, output, second = (fence[2] for fence in FENCE.finditer(
        part(text, "## A password instead of the key", "## What changes, and for whom")))
    assert root.types(first) == output
    root.types(second)
    signs_in(ssh(server, code, key=False), PASSWORD, ENTER, CODE)


def test_sudo(root, server, code):
    root.follows(part(page("ssh"), "## 1. A root shell that stays, and the package", "## 5. Ask for the code"))
    text = page("sudo")
    root.follows(text)
    signs_in(server.sudo(code), PASSWORD, CODE)
    refused(server.sudo(lambda: "000000"))
    for block in (fence[2] for fence in FENCE.finditer(text) if fence[2].startswith("cp -p /root/pam.d/sudo ")):
        root.types(block)
    signs_in(server.sudo(nothing), PASSWORD)
    root.types("apt purge libpam-otp")
    assert server.state("/etc/pam.d") == server.before
    signs_in(server.sudo(nothing), PASSWORD)


def test_console(root, server, code):
    root.follows(part(page("ssh"), "## 1. A root shell that stays, and the package", "## 5. Ask for the code"))
    text = page("console")
    root.follows(text)
    signs_in(server.login(code), NAME, PASSWORD, CODE, SHELL)
    refused(server.login(lambda: "000000"))
    for block in (fence[2] for fence in FENCE.finditer(text) if fence[2].startswith("cp -p /root/pam.d/login ")):
        root.types(block)
    root.types("apt purge libpam-otp")
    assert server.state("/etc/pam.d") == server.before
    signs_in(server.login(nothing), NAME, PASSWORD, SHELL)

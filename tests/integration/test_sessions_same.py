"""A session is the same with pam_otp.so in the stack as with pam_permit.so.

Facts: Q1 and Q2 sshd, which exports its environment and its PAM environment into the session; U43, U44.
"""
import re

import pytest

import hosts
from hosts import AS, Sshd, SshHost, SudoHost, LoginHost, Terminal, configure

# Everything that a process inherits, one fact a line. The shell itself is the process started last.
LOOK = ("env | sort; ulimit -a; ulimit -aH; umask; pwd; id; nice; "
        "for fd in /proc/$$/fd/*; do echo \"fd ${fd##*/} $(readlink $fd)\"; done; "
        "grep -E '^(Uid|Gid|Groups|Sig|Shd|Cap|NoNewPrivs|Seccomp|CoreDump|THP|Speculation|Cpus_allowed|Mems_allowed)'"
        " /proc/self/status; cat /proc/self/oom_score_adj /proc/self/coredump_filter /proc/self/loginuid "
        "/proc/self/timerslack_ns; grep -c . /proc/self/mountinfo; readlink /proc/self/ns/*; "
        "keyctl show @s 2>&1 | wc -l")
VARIES = [  # from one sign-in to the next
    (r"^(SSH_CLIENT=127\.0\.0\.1) \d+ \d+$", r"\1 PORT PORT"),
    (r"^(SSH_CONNECTION=127\.0\.0\.1) \d+ 127\.0\.0\.1 \d+$", r"\1 PORT 127.0.0.1 PORT"),
    (r"/dev/pts/\d+", "/dev/pts/N"), (r"(socket|pipe):\[\d+\]", r"\1:[N]"),
    (r"^(SigQ:\s+)\d+/", r"\1N/"), (r"^(XDG_SESSION_ID|SUDO_COMMAND|_)=.*$", r"\1=…"),
    (r"^(fd \d+) /run/sandbox/look$", r"\1 LOOK"),
]


def permit(text):
    text, n = re.subn(r"pam_otp\.so", "pam_permit.so", text)
    assert n
    return text


def no_comments(text):
    return "".join(line for line in text.splitlines(True) if not line.startswith("#"))


@pytest.fixture(scope="module")
def ours(one_world):
    """Each service twice: as shipped, and with pam_permit.so instead of pam_otp.so."""
    with open("/run/sandbox/look", "w") as f:
        f.write(LOOK + "\n")
    with hosts.sudoers():
        yield
    hosts.put_back()


@pytest.fixture
def world(fresh, ours):
    configure(fresh)
    yield fresh
    assert fresh.helpers_gone()


def facts(text):
    """Returns the lines of LOOK in the output."""
    text = re.sub(r"\r|\x1b\[\?2004[hl]", "", text)
    for pattern, replacement in VARIES:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return sorted(text.splitlines())


def compare(world, look):
    """look(asked) returns what a session sees."""
    with_module, without = look(True), look(False)
    assert len(world.messages()) == 1, "the one was asked for a code, and the other not"
    for lines in (with_module, without):
        for fact in ("PATH=", "NoNewPrivs:\t0", "fd 0 "):
            assert [line for line in lines if line.startswith(fact)], f"no {fact} in {lines}"
    assert with_module == without


@pytest.mark.parametrize("transport", ["socket", "spawn"])
@pytest.mark.parametrize("key", [True, False], ids=["key", "password"])
@pytest.mark.parametrize("terminal", [False, True], ids=["command", "terminal"])
def test_ssh(world, transport, key, terminal):
    world.open_transport(transport)
    active = (lambda text: text) if key else hosts.with_password
    methods = "publickey,keyboard-interactive" if key else "keyboard-interactive"

    def look(asked):
        hosts.install("sshd-same", "sshd", lambda text: no_comments(active(text)) if asked
                      else permit(no_comments(active(text))))
        with Sshd("sshd-same", AuthenticationMethods=methods) as sshd:
            host = SshHost(sshd, key)
            line = sshd.ssh(key="alice" if key else None, command="exec sh /run/sandbox/look",
                            options=["RequestTTY=force"] if terminal else [])
            with Terminal(*line) as t:
                if not key:
                    t.prompt()
                    t.type("alice-password")
                if asked:
                    host.prefix = "(alice@127.0.0.1) "
                    host.to_code(t)
                    t.type(world.code())
                return facts(t.end())
    compare(world, look)


@pytest.mark.parametrize("transport", ["socket", "spawn"])
def test_sudo(world, transport):
    world.open_transport(transport)

    def look(asked):
        hosts.install("sudo", change=no_comments if asked else lambda text: permit(no_comments(text)))
        with Terminal(*AS["alice"], "sudo", "-k", "sh", "/run/sandbox/look") as t:
            t.prompt()
            t.type("alice-password")
            if asked:
                SudoHost().to_code(t)
                t.type(world.code())
            return facts(t.end())
    compare(world, look)


@pytest.mark.parametrize("transport", ["socket", "spawn"])
@pytest.mark.parametrize("login_shell", [(), ("-",)], ids=["su", "su -"])
def test_su(world, transport, login_shell):
    world.open_transport(transport)

    def look(asked):
        hosts.install("su", change=no_comments if asked else lambda text: permit(no_comments(text)))
        with Terminal(*AS["alice"], "su", *login_shell, "bob", "-c", "exec sh /run/sandbox/look") as t:
            t.prompt()
            t.type("bob-password")
            if asked:
                SudoHost().to_code(t)
                t.type(world.code())
            return facts(t.end())
    compare(world, look)


def test_login(world):
    world.open_transport("spawn")

    def look(asked):
        hosts.install("login", change=no_comments if asked else lambda text: permit(no_comments(text)))
        with LoginHost().begin() as t:
            if asked:
                LoginHost().to_code(t)
                t.type(world.code())
            t.prompt(r"alice@sandbox:~\$ $")
            return facts(t.type("exec sh /run/sandbox/look").end())
    compare(world, look)

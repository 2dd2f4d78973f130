"""Remembered sign-ins in the real sshd and sudo: one code, then none at the same source; a code at every other.

Facts: Q14 the key, Q22 su, U15 an editor's connections, U56 the freshness of a session.
"""
import contextlib
import json
import os
import subprocess

import pytest

import hosts
from private_sshd import SSH, ssh_keys
from hosts import AS, IN, Sshd, Terminal, configure
from world import PHONE

CODE = "Verification code (r = resend): "
BOOT_ID = "/proc/sys/kernel/random/boot_id"
BOTH = "publickey,keyboard-interactive"


@pytest.fixture(scope="module")
def stacks(one_world):
    hosts.install("sshd-key", "sshd")
    hosts.install("sudo")
    hosts.install("sudo-i", "sudo", rest="sudo-i")
    hosts.install("su")
    with hosts.sudoers("Defaults timestamp_timeout=0"):
        yield
    hosts.put_back()


@pytest.fixture(scope="module")
def by_key(stacks):
    """An sshd that accepts alice's key, and what the authority certifies for her."""
    ssh_keys()
    for name in "authority", "certified":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{SSH}/{name}"], check=True)
    with Sshd("sshd-key", AuthenticationMethods=BOTH, TrustedUserCAKeys=f"{SSH}/authority.pub") as sshd:
        yield sshd


def certify(serial):
    """Makes a new certificate of the same key, and returns its text."""
    subprocess.run(["ssh-keygen", "-q", "-s", f"{SSH}/authority", "-I", f"alice-{serial}", "-z", str(serial),
                    "-n", "alice", f"{SSH}/certified.pub"], check=True)
    with open(f"{SSH}/certified-cert.pub") as f:
        return f.read()


def fingerprint(path):
    return subprocess.run(["ssh-keygen", "-lf", path], check=True, capture_output=True, text=True).stdout.split()[1]


@pytest.fixture
def world(fresh, stacks):
    fresh.open_transport("spawn")
    configure(fresh, remember="15m")
    subprocess.run(["rm", "-rf", "/run/sudo/ts"], check=True)
    yield fresh
    assert fresh.helpers_gone()


def ssh_with_a_code(world, by_key, key="alice"):
    with Terminal(*by_key.ssh(key=key)) as t:
        t.prompt()
        assert t.answer("").endswith(CODE)
        assert t.type(world.code()).end() == f"{IN}\n"


def ssh_is_asked(by_key, key="alice", client="127.0.0.1"):
    with Terminal(*by_key.ssh(key=key, options=[f"BindAddress={client}"])) as t:
        text = t.prompt(rf"(?:: |{IN}\r\n)$")
        assert text == f"{IN}\n" or "Press Enter to have a verification code sent" in text, text
        return text != f"{IN}\n"


def test_ssh_asks_once_for_a_key_and_address(world, by_key):
    ssh_with_a_code(world, by_key)
    with Terminal(*by_key.ssh(key="alice")) as t:
        assert t.end() == f"{IN}\n" and t.status == 0
    assert len(world.messages()) == 1
    assert 'result=skip' in world.log() and "remembered: " in world.log()


def test_connections_of_an_editor_need_one_code(world, by_key):
    """U15: one client opens four connections at once. One code lets one in, and the others at their next answer."""
    many = [Terminal(*by_key.ssh(key="alice")) for _ in range(4)]
    try:
        for t in many:
            t.prompt()
        for t in many[:3]:
            assert t.answer("").endswith(CODE)
        code = world.code()
        assert many[0].type(code).end() == f"{IN}\n"
        assert many[1].type(code).end() == f"{IN}\n", "the code that was used"
        assert many[2].type("").end() == f"{IN}\n", "Enter at the prompt for a code"
        assert many[3].type("").end() == f"{IN}\n", "Enter at the first question"
    finally:
        for t in many:
            t.child.close(force=True)
    assert len(world.messages()) == 1
    outcomes = [line for line in world.log().splitlines() if "event=signin result=ok" in line]
    assert sum('reason="remembered: a concurrent sign-in gave a code"' in line for line in outcomes) == 3


def test_ssh_asks_again_after_it_was_revoked(world, by_key):
    ssh_with_a_code(world, by_key)
    world.otpctl("remember", "revoke", "alice")
    with Terminal(*by_key.ssh(key="alice")) as t:
        assert "Press Enter" in t.prompt()


@pytest.mark.parametrize("command", [
    ("contact", "remove", "alice", "--all", "--no-notice"),
    ("contact", "import", "FILE", "--replace", "--no-notice"),
    ("recovery", "issue", "alice")])
def test_revoking_ends_what_was_remembered(world, by_key, tmp_path, command):
    """What a removed or replaced address or an older recovery code proved is not remembered any longer."""
    ssh_with_a_code(world, by_key)
    (tmp_path / "people.csv").write_text("user,kind,address\nalice,phone,+9779800000088\n")
    world.otpctl(*(str(tmp_path / "people.csv") if word == "FILE" else word for word in command))
    assert json.loads(world.otpctl("--json", "remember", "list", "alice").stdout) == []
    assert ssh_is_asked(by_key)


def test_one_more_address_than_the_log_names_is_unverified(world, by_key, tmp_path):
    """Every line of an import counts that says that an address is not verified any longer."""
    people = tmp_path / "people.csv"

    def take(verified_at):
        others = "".join(f"u{n},phone,+97798000{n:05},{verified_at}\n" for n in range(101))
        people.write_text(f"user,kind,address,verified_at\n{others}alice,phone,{PHONE['alice']},{verified_at}\n")
        world.otpctl("contact", "import", str(people), "--replace", "--force", "--no-notice")

    take("2026-01-02")
    ssh_with_a_code(world, by_key)
    take("2026-01-02")
    assert json.loads(world.otpctl("--json", "remember", "list", "alice").stdout) != []
    take("")
    assert json.loads(world.otpctl("--json", "remember", "list", "alice").stdout) == []


def test_ssh_asks_for_another_key_and_another_address(world, by_key):
    certify(1)
    ssh_with_a_code(world, by_key)
    assert ssh_is_asked(by_key, key="certified")
    assert ssh_is_asked(by_key, client="127.0.0.3")
    assert not ssh_is_asked(by_key)


def test_a_certificate_counts_as_its_key(world, by_key):
    """A renewed certificate is not asked again. otpctl shows the fingerprint that sshd and ssh-keygen show."""
    first = certify(1)
    ssh_with_a_code(world, by_key, key="certified")
    assert 'Accepted certificate ID "alice-1"' in by_key.log_text()
    assert certify(2) != first
    assert not ssh_is_asked(by_key, key="certified")
    assert 'Accepted certificate ID "alice-2"' in by_key.log_text()
    key = fingerprint(f"{SSH}/certified-cert.pub")
    assert key == fingerprint(f"{SSH}/certified.pub") and f"ED25519-CERT {key}" in by_key.log_text()
    listed = json.loads(world.otpctl("--json", "remember", "list", "alice").stdout)
    assert [one["where"].split()[-1] for one in listed] == [key]
    for shown in key, f"{SSH}/certified-cert.pub", f"{SSH}/certified.pub":
        explained = world.otpctl("--json", "explain", "alice", "--service", "sshd-key", "--rhost", "127.0.0.1",
                            "--key", shown, check=False)
        assert json.loads(explained.stdout)["outcome"] == "skip", (shown, explained)
    assert ssh_is_asked(by_key), "her other key"


def shell():
    """A shell of alice's in a terminal of its own."""
    t = Terminal(*AS["alice"], "env", "PS1=otp$ ", "bash", "--norc", "--noprofile", "-i")
    t.child.expect_exact("otp$ ")
    return t


SUDO = ("sudo id -u", "password for alice: ", "alice-password", "0")
SUDO_I = ("sudo -i id -u", *SUDO[1:])
SU = ("su bob -c 'id -un'", "Password: ", "bob-password", "bob")


def become(t, world, how, *, asked):
    command, prompt, password, seen = how
    t.child.sendline(command)
    t.child.expect_exact(prompt)
    t.child.sendline(password)
    if asked:
        t.child.expect_exact(CODE)
        t.child.sendline(world.code())
    assert t.child.expect_exact([CODE, f"{seen}\r\n"]) == 1, "it asked for a code"
    t.child.expect_exact("otp$ ")


def test_sudo_asks_once_in_a_session_of_a_terminal(world):
    with shell() as t:
        become(t, world, SUDO, asked=True)
        become(t, world, SUDO, asked=False)
        become(t, world, SUDO_I, asked=False)
    assert len(world.messages()) == 1


def test_su_asks_once_in_a_session_of_a_terminal(world):
    """su remembers the target user. sudo still asks, because it asks alice for her own code."""
    with shell() as t:
        become(t, world, SU, asked=True)
        become(t, world, SU, asked=False)
        become(t, world, SUDO, asked=True)
    assert [len(world.messages(user)) for user in ("bob", "alice")] == [1, 1]


def tty_of(t):
    t.child.sendline("tty")
    t.child.expect(r"(/dev/pts/\d+)\r\n")
    name = t.child.match[1]
    t.child.expect_exact("otp$ ")
    return name


HOW = pytest.mark.parametrize("how", [SUDO, SU], ids=["sudo", "su"])


@HOW
def test_a_terminal_used_again_by_another_session_is_asked(world, how):
    with shell() as t:
        first = tty_of(t)
        become(t, world, how, asked=True)
    with shell() as t:
        assert tty_of(t) == first, "the lowest free name is given out again"
        become(t, world, how, asked=True)


def started(pid):
    """Returns when the process began, in clock ticks since boot."""
    with open(f"/proc/{pid}/stat") as f:
        return int(f.read().rpartition(")")[2].split()[19])


@contextlib.contextmanager
def shell_of(pid):
    """shell(), with a process id that another process had before."""
    for _ in range(100):
        with open("/proc/sys/kernel/ns_last_pid", "w") as f:
            f.write(str(pid - 1))
        with shell() as t:
            if t.child.pid == pid:
                yield t
                return
    pytest.fail(f"other processes took the process id {pid} first")


@HOW
def test_a_process_id_used_again_is_asked(world, how):
    """The terminal and the session id are the same, but the session leader began at another time."""
    with shell() as t:
        first = t.child.pid, tty_of(t)
        began = started(t.child.pid)
        become(t, world, how, asked=True)
        become(t, world, how, asked=False)
    with shell_of(first[0]) as t:
        assert (t.child.pid, tty_of(t)) == first and os.getsid(t.child.pid) == first[0]
        assert started(t.child.pid) > began
        become(t, world, how, asked=True)
        become(t, world, how, asked=False)


@HOW
def test_another_boot_is_asked(world, how, tmp_path):
    """After a boot, process ids, terminals and ticks start again, and all may be equal to earlier ones."""
    fake = tmp_path / "boot_id"
    fake.write_text("11111111-2222-4333-8444-555555555555\n")
    with shell() as t:
        become(t, world, how, asked=True)
        become(t, world, how, asked=False)
        world.mount("--bind", fake, BOOT_ID)
        become(t, world, how, asked=True)
        become(t, world, how, asked=False)


@HOW
def test_another_terminal_is_asked(world, how):
    with shell() as one, shell() as two:
        become(one, world, how, asked=True)
        become(two, world, how, asked=True)
        become(one, world, how, asked=False)


def test_without_a_terminal_sudo_is_asked_each_time(world):
    """sudo -S reads the password from a pipe. The prompt for a code reads end-of-file."""
    with shell() as t:
        become(t, world, SUDO, asked=True)
    done = subprocess.run([*AS["alice"], "setsid", "-w", "sudo", "-S", "id", "-u"],
                          input="alice-password\n", capture_output=True, text=True)
    assert done.returncode and done.stdout == ""
    assert "result=skip" not in world.log()

"""Hosts, users, environments and files that are hostile, or behave badly."""
import os
import re
import socket
import subprocess
import threading
import time

import pexpect
import pytest

from world import (AUTH_ERR, AUTHINFO_UNAVAIL, CONF, CONV_ERR, MAXTRIES, PERM_DENIED, PHONE, REMOTE, SERVICE, STORE,
                   SUCCESS)

NEVER = (SUCCESS, AUTHINFO_UNAVAIL)  # results that no act of the user may cause; "skip" would be SUCCESS here
SUID = "pamdrive-suid"
AS_ALICE = ["setpriv", "--reuid=alice", "--regid=alice", "--init-groups"]


# --- hostile hosts ---

def same(d, *fields):
    before = d.snap("before")
    for when in ("after", "ended"):
        now = d.snap(when)
        for name in fields or [k for k in before if k not in ("event", "when")]:
            assert now[name] == before[name], f"{name} differs {when}"


@pytest.mark.parametrize("end", ["right", "wrong", "broken", "gone"])
def test_the_host_stays_as_it_was(world, end):
    """U43, U44, Q2, C2, C11: descriptors, signals, environment, limits, children, session and umask."""
    if end == "broken":
        world.edit(CONF, r"^channels", "chanels")
    with world.sign_in("alice", SERVICE, calls=("auth", "setcred", "acct")) as d:
        event = d.until("prompt", "result")
        while event["event"] == "prompt":
            d.say({"right": "=" + world.code(), "gone": "!"}.get(end, "=000000"))
            event = d.until("prompt", "result")
        assert (event["code"] == SUCCESS) == (end == "right")
        d.rest()
        same(d)


@pytest.mark.parametrize("mode", ["sigchld-ignored", "sigchld-handler", "wait-thread", "fds-closed", "big"])
def test_hostile_host(world, mode):
    """Q33: the sign-in works, and the host's own children and handlers do not notice it."""
    with world.sign_in("alice", SERVICE, f"--host={mode}") as d:
        d.enter()
        assert d.answer(world.code()).result() == SUCCESS
        host = next(e for e in d.rest() if e["event"] == "host")
        assert (host["sigchld"], host["reaped"]) == (0, 0)
        same(d)
    assert world.helpers_gone()


def test_host_without_descriptors(world):
    with world.sign_in("alice", SERVICE, "--host=fds-full") as d:
        event = d.until("prompt", "result")
        if event["event"] == "prompt":
            event = d.answer("000000").until("result", "prompt")
        assert event.get("code") not in NEVER
        d.process.stdin.close()


@pytest.mark.parametrize("step", ["first prompt", "code prompt", "after a wrong code"])
@pytest.mark.parametrize("how", ["q", "k"])
def test_host_ends(world, step, how):
    """The helper ends with a host that exits or is killed."""
    world.configure(ask_first="always" if step == "first prompt" else "never")
    with world.sign_in() as d:
        d.prompt()
        if step == "after a wrong code":
            d.answer(world.wrong()).prompt()
        assert world.helpers()
        d.say(how)
        d.process.wait(5)
        assert world.helpers_gone()
    world.configure()
    assert world.finish() == SUCCESS, "nothing stays locked"


@pytest.mark.parametrize("sig", ["KILL", "TERM", "SEGV"])
@pytest.mark.parametrize("step", ["sending", "asking", "after a wrong code"])
def test_helper_dies(world, step, sig):
    if step == "sending":
        world.gateway.fault("hang")
    with world.sign_in() as d:
        if step == "sending":
            d.until("snap")
            end = time.monotonic() + 5
            while not world.gateway.requests() and time.monotonic() < end:
                time.sleep(0.01)
        else:
            d.prompt()
        if step == "after a wrong code":
            d.answer(world.wrong()).prompt()
        subprocess.run(["kill", f"-{sig}", *map(str, world.helpers())], check=True)
        if step != "sending":
            d.answer(world.code())
        assert d.result() == PERM_DENIED


# --- what the person says ---

ANSWERS = {
    "nothing": "0",
    "empty": "=",
    "blanks": "=      ",
    "511 bytes": "n 511",
    "512 bytes": "n 512",
    "513 bytes": "n 513",
    "70000 bytes": "n 70000",
    "255 bytes": "n 255",
    "256 bytes": "n 256",
    "control bytes": "x 1b5b324a0d0a07",
    "what sshd says for refused users": "x 080a0d7f494e434f5252454354",
    "not UTF-8": "x fffe80c0",
    "sqlite": "=' OR 1=1; --",
    "format": "=%s%n%s%n",
    "template": "=${code}",
    "minus": "=-123456",
    "wide digits": "=１２３４５６",
    "five digits": "=12345",
    "seven digits": "=1234567",
    "user name": "=alice",
    "conversation fails": "!",
}


@pytest.mark.parametrize("ask_first", ["never", "always"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_answer(world, answer, ask_first):
    """C3, C19: only the code signs in, and no answer causes an outage."""
    world.configure(ask_first=ask_first)
    with world.sign_in() as d:
        event = d.until("prompt", "result")
        for _ in range(12):
            if event is None or event["event"] == "result":
                break
            d.say(ANSWERS[answer])
            event = d.until("prompt", "result")
        assert event is None or event["event"] == "prompt" or event["code"] not in NEVER
        if event and event["event"] == "result":
            assert event["code"] in (AUTH_ERR, CONV_ERR, MAXTRIES, PERM_DENIED)


def test_a_silent_user_meets_the_deadline(world):
    """The user says nothing until the sign-in's deadline, and then types the right code."""
    world.configure(login_timeout="10s")
    with world.sign_in() as d:
        d.enter()
        time.sleep(10.5)
        d.answer(world.code())
        assert d.result() not in NEVER


# --- signals from the caller's own uid, as in sudo and su ---

def family(pid):
    """Returns the children of a host and their children."""
    found, stats = [pid], {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as f:
                stats[int(name)] = int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            pass
    for parent in found:
        found += [child for child, of in stats.items() if of == parent]
    return found[1:]


def alice_signals(sig, pids):
    for pid in pids:
        subprocess.run([*AS_ALICE, "kill", f"-{sig}", str(pid)], capture_output=True)


@pytest.mark.parametrize("sig", ["KILL", "STOP", "TERM", "INT", "HUP", "ALRM", "CHLD", "PIPE", "XFSZ", "SEGV"])
def test_caller_signals_helper_and_supervisor(fresh, sig):
    """The supervisor has the caller's real user ID. What a signal does to it looks like any other failure."""
    fresh.open_transport("spawn")
    fresh.pam(SERVICE, args="timeout=10")
    with fresh.sign_in(host=SUID, prefix=AS_ALICE) as d:
        d.enter()
        victims = family(d.process.pid)
        assert victims, "there are a supervisor and a helper"
        alice_signals(sig, victims)
        d.answer("000000")
        event = d.until("prompt", "result", timeout=15)
        assert event["event"] == "prompt" or event["code"] not in NEVER
    subprocess.run(["pkill", "-CONT", "-x", "otp-helper"])
    assert fresh.helpers_gone()


def test_caller_kills_the_helper_while_it_starts(fresh):
    """The caller kills it at once, again and again."""
    fresh.open_transport("spawn")
    for n in range(20):
        with fresh.sign_in(host=SUID, prefix=AS_ALICE) as d:
            time.sleep(n * 0.002)
            alice_signals("KILL", family(d.process.pid))
            event = d.until("prompt", "result")
            if event["event"] == "prompt":
                event = d.answer("000000").until("prompt", "result")
            assert event["event"] == "prompt" or event["code"] not in NEVER


LIMITS = ["--nproc=0", "--nproc=1", "--nofile=8", "--nofile=3", "--as=60000000", "--data=1000000", "--stack=65536",
          "--fsize=0", "--fsize=1", "--cpu=1", "--memlock=0", "--core=unlimited", "--sigpending=0", "--msgqueue=0"]


@pytest.mark.parametrize("limit", LIMITS)
def test_caller_sets_resource_limits(world, limit):
    """A limit may break a sign-in, but never signs in and never looks like an outage."""
    try:
        code = world.finish(answer="000000", host=SUID, prefix=[*AS_ALICE, "prlimit", limit])
    except AssertionError:
        return  # the host itself did not start under this limit
    assert code not in NEVER


# --- C9: the environment of a set-user-ID host ---

def test_hostile_environment(world, tmp_path):
    """The result is the same, no file is made, and there is no connection elsewhere."""
    os.chmod(tmp_path, 0o777)
    for up in list(tmp_path.parents)[:-2]:
        os.chmod(up, 0o755)
    trap = socket.create_server(("127.0.0.1", 0))
    trap.settimeout(0)
    elsewhere = f"http://127.0.0.1:{trap.getsockname()[1]}"
    evil = tmp_path / "evil.so"
    source = tmp_path / "evil.c"
    source.write_text("#include <fcntl.h>\n__attribute__((constructor)) static void x(void)"
                      '{ (void)!open("%s/loaded", O_CREAT | O_WRONLY, 0666); }' % tmp_path)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", evil, source], check=True)
    conf = tmp_path / "openssl.cnf"
    conf.write_text(f"openssl_conf = x\n[x]\nengines = y\n[y]\nz = w\n[w]\ndynamic_path = {evil}\ninit = 1\n")
    files = sorted(os.listdir(tmp_path))
    environment = {
        **{name: elsewhere for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY",
                                        "all_proxy")},
        **{name: str(tmp_path) for name in ("SSL_CERT_DIR", "OPENSSL_MODULES", "OPENSSL_ENGINES", "GCONV_PATH",
                                            "NLSPATH", "LD_LIBRARY_PATH", "HOME", "XDG_CONFIG_HOME", "CURL_HOME",
                                            "TMPDIR", "SQLITE_TMPDIR", "LOCPATH")},
        **{name: str(evil) for name in ("LD_PRELOAD", "LD_AUDIT")},
        **{name: str(conf) for name in ("OPENSSL_CONF", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "HOSTALIASES",
                                        "RESOLV_HOST_CONF")},
        "SSLKEYLOGFILE": f"{tmp_path}/keys", "NO_PROXY": "", "RES_OPTIONS": "debug ndots:15",
        "LOCALDOMAIN": "evil.example", "TZ": "/../../evil", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8",
        "MALLOC_TRACE": f"{tmp_path}/malloc", "LD_DEBUG": "all", "LD_DEBUG_OUTPUT": f"{tmp_path}/ld",
        "LD_PROFILE": "libc.so.6", "LD_PROFILE_OUTPUT": str(tmp_path), "GMON_OUT_PREFIX": f"{tmp_path}/gmon",
        "PATH": str(tmp_path), "IFS": "/",
    }
    kept = "/usr/bin/env -i"
    # Set after setpriv, which would itself obey LD_*.
    prefix = [*AS_ALICE, *kept.split(), *(f"{k}={v}" for k, v in environment.items())]
    with world.sign_in(host=f"/usr/local/bin/{SUID}", prefix=prefix) as d:
        d.enter()
        assert d.answer(world.code()).result() == SUCCESS
        d.rest()
        same(d)
    assert sorted(os.listdir(tmp_path)) == files
    with pytest.raises(BlockingIOError):
        trap.accept()


# --- C16, C21, C23: what pam_otp may write, it may have filled with traps ---

TRAPS = {
    "link": lambda at, victim: os.symlink(victim, at),
    "dangling link": lambda at, victim: os.symlink("/etc/made-by-a-link", at),
    "hard link": lambda at, victim: os.link(victim, at),
    "fifo": lambda at, victim: os.mkfifo(at),
    "folder": lambda at, victim: os.mkdir(at),
}


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("name", ["store.db", "store.db-wal", "store.db-shm", "store.db-journal", "reserve"])
def test_planted_files(world, name, trap):
    """Whatever the file is, root follows no link, and nobody signs in."""
    world.pam(SERVICE, args="timeout=10")
    victim = "/var/lib/victim"  # on the same file system, for the hard link
    world.write(victim, "untouched\n", 0o600)
    before = os.stat(victim)
    at = f"{os.path.dirname(STORE)}/{name}"
    if os.path.lexists(at):
        os.unlink(at)
    TRAPS[trap](at, victim)
    os.chown(at, world.user.pw_uid, world.user.pw_gid, follow_symlinks=False) if trap != "hard link" else None
    try:
        code = world.finish(answer="000000")
        assert code in (AUTH_ERR, PERM_DENIED, MAXTRIES)
        done = subprocess.run(["timeout", "10", "otpctl", "init"], capture_output=True, text=True)
        assert done.returncode != 124, "otpctl does not hang"
        after = os.stat(victim)
        with open(victim) as f:
            assert f.read() == "untouched\n"
        assert (after.st_uid, after.st_mode) == (before.st_uid, before.st_mode)
        assert not os.path.lexists("/etc/made-by-a-link")
    finally:
        os.unlink(victim)


# --- deadlines ---

@pytest.fixture
def silent_dns(fresh):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.53", 53))
        with open("/etc/resolv.conf", "w") as f:
            f.write("nameserver 127.0.0.53\noptions timeout:30 attempts:5\n")
        yield fresh
        with open("/etc/resolv.conf", "w") as f:
            f.write("")


def timed(world, **kwargs):
    began = time.monotonic()
    code = world.finish(answer="000000", options=REMOTE, **kwargs)
    return code, time.monotonic() - began


def test_silent_dns(silent_dns, transport):
    """U1: a provider has attempt_timeout, 4 s, for everything, including the name lookup."""
    silent_dns.open_transport(transport)
    silent_dns.edit(CONF, r"^base = .*", "base = https://provider.example")
    code, took = timed(silent_dns)
    assert code == AUTHINFO_UNAVAIL and took < 4.5, took


@pytest.mark.parametrize("kind, members", [("hang_connect", {}), ("hang_tls", {}), ("hang", {}),
                                           ("drip", {"where": "headers"}), ("drip", {"where": "body"}),
                                           ("interim", {})])
def test_silent_server(world, kind, members):
    world.configure(attempt_timeout="1s")
    world.gateway.fault(kind, **members)
    code, took = timed(world)
    assert code in (AUTHINFO_UNAVAIL, AUTH_ERR) and took < 1.5, took


def test_the_user_leaves_during_a_send(world):
    """The helper watches its peer while it waits for the provider."""
    world.gateway.fault("hang")
    with world.sign_in() as d:
        time.sleep(0.5)
        assert world.helpers()
        d.process.kill()
        began = time.monotonic()
        assert world.helpers_gone()
        assert time.monotonic() - began < 1.0


# --- canary: U38, C40 ---

def test_no_secret_is_logged_or_visible(world):
    """At the highest log level, no code, token or full number is in a log, argv or environment."""
    world.pam(SERVICE, args="debug")
    seen, stop = [], threading.Event()

    def sample():
        while not stop.is_set():
            for pid in filter(str.isdigit, os.listdir("/proc")):
                for name in ("cmdline", "environ"):
                    try:
                        with open(f"/proc/{pid}/{name}", "rb") as f:
                            seen.append(f.read())
                    except OSError:
                        pass
            time.sleep(0.002)

    watcher = threading.Thread(target=sample)
    watcher.start()
    codes, typed = [], "7391-canary"
    try:
        for kind, members in [("none", {}), ("escapes", {}), ("status", {"status": 500}), ("echo", {}),
                              ("success_false", {})]:
            world.gateway.fault(kind, **members)
            with world.sign_in() as d:
                if d.until("prompt", "result")["event"] == "prompt":
                    d.answer(typed).until("prompt", "result")
                    codes.append(world.code())
        world.gateway.clear_faults()
        with world.sign_in("bob") as d:
            d.enter()
            codes.append(world.code())
            assert d.answer(codes[-1]).result() == SUCCESS
    finally:
        stop.set()
        watcher.join()
    log = world.log()
    assert log and codes
    outputs = [log.encode(errors="surrogateescape"), *set(seen)]
    secrets = [*codes, typed, world.gateway.token, PHONE["alice"], PHONE["alice"][4:], "Bearer", "Sign-in to"]
    for secret in secrets:
        assert not [t for t in outputs if secret.encode() in t and b"gateway" not in t], secret
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", log), "foreign text has no control characters"


def test_helper_cannot_be_read(world):
    """The helper is not dumpable and runs as pam_otp. It has no privileges, groups, environment or descriptors of
    the host."""
    with world.sign_in(prefix=["setpriv", "--groups", "4,27,100"]) as d:
        d.enter()
        with open(f"/proc/{d.process.pid}/status") as f:
            assert "\nGroups:\t4 27 100" in f.read(), "there are some to be lost"
        pid, = world.helpers()
        with open(f"/proc/{pid}/status") as f:
            status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
        assert status["Uid"].split() == [str(world.user.pw_uid)] * 4
        assert status["Gid"].split() == [str(world.user.pw_gid)] * 4
        assert status["NoNewPrivs"] == "1"
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert set(status["Groups"].split()) <= {str(world.user.pw_gid)}
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0, "not dumpable"
        with open(f"/proc/{pid}/limits") as f:
            assert re.search(r"Max core file size +0 +0", f.read())
        assert os.readlink(f"/proc/{pid}/cwd") == "/"


# --- the stacks that are shipped, and a real host ---

STACKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../etc/pam.d")
REST = "account required pam_permit.so\nsession required pam_permit.so\n"


def stack(name):
    with open(f"{STACKS}/{name}") as f:
        return f.read()


@pytest.mark.parametrize("name", sorted(os.listdir(STACKS)))
def test_shipped_stack_order(name):
    """A wrong password sends no message, and skip alone does not sign in."""
    lines = [line.split(None, 2) for line in stack(name).splitlines() if line and line[0] != "#"]
    controls = [re.match(r"\[.*\]|\S+", " ".join(line[1:]))[0] for line in lines]
    modules = [re.search(r"pam_\w+\.so", " ".join(line))[0] for line in lines]
    at = modules.index("pam_otp.so")
    assert controls[at] == "requisite"
    for control in controls[:at]:
        assert control == "requisite" or re.fullmatch(r"\[success=\d default=ignore\]", control)
    assert (controls[at + 1], modules[at + 1]) == ("required", "pam_permit.so")
    jump = re.match(r"\[success=(\d)", controls[0])
    if jump:
        assert modules[int(jump[1]) + 1] == "pam_permit.so"


@pytest.mark.parametrize("name", sorted(os.listdir(STACKS)))
def test_shipped_stack(world, name):
    world.write("/etc/pam.d/otp-shipped", stack(name) + REST)
    world.configure(extra="[exempt robots]\nusers = robot\nreason = no phone\nuntil = 2099-12-31\n")
    password = re.search(r"^auth.*pam_unix", stack(name), re.MULTILINE)

    def sign_in(user, *answers):
        """Signs in as alice, because su does not ask root."""
        with world.sign_in(user, "otp-shipped", host=SUID, prefix=AS_ALICE) as d:
            for answer in answers if password else answers[1:]:
                d.prompt()
                d.answer(answer if answer else world.code())
            return d.result()

    if password:
        assert sign_in("alice", "wrong") == AUTH_ERR
    assert world.messages() == []
    assert sign_in("alice", "alice-password", None) == SUCCESS
    assert sign_in("alice", "alice-password", "000000", "000000", "000000") == AUTH_ERR
    assert sign_in("robot", "robot-password") == SUCCESS


def test_sudo(world):
    """Q16-Q18, Q21: the code goes to the caller's own phone, and nothing is sent before Enter."""
    world.configure(ask_first="always")
    world.write("/etc/pam.d/sudo", stack("sudo") + REST)
    world.write("/etc/sudoers.d/test", "alice ALL=(ALL) ALL\nDefaults timestamp_timeout=0\n", 0o440)

    def sudo():
        child = pexpect.spawn(AS_ALICE[0], [*AS_ALICE[1:], "sudo", "id", "-u"], timeout=15, encoding="utf-8")
        child.expect("[Pp]assword")
        return child

    try:
        child = sudo()
        child.sendline("alice-password")
        child.expect("Press Enter")
        assert world.messages() == []
        child.sendline("")
        child.expect("Verification code")
        child.sendline(world.code())
        child.expect(r"\n0\r")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0
        child = sudo()
        child.sendline("wrong")
        child.expect("try again")
        assert len(world.messages("alice")) == 1, "a wrong password sends no message"
        child.close(force=True)
    finally:
        os.unlink("/etc/sudoers.d/test")

"""Every row of the result table, with each cause alone: its PAM result, and that it never signs in.

The stack is the shipped one, in which skip would sign in. So a cause that ended as skip would be noticed.
"""
import os
import re
import shutil
import subprocess
import time

import pytest

from world import (AUTH_ERR, AUTHINFO_UNAVAIL, CONF, CONTACTS, CONV_ERR, ETC, HELPER, HOST_KEY, MAXTRIES,
                   PERM_DENIED, REMOTE, SERVICE, STORE, SUCCESS, TOKEN)

STATE_DIR = os.path.dirname(STORE)
PROFILES = "/usr/share/pam_otp/providers"


# --- broken: configuration, secrets, state ---

def conf_text(pattern, replacement):
    return lambda w: w.edit(CONF, pattern, replacement)


def conf_more(text):
    def do(w):
        with open(CONF, "a") as f:
            f.write(text)
    return do


def mode(path, bits):
    return lambda w: os.chmod(path, bits)


def owner(path, user):
    return lambda w: shutil.chown(path, user)


def gone(path):
    return lambda w: os.unlink(path)


def linked(path):
    def do(w):
        os.rename(path, path + ".real")
        os.symlink(path + ".real", path)
    return do


def fifo(path):
    def do(w):
        os.unlink(path)
        os.mkfifo(path, 0o644)
        shutil.chown(path, "root", "pam_otp")
    return do


def folder(path):
    def do(w):
        os.unlink(path)
        os.mkdir(path)
    return do


def holds(path, data):
    """Replaces the content of a file, with the same owner and mode."""
    def do(w):
        with open(path, "r+b") as f:
            f.truncate(0)
            f.write(data)
    return do


def drop_in(text, bits=0o644):
    def do(w):
        os.makedirs(f"{CONF}.d", exist_ok=True)
        w.write(f"{CONF}.d/10-test.conf", text, bits)
    return do


def foreign(path):
    """Replaces a database by an intact one of another program."""
    def do(w):
        st = os.stat(path)
        for name in (path, path + "-wal", path + "-shm"):
            if os.path.exists(name):
                os.unlink(name)
        subprocess.run(["sqlite3", path, "CREATE TABLE other (x); INSERT INTO other VALUES (1)"], check=True)
        os.chown(path, st.st_uid, st.st_gid)
        os.chmod(path, st.st_mode & 0o7777)
    return do


def profile(text):
    def do(w):
        os.makedirs(f"{ETC}/providers", exist_ok=True)
        w.write(f"{ETC}/providers/tingting.json", text)
    return do


def read_only(path):
    def do(w):
        w.mount("--bind", path, path)
        w.mount("-o", "remount,bind,ro", path)
    return do


BROKEN = {
    "config missing": gone(CONF),
    "config empty": holds(CONF, b""),
    "config unreadable": mode(CONF, 0o600),
    "config writable by others": mode(CONF, 0o666),
    "config of another owner": owner(CONF, "alice"),
    "config a link": linked(CONF),
    "config a fifo": fifo(CONF),
    "config a folder": folder(CONF),
    "config too large": conf_more("# " + "x" * (2 << 20)),
    "config with NUL": conf_more("[limits]\nfailures = 1\0 0\n"),
    "config not INI": conf_more("}{ this is not INI\n"),
    "config unknown section": conf_more("[limit]\nfailures = 10\n"),
    "config unknown key": conf_text(r"^channels", "code_lenght = 6\nchannels"),
    "config bad value": conf_text(r"^channels", "ask_frist = maybe\nchannels"),
    "config bad word": conf_text(r"^ask_first = .*", "ask_first = perhaps"),
    "config out of range": conf_text(r"^channels", "code_ttl = 11m\nchannels"),
    "config key twice": conf_text(r"^channels = sms", "channels = sms\nchannels = sms"),
    "config key before sections": conf_text(r"\A", "channels = sms\n"),
    "config text after a value": conf_text(r"^channels = sms", "channels = sms ; why"),
    "config unknown channel": conf_text(r"^channels = sms", "channels = sms, pigeon"),
    "config unknown provider": conf_text(r"^providers = tingting", "providers = tingting, nobody"),
    "config unknown profile": conf_text(r"^token", "profile = nobody\ntoken"),
    "config unknown variant": conf_text(r"^token", "variant = nobody\ntoken"),
    "config plain http": conf_text(r"^base = .*", "base = http://192.0.2.1"),
    "config no token": conf_text(r"^token = .*\n", ""),
    "config unknown profile variable": conf_text(r"^token", "tokne = x\ntoken"),
    "config message without code": conf_text(r"\. Code: \$\{code\}", ""),
    "config message with unknown variable": conf_text(r"\$\{service\}", "${servcie}"),
    "config CA missing": conf_text(r"^ca = .*", "ca = /nonexistent/ca.pem"),
    "config exempt without reason": conf_more("[exempt x]\nusers = bob\nuntil = 2099-01-01\n"),
    "config exempt without end": conf_more("[exempt x]\nusers = bob\nreason = y\n"),
    "config exempt by name of a network": conf_more(
        "[exempt x]\nnetworks = localhost\nreason = y\nuntil = 2099-01-01\n"),
    "drop-in wrong": drop_in("[otp]\nno_such_key = 1\n"),
    "drop-in unreadable": drop_in("[otp]\ntries = 3\n", 0o600),
    "drop-in writable by others": drop_in("[otp]\ntries = 3\n", 0o666),
    "profile not JSON": profile("{"),
    "profile of another version": profile('{"profile": 99, "name": "tingting"}'),
    "profile empty": profile("{}"),
    "secret missing": gone(TOKEN),
    "secret unreadable": mode(TOKEN, 0o600),
    "secret readable by all": mode(TOKEN, 0o644),
    "secret empty": holds(TOKEN, b""),
    "secret with a line end inside": holds(TOKEN, b"abc\r\nX-Evil: 1\n"),
    "secret a link": linked(TOKEN),
    "secret a fifo": fifo(TOKEN),
    "host key missing": gone(HOST_KEY),
    "host key empty": holds(HOST_KEY, b""),
    "host key short": holds(HOST_KEY, b"short"),
    "host key unreadable": mode(HOST_KEY, 0o600),
    "host key readable by all": mode(HOST_KEY, 0o644),
    "contacts missing": gone(CONTACTS),
    "contacts empty": holds(CONTACTS, b""),
    "contacts garbage": holds(CONTACTS, b"SQLite format 3\0" + b"\xff" * 8000),
    "contacts foreign": foreign(CONTACTS),
    "contacts unreadable": mode(CONTACTS, 0o600),
    "contacts writable by others": mode(CONTACTS, 0o666),
    "contacts of another owner": owner(CONTACTS, "alice"),
    "contacts a link": linked(CONTACTS),
    "store missing": gone(STORE),
    "store empty": holds(STORE, b""),
    "store garbage": holds(STORE, b"SQLite format 3\0" + b"\xff" * 8000),
    "store foreign": foreign(STORE),
    "store of root": owner(STORE, "root"),
    "store read-only": mode(STORE, 0o400),
    "store a link": linked(STORE),
    "store folder missing": lambda w: shutil.rmtree(STATE_DIR),
    "store on a read-only disk": read_only(STATE_DIR),
    "store folder writable by others": mode(STATE_DIR, 0o777),
}


@pytest.mark.parametrize("cause", BROKEN)
def test_broken(world, cause):
    BROKEN[cause](world)
    assert world.finish() == PERM_DENIED
    assert world.messages() == [], "nothing is sent where nothing can be kept"


ARGUMENTS = ["no_such_argument", "timeout=0", "timeout=abc", "config=relative.conf", "helper=relative",
             "socket=relative", "config=", "debug=1", "config=/etc/pam_otp/pam_otp.conf socket=/run/x",
             "helper=/home/alice/helper", "config=/home/alice/pam_otp.conf"]


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_module_argument(world, arguments):
    """Unknown and wrong arguments are errors. So is a path in a folder that others may write to."""
    for path, source in (("/home/alice/helper", HELPER), ("/home/alice/pam_otp.conf", CONF)):
        shutil.copy(source, path)
    world.pam(SERVICE, args=arguments)
    assert world.finish() == PERM_DENIED
    assert world.messages() == []


# --- the disk, and the limits that a caller sets ---

def test_caller_forbids_writing_files(world):
    """With ulimit -f 0 the helper lifts the limit, or the result is broken. It is never skip, and a wrong code stays
    wrong."""
    limit = ["prlimit", "--fsize=0"]
    assert world.finish("alice", "000000", prefix=limit) in (AUTH_ERR, PERM_DENIED)


@pytest.fixture
def small_disk(fresh, transport):
    """The state is on a small disk with little room left, which the test can fill."""
    subprocess.run(["cp", "-a", STATE_DIR, "/tmp/state-copy"], check=True)
    fresh.mount("-t", "tmpfs", "-o", "size=1m,mode=700", "state", STATE_DIR)
    shutil.chown(STATE_DIR, "pam_otp", "pam_otp")
    subprocess.run("cp -a /tmp/state-copy/. " + STATE_DIR, shell=True, check=True)
    shutil.rmtree("/tmp/state-copy")
    fresh.open_transport(transport)
    return fresh


def fill(path):
    with open(f"{path}/filler", "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 4096)
        except OSError:
            pass


def test_disk_full(small_disk):
    """U3: the reserve file is enough for one sign-in. Without it, a full disk ends as broken and never as a success."""
    fill(STATE_DIR)
    first = small_disk.finish()
    assert first in (SUCCESS, PERM_DENIED)
    fill(STATE_DIR)
    for name in os.listdir(STATE_DIR):
        if name == "reserve":
            os.truncate(f"{STATE_DIR}/reserve", 0)
    fill(STATE_DIR)
    assert small_disk.finish("bob") == PERM_DENIED


def test_disk_full_at_the_last_moment(small_disk):
    """A right code whose use cannot be stored does not sign in."""
    with small_disk.sign_in() as d:
        d.enter()
        for name in os.listdir(STATE_DIR):
            if name == "reserve":
                os.truncate(f"{STATE_DIR}/reserve", 0)
        fill(STATE_DIR)
        assert d.answer(small_disk.code()).result() == PERM_DENIED


# --- unavail, locked: the provider ---

DOWN = {
    "status 500": ("status", {"status": 500}),
    "status 502": ("status", {"status": 502}),
    "status 503": ("status", {"status": 503}),
    "credentials 401": ("status", {"status": 401}),
    "credit 402": ("status", {"status": 402}),
    "refused before TLS": ("drop_connect", {}),
    "reset before TLS": ("reset_connect", {}),
    "not TLS": ("talk_connect", {}),
    "silent before TLS": ("hang_connect", {}),
}


@pytest.mark.parametrize("cause", DOWN)
def test_provider_down(world, cause):
    """Without a client address the result is broken, because a local user can make the provider look down."""
    kind, members = DOWN[cause]
    world.configure(attempt_timeout="1s")
    world.gateway.fault(kind, **members)
    assert world.finish(answer="000000", options=REMOTE) == AUTHINFO_UNAVAIL
    assert world.finish(answer="000000") == PERM_DENIED


@pytest.mark.parametrize("listener", ["wrong_name", "expired", "future", "self_signed", "other_ca", "cn_only",
                                      "tls11"])
def test_provider_certificate(world, listener):
    """C10: name, date, signer or TLS version are wrong."""
    world.configure(listener=listener)
    assert world.finish(answer="000000", options=REMOTE) == AUTHINFO_UNAVAIL
    assert world.gateway.requests() == [], "no request, and so no token, was sent"


def test_provider_not_listening(world):
    world.edit(CONF, r"^base = .*", "base = https://127.0.0.1:1")
    assert world.finish(options=REMOTE) == AUTHINFO_UNAVAIL


def test_provider_name_unknown(world):
    world.edit(CONF, r"^base = .*", "base = https://no-such-host.invalid")
    assert world.finish(options=REMOTE) == AUTHINFO_UNAVAIL


# An answer that the API does not have is no outage: an attacker may have sent it.
OTHERWISE = {
    "redirect": ("redirect", {}),
    "bad request": ("status", {"status": 400}),
    "forbidden": ("status", {"status": 403}),
    "not JSON": ("garbage", {"what": "text"}),
    "captive portal": ("garbage", {"what": "html"}),
    "binary": ("garbage", {"what": "binary"}),
    "empty": ("empty", {}),
    "success false": ("success_false", {}),
    "wrong types": ("wrong_types", {}),
}


@pytest.mark.parametrize("cause", OTHERWISE)
def test_provider_answers_otherwise(world, cause):
    kind, members = OTHERWISE[cause]
    world.gateway.fault(kind, **members)
    assert world.finish(answer="000000", options=REMOTE) in (PERM_DENIED, AUTH_ERR)
    assert len(world.gateway.requests()) == 1, "no redirect is followed"


def test_provider_rate_limit(world):
    world.gateway.fault("status", status=429, retry_after=7)
    assert world.finish() == MAXTRIES


# A complete request may have been carried out. So the user is asked for the code, the result is never unavail,
# and the message is not sent again.
UNSURE = {
    "no answer": ("hang", {}),
    "closed": ("drop", {}),
    "reset": ("reset", {}),
    "half an answer": ("close_mid_body", {}),
    "50 MB": ("huge_body", {}),
    "drip": ("drip", {"interval": 0.5}),
}


@pytest.mark.parametrize("cause", UNSURE)
def test_provider_unsure(world, cause):
    kind, members = UNSURE[cause]
    world.configure(attempt_timeout="1s")
    world.gateway.fault(kind, **members)
    assert world.finish(answer="000000") in (AUTH_ERR, AUTHINFO_UNAVAIL)
    assert len(world.gateway.requests()) <= 1, "no request is repeated once it was written"


def test_send_limit(world):
    world.configure(extra="[limits]\nsends_per_user = 1/15m\nresend_wait = 0s\n")
    with world.sign_in() as d:
        d.enter()
    assert world.finish(service=SERVICE, answer="000000", prefix=["setsid", "--wait"]) in (AUTH_ERR, MAXTRIES)
    assert len(world.messages()) == 1


def test_lock_out(world):
    """S4: after failures in a row, a right code does not help either."""
    world.configure(extra="[limits]\nfailures = 3\nbackoff_first = 1h\n")
    assert world.finish(answer="000000") in (AUTH_ERR, MAXTRIES)
    assert world.finish() == MAXTRIES
    assert world.finish("bob") == SUCCESS


# --- gone ---

def test_conversation_fails(world):
    with world.sign_in() as d:
        d.prompt()
        d.say("!")
        assert d.result() == CONV_ERR


def test_conversation_without_answer(world):
    """Q24, C3: with Ctrl-D the conversation succeeds without an answer."""
    with world.sign_in() as d:
        d.prompt()
        d.say("0")
        assert d.result() == CONV_ERR
    assert re.search("event=signin result=gone .* wrong=0 ", world.log()), world.log()


def test_blind_host(world):
    """Q28: the host answers with the user name. If the user is asked first, nothing is sent."""
    world.configure(ask_first="always")
    with world.sign_in() as d:
        d.prompt()
        assert d.answer("alice").result() == CONV_ERR
    assert world.messages() == []


# --- the protocol: a helper that is not there, dies, or speaks otherwise ---

PEER = "/usr/libexec/pam_otp/otp-peer"
HELLO = r'send("H", "1", "1")'
START = HELLO + "; recv()"
ASKED = START + r'; send("P", "1", "Code: "); recv()'

PEERS = {
    "killed after hello": HELLO + "; die()",
    "killed after start": START + "; die()",
    "killed after the prompt": START + r'; send("P", "1", "Code: "); die()',
    "killed after the answer": ASKED + "; die()",
    "ends after hello": HELLO,
    "ends after start": START,
    "ends after the answer": ASKED,
    "garbage": r's.send(b"\xff\xfe\x00garbage")',
    "text without NUL": r's.send(b"H1")',
    # The peer stays, because an empty datagram directly before a hang-up looks like the hang-up alone.
    "empty datagram": r's.send(b""); recv()',
    "a field too few": r'send("H", "1")',
    "a field too many": r'send("H", "1", "1", "1")',
    "oversize": r's.send(b"H1\0" + b"1" * 3000 + b"\0")',
    "oversize prompt": START + r'; send("P", "1", "x" * 512); recv()',
    "result first": r'send("R", "ok", "", "id")',
    "prompt first": r'send("P", "1", "Code: ")',
    "hello twice": HELLO + "; " + HELLO,
    "a message of ours": START + r'; send("A", "123456")',
    "unknown type": START + r'; send("Z", "x")',
    "unknown word": START + r'; send("R", "okay", "", "id")',
    "empty word": START + r'; send("R", "", "", "id")',
    "upper case": START + r'; send("R", "OK", "", "id")',
    "ok with something after it": START + r'; send("R", "ok", "", "id"); send("R", "ok", "", "id")',
    "older protocol": r'send("H", "0", "0"); time.sleep(60)',
    "newer protocol": r'send("H", "2", "9"); time.sleep(60)',
    "protocol backwards": r'send("H", "9", "1"); time.sleep(60)',
    "protocol no number": r'send("H", "one", "two"); time.sleep(60)',
}

PEER_TEXT = """#!/usr/bin/python3 -IS
import os, signal, socket, time
s = socket.socket(fileno=0)
def send(kind, *fields):
    s.send(kind.encode() + b"".join(f.encode() + b"\\0" for f in fields))
def recv():
    return s.recv(20000)
def die():
    os.kill(os.getpid(), signal.SIGKILL)
{program}
"""


SILENT = {
    "silent": "",
    "silent after hello": HELLO,
    "silent after start": START,
    "silent after the answer": ASKED,
    "ok without an end": START + r'; send("R", "ok", "", "id")',
}


def peer_put(world, path, program):
    world.write(path, PEER_TEXT.format(program=program), 0o755)
    return path


@pytest.mark.parametrize("cause", PEERS)
def test_peer(fresh, transport, cause):
    peer_put(fresh, PEER, PEERS[cause])
    fresh.open_transport(transport, helper=[PEER])
    fresh.pam(SERVICE, args=f"helper={PEER}" if transport == "spawn" else "")
    assert fresh.finish(answer="123456") == PERM_DENIED


@pytest.mark.parametrize("program", ["pass", "die()"])
def test_peer_ends_at_once(fresh, transport, program):
    """The helper ends before its first message. At the socket the module then spawns a helper. A spawned helper that
    ends means broken."""
    peer_put(fresh, PEER, program)
    fresh.open_transport(transport, helper=[PEER])
    fresh.pam(SERVICE, args=f"helper={PEER}" if transport == "spawn" else "")
    assert fresh.finish() == (SUCCESS if transport == "socket" else PERM_DENIED)


def test_peer_silent(fresh, transport):
    """The module's own deadline is at least 10 s. All cases wait at the same time."""
    waiting = []
    for n, program in enumerate(SILENT.values()):
        peer = peer_put(fresh, f"{PEER}-{n}", program + "\ntime.sleep(60)")
        sock = f"/run/pam_otp/silent-{n}.sock"
        fresh.pam(f"silent-{n}", args="timeout=10 " + (
            f"socket={sock}" if transport == "socket" else f"helper={peer}"))
        if transport == "socket":
            fresh.listen(sock, [peer])
        waiting.append(fresh.sign_in("alice", f"silent-{n}"))
    began = time.monotonic()
    for d, cause in zip(waiting, SILENT):
        with d:
            if cause == "silent after the answer":
                d.prompt()
                d.answer("123456")
            assert d.result(timeout=15) == PERM_DENIED, cause
    assert time.monotonic() - began < 12


@pytest.mark.parametrize("cause", ["missing", "not executable", "a folder", "not a program"])
def test_helper_file(fresh, cause):
    fresh.open_transport("spawn")
    os.rename(HELPER, HELPER + ".away")
    try:
        if cause == "a folder":
            os.mkdir(HELPER)
        elif cause != "missing":
            fresh.write(HELPER, "not a program\n", 0o644 if cause == "not executable" else 0o755)
        assert fresh.finish() == PERM_DENIED
    finally:
        subprocess.run(["rm", "-rf", HELPER], check=True)
        os.rename(HELPER + ".away", HELPER)

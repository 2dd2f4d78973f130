"""otpctl explain shows what a sign-in would do: the same requests go to both, and explain leaves no trace."""

import base64
import json
import os
import random
import re
import subprocess
import sys

import pytest

from conftest import NOBODY, program
from wire import Helper

CONFIGS, REQUESTS = 10, 50
SEED = int(os.environ.get("OTP_SEED") or 20261130)

KEY = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAV3GkP5pEFf8LoPt4eVoZ0AZ7LOzYOPlhkWq5Cjt1vl",
       "SHA256:Zwi0+iPKYcIFJc4DlnqwfN1APhfVhLnwHEhtqE+uS2I")

USERS = ["games", "mail", "www-data", "root", "ghost", "GAMES", "games"]
GROUPS = ["games", "mail", "www-data", "root", "daemon", "nosuch.group"]
NETWORKS = ["10.0.0.0/8", "192.0.2.0/24", "10.1.2.3", "2001:db8::/32", "fe80::/10", "::1", "128.0.0.0/8"]
CLIENTS = ["", "192.0.2.7", "10.1.2.3", "11.1.2.3", "::ffff:10.1.2.3", "2001:db8::7", "fe80::1%eth0", "::1",
           "localhost", "10.1.2.3.example.org", "10.0.0.0/8", "0.0.0.0", "127.0.0.1"]
LOCAL = ["sudo", "su", "su-l"]
SERVICES = LOCAL + ["login", "sshd", "sshd", "sshd-jump", "dovecot", "other"]
KEYLESS = LOCAL + ["login", "dovecot"]
WRONG = "000000"


def run_explain(world, *args):
    done = subprocess.run([program("otpctl"), "--config", world.conf, "explain", *args, "--json"],
                          capture_output=True, text=True, user=NOBODY, group=NOBODY,
                          extra_groups=[] if NOBODY else None, check=False)
    assert done.returncode in (0, 3) and done.stdout, (args, done.returncode, done.stderr)
    answer = json.loads(done.stdout)
    assert (done.returncode == 0) == answer["exists"]
    return answer


def explain(world, user="games", service="test", rhost="192.0.2.1", **more):
    return run_explain(world, user, "--service", service, "--rhost", rhost,
                       *(x for k, v in more.items() for x in (f"--{k}", v)))


# --- what is generated ---

def some(rnd, pool, most=3):
    return list(dict.fromkeys(rnd.choice(pool) for _ in range(rnd.randint(1, most))))


def a_rule(rnd, n, callers, others):
    """A rule without errors: one that can never match is an error, and then nobody can sign in. callers: the services
    that ask the caller, who is on this machine. others: services that do not, if there are any."""
    local, keyless = callers | set(LOCAL), callers | set(KEYLESS)
    lines = {}
    while not lines:
        if rnd.random() < .4:
            lines["users"] = some(rnd, ["games", "mail", "www-data", "root", "nobody.such"])
        if rnd.random() < .4:
            lines["groups"] = some(rnd, GROUPS)
        if rnd.random() < .4:
            lines["services"] = some(rnd, SERVICES)
        if rnd.random() < .4 and not set(lines.get("services", others)) <= local:
            lines["networks"] = some(rnd, NETWORKS)
    if rnd.random() < .3 and not set(lines.get("services", others)) <= keyless:
        lines["requires"] = ["publickey"]
    until = rnd.choice(["2001-01-01"] + 5 * ["2099-12-31"])
    return (f"[exempt rule-{n}]\nreason = number {n}\nuntil = {until}\n"
            + "".join(f"{k} = {', '.join(v)}\n" for k, v in lines.items()))


def a_signin(rnd):
    keys = {"unregistered": ["deny", "skip"], "identity": ["target", "target", "caller"], "remember": ["15m"],
            "require_verified": ["no", "no", "yes"], "tries": ["1", "2"],
            "never_prompt_services": ["dovecot", "other", ""]}
    return "".join(f"{k} = {rnd.choice(v)}\n" for k, v in keys.items() if rnd.random() < .5)


def a_configuration(rnd, ask_first):
    otp, services = a_signin(rnd), {s: a_signin(rnd) for s in some(rnd, SERVICES)}
    who = {s: text if "identity" in text else otp for s in SERVICES for text in [services.get(s, "")]}
    callers = {s for s, text in who.items() if "identity = caller" in text}
    others = [s for s, text in services.items() if "identity = target" in text] if "= caller" in otp else ["x"]
    sections = [a_rule(rnd, n, callers, others) for n in range(rnd.randint(1, 6))]
    sections += [f"[service {s}]\n{text}" for s, text in services.items()]
    rnd.shuffle(sections)
    return {"otp": f"ask_first = {ask_first}\n" + otp,
            "extra": "".join(sections) + "[limits]\nresend_wait = 0s\nsends_per_user = 3/1h\n"}


def a_request(rnd):
    items = {"user": rnd.choice(USERS), "service": rnd.choice(SERVICES), "rhost": rnd.choice(CLIENTS),
             "ruser": rnd.choice(["", "games", "mail", "ghost"]), "tty": rnd.choice(["", "/dev/pts/7", "ssh"])}
    key = rnd.choice([None, None, *KEY])
    return items, key


# --- explain and the sign-in ---

def next_of(h):
    kind, fields = h.recv()
    while kind in "IE":
        kind, fields = h.recv()
    return kind, fields


def carry_on(world, h, text, code, before):
    """Goes to the end of a sign-in that asks, with the code that it sent, or with `code` of a sign-in that it joined.
    Returns the result and the code. before: the number of messages before it."""
    for _ in range(12):
        if re.search(r"(?:Verification|Recovery) code(?: \([^\n]*\))?: $", text):
            sent = world.gateway.outbox()[before:]
            code = sent[-1]["code"] if sent and code != WRONG else code
            h.answer(code or WRONG)
        else:
            h.answer("")
        kind, fields = next_of(h)
        if kind == "R":
            return fields[0], code
        text = fields[1]
    raise AssertionError(f"it does not stop asking: {text!r}")


def sign_in(world, items, key, code):
    """What a sign-in says first (its result and the reason, or a prompt), how it ends, and the code."""
    auth = f"publickey {KEY[0]}\n" if key else ""
    before = len(world.gateway.outbox())
    with Helper([program("otp-helper"), "--config", world.conf], NOBODY) as h:
        h.open(**items, ssh_auth_info=auth, flags="authtok")
        kind, fields = next_of(h)
        if kind == "R":
            return fields[0], fields[1], fields[0], None
        return "prompt", fields[1], *carry_on(world, h, fields[1], code, before)


def timeless(text):
    return re.sub(r"\d+ (?:minute|second|hour|s )s?", "N", text)


def ends(outcome, code):
    """How a sign-in with that code may end. One wrong code too many locks the user out."""
    return {"asked": ["denied", "locked"] if code in (WRONG, None) else ["ok"],
            "denied": ["denied", "locked"], "locked": ["locked"]}[outcome]


def compare(explained, happened, detail):
    word, text, end, code = happened
    if word != "prompt":
        assert (explained["outcome"], timeless(explained["reason"])) == (word, timeless(text)), detail
        assert [r["rule"] for r in explained["rules"] if r["decides"]] == re.findall(r"^rule exempt ([\w-]+): ", text)
        return word
    assert explained["outcome"] in ("asked", "denied", "locked"), detail
    assert end in ends(explained["outcome"], code), detail
    assert not any(r["decides"] for r in explained["rules"]), detail
    if explained["prompts"]:
        assert timeless(explained["prompts"][0]) in timeless(text), detail
    else:
        assert text.startswith("A verification code was sent by SMS to "), detail
    for way in explained["ways"][:1]:
        assert way["to"] in text, detail
    return explained["outcome"]


@pytest.mark.parametrize("n", range(CONFIGS))
def test_it_agrees_with_the_sign_in(world, n):
    """500 generated cases in all. OTP_SEED repeats a run."""
    print(f"OTP_SEED={SEED}")
    rnd = random.Random(f"{SEED} {n}")
    configuration = a_configuration(rnd, "never" if n == 0 else "always")
    world.configure(**configuration)
    world.otpctl("contact", "add", "--force", "mail", "--phone", "+9779800000028", "--verified")
    seen, codes = {}, {}
    for _ in range(REQUESTS):
        items, key = a_request(rnd)
        options = [x for k, v in items.items() if k not in ("user", "service") and v for x in (f"--{k}", v)]
        explained = run_explain(world, items["user"], "--service", items["service"], *options,
                                *(["--key", key] if key else []))
        place = explained["user"], items["service"], explained["client"], bool(key)
        happened = sign_in(world, items, key, codes.get(place) if rnd.random() < .7 else WRONG)
        if happened[-1] != WRONG:
            codes[place] = happened[-1]
        detail = (SEED, n, configuration, items, key, explained, happened)
        end = compare(explained, happened, detail)
        seen[end] = seen.get(end, 0) + 1
    print(seen)


# --- single answers ---

RULES = """[exempt robots]
users = www-data
requires = publickey
reason = they are machines
until = 2099-12-31
[exempt office]
networks = 10.0.0.0/8
reason = the office
until = 2099-12-31
[exempt old]
users = games
reason = was
until = 2001-01-31
"""


def test_each_rule_says_why_it_does_not_decide(world):
    world.configure(extra=RULES)
    a = explain(world)
    assert [(r["rule"], r["decides"], r["why_not"]) for r in a["rules"]] == [
        ("robots", False, "users: the user is not among them"),
        ("office", False, "networks: the client address 192.0.2.1 is in none of them"),
        ("old", False, "the rule expired at the end of 2001-01-31")]
    assert a["outcome"] == "asked" and a["client"] == "192.0.2.1"
    a = explain(world, "www-data")
    assert a["rules"][0]["why_not"] == "requires: no public key was used"
    a = explain(world, "www-data", key=KEY[1])
    assert a["rules"] == [{"rule": "robots", "decides": True, "why_not": None, "reason": "they are machines"}]
    assert (a["outcome"], a["reason"]) == ("skip", "rule exempt robots: they are machines")


def test_a_name_is_no_address(world):
    """C22: a name matches no network, whatever it looks like."""
    world.configure(extra=RULES)
    for name in "10.1.2.3.example.org", "10.0.0.0/8", "localhost", "office":
        a = explain(world, rhost=name)
        assert a["client"] is None and a["outcome"] == "asked"
        assert a["rules"][1]["why_not"] == "networks: there is no numeric client address"
    assert explain(world, rhost="::ffff:10.1.2.3")["outcome"] == "skip"


def test_only_explain_says_that_a_user_is_unknown(world):
    a = explain(world, "ghost.user")
    assert (a["exists"], a["outcome"], a["reason"], a["decoy"]) == (False, "denied", "unknown user", True)
    assert a["ways"] == [] and a["rules"] == []
    assert a["prompts"][0].startswith("Press Enter to have a verification code sent by SMS to +977 ")
    done = subprocess.run([program("otpctl"), "--config", world.conf, "explain", "ghost.user", "--service", "sshd"],
                          capture_output=True, text=True, user=NOBODY, group=NOBODY, check=False)
    assert done.returncode == 3
    assert "It looks like any other sign-in, but nothing is sent, and no code is accepted." in done.stdout


@pytest.mark.parametrize("user, caller, asked, exists, outcome", [
    ("ghost.user", "games", "ghost.user", False, "denied"), ("games", "ghost.user", "ghost.user", False, "denied"),
    ("root", "games", "games", True, "asked"), ("games", "", "games", True, "broken")])
def test_the_user_who_is_asked_must_exist(world, user, caller, asked, exists, outcome):
    """identity = caller: callers are asked for a code of their own, whoever they become, and both users must exist."""
    world.configure(extra="[service su]\nidentity = caller\n")
    a = run_explain(world, user, "--service", "su", "--ruser", caller)
    assert (a["user"], a["exists"], a["outcome"]) == (asked, exists, outcome)
    done = subprocess.run([program("otpctl"), "--config", world.conf, "explain", user, "--service", "su",
                           "--ruser", caller], capture_output=True, text=True, user=NOBODY, group=NOBODY, check=False)
    assert done.stdout.startswith(f"{asked}, service su, ")
    assert ("This machine knows no user of that name." in done.stdout) != exists
    # Every other service asks the user who is named.
    assert run_explain(world, user, "--service", "test", "--ruser", caller)["exists"] == (user != "ghost.user")


def test_sudo_means_that_the_user_is_the_caller(world):
    """So explain finds the known source of an earlier sign-in by sudo without --ruser, and no stranger's lock-out."""
    world.configure(otp="ask_first = never\ntries = 1", extra="[limits]\nfailures = 1\nresend_wait = 0s\n")
    with world.sign_in(service="sudo", rhost="", ruser="games", tty="/dev/pts/3") as h:
        h.prompt()
        h.answer(world.gateway.outbox()[-1]["code"])
        assert h.result() == "ok"
    with world.sign_in(service="sshd", ssh_connection="", rhost="192.0.2.1", tty="") as h:
        h.prompt()
        h.answer(WRONG)
        assert h.result() == "denied"
    a = run_explain(world, "games", "--service", "sudo")
    assert (a["outcome"], a["caller"], a["place"]) == ("asked", "games", True)
    assert run_explain(world, "games", "--service", "sudo", "--ruser", "mail")["outcome"] == "locked"
    a = run_explain(world, "games", "--service", "su")
    assert (a["outcome"], a["caller"], a["place"]) == ("locked", None, False)
    text = subprocess.run([program("otpctl"), "--config", world.conf, "explain", "games", "--service", "su"],
                          capture_output=True, text=True, user=NOBODY, group=NOBODY, check=True).stdout
    assert "The limits are those of a new source, where the user never signed in. Name another" in text


@pytest.mark.parametrize("form", ["line", "file"])
def test_a_key_may_be_as_long_as_the_module_passes_on(world, form):
    """To the last byte: a certificate may contain many names."""
    blob = b"\0\0\0\x0bssh-ed25519" + bytes(4)
    text = base64.b64encode(blob + bytes((4095 - len("publickey ssh-ed25519 ")) // 4 * 3 - len(blob))).decode()
    key = f"ssh-ed25519 {text}"
    assert 4092 <= len(f"publickey {key}") <= 4095
    if form == "file":
        with open(f"{world.dir}/key.pub", "w") as f:
            f.write(f"{key} somebody@some.where\n")
        key = f.name
    assert explain(world, key=key)["public_key"]
    assert subprocess.run([program("otpctl"), "--config", world.conf, "explain", "games", "--service", "sshd", "--key",
                           f"ssh-ed25519 {text}AAAA"], capture_output=True, check=False).returncode == 2


def test_the_options_of_the_service_apply(world):
    world.configure(extra="[service admin]\ntries = 1\nask_first = never\n")
    own = [o for o in explain(world, service="admin")["options"] if o["section"] != "otp"]
    assert [(o["section"], o["key"], o["value"]) for o in own] == [
        ("service admin", "tries", "1"), ("service admin", "ask_first", "never")]
    assert all(o["file"] == world.conf and o["line"] for o in own)
    assert all(o["section"] == "otp" for o in explain(world)["options"])


DUMP = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as db:
    db.execute(sys.argv[2]) if sys.argv[2:] else print(*db.iterdump(), sep="\\n")
"""


def store(world, *statement):
    """Returns all that the store counts and keeps, as its owner sees it, or runs the statement."""
    return subprocess.run([sys.executable, "-c", DUMP, f"{world.dir}/state/store.db", *statement], check=True,
                          capture_output=True, text=True, user=NOBODY, group=NOBODY).stdout


def test_nothing_is_counted_stored_or_sent(world):
    """In each state: before a message, with a code that was sent, at a limit, locked."""
    limits = "[limits]\nresend_wait = 0s\nsends_per_user = 2/1h\nfailures = 2\nbackoff_first = 1h\n"

    def look(outcome, limit=None, first=None):
        before, messages = store(world), len(world.gateway.requests())
        a = explain(world)
        assert explain(world) == a
        assert (store(world), len(world.gateway.requests())) == (before, messages)
        assert a["outcome"] == outcome and [r["limit"] for r in a["limits"]] == ([limit] if limit else [])
        assert not first or a["prompts"][-1].startswith(first), a["prompts"]

    world.configure(otp="ask_first = never\ntries = 1", extra=limits)
    look("asked")
    for _ in range(2):
        with world.sign_in(ssh_connection="", rhost="192.0.2.1", tty="") as h:
            assert "was sent by SMS to +977 ******** 19" in h.prompt()
            h.send("X", "cancelled")
            assert h.result() == "gone"
        look("asked", first="A verification code was sent by SMS to +977 ******** 19.")
        store(world, "DELETE FROM challenge")
    look("locked", "sends_per_user", "Too many verification codes were sent.")
    world.configure(otp="ask_first = never\ntries = 2", extra=limits.replace("2/1h", "9/1h"))
    with world.sign_in() as h:
        h.prompt()
        for _ in range(2):
            h.answer("000000" if world.gateway.last_code() != "000000" else "000001")
            word = h.recv()[0]
        assert word == "R"
    look("locked", "failures", "Too many wrong codes")


def test_a_remembered_sign_in(world):
    """The fingerprint is enough. With another key, address or service, the sign-in is not remembered."""
    world.configure(otp="remember = 15m")
    with world.sign_in(ssh_auth_info=f"publickey {KEY[0]}\n") as h:
        h.prompt()
        h.answer("")
        h.prompt()
        h.answer(world.gateway.last_code())
        assert h.result() == "ok"
    a = explain(world, key=KEY[1])
    assert a["outcome"] == "skip" and a["reason"].startswith("remembered: ")
    with world.sign_in(ssh_auth_info=f"publickey {KEY[0]}\n") as h:
        assert h.result() == "skip" and h.reason.startswith("remembered: ")
    other = KEY[1][:-1] + ("A" if KEY[1][-1] != "A" else "B")
    for request in {}, {"key": other}, {"key": KEY[1], "rhost": "192.0.2.2"}, {"key": KEY[1], "service": "other"}:
        assert explain(world, **request)["outcome"] == "asked", request


def test_recovery_codes_are_shown(world):
    world.otpctl("recovery", "issue", "games")
    a = explain(world)
    assert a["recovery_codes"] is True and "recovery code" in a["prompts"][-1]


def test_explain_says_broken_if_the_helper_cannot_read_its_secrets(world):
    os.unlink(f"{world.dir}/token")
    with world.sign_in() as h:
        assert h.result() == "broken"
        reason = h.reason
    a = explain(world)
    assert (a["outcome"], a["reason"]) == ("broken", reason)
    # A user who is not asked needs no secret.
    world.configure(extra=RULES)
    assert explain(world, rhost="10.1.2.3")["outcome"] == "skip"


@pytest.mark.parametrize("args", [
    ["games"], ["games", "mail", "--service", "sshd"], ["--service", "sshd"], ["games", "--service", "A b"],
    ["games", "--service", "sshd", "--key", "rsa"], ["games", "--service", "sshd", "--key", "SHA256:short"],
    ["games", "--service", "sshd", "--port", "22"], ["", "--service", "sshd"]])
def test_wrong_command_lines(world, args):
    done = subprocess.run([program("otpctl"), "--config", world.conf, "explain", *args], capture_output=True,
                          text=True, user=NOBODY, group=NOBODY, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done

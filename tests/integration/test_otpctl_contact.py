"""otpctl contact verify and the notices of changes: what is sent, by whom, and what follows (S7)."""
import contextlib
import json
import os
import re
import signal
import subprocess
import time

import pexpect
import pytest

import hosts
from hosts import MAILBOX, SENDERS, configure, configure_channels
from test_log import pairs
from test_otpctl import EXISTS, FAILED, NONE, OK, USAGE, content, otpctl, rows
from test_otpctl_recovery import full_pipe, to_full, to_nobody
from world import CONTACTS, GUARD, LOG, PHONE

NEW = "+9779800000091"
QUESTION = "Verification code: "
REMOTE = [sender for sender in SENDERS if sender.remote and sender.channel == "sms"]


class Verify:
    """otpctl contact verify at a terminal."""

    def __init__(self, *args, **kwargs):
        self.t = pexpect.spawn("otpctl", ["contact", "verify", *args], timeout=GUARD, encoding="utf-8",
                               echo=False, **kwargs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.t.close(force=True)

    def note(self):
        """Returns the text before the next question."""
        self.t.expect_exact(QUESTION)
        return self.t.before.replace("\r\n", "\n").strip()

    def say(self, text):
        self.t.sendline(text)
        return self

    def end(self):
        """Returns the last text and the exit status."""
        self.t.expect(pexpect.EOF)
        text = self.t.before.replace("\r\n", "\n").strip()
        self.t.close()
        return text, self.t.exitstatus


def verified(user):
    return {row["address"]: row["verified_at"] for row in rows(user, "--full")}


def wrong(code):
    return code[:-1] + str((int(code[-1]) + 1) % 10)


# --- verify ---

def test_the_right_code_verifies_the_contact_and_is_stored_nowhere(fresh):
    with Verify("alice") as v:
        assert v.note() == "A verification code was sent by sms to +977 ******** 19, through tingting."
        code = fresh.code()
        assert v.say("letters").note() == "That is no code."
        assert v.say(wrong(code)).note() == "Wrong code, 2 tries left."
        assert verified("alice") == {PHONE["alice"]: 0}
        assert v.say(f" {code[:3]}-{code[3:]}").end() == ("verified: phone of alice, +977 ******** 19", OK)
    assert verified("alice")[PHONE["alice"]] > 1700000000
    assert time.strftime("%Y-%m-%d", time.gmtime()) in otpctl("contact", "list", "alice").stdout
    log = fresh.log()
    assert code not in log and PHONE["alice"] not in log
    assert 'event=contact_verify by=0 user="alice" kind=phone to="+977 ******** 19" result=ok' in log
    assert len(fresh.messages()) == 1
    # The message counts as sent. The send counts no longer against the limits, as in a sign-in.
    assert fresh.sql("SELECT group_concat(kind) FROM send_event") == "message"


@pytest.mark.parametrize("sender", REMOTE, ids=str)
def test_a_provider_that_makes_the_code_also_checks_it(fresh, sender):
    configure(fresh, sender)
    with Verify("alice") as v:
        v.note()
        code = fresh.gateway.last_code(sender.alice)
        assert v.say(wrong(code)).note() == "Wrong code, 2 tries left."
        text, status = v.say(code).end()
        assert (text, status) == ("verified: phone of alice, +977 ******** 19", OK)
    assert verified("alice")[PHONE["alice"]]
    # The session that the check opened at Bridgekeeper is closed.
    assert fresh.gateway.live_sessions(provider="bridgekeeper") == 0


@pytest.mark.parametrize("sender", [SENDERS[0], SENDERS[2], REMOTE[0]], ids=str)
def test_three_wrong_codes_end_the_verification(fresh, sender):
    configure(fresh, sender)
    before = content(CONTACTS)
    with Verify("alice") as v:
        v.note()
        code = fresh.gateway.last_code(sender.alice)
        v.say(wrong(code)).note()
        assert v.say(wrong(code)).note() == "Wrong code, 1 try left."
        assert v.say(wrong(code)).end() == ("otpctl: wrong code; nothing was marked", FAILED)
    assert content(CONTACTS) == before
    # The failures do not count against sign-ins.
    assert json.loads(otpctl("status", "alice", "--json").stdout)["failures"] == []


def test_a_contact_stays_unverified_if_the_provider_cannot_check(fresh):
    configure(fresh, REMOTE[0])
    with Verify("alice") as v:
        v.note()
        fresh.gateway.fault("status", path="/otp/verify/", status=500)
        assert "could not be checked" in v.say(fresh.code()).note()
        v.say(fresh.code()).note()
        text, status = v.say(fresh.code()).end()
    assert status == FAILED and "nothing was marked" in text
    assert verified("alice") == {PHONE["alice"]: 0}


def test_a_second_factor_at_the_provider_is_no_proof(fresh):
    configure(fresh, next(sender for sender in REMOTE if sender.provider == "bridgekeeper"))
    fresh.gateway.set("bridgekeeper", tfa="setup")
    with Verify("alice") as v:
        v.note()
        text, status = v.say(fresh.code()).end()
    assert status == FAILED and "another step" in text
    assert verified("alice") == {PHONE["alice"]: 0}


def test_limits_apply_to_verify_and_are_shown(fresh):
    """S4, U32: messages that an administrator causes count, too."""
    fresh.configure(extra="\n[limits]\nmessages_per_address = 1/1h\n")
    with Verify("alice") as v:
        v.note()
        v.say(fresh.code()).end()
    with Verify("alice") as v:
        text, status = v.end()
    assert status == FAILED and "messages_per_address" in text and "otpctl unlock" in text
    assert re.search(r"until \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", text)
    assert len(fresh.messages()) == 1
    otpctl("unlock", "alice")
    with Verify("alice") as v:
        v.note()
    assert len(fresh.messages()) == 2


def test_verify_sends_nothing_during_a_retry_after(fresh):
    fresh.gateway.fault("status", status=429, retry_after=60, times=1)
    for _ in range(2):
        with Verify("alice") as v:
            text, status = v.end()
        assert status == FAILED and "takes no message" in text and "seconds" in text
    assert len(fresh.gateway.requests("/send/otp/")) == 1 and not fresh.messages()


def test_a_failed_send_is_reported(fresh):
    fresh.secret("not the token")
    with Verify("alice") as v:
        text, status = v.end()
    assert status == FAILED and "nothing was sent by sms" in text and "tingting" in text
    assert "class=bad_credentials" in fresh.log()
    assert fresh.sql("SELECT count(*) FROM send_event") == "0"


@pytest.mark.parametrize("command", [["contact", "list"], ["contact", "verify", "--code-stdin"], ["remember", "list"]],
                         ids=" ".join)
def test_an_unknown_user_and_a_user_without_contacts_are_reported_differently(fresh, command):
    done = otpctl(*command, "no-such-user")
    assert done.returncode == NONE and "this machine knows no user 'no-such-user'" in done.stderr
    assert "knows no user" not in otpctl(*command, "daemon").stderr


def test_verify_needs_a_chosen_or_preferred_contact(fresh):
    assert otpctl("contact", "verify", "daemon", "--code-stdin").returncode == NONE
    otpctl("contact", "add", "alice", f"--phone={NEW}", "--no-notice")
    done = otpctl("contact", "verify", "alice", "--code-stdin")
    assert done.returncode == USAGE and "several addresses" in done.stderr
    assert "******** 19" in done.stderr and "******** 91" in done.stderr
    assert otpctl("contact", "verify", "alice", "+9779800000077", "--code-stdin").returncode == NONE
    assert not fresh.messages()
    with Verify("alice", NEW) as v:
        assert "******** 91" in v.note()
    otpctl("contact", "remove", "alice", NEW, "--no-notice")
    otpctl("contact", "add", "alice", f"--phone={NEW}", "--preferred", "--no-notice")
    with Verify("alice") as v:
        assert "******** 91" in v.note()
        v.say(fresh.code()).end()
    assert [a for a, at in verified("alice").items() if at] == [NEW]


def test_the_channel_can_be_chosen(fresh):
    configure_channels(fresh, {"sms": ["tingting"], "voice": ["tingting"]})
    with Verify("alice", "--channel", "voice") as v:
        assert "sent by voice" in v.note()
    assert fresh.messages()[-1]["channel"] == "voice"
    done = otpctl("contact", "verify", "alice", "--channel=pigeon", "--code-stdin")
    assert done.returncode == USAGE and "[channel pigeon]" in done.stderr
    fresh.configure(extra="\n[limits]\nprefixes = +91\n")
    done = otpctl("contact", "verify", "alice", "--code-stdin")
    assert done.returncode == FAILED and "prefixes = +91" in done.stderr
    otpctl("contact", "add", "robot", "--email=robot@mail.example", "--no-notice")
    done = otpctl("contact", "verify", "robot", "robot@mail.example", "--code-stdin")
    assert done.returncode == FAILED and "kind email" in done.stderr
    assert len(fresh.messages()) == 1


def test_without_a_terminal_verify_needs_code_stdin(fresh):
    """A script that cannot answer causes no message."""
    done = otpctl("contact", "verify", "alice", stdin=subprocess.DEVNULL)
    assert done.returncode == USAGE and "--code-stdin" in done.stderr and not fresh.messages()
    done = otpctl("contact", "verify", "alice", "--code-stdin", stdin=subprocess.DEVNULL)
    assert done.returncode == FAILED and "no code was given" in done.stderr
    p = subprocess.Popen(["otpctl", "contact", "verify", "alice", "--json", "--code-stdin"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    fresh.gateway.wait_message(after=1)
    out, _ = p.communicate(fresh.code() + "\n", timeout=GUARD)
    assert p.returncode == OK
    assert json.loads(out)["verified_at"] == verified("alice")[PHONE["alice"]]


def logged(world, event):
    """Returns the pairs of each such log line of otpctl."""
    return [pairs(line) for line in world.log().splitlines() if f" event={event} " in line and " otpctl[" in line]


def request_id(world, path="/send/otp"):
    headers = {k.lower(): v for k, v in world.gateway.requests(path)[-1]["headers"].items()}
    return headers.get("x-request-id")


def test_the_request_to_the_provider_has_the_id_of_the_log(fresh):
    with Verify("alice") as v:
        v.note()
        v.say(fresh.code()).end()
    first = request_id(fresh)
    assert re.fullmatch("[0-9a-f]{16}", first)
    for event, lines in ("contact_verify", 2), ("send", 1):
        assert [line["id"] for line in logged(fresh, event)] == lines * [first], event
    with Verify("alice") as v:
        v.note()
    assert request_id(fresh) not in (None, first)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


def gone(pid, within=5.0):
    end = time.monotonic() + within
    while os.path.exists(f"/proc/{pid}"):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def test_root_never_talks_to_a_provider(fresh):
    """Only the helper's user holds the token and uses the network. It cannot become root again, and it has none of
    the caller's environment."""
    with Verify("alice", env=os.environ | {"https_proxy": "http://127.0.0.1:9", "SSLKEYLOGFILE": "/run/keys"}) as v:
        v.note()
        child, = children_of(v.t.pid)
        facts = status_of(child)
        assert facts["Uid"].split() == [str(fresh.user.pw_uid)] * 4
        assert facts["Gid"].split() == [str(fresh.user.pw_gid)] * 4 and not facts["Groups"].split()
        assert facts["CapEff"].strip("0 \t") == ""
        assert os.getsid(child) != os.getsid(v.t.pid), "it has a terminal that it could type into"
        sockets = [os.readlink(f"/proc/{v.t.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{v.t.pid}/fd")]
        assert not [path for path in sockets if path.startswith("/var/lib/pam_otp/state")]
        v.say(fresh.code()).end()
    assert verified("alice")[PHONE["alice"]]
    assert not os.path.exists("/run/keys")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGHUP], ids=lambda s: s.name)
def test_an_interrupted_verify_leaves_no_half_done_state(fresh, number):
    before = content(CONTACTS)
    with Verify("alice") as v:
        v.note()
        old = fresh.code()
        child, = children_of(v.t.pid)
        if number == signal.SIGINT:
            v.t.sendintr()
        else:
            v.t.kill(number)
        v.end()
    assert gone(child)
    assert content(CONTACTS) == before
    # The code that was sent is void.
    with Verify("alice") as v:
        v.note()
        assert fresh.code() == old or "Wrong code" in v.say(old).note()
        v.say(fresh.code()).end()
    assert verified("alice")[PHONE["alice"]]


def test_a_contact_removed_meanwhile_is_not_verified(fresh):
    with Verify("alice") as v:
        v.note()
        code = fresh.code()
        otpctl("contact", "remove", "alice", PHONE["alice"], "--no-notice")
        text, status = v.say(code).end()
    assert status == FAILED and "lost that address" in text


def test_only_root_may_verify(fresh):
    done = otpctl("contact", "verify", "alice", "--code-stdin", prefix=("setpriv", "--reuid=65534", "--regid=65534",
                                                                        "--clear-groups"))
    assert done.returncode == FAILED and "sudo" in done.stderr and not fresh.messages()


# --- notices ---

TEXT = re.compile(r"The phone number for sign-ins to sandbox was (changed|removed)\. If that was not you, "
                  r"tell your administrator\. Reference: (\d{6})")


def add_unheard(world, *numbers):
    """Gives alice these numbers, too, without a notice."""
    for number in numbers:
        otpctl("contact", "add", "alice", f"--phone={number}", "--no-notice")
    world.log()
    world.log_start = os.path.getsize(LOG)


def notices(world):
    return [(m["number"], TEXT.fullmatch(m["text"])) for m in world.messages()]


def test_the_old_number_gets_a_notice_of_a_new_one_and_the_new_one_gets_none(fresh):
    done = otpctl("contact", "add", "alice", f"--phone={NEW}", "--preferred")
    assert done.returncode == OK and not done.stderr
    (number, text), = notices(fresh)
    assert number == PHONE["alice"][-10:] and text[1] == "changed"
    assert done.stdout == ("added: phone of alice, +977 ******** 91\n"
                           f"notice sent: alice at +977 ******** 19, by sms through tingting, reference {text[2]}\n")
    log = fresh.log()
    assert f'event=notice user="alice" to="+977 ******** 19" channel=sms provider=tingting reference={text[2]}' in log
    assert PHONE["alice"] not in log and NEW not in log


def test_an_additional_contact_is_notified_to_the_old_ones(fresh):
    """Somebody could read codes there, so the owner gets a notice at the old contacts."""
    done = otpctl("contact", "add", "alice", f"--phone={NEW}")
    assert done.returncode == OK and "notice sent: alice at +977 ******** 19, by sms through tingting" in done.stdout
    otpctl("contact", "add", "alice", f"--email={MAILBOX['alice']}", "--preferred")
    sent = fresh.messages()
    assert [m["number"] for m in sent] == 2 * [PHONE["alice"][-10:]]
    for m in sent:
        assert re.fullmatch(r"An address for sign-ins to sandbox was added beside this one\. If that was not you, tell "
                            r"your administrator\. Reference: \d{6}", m["text"])


def test_no_notice_without_an_old_contact_or_a_change(fresh):
    otpctl("contact", "add", "carol", f"--phone={NEW}", "--preferred")
    assert otpctl("contact", "add", "alice", f"--phone={PHONE['alice']}").returncode == EXISTS
    assert otpctl("contact", "import", "-", input="user,kind,address\n" f"daemon,phone,{NEW}\ndaemon,email,d@mail.example\n"
                  f"alice,phone,{PHONE['alice']}\n").returncode == OK
    assert not fresh.messages() and not logged(fresh, "notice")


def test_a_removed_number_gets_a_notice(fresh):
    otpctl("contact", "add", "alice", f"--phone={NEW}", "--no-notice")
    done = otpctl("contact", "remove", "alice", PHONE["alice"], "--json")
    (number, text), = notices(fresh)
    assert number == PHONE["alice"][-10:] and text[1] == "changed"
    assert json.loads(done.stdout) == {"user": "alice", "removed": 1, "left": 1, "notices": [{
        "user": "alice", "kind": "phone", "address": "+977 ******** 19", "told": True,
        "detail": f"by sms through tingting, reference {text[2]}"}]}
    otpctl("contact", "remove", "alice", "--all")
    number, text = notices(fresh)[-1]
    assert number == NEW[-10:] and text[1] == "removed"


def mail_configure(world):
    world.write(hosts.CONF, f"""[otp]
channels = email
[channel email]
providers = smtp
[provider smtp]
server = {world.gateway.mail_urls["starttls"]}
login = {world.gateway.mail_login}
password = file:{hosts.ETC}/secrets/mail
from = root@mail.example
ca = {world.gateway.ca_file}
""")
    hosts.secret("mail", world.gateway.secret("password", "smtp"))
    world.otpctl("config", "check")


def test_an_old_mailbox_gets_its_notice_by_mail(fresh):
    mail_configure(fresh)
    otpctl("contact", "add", "alice", f"--email={MAILBOX['alice']}", "--no-notice")
    done = otpctl("contact", "add", "alice", "--email=new@mail.example", "--preferred")
    message, = fresh.messages()
    assert message["number"] == MAILBOX["alice"]
    assert "The e-mail address for sign-ins to sandbox was changed." in message["text"]
    assert "notice sent: alice at a***@m***.example, by email through smtp" in done.stdout
    # The notice to the phone fails. otpctl reports that, and still removes the number.
    done = otpctl("contact", "remove", "alice", PHONE["alice"])
    assert done.returncode == OK and "no channel in [otp] channels reaches an address of this kind" in done.stderr
    assert [row["kind"] for row in rows("alice")] == ["email", "email"]


@pytest.mark.parametrize("sender", REMOTE, ids=str)
def test_a_provider_with_its_own_texts_sends_no_notice(fresh, sender):
    configure(fresh, sender)
    done = otpctl("contact", "add", "alice", f"--phone={NEW}", "--preferred")
    assert done.returncode == OK
    assert "no notice was sent to alice at +977 ******** 19: all providers of its channels write their texts themselves" \
        in done.stderr
    assert not fresh.messages()


def test_a_notice_uses_a_provider_that_can_send_any_text(fresh):
    configure_channels(fresh, {"sms": ["crego", "tingting"]})
    done = otpctl("contact", "add", "alice", f"--phone={NEW}", "--preferred")
    assert "through tingting" in done.stdout and not fresh.gateway.requests("/otp/send/")
    assert notices(fresh)[0][0] == PHONE["alice"][-10:]


def fault_token(world):
    world.secret("not the token")
    return "tingting did not accept it: "


def fault_refused(world):
    world.gateway.fault("status", status=500)
    return "tingting did not accept it: "


def fault_secret(world):
    os.unlink("/etc/pam_otp/secrets/tingting")
    return "the process that sends messages failed"


def fault_store(world):
    os.unlink("/var/lib/pam_otp/state/store.db")
    return "the process that sends messages failed"


def fault_prefixes(world):
    world.configure(extra="\n[limits]\nprefixes = +91\n")
    return "[limits] prefixes does not allow the number"


@pytest.mark.parametrize("fault", [fault_token, fault_refused, fault_secret, fault_store, fault_prefixes],
                         ids=lambda f: f.__name__)
def test_a_change_stands_even_if_its_notice_fails(fresh, fault):
    why = fault(fresh)
    done = otpctl("contact", "remove", "alice", "--all", "--json")
    # Without the store nothing says whether alice is remembered, so the command does not report success.
    lost = "remembered sign-ins could not be forgotten; run: otpctl remember revoke alice" in done.stderr
    assert (done.returncode, lost) == ((FAILED, True) if fault is fault_store else (OK, False))
    assert f"otpctl: note: no notice was sent to alice at +977 ******** 19: {why}" in done.stderr
    line, = logged(fresh, "notice")
    assert (line["user"], line["to"], line["told"]) == ("alice", "+977 ******** 19", "no")
    assert line["detail"].startswith(why.rstrip())
    assert PHONE["alice"] not in fresh.log()
    notice, = json.loads(done.stdout)["notices"]
    assert not notice["told"] and notice["detail"].startswith(why)
    assert rows("alice") == []


def test_a_provider_that_is_down_is_waited_for_only_twice(fresh):
    add_unheard(fresh, *(f"+97798000000{70 + n}" for n in range(3)))
    fresh.gateway.fault("status", status=503)
    done = otpctl("contact", "remove", "alice", "--all")
    assert done.returncode == OK and done.stderr.count("no notice was sent") == 4
    assert [line["told"] for line in logged(fresh, "notice")] == 4 * ["no"]
    assert len(fresh.gateway.requests("/send/otp/")) == 2


def test_a_provider_that_failed_once_is_used_for_the_next_notice(fresh):
    add_unheard(fresh, *(f"+97798000000{70 + n}" for n in range(3)))
    fresh.gateway.fault("status", status=503, times=1)
    done = otpctl("contact", "remove", "alice", "--all")
    assert done.stderr.count("no notice was sent") == 1 and len(notices(fresh)) == 3


def test_a_notice_has_the_id_of_its_log_line(fresh):
    otpctl("contact", "add", "alice", f"--phone={NEW}", "--preferred")
    line, = logged(fresh, "notice")
    assert line["id"] == request_id(fresh) is not None


def test_contacts_without_a_notice_are_counted_in_the_log(fresh):
    otpctl("contact", "add", "alice", f"--phone={NEW}", "--no-notice")
    otpctl("contact", "remove", "alice", "--all", "--no-notice")
    lines = [(x["user"], x["to"], x["told"], x["detail"]) for x in logged(fresh, "notice")]
    assert lines == [("alice", to, "no", "--no-notice") for to in 2 * [masked(PHONE["alice"])] + [masked(NEW)]]


def removing(world, tmp_path):
    return ["remove", "alice", "--all"]


def preferring(world, tmp_path):
    return ["add", "alice", f"--phone={NEW}", "--preferred"]


def importing(world, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(f"user,kind,address\nalice,phone,{NEW}\n", encoding="utf-8")
    return ["import", "--replace", "--notice", str(path)]


def to_nobody_at_all(args):
    """Nobody reads standard output or standard error."""
    r, w = os.pipe()
    os.close(r)
    with open(w, "w", encoding="utf-8") as pipe:
        done = subprocess.run(args, stdout=pipe, stderr=pipe, check=False, timeout=30)
    done.stderr = None
    return done


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize("out, why", [(to_nobody, "Broken pipe"), (to_full, "No space left on device"),
                                      (to_nobody_at_all, None)])
@pytest.mark.parametrize("change", [removing, preferring, importing])
def test_output_that_nobody_reads_delays_no_notice(fresh, tmp_path, change, out, why, options):
    done = out(["otpctl", "contact", *change(fresh, tmp_path), *options])
    assert done.returncode == FAILED
    assert not why or f"otpctl: standard output: {why}\n" in done.stderr
    (number, text), = notices(fresh)
    assert number == PHONE["alice"][-10:] and text
    assert [line["reference"] for line in logged(fresh, "notice")] == [text[2]]


OLD = [PHONE["alice"], *(f"+97798000000{70 + n}" for n in range(4))]


@contextlib.contextmanager
def stopped_gateway(world):
    """The provider accepts connections and does not answer."""
    with open(f"{world.gateway.folder}/ready.json", encoding="ascii") as f:
        pid = json.load(f)["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def is_connected(pid):
    """True if the process holds a TCP connection."""
    try:
        held = {os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")}
        with open(f"/proc/{pid}/net/tcp", encoding="ascii") as f:
            return any(f"socket:[{line.split()[9]}]" in held for line in f)
    except OSError:
        return False


def wait_for_first_notice(p):
    """Waits until the first notice is being sent: a child of otpctl has a connection to the provider."""
    end = time.monotonic() + GUARD
    while not any(is_connected(child) for child in children_of(p.pid)):
        assert p.poll() is None and time.monotonic() < end
        time.sleep(0.002)


def end_in_the_middle(world, strike, *command, prefix=()):
    """alice has five old numbers. While the first notice is sent, strike(p) is called. Returns the exit status and
    the output."""
    add_unheard(world, *OLD[1:])
    with stopped_gateway(world):
        p = subprocess.Popen([*prefix, "otpctl", "contact", *command], text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        wait_for_first_notice(p)
        strike(p)
    out, err = p.communicate(timeout=30)
    return p.returncode, out, err


def masked(number):
    return f"+977 ******** {number[-2:]}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT], ids=lambda s: s.name)
def test_an_interrupt_reports_each_old_number_without_a_notice(fresh, number):
    status, out, err = end_in_the_middle(fresh, lambda p: p.send_signal(number), "remove", "alice", "--all")
    assert status == -number and rows("alice") == []
    (first, _), = notices(fresh)
    assert "removed: 5 of alice, 0 left\n" in out and out.count("notice sent: ") == 1
    unsent = [masked(n) for n in OLD if not n.endswith(first)]
    assert [x for n in unsent for x in re.findall(re.escape(n) + ": interrupted before it was sent\n", err)] and \
        err.count("no notice was sent") == len(unsent) == 4
    lines = logged(fresh, "notice")
    assert [x["to"] for x in lines if "reference" in x] == [masked(first)]
    assert sorted(x["to"] for x in lines if x.get("told") == "no") == sorted(unsent)
    assert {x["detail"] for x in lines if "told" in x} == {"interrupted before it was sent"}
    assert {x["id"] for x in lines} == {request_id(fresh)}


def test_json_output_is_complete_after_an_interrupt(fresh):
    status, out, _ = end_in_the_middle(fresh, lambda p: p.send_signal(signal.SIGINT), "remove", "alice", "--all",
                                       "--json")
    assert status == -signal.SIGINT
    assert [x["told"] for x in json.loads(out)["notices"]] == [True, False, False, False, False]


def test_a_terminal_that_is_closed_stops_no_notice(fresh):
    status, out, err = end_in_the_middle(fresh, lambda p: p.send_signal(signal.SIGHUP), "remove", "alice", "--all")
    assert status == -signal.SIGHUP and out.count("notice sent: ") == 5 and not err.count("no notice")
    assert sorted(number for number, _ in notices(fresh)) == sorted(n[-10:] for n in OLD)


def test_a_signal_that_the_caller_ignores_stops_no_notice(fresh):
    status, out, _ = end_in_the_middle(fresh, lambda p: p.send_signal(signal.SIGINT), "remove", "alice", "--all",
                                       prefix=("sh", "-c", "trap '' INT; exec \"$@\"", "sh"))
    assert status == OK and out.count("notice sent: ") == 5 and len(notices(fresh)) == 5


def test_notices_lost_with_a_killed_child_are_in_the_log(fresh):
    status, _, err = end_in_the_middle(fresh, lambda p: os.kill(*children_of(p.pid), signal.SIGKILL),
                                       "remove", "alice", "--all")
    assert status == OK and "killed by signal 9" in err and err.count("no notice was sent") == 5
    lines = logged(fresh, "notice")
    assert sorted(x["to"] for x in lines) == sorted(map(masked, OLD))
    assert {(x["told"], x["detail"]) for x in lines} == {("no", "the process that sends messages failed")}


def test_notice_and_no_notice_exclude_each_other(fresh):
    before = content(CONTACTS)
    assert otpctl("contact", "remove", "alice", "--all", "--notice", "--no-notice").returncode == USAGE
    assert content(CONTACTS) == before


def many_addresses(n):
    text = "user,kind,address\n" + "".join(f"alice,phone,+97798000001{i:02d}\n" for i in range(n))
    assert otpctl("contact", "import", "-", "--no-notice", input=text).returncode == OK


@pytest.mark.parametrize("more", [19, 20])
def test_many_notices_need_the_option_notice(fresh, more):
    many_addresses(more)
    before = content(CONTACTS)
    done = otpctl("contact", "remove", "alice", "--all")
    if more == 19:
        assert done.returncode == OK and len(fresh.messages()) == 20
        return
    assert done.returncode == FAILED and "21 old addresses" in done.stderr and "--no-notice" in done.stderr
    assert content(CONTACTS) == before and not fresh.messages()
    assert otpctl("contact", "remove", "alice", "--all", "--no-notice").returncode == OK
    assert not fresh.messages()


# --- a change and its line in the log ---

STRUCK = """
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
int
fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISDIR(st.st_mode))
		return (int)syscall(SYS_fsync, fd);
	if (getenv("STRIKE")[0] == 'I')
		return kill(getpid(), SIGINT);
	errno = EIO;
	return -1;
}
"""


@pytest.fixture(scope="module")
def struck(tmp_path_factory):
    """otpctl, where the step after a change fails: an interrupt comes (I), or the disk of the folder fails (E)."""
    library = tmp_path_factory.mktemp("struck") / "struck.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, "-x", "c", "-"], input=STRUCK, text=True, check=True)

    def run(strike, *command, text=None):
        return subprocess.run(["otpctl", *command], input=text, capture_output=True, text=True, check=False,
                              env=os.environ | {"LD_PRELOAD": str(library), "STRIKE": strike})
    return run


CHANGES = pytest.mark.parametrize("event, text, command", [
    ("contact_add", None, ["contact", "add", "carol", f"--phone={NEW}"]),
    ("contact_add", None, ["contact", "add", "alice", f"--phone={NEW}", "--no-notice"]),
    ("contact_remove", None, ["contact", "remove", "alice", "--all", "--no-notice"]),
    ("contact_import", f"user,kind,address\nalice,phone,{NEW}\n", ["contact", "import", "-", "--replace", "--no-notice"]),
    ("attribute_set", "value\n", ["attribute", "set", "alice", "tingting", "x"]),
], ids=lambda v: "-".join(v[:2]) if isinstance(v, list) else "")


@CHANGES
def test_no_interrupt_separates_a_change_from_its_log_line(fresh, struck, event, text, command):
    before = content(CONTACTS)
    done = struck("I", *command, text=text)
    assert done.returncode == -signal.SIGINT and content(CONTACTS) != before
    assert [line["by"] for line in logged(fresh, event)] == ["0"]


@CHANGES
def test_a_change_whose_folder_cannot_be_synced_is_reported_as_made(fresh, struck, event, text, command):
    before = content(CONTACTS)
    done = struck("E", *command, text=text)
    assert done.returncode == OK and content(CONTACTS) != before
    assert "was changed, but a crash may undo it: cannot write the folder to disk: Input/output error" in done.stderr
    assert [line["by"] for line in logged(fresh, event)] == ["0"]


FULL = pytest.mark.parametrize("event, command", [
    ("contact_add", ["contact", "add", "carol", f"--phone={NEW}"]),
    ("contact_remove", ["contact", "remove", "alice", "--all", "--no-notice"]),
    ("unlock", ["unlock", "alice"]), ("remember_revoke", ["remember", "revoke", "alice"]),
    ("recovery_revoke", ["recovery", "revoke", "alice"]),
], ids=lambda v: v if isinstance(v, str) else "")


@FULL
def test_otpctl_can_be_interrupted_while_nobody_reads_its_output(fresh, event, command):
    """After the log line, otpctl no longer holds signals back."""
    otpctl("recovery", "issue", "alice")
    with full_pipe() as full, subprocess.Popen(["otpctl", *command], stdout=full, stderr=subprocess.DEVNULL) as p:
        late = time.monotonic() + GUARD
        while not logged(fresh, event):
            assert time.monotonic() < late
        p.send_signal(signal.SIGINT)
        assert p.wait(GUARD) == -signal.SIGINT


def test_an_attribute_that_waits_for_another_otpctl_can_be_interrupted(fresh):
    with subprocess.Popen(["flock", f"{CONTACTS}.lock", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as other:
        other.stdin.write("held\n")
        other.stdin.flush()
        other.stdout.readline()
        with subprocess.Popen(["otpctl", "attribute", "set", "alice", "tingting", "x"], stdin=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as p:
            p.stdin.write("y\n")
            p.stdin.close()
            assert "waiting for another otpctl" in p.stderr.readline()
            p.send_signal(signal.SIGINT)
            assert p.wait(GUARD) == -signal.SIGINT


def test_a_verification_whose_output_fails_stands(fresh):
    """The log has it once, as a success."""
    with open("/dev/full", "w", encoding="ascii") as full, subprocess.Popen(
            ["otpctl", "contact", "verify", "alice", "--code-stdin"], stdin=subprocess.PIPE, stdout=full,
            stderr=subprocess.DEVNULL, text=True) as p:
        p.stdin.write(fresh.gateway.wait_message()["code"] + "\n")
        p.stdin.close()
        assert p.wait(GUARD) == FAILED
    assert all(verified("alice").values())
    assert [line["result"] for line in logged(fresh, "contact_verify") if "result" in line] == ["ok"]


# --- attributes ---

def attribute(command, *words, text=None):
    return subprocess.run(["otpctl", "attribute", command, *words], input=text, capture_output=True, text=True, check=False)


def test_attributes_are_set_listed_and_removed(fresh):
    done = attribute("set", "alice", "tingting", "user_id", text="4711\n")
    assert (done.returncode, done.stdout, done.stderr) == (OK, "set: user_id of alice at tingting\n", "")
    assert attribute("list", "alice", "tingting").stdout == "user_id\n"
    assert json.loads(attribute("list", "alice", "tingting", "--json").stdout) == ["user_id"]
    done = attribute("set", "alice", "tingting", "x", "--json", text="y")
    assert json.loads(done.stdout) == {"user": "alice", "provider": "tingting", "name": "x", "set": True}
    done = attribute("remove", "alice", "tingting", "x", "--json")
    assert json.loads(done.stdout) == {"user": "alice", "provider": "tingting", "name": "x", "removed": True}
    assert [(line["event"], line["name"]) for e in ("attribute_set", "attribute_remove") for line in logged(fresh, e)] == [
        ("attribute_set", "user_id"), ("attribute_set", "x"), ("attribute_remove", "x")]
    assert "4711" not in fresh.log()


@pytest.mark.parametrize("words, text, status, expected", [
    (["no-such-user", "tingting", "x"], "y\n", NONE, "this machine knows no user 'no-such-user'"),
    (["alice", "nope", "x"], "y\n", USAGE, "there is no [provider nope]"),
    (["alice", "tingting", "x"], "y\nz\n", FAILED, "expected one line"),
    (["alice", "tingting", "x"], "", FAILED, "expected one line"),
    (["alice", "tingting", "X"], "y\n", FAILED, "a name has up to"),
    (["alice", "tingting"], "y\n", USAGE, "expected USER PROVIDER NAME"),
])
def test_wrong_attributes_are_refused(fresh, words, text, status, expected):
    before = content(CONTACTS)
    done = attribute("set", *words, text=text)
    assert done.returncode == status and expected in done.stderr and not done.stdout
    assert content(CONTACTS) == before


def test_attributes_of_an_unknown_user(fresh):
    assert attribute("set", "--force", "no-such-user", "tingting", "x", text="y").returncode == OK
    done = attribute("list", "alice", "nope")
    assert done.returncode == NONE and "alice has no attribute for the provider nope" in done.stderr
    assert attribute("remove", "alice", "tingting", "x").returncode == NONE

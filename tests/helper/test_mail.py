"""Codes by e-mail, through simulated mail servers: who gets them, over which connection, and what a server can do."""

import email.policy
import email.utils
import json
import os
import re
import shutil
import tempfile
import time

import pytest

from conftest import MAILBOX, World
from gateway import Gateway
from wire import wait_until

GUARD = 8
MEMORY_KIB = 64 * 1024
FAST = "send_timeout = 1s\nattempt_timeout = 900ms\n"
TEXT = ("Anmeldung an ${host}. प्रमाणिकरण कोड 🔑 \"quoted\" <tag> = + % ; "
        "${service}. " + "long " * 120 + "Code: ${code}")


class MailWorld(World):
    """A world whose only channel is e-mail, with the shipped profile."""

    def configure(self, listener="plain", settings="", otp="", message="", ca=None, server=None,
                  providers="smtp", extra=""):
        where = server or self.gateway.mail_urls[listener]
        self.write("otp.conf", f"""[otp]
channels = email
ask_first = never
{otp}
[paths]
contacts = {self.dir}/contacts.db
state = {self.dir}/state
host_key = {self.dir}/host.key
profiles = {self.dir}/providers
[channel email]
providers = {providers}
{message}
[provider smtp]
server = {where}
ca = {ca or self.gateway.ca_file}
{settings}
{extra}""")

    def log_in(self, password=None):
        """Sets the login for the mail server."""
        self.write("password", (password or self.gateway.secret("password", "smtp")) + "\n", 0o600)
        return f"login = {self.gateway.mail_login}\npassword = file:{self.dir}/password"

    def patch(self, **send):
        """Changes members of the profile's mail."""
        path = f"{self.dir}/providers/smtp.json"
        with open(path, encoding="utf-8") as f:
            profile = json.load(f)
        profile["send"]["mail"].update(send)
        self.write("providers/smtp.json", json.dumps(profile))

    def mails(self):
        return self.gateway.requests("mail")


@pytest.fixture(scope="module")
def post():
    with Gateway(provider=["kgen", "smtp", "tingting"]) as g:
        yield g


@pytest.fixture
def mail(post):
    post.clear()
    folder = tempfile.mkdtemp(prefix="otp-helper-")
    try:
        yield MailWorld(post, folder)
        post.clear()
    finally:
        shutil.rmtree(folder)


def read(entry):
    return email.message_from_bytes(entry["raw"].encode("latin-1"), policy=email.policy.default)


def failed(w, h, words=("unavail", "denied", "broken")):
    """The sign-in ends without a prompt for a code. Returns its result."""
    result = h.result()
    assert result in words
    assert not w.gateway.outbox()
    return result


# The message

@pytest.mark.parametrize("listener,tls", [("plain", None), ("starttls", "TLSv1.3"), ("smtps", "TLSv1.3"),
                                          ("starttls_tls12", "TLSv1.2"), ("smtps_tls12", "TLSv1.2")])
def test_a_code_by_mail_signs_in(mail, listener, tls):
    mail.configure(listener)
    with mail.sign_in() as h:
        assert "was sent by e-mail to g***@m***.example" in h.prompt()
        h.answer(mail.gateway.last_code(MAILBOX))
        assert h.result() == "ok"
    entry, = mail.mails()
    assert (entry["tls"], entry["rcpt_tos"], entry["login"]) == (tls, [MAILBOX], None)
    assert entry["helo"] == os.uname().nodename
    assert mail.gateway.last_code() not in h.log


def test_the_headers_are_complete_and_contain_no_secret(mail):
    with mail.sign_in() as h:
        h.prompt()
    message = read(mail.mails()[0])
    code = mail.gateway.last_code()
    assert message["From"].addresses[0].addr_spec == f"root@{os.uname().nodename}"
    assert message["To"].addresses[0].addr_spec == MAILBOX
    assert message["Auto-Submitted"] == "auto-generated"
    assert re.search(rf"id={message['X-Request-ID']} event=signin ", h.log)
    assert abs(email.utils.parsedate_to_datetime(message["Date"]).timestamp() - time.time()) < 60
    assert re.fullmatch(r"<[0-9a-f]{32}@[^@>]+>", message["Message-ID"])
    for name, value in message.items():
        assert code not in value, name
    assert "games" not in message["Message-ID"] + message["Subject"] + message["From"]


def test_in_the_shipped_text_the_code_comes_last(mail):
    """S10: a locked screen shows only the beginning of a message."""
    with mail.sign_in() as h:
        h.prompt()
    sent, = mail.gateway.outbox()
    assert sent["text"].endswith(f"Verification code: {sent['code']}")
    assert sent["text"].index(sent["code"]) > 100 and sent["code"] not in sent["subject"]


def test_any_text_arrives_unchanged(mail):
    mail.configure("starttls", message=f"message = {TEXT}", settings="from_name = साइट Ω\nfrom = otp@mail.example\n"
                   "subject = कोड 🔑 for ${user} at ${host}, a subject that is longer than one encoded word")
    with mail.sign_in() as h:
        h.prompt()
    entry, = mail.mails()
    message, code = read(entry), mail.gateway.last_code()
    host = os.uname().nodename
    wanted = TEXT.replace("${host}", host).replace("${service}", "test").replace("${code}", code)
    assert entry["text"] == wanted.rstrip()
    assert message.get_body(("plain",)).get_content_charset() == "utf-8"
    assert message["Subject"] == \
        f"कोड 🔑 for games at {host}, a subject that is longer than one encoded word"
    assert message["From"].addresses[0].display_name == "साइट Ω"
    assert entry["mail_from"] == "otp@mail.example"
    assert max(map(len, entry["raw"].split("\r\n"))) <= 80, "the boundary of libcurl is the longest"


def test_lines_and_dots_arrive_unchanged(mail):
    text = ".\n..\n.a\n\n  two\t \nQUIT\n" + "-" * 70 + "\nCode: ${code}\n."
    mail.patch(text=text.replace("${code}", "${message}"))
    mail.configure(message="message = ${code}")
    with mail.sign_in() as h:
        h.prompt()
        h.answer(mail.gateway.outbox()[0]["code"])
        assert h.result() == "ok"
    assert mail.mails()[0]["text"] == text.replace("${code}", mail.gateway.last_code())


@pytest.mark.parametrize("member,value", [
    ("subject", "a\r\nBcc: x@mail.example"), ("subject", "a\nb"), ("subject", "\u007f"),
    ("from_name?", "a\r\nBcc: x@mail.example"), ("from", "root@box>\r\nRCPT TO:<x@mail.example>"),
    ("to", "${dest}\r\nRCPT TO:<x@mail.example>"), ("to", "${dest}, x@mail.example"), ("to", "${phone}"),
    ("to", "राम@mail.example")])
def test_a_value_that_its_header_cannot_hold_is_not_sent(mail, member, value):
    """C19"""
    mail.patch(**{member: value})
    with mail.sign_in() as h:
        assert h.result() == "broken"
    assert f"/providers/smtp.json: /send{'/mail/' + member.rstrip('?') if member == 'to' else ''}" in h.log
    assert not mail.gateway.connections()


def test_a_mail_to_sms_gateway_gets_the_number(mail):
    path = f"{mail.dir}/providers/smtp.json"
    with open(path, encoding="utf-8") as f:
        profile = json.load(f)
    profile["channels"] = {"sms": {"needs": "phone", "dest": "${phone.digits}@sms.example"}}
    mail.write("providers/smtp.json", json.dumps(profile))
    mail.configure()
    mail.write("otp.conf", open(mail.conf, encoding="utf-8").read().replace("channels = email", "channels = sms")
               .replace("[channel email]", "[channel sms]"))
    with mail.sign_in() as h:
        assert "was sent by SMS to +977" in h.prompt()
    assert mail.mails()[0]["rcpt_tos"] == ["9779800000019@sms.example"]


# TLS

@pytest.mark.parametrize("how", ["starttls", "smtps"])
@pytest.mark.parametrize("wrong", ["wrong_name", "cn_only", "expired", "future", "self_signed", "other_ca", "tls11"])
def test_a_wrong_certificate_gets_no_mail(mail, how, wrong):
    """U41"""
    mail.configure(f"{how}_{wrong}", settings=mail.log_in())
    with mail.sign_in() as h:
        assert failed(mail, h) == "unavail"
    assert "class=provider_down status=0" in h.log
    assert not mail.mails() and not mail.gateway.sessions()


def test_a_certificate_of_an_unknown_authority_is_refused(mail):
    mail.configure("starttls", ca=mail.gateway.self_signed)
    with mail.sign_in() as h:
        assert failed(mail, h) == "unavail"
    mail.configure("starttls", ca=mail.gateway.ca_dir)
    with mail.sign_in() as h:
        assert "was sent" in h.prompt()


@pytest.mark.parametrize("fault", [None, {"code": 454}, {"code": 502}, {"code": 250}])
def test_a_server_without_starttls_gets_no_mail(mail, fault):
    """Plain text is allowed only to a literal loopback address. A name is none, even if it means this machine."""
    mail.configure("plain" if fault is None else "starttls", settings=mail.log_in())
    if fault is None:
        mail.configure(server=mail.gateway.mail_urls["plain"].replace("127.0.0.1", "localhost"),
                       settings=mail.log_in())
    else:
        mail.gateway.fault("mail_reply", path="starttls", **fault)
    with mail.sign_in() as h:
        assert failed(mail, h) == "unavail"
    assert not mail.mails() and not mail.gateway.sessions()


def test_replies_before_the_tls_handshake_do_not_count_after_it(mail):
    """CVE-2021-22947"""
    mail.configure("starttls")
    mail.gateway.fault("mail_raw", path="starttls",
                       text="220 go\r\n250-mail\r\n250 AUTH PLAIN\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n")
    with mail.sign_in() as h:
        assert failed(mail, h) == "unavail"
    assert not mail.mails()


# Login

@pytest.mark.parametrize("listener", ["plain", "starttls", "smtps"])
@pytest.mark.parametrize("mechanisms", ["LOGIN PLAIN", "PLAIN", "LOGIN"])
def test_the_helper_logs_in(mail, listener, mechanisms):
    mail.gateway.set("smtp", auth="required", mechanisms=mechanisms)
    mail.configure(listener, settings=mail.log_in())
    with mail.sign_in() as h:
        assert "was sent" in h.prompt()
    assert mail.mails()[0]["login"] == mail.gateway.mail_login
    assert mail.gateway.secret("password", "smtp") not in h.log


@pytest.mark.parametrize("why,auth,mechanisms,password,status", [
    ("none given", "required", "PLAIN", None, 530),
    ("wrong", "required", "PLAIN", "test-wrong-password", 535),
    ("not offered", "none", "PLAIN", "right", 0),
    ("no mechanism", "offered", "CRAM-MD5", "right", 0)])
def test_without_a_successful_login_no_mail_is_sent(mail, why, auth, mechanisms, password, status):
    mail.gateway.set("smtp", auth=auth, mechanisms=mechanisms)
    given = None if password == "right" else password
    mail.configure("starttls", settings=mail.log_in(given) if password else "")
    with mail.sign_in() as h:
        assert failed(mail, h) == "unavail"
    assert f"class=bad_credentials status={status}" in h.log, why
    assert not mail.mails()
    assert (given or mail.gateway.secret("password", "smtp")) not in h.log


def test_mail_ignores_proxy_variables(mail):
    mail.configure(settings="proxy = http://127.0.0.1:3128")
    with pytest.raises(Exception) as error:
        mail.otpctl("config", "check")
    assert "a mail cannot be sent through a proxy" in error.value.stderr


# Replies of a server

@pytest.mark.parametrize("stage,code,kind,outage", [
    ("greeting", 421, "provider_down", True), ("greeting", 554, "provider_down", True),
    ("auth", 454, "provider_down", True), ("auth", 534, "bad_credentials", True),
    ("mail", 451, "provider_down", False), ("mail", 530, "bad_credentials", True),
    ("mail", 553, "refused", False), ("rcpt", 450, "provider_down", False),
    ("data", 451, "provider_down", False), ("text", 452, "provider_down", False)])
def test_each_refusal_has_its_outcome_class(mail, stage, code, kind, outage):
    """A user, or their mailbox, cannot cause an outage."""
    mail.configure(settings=mail.log_in())
    mail.gateway.fault("mail_reply", path=stage, code=code, lines=3)
    with mail.sign_in() as h:
        assert (failed(mail, h) == "unavail") == outage
    assert f"class={kind} status={code}" in h.log


@pytest.mark.parametrize("stage,code", [("rcpt", 550), ("rcpt", 552), ("rcpt", 599), ("data", 554), ("text", 554)])
def test_a_refused_address_looks_as_if_the_mail_had_been_sent(mail, stage, code):
    """Nobody can find out in this way who has a mailbox."""
    mail.gateway.fault("mail_reply", path=stage, code=code)
    with mail.sign_in() as h:
        assert "was sent by e-mail to g***@m***.example" in h.prompt()
        h.answer("000000")
        assert "Wrong code" in h.prompt()
    assert f"class=bad_destination status={code}" in h.log
    assert not mail.gateway.outbox()


def test_the_next_provider_sends_if_the_mail_was_surely_not_taken(mail):
    second = f"[provider second]\nprofile = smtp\nserver = {mail.gateway.mail_urls['smtps']}\nca = " \
        + mail.gateway.ca_file
    mail.configure("plain", providers="smtp, second", extra=second)
    for fault, members in (("mail_reply", {"code": 550}), ("mail_drop", {})):
        mail.gateway.clear()
        mail.gateway.fault(fault, path="rcpt", listener="plain", **members)
        with mail.sign_in(rhost=f"192.0.2.{len(fault)}") as h:
            assert "was sent" in h.prompt()
            h.answer(mail.gateway.last_code())
            assert h.result() == "ok"
        assert [m["listener"] for m in mail.mails()] == ["smtps"]


@pytest.mark.parametrize("fault", ["mail_drop", "mail_hang", "mail_half"])
def test_a_mail_that_may_have_been_taken_is_not_sent_again(mail, fault):
    second = f"[provider second]\nprofile = smtp\nserver = {mail.gateway.mail_urls['smtps']}\nca = " \
        + mail.gateway.ca_file
    mail.configure("plain", providers="smtp, second", extra=second, otp=FAST)
    mail.gateway.fault(fault, path="text", deliver=True)
    with mail.sign_in() as h:
        h.prompt()
        h.answer(mail.gateway.last_code())
        assert h.result() == "ok"
    assert "class=unanswered" in h.log
    assert [m["listener"] for m in mail.mails()] == ["plain"]


# Hostile servers

STAGES = ["greeting", "ehlo", "rcpt", "text", "quit"]
FAULTS = [("mail_hang", {}), ("mail_drop", {}), ("mail_half", {}), ("mail_drip", {"interval": 0.3}),
          ("mail_raw", {"text": "\xff\x00\x1b[2J\r\n"}), ("mail_raw", {"text": "HTTP/1.1 200 OK\r\n\r\n"}),
          ("mail_raw", {"text": "\r\n" * 20000}), ("mail_raw", {"text": "250-", "then": "drop"}),
          ("mail_reply", {"code": 250, "lines": 20000}), ("mail_escapes", {}),
          ("mail_flood", {"what": "line"}), ("mail_flood", {"what": "lines"}), ("mail_flood", {"what": "noise"})]


def peak(h):
    """Returns the peak memory of the helper in KiB, or 0 if it has ended."""
    try:
        with open(f"/proc/{h.pid()}/status", encoding="ascii", errors="replace") as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])
    except (OSError, IndexError, TypeError):
        return 0


@pytest.mark.parametrize("fault,members", FAULTS, ids=lambda v: str(v)[:40])
@pytest.mark.parametrize("stage", STAGES)
def test_no_reply_signs_in_or_kills_or_delays_the_helper(mail, stage, fault, members):
    mail.configure("plain" if stage in ("greeting", "ehlo") else "smtps", settings=mail.log_in(), otp=FAST)
    mail.gateway.fault(fault, path=stage, **members)
    memory, began = 0, time.monotonic()
    with mail.sign_in(flags="debug") as h:
        while True:
            kind, fields = h.recv(GUARD)
            memory = max(memory, peak(h))
            if kind == "R":
                break
            if kind == "P":
                h.answer("000000" if "code" in fields[1].lower() else "")
    assert fields[0] not in ("ok", "skip")
    assert time.monotonic() - began < GUARD
    assert not set("\x1b\x07\x00") & set(h.log)
    assert "AddressSanitizer" not in h.log and "runtime error" not in h.log, h.log
    if "sanit" not in os.environ.get("OTP_BUILD", ""):
        assert memory < MEMORY_KIB
    if stage not in ("text", "quit"):
        assert not mail.gateway.outbox()


@pytest.mark.parametrize("stage", ["greeting", "rcpt", "text"])
def test_the_helper_ends_if_its_host_hangs_up(mail, stage):
    mail.gateway.fault("mail_hang", path=stage)
    with mail.sign_in() as h:
        wait_until(lambda: mail.gateway.connections() and (stage != "text" or mail.mails()))
        pid = h.pid()
        h.sock.close()
        wait_until(lambda: not os.path.exists(f"/proc/{pid}") or h.proc.poll() is not None, seconds=6)

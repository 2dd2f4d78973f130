"""The mail servers are strict, their faults take effect, and each certificate is right or wrong as named."""

import smtplib
import ssl
import time

import pytest

from client import context
from gateway import Gateway
from sim.faults import FaultError

OPTIONS = {"provider": "smtp"}
SENDER, READER = "root@box.example", "asha@mail.example"
HEAD = (f"From: {SENDER}\r\nTo: {READER}\r\nSubject: Hi\r\nDate: Mon, 01 Jan 2024 00:00:00 +0000\r\n"
        "Message-ID: <1@box.example>\r\nMIME-Version: 1.0\r\n")
MAIL = HEAD + "\r\nNot 99, but\r\nCode: 012345\r\n"


def connect(gw, listener="plain", tls=True, timeout=5):
    """Returns a connection after EHLO, over TLS unless the listener has none."""
    scheme, _, rest = gw.mail_urls[listener].partition("://")
    host, port = rest.split(":")
    if scheme == "smtps":
        made = smtplib.SMTP_SSL(host, int(port), timeout=timeout, context=context(gw))
    else:
        made = smtplib.SMTP(host, int(port), timeout=timeout)
    made.ehlo("box.example")
    if listener.startswith("starttls") and tls:
        made.starttls(context=context(gw))
        made.ehlo("box.example")
    return made


@pytest.mark.parametrize("listener,version", [
    ("plain", None), ("starttls", "TLSv1.3"), ("smtps", "TLSv1.3"), ("starttls_tls12", "TLSv1.2"),
    ("smtps_tls12", "TLSv1.2")])
def test_a_mail_reaches_the_phone(gw, listener, version):
    with connect(gw, listener) as smtp:
        smtp.login(gw.mail_login, gw.secret("password"))
        smtp.sendmail(SENDER, [READER], MAIL)
    sent, = gw.outbox()
    assert (sent["number"], sent["channel"], sent["code"]) == (READER, "email", "012345")
    assert (sent["text"], sent["subject"]) == ("Not 99, but\nCode: 012345", "Hi")
    entry, = gw.requests("mail")
    assert (entry["tls"], entry["helo"], entry["login"]) == (version, "box.example", gw.mail_login)
    assert (entry["mail_from"], entry["rcpt_tos"], entry["raw"]) == (SENDER, [READER], MAIL)
    assert len(gw.sessions("made", user=gw.mail_login)) == 1


@pytest.mark.parametrize("listener,why", [
    ("wrong_name", "Hostname mismatch"), ("cn_only", "Hostname mismatch"), ("expired", "expired"),
    ("future", "not yet valid"), ("self_signed", "self-signed"), ("other_ca", "unable to get local issuer"),
    ("tls11", "PROTOCOL|EOF")])
@pytest.mark.parametrize("how", ["starttls", "smtps"])
def test_each_wrong_certificate_is_refused_for_its_own_reason(gw, how, listener, why):
    with pytest.raises(ssl.SSLError, match=why):
        connect(gw, f"{how}_{listener}")


@pytest.mark.parametrize("text,why", [
    (MAIL.replace("Date:", "X-Date:"), "date is not there once"),
    (MAIL.replace("Message-ID:", "X-Id:"), "message-id is not there once"),
    ("Subject: again\r\n" + MAIL, "subject is not there once"),
    (MAIL + "x" * 999, "a line is too long"),
    (MAIL + "caf\xe9", "not plain ASCII"),
    (HEAD + "Content-Type: multipart/mixed\r\n\r\n", "malformed MIME")])
def test_a_mail_that_breaks_the_rules_is_refused(gw, text, why):
    with connect(gw) as smtp, pytest.raises(smtplib.SMTPDataError) as refused:
        smtp.sendmail(SENDER, [READER], text.encode("latin-1"))
    assert refused.value.smtp_code == 554 and why in str(refused.value)
    assert not gw.outbox() and gw.requests("mail")[0]["refused"]


def test_logins(gw):
    gw.set(auth="required")
    with connect(gw) as smtp:
        with pytest.raises(smtplib.SMTPSenderRefused, match="530"):
            smtp.sendmail(SENDER, [READER], MAIL)
        with pytest.raises(smtplib.SMTPAuthenticationError, match="535"):
            smtp.login(gw.mail_login, "wrong")
    with connect(gw, "starttls", tls=False) as smtp:
        assert "auth" not in smtp.esmtp_features, "not in plain text where there is TLS"
    gw.set(auth="none")
    with connect(gw) as smtp:
        assert "auth" not in smtp.esmtp_features
    gw.set(auth="offered", mechanisms="CRAM-MD5")
    with connect(gw) as smtp:
        assert smtp.esmtp_features["auth"].split() == ["CRAM-MD5"]


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "text"])
def test_a_reply_can_be_an_error(gw, stage):
    gw.fault("mail_reply", path=stage, code=451, times=1, lines=3)
    with connect(gw) as smtp:
        with pytest.raises(smtplib.SMTPException, match="451"):
            smtp.sendmail(SENDER, [READER], MAIL)
        assert not gw.outbox()
        smtp.rset()
        smtp.sendmail(SENDER, [READER], MAIL)
    assert len(gw.outbox()) == 1


def test_a_reply_can_be_missing(gw):
    for kind in ("mail_hang", "mail_drop"):
        gw.clear()
        gw.fault(kind, path="text", deliver=True)
        with pytest.raises((smtplib.SMTPServerDisconnected, TimeoutError)):
            connect(gw, timeout=0.5).sendmail(SENDER, [READER], MAIL)
        assert len(gw.outbox()) == 1, "it was delivered all the same"


def test_a_reply_can_be_slow_or_arbitrary_bytes(gw):
    gw.fault("mail_drip", path="rcpt", interval=0.01)
    with connect(gw) as smtp:
        smtp.mail(SENDER)
        began = time.monotonic()
        assert smtp.rcpt(READER)[0] == 250
        assert time.monotonic() - began > 0.03
    gw.fault("mail_raw", path="rcpt", text="251 \xe9\r\n")
    with connect(gw) as smtp:
        smtp.mail(SENDER)
        assert smtp.rcpt(READER) == (251, b"\xe9")
    gw.fault("mail_flood", path="rcpt", what="lines", size=100000)
    smtp = connect(gw, timeout=2)
    smtp.mail(SENDER)
    smtp.putcmd("rcpt", f"TO:<{READER}>")
    assert all(smtp.file.readline() == b"250-x\r\n" for _ in range(10000))
    smtp.close()


def test_an_unknown_fault_is_an_error(gw):
    for fault in ({"kind": "mail_rely"}, {"kind": "mail_reply"}, {"kind": "mail_drop", "code": 1}):
        with pytest.raises(FaultError):
            gw.set_faults(fault)
    gw.fault("mail_raw", path="rcpt", text="", then="sing")
    with connect(gw) as smtp:
        smtp.mail(SENDER)
        assert smtp.rcpt(READER)[0] == 451
    bad, = gw.connections("bad_fault")
    assert "sing" in bad["error"]
    with pytest.raises(RuntimeError, match="sing"):
        gw.clear()


def test_the_port_can_be_chosen():
    with Gateway(provider="smtp") as first:
        port = int(first.mail_urls["plain"].rpartition(":")[2])
    with Gateway(provider="smtp", smtp_port=port) as second:
        assert second.mail_urls["plain"] == f"smtp://127.0.0.1:{port}"

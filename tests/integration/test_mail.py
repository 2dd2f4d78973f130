"""The example in the shipped configuration: a code by e-mail, through the server at 127.0.0.1:25."""
import re

import pytest

from world import AUTHINFO_UNAVAIL, CONF, HERE, REMOTE, SERVICE, SUCCESS
from gateway import Gateway

MAILBOX = "alice@mail.example"
EXAMPLE = r"^#(\[channel email\]|providers = smtp|\[provider smtp\]|server = smtp://127\.0\.0\.1)$"


@pytest.fixture(scope="module")
def mta(one_world):
    """The mail server of this machine."""
    with Gateway(provider="smtp", smtp_port=25) as gateway:
        yield gateway


def example():
    """The shipped configuration with the lines of its example, and the channel e-mail."""
    with open(f"{HERE}/../../etc/pam_otp.conf", encoding="utf-8") as f:
        text, lines = re.subn(EXAMPLE, r"\1", f.read(), flags=re.MULTILINE)
    assert lines == 4
    text, ways = re.subn(r"^channels = sms$", "channels = email", text, flags=re.MULTILINE)
    assert ways == 1
    return text


def set_up(world):
    world.write(CONF, example())
    world.otpctl("contact", "add", "alice", f"--email={MAILBOX}", "--no-notice")
    return world.otpctl("config", "check")


def test_the_example_signs_in_through_the_mail_server_of_this_machine(world, mta):
    assert "no errors" in set_up(world).stdout
    mta.clear()
    with world.sign_in("alice", SERVICE, *REMOTE) as d:
        assert "was sent by e-mail to a***@m***.example" in d.enter()
        sent = mta.wait_message()
        d.answer("000000" if sent["code"] != "000000" else "000001")
        assert "Wrong code" in d.prompt()
        d.answer(sent["code"])
        assert d.result() == SUCCESS
    mail, = mta.requests("mail")
    assert (mail["rcpt_tos"], mail["listener"], mail["tls"]) == ([MAILBOX], "plain", None)
    assert sent["text"].endswith(f"Verification code: {sent['code']}")
    assert sent["code"] not in world.log()


def test_without_a_mail_server_nobody_is_signed_in(world, mta):
    set_up(world)
    mta.stop()
    try:
        assert world.finish(answer="000000", options=REMOTE) == AUTHINFO_UNAVAIL
    finally:
        mta.start()

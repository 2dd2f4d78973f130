"""Providers that are down, slow, wrong or hostile. A send never hangs, and nothing signs in."""

import os
import re
import signal
import time

import pytest

GUARD = 10  # seconds: the deadline of one attempt is 4

DOWN = [("drop_connect", {}), ("reset_connect", {}), ("hang_connect", {}), ("talk_connect", {}),
        ("status", {"status": 500}), ("status", {"status": 502}), ("status", {"status": 503}),
        ("status", {"status": 402}), ("status", {"status": 401})]
MAYBE = [("hang", {}), ("drop", {}), ("reset", {}), ("drip", {}), ("close_mid_body", {}),
         ("huge_body", {}), ("huge_headers", {})]
NONSENSE = [("garbage", {"what": t}) for t in ("text", "html", "binary")] + [
    ("empty", {}), ("truncate_tls", {}), ("success_false", {}), ("deep", {}), ("duplicate_keys", {}), ("nul", {}),
    ("bad_utf8", {}), ("trailing", {}), ("wrong_types", {}), ("status", {"status": 204})]


def send(world, **items):
    h = world.sign_in(**items)
    h.prompt()
    began = time.monotonic()
    h.answer("")
    return h, began


@pytest.mark.parametrize("kind,members", DOWN, ids=str)
def test_the_user_reads_that_the_provider_cannot_be_reached(world, kind, members):
    world.gateway.fault(kind, **members)
    h, began = send(world)
    with h:
        assert h.result() == "unavail"
        assert time.monotonic() - began < GUARD
        assert "cannot be reached" in h.shown[0]
    assert not world.gateway.outbox()


def test_for_a_local_sign_in_no_failure_is_an_outage(world):
    """A caller of sudo can use up all ports. Administrators may let `unavail` pass."""
    world.gateway.fault("drop_connect")
    h, _ = send(world, rhost="", service="somewhere", tty="/dev/pts/9")
    with h:
        assert h.result() == "broken"


def test_a_stopped_helper_reports_no_outage(world):
    """A user who can stop the helper must not make its missed deadline look like an outage of the provider."""
    world.configure(otp="attempt_timeout = 2s")
    world.gateway.fault("hang_connect")
    h, _ = send(world)
    with h:
        time.sleep(0.3)
        os.kill(h.pid(), signal.SIGSTOP)
        time.sleep(2.5)
        os.kill(h.pid(), signal.SIGCONT)
        assert h.result() == "broken"


@pytest.mark.parametrize("kind,members", MAYBE, ids=str)
def test_a_complete_request_is_not_repeated(world, kind, members):
    """The message may have been sent. The prompt says so, and the code is still accepted."""
    world.gateway.fault(kind, deliver=True, **members)
    h, began = send(world)
    with h:
        text = h.prompt()
        assert time.monotonic() - began < GUARD
        assert text.startswith("A verification code may be on its way")
        assert len(world.gateway.requests()) == 1
        h.answer(world.gateway.last_code())
        assert h.result() == "ok"


@pytest.mark.parametrize("kind,members", NONSENSE, ids=str)
def test_nonsense_is_neither_success_nor_outage(world, kind, members):
    """An owner who has the number blocked must not make the provider look down."""
    world.gateway.fault(kind, **members)
    h, _ = send(world)
    with h:
        if kind in ("success_false", "wrong_types"):
            assert h.result() == "broken"
        else:
            assert "may be on its way" in h.prompt(), "nobody knows whether the message was sent"
    assert len(world.gateway.requests()) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 418, 422])
def test_an_unclassified_answer_is_no_outage(world, status):
    """Administrators may let `unavail` pass. So a wrong URL must not look like an outage."""
    world.gateway.fault("status", status=status)
    h, _ = send(world)
    with h:
        assert h.result() == "broken"


@pytest.mark.parametrize("status", [301, 302, 307, 408, 409, 425])
def test_an_answer_that_leaves_open_what_was_done_is_not_repeated(world, status):
    kind = "redirect" if status < 400 else "status"
    world.gateway.fault(kind, status=status)
    h, _ = send(world)
    with h:
        assert "may be on its way" in h.prompt()
    assert len(world.gateway.requests()) == 1 and not world.gateway.requests("/elsewhere/")


def test_a_rate_limit_of_the_provider_is_shown_as_a_limit(world):
    world.gateway.fault("status", status=429, retry_after=120)
    h, _ = send(world)
    with h:
        assert h.result() == "locked"
        assert h.shown == ["Too many verification codes were sent. Try again in 2 minutes."]


@pytest.mark.parametrize("listener", ["wrong_name", "cn_only", "expired", "future", "self_signed",
                                      "other_ca", "tls11"])
def test_every_wrong_certificate_is_refused(world, listener):
    """C10"""
    world.configure(base=world.gateway.urls[listener])
    h, _ = send(world)
    with h:
        assert h.result() == "unavail"
    assert not world.gateway.requests()


def test_plain_http_is_allowed_only_to_loopback(world):
    world.configure(base="http://192.0.2.1:1")
    with world.sign_in() as h:
        assert h.result() == "broken"
    assert "plain http may go to a literal loopback address alone" in h.log


def test_text_of_a_provider_never_reaches_log_or_terminal(world):
    """C15"""
    world.gateway.fault("escapes")
    h, _ = send(world)
    with h:
        kind, fields = h.recv()
        assert "\x1b" not in "".join(fields)
    assert "\x1b" not in h.log


def test_the_request_is_as_documented(world):
    h, _ = send(world)
    with h:
        h.prompt()
    request, = world.gateway.requests()
    assert request["verdict"] == 200
    assert request["method"] == "POST" and request["path"] == "/api/v1/auths/send/otp/"
    assert request["json"]["number"] == "9800000019"
    assert "{otp}" in request["json"]["message"]
    assert request["json"]["otp_options"] == "personnel"
    assert re.fullmatch(r"\d{6}", request["json"]["otp"])


@pytest.mark.parametrize("user", ['games"}', "ga\\mes", "${code}", "{otp}", "a\nb", "%0d%0a"])
def test_names_reach_the_wire_only_as_data(world, user):
    """The message contains the name of the service, which the host has chosen."""
    world.configure(otp="ask_first = never")
    with world.sign_in(service=user) as h:
        h.prompt()
    request, = world.gateway.requests()
    assert request["verdict"] == 200
    assert f"({user})" in request["json"]["message"]


def test_the_token_and_the_code_are_in_no_log(world):
    """C40"""
    h, _ = send(world, flags="debug")
    with h:
        h.prompt()
        code = world.gateway.last_code()
        h.send("X", "cancelled")
        h.result()
    assert code not in h.log and world.gateway.token not in h.log
    assert "9800000019" not in h.log

"""Providers that make the code and check it themselves."""

import json
import re
import time

import pytest

from conftest import MAILBOX, NUMBER
from wire import wait_until

KEY = ("publickey ssh-ed25519 "
       "AAAAC3NzaC1lZDI1NTE5AAAAIJ9LYVNAVnCUWJJcYdNnGxI4GHSmQVYvEhzbhaRfmc8v\n")
VERIFY = {"crego": "/otp/verify/", "bridgekeeper": "/login", "kgen": "/otp/verify"}
SEND = {"crego": "/otp/send/", "bridgekeeper": "/send-otp", "kgen": "/otp/register"}


def to_code(h):
    h.prompt()
    h.answer("")
    return h.prompt()


def wrong(code):
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def code_of(w):
    return w.gateway.wait_message(seconds=5)["code"]


def checks(w):
    return w.gateway.requests(VERIFY[w.provider])


def test_the_right_code_signs_in(remote):
    with remote.sign_in() as h:
        assert "was sent by SMS to +977 ******** 19" in to_code(h)
        h.answer(code_of(remote))
        assert h.result() == "ok"
    assert [r["verdict"] for r in checks(remote)] == [200]
    # All requests of a sign-in have the same ID: the send, the check, and those before and after them.
    asked = remote.gateway.requests()
    assert len(asked) >= 2 and {r["headers"]["x-request-id"] for r in asked} == {h.request_id}


def test_the_send_uses_the_connection_opened_during_the_first_question(crego):
    with crego.sign_in() as h:
        h.prompt()
        wait_until(lambda: crego.gateway.requests())
        time.sleep(0.1)
        h.answer("")
        h.prompt()
    assert len(crego.gateway.connections()) == 1
    assert [r["method"] for r in crego.gateway.requests()] == ["GET", "POST"]


@pytest.mark.parametrize("provider", ["crego", "bridgekeeper"])
def test_codes_by_email_too(request, provider):
    w = request.getfixturevalue(provider)
    w.configure(channel="email")
    with w.sign_in() as h:
        assert "was sent by e-mail to g***@m***.example" in to_code(h)
        h.answer(code_of(w))
        assert h.result() == "ok"


def test_a_check_reuses_the_connection_of_the_send(remote):
    with remote.sign_in() as h:
        to_code(h)
        h.answer(code_of(remote))
        assert h.result() == "ok"
    used = [r["conn"] for r in remote.gateway.requests()]
    check = next(i for i, r in enumerate(remote.gateway.requests())
                 if VERIFY[remote.provider] in r["path"])
    assert used[check] in used[:check], "a new handshake would cost three round trips"


@pytest.mark.parametrize("status", [400, 401, 403, 200])
def test_wrong_codes_are_refused_with_any_status(remote, status):
    remote.gateway.set(remote.provider, wrong=status)
    with remote.sign_in() as h:
        to_code(h)
        bad = wrong(code_of(remote))
        for left in "2 tries", "1 try":
            h.answer(bad)
            assert h.prompt().startswith(f"Wrong code, {left} left.")
        h.answer(bad)
        assert h.result() == "denied"
    assert len(checks(remote)) == 3
    assert bad not in h.log


def test_a_used_code_is_refused(remote):
    with remote.sign_in() as h:
        to_code(h)
        used = code_of(remote)
        h.answer(used)
        assert h.result() == "ok"
    with remote.sign_in() as h:
        to_code(h)
        if code_of(remote) != used:
            h.answer(used)
            assert "Wrong code" in h.prompt()


def test_a_resend_revokes_the_old_code(remote):
    remote.configure(extra="[limits]\nresend_wait = 0s\n")
    with remote.sign_in() as h:
        to_code(h)
        old = code_of(remote)
        h.answer("r")
        h.prompt()
        new = remote.gateway.wait_message(after=1)["code"]
        if old != new:
            h.answer(old)
            assert "Wrong code" in h.prompt()
        h.answer(new)
        assert h.result() == "ok"


def test_another_users_code_is_wrong(remote):
    remote.otpctl("contact", "add", "--force", "daemon", "--phone", "+9779800000028")
    with remote.sign_in() as h, remote.sign_in(user="daemon") as other:
        to_code(h)
        to_code(other)
        first = remote.gateway.outbox(None)[0]["code"]
        second = remote.gateway.outbox(None)[1]["code"]
        if first != second:
            h.answer(second)
            assert "Wrong code" in h.prompt()
        h.answer(first)
        assert h.result() == "ok"


def test_an_expired_code_is_refused(remote):
    remote.gateway.set(remote.provider, code_seconds=0)
    with remote.sign_in() as h:
        to_code(h)
        h.answer(code_of(remote))
        assert h.prompt().split(",")[0].split(".")[0] in ("Wrong code", "That code has ended")


@pytest.mark.parametrize("status", [404, 410])
def test_an_expiry_reported_by_the_provider_counts(crego, status):
    crego.gateway.set("crego", code_seconds=0, expired=status)
    with crego.sign_in() as h:
        to_code(h)
        h.answer(code_of(crego))
        assert h.prompt().startswith("That code has ended.")


AWAY = [("status", {"status": 500}), ("status", {"status": 503}), ("status", {"status": 418}),
        ("garbage", {}), ("empty", {}), ("hang", {}), ("drop", {}), ("drip", {}), ("deep", {}),
        ("bad_utf8", {}), ("nul", {}), ("duplicate_keys", {}), ("huge_body", {}),
        ("truncate_tls", {}), ("wrong_types", {})]


@pytest.mark.parametrize("kind,members", AWAY, ids=str)
def test_a_right_code_that_cannot_be_checked_is_refused(remote, kind, members):
    """The user reads that the code was not checked, or that it was wrong, never that it was right. This also holds
    if the provider has used the code up. The sign-in ends before its deadline."""
    with remote.sign_in() as h:
        to_code(h)
        code = code_of(remote)
        remote.gateway.fault(kind, path=VERIFY[remote.provider], deliver=False, **members)
        began = time.monotonic()
        h.answer(code)
        text = h.prompt()
        assert time.monotonic() - began < 14, "verify_timeout is 8 s"
        assert text.startswith(("The code could not be checked", "Wrong code"))
        remote.gateway.clear_faults()
        h.send("X", "cancelled")
        assert h.result() == "gone"


def test_a_user_who_hangs_up_during_a_check_has_used_a_try(remote):
    """The log, by which fail2ban counts, says so, and so does the store."""
    with remote.sign_in() as h:
        to_code(h)
        remote.gateway.fault("hang", path=VERIFY[remote.provider])
        h.answer(wrong(code_of(remote)))
        wait_until(lambda: checks(remote))
    assert re.search(r'event=signin result=gone .* wrong=1 reason="check: peer has gone"', h.log)


@pytest.mark.parametrize("provider", ["crego", "bridgekeeper"])
def test_a_stranger_does_not_end_the_code_of_a_known_source(request, provider):
    """There a new code ends the older one of the address. The stranger, who knows the password, sees a send."""
    w = request.getfixturevalue(provider)
    home = {"service": "sshd", "rhost": "192.0.2.1", "ssh_auth_info": KEY}
    with w.sign_in(**home) as h:
        to_code(h)
        h.answer(code_of(w))
        assert h.result() == "ok"
    with w.sign_in(**home) as owner:
        shown = to_code(owner)
        sent = w.gateway.outbox()
        assert len(sent) == 2
        with w.sign_in(service="sshd", rhost="203.0.113.9") as h:
            assert to_code(h) == shown
            asked = len(checks(w))
            h.answer(sent[-1]["code"])
            assert h.prompt().startswith("Wrong code, 2 tries left."), "even the owner's code"
            assert len(checks(w)) == asked, "no guess at the owner's code reaches the provider"
        assert len(w.gateway.outbox()) == 2
        owner.answer(sent[-1]["code"])
        assert owner.result() == "ok"
    assert 'detail="pretended: ' in h.log


def test_a_check_that_did_not_reach_the_provider_costs_no_try(crego):
    """The provider goes down between send and check."""
    crego.configure(extra="[limits]\nfailures = 1\n")
    with crego.sign_in() as h:
        to_code(h)
        code = code_of(crego)
        crego.gateway.stop()
        h.answer(code)
        assert h.prompt().startswith("The code could not be checked")
        crego.gateway.start()
        crego.gateway.clear()
        h.answer(code)
        assert "locked" not in h.prompt()


@pytest.mark.parametrize("status", [401, 402, 403, 429])
def test_a_check_that_reached_the_provider_costs_a_try(crego, status):
    """C29: else a provider that answers wrong codes in this way could be asked forever."""
    crego.configure(extra="[limits]\nfailures = 2\n")
    crego.gateway.fault("status", status=status, path=VERIFY["crego"])
    for _ in range(2):
        with crego.sign_in(rhost="192.0.2.7") as h:
            if h.prompt().startswith("Press Enter"):
                h.answer("")
                h.prompt()
            h.answer("000000")
            if status != 429:
                assert h.prompt().startswith(("The code could not be checked", "Wrong code"))
                h.send("X", "cancelled")
            h.result()
    with crego.sign_in(rhost="192.0.2.7") as h:
        assert h.result() == "locked"


def test_malformed_codes_reach_no_provider(remote):
    with remote.sign_in() as h:
        to_code(h)
        h.answer("12")
        assert h.prompt().startswith("A verification code has 4 to 8 digits, 2 tries left.")
    assert not checks(remote)


def test_a_joined_challenge_keeps_what_its_send_captured(remote):
    """sudo runs the stack three times. There is one message, and each check knows the challenge of its send."""
    same = {"rhost": "192.0.2.7"}
    with remote.sign_in(**same) as h:
        to_code(h)
        h.send("X", "cancelled")
        h.result()
    with remote.sign_in(**same) as h:
        assert h.prompt().startswith("A verification code was sent")
        h.answer(code_of(remote))
        assert h.result() == "ok"
    assert len(remote.gateway.outbox()) == 1


# Crego

@pytest.mark.parametrize("requires,variant", [("username", ""), ("value", "variant = value"),
                                              ("both", "variant = both")])
@pytest.mark.parametrize("answer", ["2024", "2025"])
def test_crego_names_the_address_as_configured(crego, requires, variant, answer):
    crego.gateway.set("crego", requires=requires, send_answer=answer)
    crego.configure(provider=variant)
    with crego.sign_in() as h:
        to_code(h)
        h.answer(code_of(crego))
        assert h.result() == "ok"


def test_crego_of_2024_is_refused_by_default(crego):
    """It gives the same answer to a right and to a wrong code."""
    crego.gateway.set("crego", verify_answer="2024")
    with crego.sign_in() as h:
        to_code(h)
        h.answer(code_of(crego))
        assert "Wrong code" in h.prompt()


def test_crego_of_2024_needs_a_variant_that_warns(crego):
    crego.gateway.set("crego", verify_answer="2024")
    crego.configure(provider="variant = message-only")
    with crego.sign_in() as h:
        to_code(h)
        h.answer(code_of(crego))
        assert h.result() == "ok"
    assert "warning" in crego.otpctl("config", "check").stderr + crego.otpctl(
        "config", "check").stdout


def test_crego_with_a_bearer_token(crego):
    crego.gateway.set("crego", bearer=True)
    crego.write("bearer", crego.gateway.secret("token", "crego") + "\n", 0o600)
    crego.configure(provider=f"token = file:{crego.dir}/bearer")
    with crego.sign_in() as h:
        to_code(h)
        h.answer(code_of(crego))
        assert h.result() == "ok"


def test_crego_without_the_bearer_token_it_requires(crego):
    crego.gateway.set("crego", bearer=True)
    with crego.sign_in() as h:
        h.prompt()
        h.answer("")
        assert h.result() == "unavail"


# Bridgekeeper

@pytest.mark.parametrize("kind", ["setup", "validation"])
def test_bridgekeeper_tfa_is_no_success(bridgekeeper, kind):
    bridgekeeper.gateway.set("bridgekeeper", tfa=kind)
    with bridgekeeper.sign_in() as h:
        to_code(h)
        h.answer(code_of(bridgekeeper))
        assert h.result() == "denied"
        assert "needs another step" in h.shown[0]


def test_bridgekeeper_is_logged_out_afterwards(bridgekeeper):
    with bridgekeeper.sign_in() as h:
        to_code(h)
        h.answer(code_of(bridgekeeper))
        assert h.result() == "ok"
    assert len(bridgekeeper.gateway.sessions("made")) == 1
    wait_until(lambda: bridgekeeper.gateway.live_sessions(provider="bridgekeeper") == 0)


@pytest.mark.parametrize("fault", ["hang", "drop"])
def test_a_failing_clean_up_does_not_change_the_result(bridgekeeper, fault):
    with bridgekeeper.sign_in() as h:
        to_code(h)
        bridgekeeper.gateway.fault(fault, path="/logout")
        h.answer(code_of(bridgekeeper))
        assert h.result() == "ok"


def test_bridgekeeper_does_not_send_to_unknown_accounts(bridgekeeper):
    bridgekeeper.gateway.set("bridgekeeper", accounts=[])
    with bridgekeeper.sign_in() as h:
        h.prompt()
        h.answer("")
        assert h.result() == "broken"
    request, = bridgekeeper.gateway.requests(SEND["bridgekeeper"])
    assert "always-send" not in request["json"]


def test_bridgekeeper_always_sends_if_configured(bridgekeeper):
    bridgekeeper.configure(provider="always_send = true")
    with bridgekeeper.sign_in() as h:
        to_code(h)
    request, = bridgekeeper.gateway.requests(SEND["bridgekeeper"])
    assert request["json"]["always-send"] is True


@pytest.mark.parametrize("variant,channel,cookie", [
    ("logged-in", "sms", "qt-auth"), ("logged-in", "email", "qt-auth"), ("tfa", "sms", "tfa-auth"),
    ("default-medium", "email", "qt-auth")])
def test_bridgekeeper_sends_to_the_account_of_a_cookie(bridgekeeper, variant, channel, cookie):
    """These are cases 3 and 4 of its documentation: the cookie is an attribute of the user, and the request has no
    address."""
    account = {"phone-number": NUMBER, "email": MAILBOX, cookie: "simulated-cookie"}
    bridgekeeper.gateway.set("bridgekeeper", accounts=[account])
    bridgekeeper.configure(channel=channel, provider=f"variant = {variant}")
    name = cookie.replace("-", "_")
    bridgekeeper.otpctl("attribute", "set", "games", "bridgekeeper", name, input="simulated-cookie\n")
    assert bridgekeeper.otpctl("attribute", "list", "games", "bridgekeeper").stdout == f"{name}\n"
    with bridgekeeper.sign_in() as h:
        to_code(h)
        h.answer(code_of(bridgekeeper))
        assert h.result() == "ok"
    sent, = bridgekeeper.gateway.requests(SEND["bridgekeeper"])
    assert sent["headers"]["cookie"] == f"{cookie}=simulated-cookie"
    assert not {"phone-number", "email"} & set(sent["json"] or {})
    assert (sent["json"] is None) == (variant == "default-medium")
    assert "simulated-cookie" not in h.log


# KGeN

def test_kgen_opens_one_session_for_each_user(kgen):
    for _ in range(2):
        with kgen.sign_in() as h:
            to_code(h)
            h.answer(kgen.gateway.outbox()[-1]["code"])
            assert h.result() == "ok"
    assert len(kgen.gateway.sessions("made", "kgen")) == 1


def test_kgen_renews_an_expired_session_once(kgen):
    with kgen.sign_in() as h:
        to_code(h)
        h.send("X", "cancelled")
        h.result()
    kgen.gateway.set("kgen", token_epoch=1)
    with kgen.sign_in(service="other") as h:
        to_code(h)
        h.answer(kgen.gateway.outbox()[-1]["code"])
        assert h.result() == "ok"
    assert len(kgen.gateway.sessions("made", "kgen")) == 2


def test_kgen_never_renews_for_a_check(kgen):
    """Status 401 of a check means a wrong code. A second check would use up a try at the provider."""
    with kgen.sign_in() as h:
        to_code(h)
        h.answer(wrong(code_of(kgen)))
        assert "Wrong code" in h.prompt()
    assert len(kgen.gateway.sessions("made", "kgen")) == 1
    assert len(checks(kgen)) == 1


def test_kgen_whose_tokens_never_work_is_down(kgen):
    kgen.gateway.set("kgen", token_seconds=0)
    with kgen.sign_in() as h:
        h.prompt()
        h.answer("")
        assert h.result() == "unavail"
    assert len(kgen.gateway.sessions("made", "kgen")) == 1
    assert len(kgen.gateway.requests(SEND["kgen"])) == 1


@pytest.mark.parametrize("variant,types", [("", "number"), ("variant = string", "string")])
def test_kgen_leading_zeros(kgen, variant, types):
    kgen.gateway.set("kgen", types=types, compare="number" if types == "number" else "text",
                     auth_code="0735", code="012345")
    kgen.configure(provider=variant)
    with kgen.sign_in() as h:
        to_code(h)
        h.answer("012345")
        assert h.result() == "ok"
    body = checks(kgen)[0]["json"]
    assert body["authCode"] == (735 if types == "number" else "0735")
    assert body["otp"] == (12345 if types == "number" else "012345")


@pytest.mark.parametrize("words", ["loyalty", "esports"])
def test_kgen_accepts_both_texts_of_success(kgen, words):
    kgen.gateway.set("kgen", message=words)
    with kgen.sign_in() as h:
        to_code(h)
        h.answer(code_of(kgen))
        assert h.result() == "ok"


def test_kgen_has_its_own_request_for_a_resend(kgen):
    kgen.configure(extra="[limits]\nresend_wait = 0s\n")
    with kgen.sign_in() as h:
        to_code(h)
        h.answer("r")
        h.prompt()
        h.answer(kgen.gateway.wait_message(after=1)["code"])
        assert h.result() == "ok"
    assert len(kgen.gateway.requests("/otp/resend")) == 1
    assert len(kgen.gateway.requests(SEND["kgen"])) == 1


# TingTing

def test_tingting_calls(world):
    world.configure(channel="voice")
    with world.sign_in() as h:
        assert "was sent by phone call to" in to_code(h)
        h.answer(world.gateway.last_code())
        assert h.result() == "ok"
    request, = world.gateway.requests()
    assert request["json"]["voice_input"] == "np_rija"


def test_tingting_may_make_the_code(world):
    world.configure(provider="variant = generated")
    with world.sign_in() as h:
        to_code(h)
        code = world.gateway.last_code()
        h.answer(wrong(code))
        assert "Wrong code" in h.prompt()
        h.answer(code)
        assert h.result() == "ok"
    request, = world.gateway.requests()
    assert request["json"]["otp_length"] == 6 and "otp" not in request["json"]


def test_tingting_that_replaces_the_code_is_logged(world):
    world.gateway.fault("echo")
    with world.sign_in() as h:
        to_code(h)
    assert "the provider replaced the code" in h.log


def test_the_credits_left_are_stored_for_the_administrator(world):
    assert "No provider has reported" in world.otpctl("status").stdout
    with world.sign_in() as h:
        to_code(h)
    row, = json.loads(world.otpctl("--json", "status").stdout)["credits"]
    assert (row["provider"], row["channel"]) == ("tingting", "sms") and row["left"] > 0
    assert "tingting" in world.otpctl("status").stdout


def test_a_low_credit_is_logged_as_a_warning(world):
    world.configure(provider="low_credits = 1000000")
    with world.sign_in() as h:
        to_code(h)
    assert "event=credits provider=tingting channel=sms left=" in h.log

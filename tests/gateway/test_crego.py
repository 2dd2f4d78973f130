"""The simulated Crego is as its documents say, with their contradictions."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import call, connect
from gateway import Gateway
from sim.faults import FaultError

OPTIONS = {"provider": "crego"}
BASE = "/v1/identity/auth/rego/otp"
PHONE = {"mode": "sms", "username": "9599976692"}
MAIL = {"mode": "email", "username": "jane@example.com"}


def send(gw, body=PHONE, **how):
    return call(gw, f"{BASE}/send/", body, **how)


def verify(gw, code, body=PHONE, **how):
    return call(gw, f"{BASE}/verify/", body | {"otp": code}, **how)


def wrong(gw):
    """A code that is not the live one."""
    return f"{(int(gw.last_code()) + 1) % 1000000:06}"


@pytest.mark.parametrize("body, channel", [(PHONE, "sms"), (MAIL, "email")])
def test_a_code_goes_out_and_signs_in_once(gw, body, channel):
    conn = connect(gw)
    answer = send(gw, body, conn=conn)
    assert answer.status == 200 and list(answer.json) == ["status", "message"]
    assert answer.json["status"] is True and answer.json["message"]["status_code"] == 202
    message, = gw.outbox(body["username"])
    assert message["channel"] == channel and message["code"] in message["text"]
    assert message["text"].startswith("Subject: ") == (channel == "email")
    assert len(message["code"]) == 6
    done = verify(gw, message["code"], body, conn=conn)
    assert (done.status, list(done.json)) == (200, ["access", "refresh"])
    claims = json.loads(base64.urlsafe_b64decode(done.json["access"].split(".")[1] + "=="))
    assert claims["user_id"] == body["username"] and claims["simulated"] is True
    assert verify(gw, message["code"], body).status == 400, "used once"
    assert [one["verdict"] for one in gw.requests()] == [200, 200, 400]
    assert {one["provider"] for one in gw.requests()} == {"crego"} and len(gw.connections()) == 2


def test_the_answers_of_2024_are_messages(gw):
    gw.set(send_answer="2024", verify_answer="2024")
    assert send(gw).json == {"message": "OTP sent successfully"}
    assert verify(gw, gw.last_code()).json == {"message": "OTP verified successfully"}


@pytest.mark.parametrize("status", [400, 401, 403, 200])
def test_a_wrong_code_is_answered_as_configured(gw, status):
    gw.set(wrong=status)
    send(gw)
    bad = verify(gw, wrong(gw))
    assert (bad.status, bad.json) == (status, {"message": "Invalid OTP"})
    assert verify(gw, gw.last_code()).json["access"], "a wrong one does not use up the right one"


def test_only_the_newest_code_of_a_mode_and_address_is_valid(gw):
    send(gw)
    first = gw.last_code()
    gw.set(code="000000" if first != "000000" else "000001")
    send(gw)
    assert verify(gw, first).status == 400
    send(gw, MAIL)
    send(gw, PHONE | {"username": "9599976693"})
    assert verify(gw, gw.last_code(), PHONE | {"username": "9599976694"}).status == 400
    assert verify(gw, gw.last_code("9599976692")).status == 200, "others leave it alone"


def test_one_of_many_parallel_checks_uses_the_code(gw):
    send(gw)
    code = gw.last_code()
    with ThreadPoolExecutor(16) as threads:
        seen = list(threads.map(lambda _: verify(gw, code).status, range(16)))
    assert sorted(seen) == [200] + [400] * 15


def test_a_code_expires_as_configured(gw):
    send(gw)
    gw.set(code_seconds=0, expired=410)
    late = verify(gw, gw.last_code())
    assert (late.status, late.json) == (410, {"message": "OTP expired"})
    assert verify(gw, wrong(gw)).status == 400
    gw.set(expired=None, wrong=403)
    assert verify(gw, gw.last_code()).status == 403


VALUE = {"mode": "sms", "value": "9599976692"}


@pytest.mark.parametrize("requires, good, bad", [
    ("username", [PHONE], [VALUE, PHONE | VALUE]), ("value", [VALUE], [PHONE, PHONE | VALUE]),
    ("both", [PHONE | VALUE], [PHONE, VALUE, PHONE | {"value": "9599976693"}]),
    ("either", [PHONE, VALUE, PHONE | VALUE], [{"mode": "sms"}])])
def test_the_member_for_the_address_is_configurable(gw, requires, good, bad):
    gw.set(requires=requires)
    for body in good:
        assert send(gw, body).status == 200 and verify(gw, gw.last_code(), body).status == 200
    for body in bad:
        assert send(gw, body).status == 400 and verify(gw, "123456", body).status == 400
    gw.set(unknown="ignore")
    assert requires == "both" or send(gw, PHONE | VALUE | {"x": [1]}).status == 200


@pytest.mark.parametrize("body, member", [
    *[({k: v for k, v in PHONE.items() if k != name}, name) for name in PHONE],
    *[(PHONE | {name: value}, name) for name in PHONE for value in (1, None, "", [], True)],
    *[(PHONE | {name: value}, name) for name, value in [
        ("mode", "SMS"), ("mode", "text"), ("username", "+919599976692"), ("otp", "123456"),
        ("username", "959997669"), ("username", "٩599976692"), ("username", "jane@example.com"),
        ("username", "9599976692\n")]],
    (MAIL | {"username": "9599976692"}, "username"), ([PHONE], "non_field_errors")])
def test_the_refusal_names_the_undocumented_member(gw, body, member):
    refused = send(gw, body)
    assert (refused.status, list(refused.json)) == (400, [member]) and not gw.outbox()


@pytest.mark.parametrize("otp", [250254, None, "", ["250254"]])
def test_the_code_must_be_a_string(gw, otp):
    gw.set(code="250254")
    send(gw)
    refused = verify(gw, otp)
    assert (refused.status, list(refused.json)) == (400, ["otp"])
    assert verify(gw, "250254").status == 200


def test_the_last_slash_is_significant(gw):
    for path in (f"{BASE}/send", f"{BASE}/verify"):
        gw.set(slashless=301)
        moved = call(gw, path, PHONE)
        assert (moved.status, moved.headers["Location"]) == (301, path + "/")
        gw.set(slashless=500)
        assert call(gw, path, PHONE).status == 500
    assert not gw.outbox() and {one["verdict"] for one in gw.requests()} == {301, 500}


@pytest.mark.parametrize("status, how", [
    (405, {"method": "GET", "body": None}), (405, {"method": "PUT"}),
    (404, {"path": "/v1/identity/auth/other/otp/send/"}), (404, {"path": f"{BASE}/resend/"}),
    (404, {"path": f"{BASE}/send//"}), (400, {"path": f"{BASE}/send/?a=b"}),
    (415, {"headers": {"Content-Type": "application/x-www-form-urlencoded"}}),
    (415, {"headers": {"Content-Type": None}}), (400, {"body": b"{"}), (400, {"body": b"\xff"}),
    (400, {"body": b'{"mode":"sms","mode":"sms","username":"9599976692"}'}),
    (401, {"headers": {"Authorization": "Bearer x"}})])
def test_a_wrong_request_is_refused(gw, status, how):
    assert call(gw, **{"path": f"{BASE}/send/", "body": PHONE} | how).status == status
    assert gw.requests()[0]["verdict"] == status and not gw.outbox()


def test_a_bearer_token_is_required_if_configured(gw):
    right = {"Authorization": f"Bearer {gw.secret('token')}"}
    assert send(gw, headers=right).status == send(gw).status == 200
    gw.set(bearer=True)
    assert (send(gw).status, verify(gw, gw.last_code()).status) == (401, 401)
    assert verify(gw, gw.last_code(), headers=right).status == 200
    assert "not-a-secret" in gw.secret("token")


def test_a_check_that_a_fault_hides_does_not_use_up_the_code(gw):
    send(gw)
    gw.fault("status", status=503, path="/verify/")
    assert verify(gw, gw.last_code()).status == 503
    gw.fault("success_false")
    refused = verify(gw, gw.last_code())
    assert refused.status == 200 and "access" not in refused.json
    gw.fault("wrong_types", deliver=False)
    assert isinstance(verify(gw, gw.last_code()).json["access"], list)
    gw.clear_faults()
    assert verify(gw, gw.last_code()).status == 200
    gw.fault("drop", deliver=True, path="/verify/", times=1)
    send(gw)
    with pytest.raises(ConnectionError):
        verify(gw, gw.last_code())
    assert verify(gw, gw.last_code()).status == 400, "it was used up though the answer was lost"


def test_a_send_that_a_fault_hides_leaves_the_older_code_valid(gw):
    send(gw)
    gw.fault("success_false")
    refused = send(gw).json
    assert refused["status"] is refused["message"]["status"] is False and len(gw.outbox()) == 1
    gw.clear_faults()
    assert verify(gw, gw.last_code()).status == 200


def test_tenant_and_token_file_can_be_chosen(tmp_path):
    (tmp_path / "token").write_text("test-token-of-acme\n")
    with Gateway(provider="crego", tenant="acme", crego_token_file=tmp_path / "token") as acme:
        acme.set(bearer=True)
        path, right = "/v1/identity/auth/acme/otp/send/", "Bearer test-token-of-acme"
        assert call(acme, path, PHONE, headers={"Authorization": right}).status == 200
        assert send(acme).status == 404


# Switches

def test_an_unknown_switch_is_an_error(gw):
    for values in ({"wrongs": 400}, {"wrong": 404}, {"bearer": 1}, {"code": "12a"},
                   {"code_seconds": -1}, {"code_length": 3}):
        with pytest.raises(FaultError):
            gw.set(**values)
    with pytest.raises(ValueError, match="crego"):
        gw.set("kgen", wrong=400)
    with open(f"{gw.folder}/options.json", "w", encoding="ascii") as out:
        out.write('{"crego": {"wrong": 404}}')
    with pytest.raises(OSError):
        send(gw)
    with pytest.raises(RuntimeError, match="wrong takes 400, 401, 403, 200"):
        gw.clear()


def test_switches_add_up_and_end_with_clear(gw):
    gw.set(code="111111")
    gw.set(code_length=8, leading_zero=True)
    send(gw)
    assert gw.last_code() == "111111"
    gw.set(code=None)
    send(gw)
    assert len(gw.last_code()) == 8 and gw.last_code().startswith("0")
    code = gw.last_code()
    gw.clear()
    assert verify(gw, code).status == 400, "it remembers nothing"
    send(gw)
    assert len(gw.last_code()) == 6

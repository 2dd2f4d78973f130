"""The simulated TingTing is as its documents say, and as strict."""

import json

import pytest

from client import GOOD, SEND, VOICE, send, without
from gateway import Gateway


def test_the_answer_to_a_text_is_as_documented(gw):
    status, body, headers = send(gw)
    answer = json.loads(body)
    left = answer["data"]["details"]["remaining_sms_credits"]
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert answer == {
        "status": 200, "success": True, "message": "OTP Sent Successfully.", "errors": [],
        "data": {"details": {
            "number": "9851023212", "otp_options": "personnel",
            "message": "Hi your OTP is 012345", "otp": "012345", "sms_send_options": "text",
            "credits_used": 1, "remaining_sms_credits": left, "remaining_phone_credits": 127,
            "company_name": "prixa"}}}
    assert json.loads(send(gw)[1])["data"]["details"]["remaining_sms_credits"] == left - 1


def test_the_answer_to_a_call_is_as_documented_and_digits_are_spoken(gw):
    details = json.loads(send(gw, VOICE)[1])
    assert details["message"] == "OTP Call Initiated Successfully."
    assert list(details["data"]["details"])[-3:] == ["voice_input", "length_factor", "company_name"]
    assert details["data"]["details"]["length_factor"] == 1.0
    spoken = gw.outbox()[0]
    assert (spoken["channel"], spoken["text"]) == ("voice", "Hi your OTP is 0 1 2 3 4 5")


@pytest.mark.parametrize("body, member", [
    *[(without(name), name) for name in ("number", "message", "sms_send_options", "otp",
                                         "company_name")],
    *[(GOOD | {name: 1}, name) for name in GOOD], *[(GOOD | {name: ""}, name) for name in GOOD],
    *[(GOOD | {name: value}, name) for name, value in [
        ("sms_send_options", "sms"), ("otp_options", "personal"), ("otp", None), ("otp_length", 6),
        ("number", "+9779851023212"), ("number", "985102321"), ("number", "٩851023212"),
        ("message", "Your code"), ("message", "Your {OTP}"), ("sms_send_option", "text")]],
    (without("voice_input", VOICE), "voice_input"), (without("otp_options"), "otp"),
    ([GOOD], "non_field_errors"), ("text", "non_field_errors")])
def test_the_refusal_names_the_undocumented_member(gw, body, member):
    status, answer, _ = send(gw, body)
    assert (status, list(json.loads(answer))) == (400, [member])
    assert isinstance(json.loads(answer)[member][0], str) and not gw.outbox()


@pytest.mark.parametrize("body", [
    b"", b"{", json.dumps(GOOD).encode()[:-1] + b',"otp":"1"}', b'{"number":NaN}', b'{"a":"\xff"}',
    b"\xef\xbb\xbf{}", b"[" * 100000])
def test_a_body_that_is_not_strict_json_is_refused(gw, body):
    status, answer, _ = send(gw, body)
    assert status == 400 and json.loads(answer)["detail"].startswith("JSON parse error")


@pytest.mark.parametrize("status, how", [
    (401, {"headers": {"Authorization": None}}), (401, {"headers": {"Authorization": "Bearer x"}}),
    (401, {"headers": {"Authorization": "bearer"}}), (404, {"path": SEND[:-1]}),
    (404, {"path": SEND + "/"}), (404, {"path": "/api/system/send/otp/"}),
    (400, {"path": SEND + "?otp=1"}), (405, {"method": "GET", "body": None}),
    (405, {"method": "PUT"}), (415, {"headers": {"Content-Type": "text/plain"}}),
    (415, {"headers": {"Content-Type": "application/x-www-form-urlencoded"}}),
    (415, {"headers": {"Content-Type": None}})])
def test_a_wrong_request_is_refused(gw, status, how):
    assert send(gw, **how)[0] == status
    assert gw.requests()[0]["verdict"] == status and not gw.outbox()


def test_generated_codes_and_the_other_generations():
    generated = without("otp") | {"otp_options": "generated"}
    absent = without("company_name")
    with Gateway(generation="g3", credits=4) as g3:
        assert send(g3, absent)[0] == send(g3, generated | {"otp_length": 8})[0] == 200
        assert len(g3.last_code()) == 8
        assert send(g3, generated | {"otp_length": "8"})[0] == 400
        assert send(g3, VOICE | {"voice_input": "np_rija2"})[0] == 400
        answer = json.loads(send(g3, without("otp", without("otp_options")))[1])["data"]["details"]
        assert answer["otp"] == g3.last_code() and len(answer["otp"]) == 6
        assert "company_name" not in answer and answer["otp_options"] == "generated"
        assert [send(g3)[0], send(g3)[0]] == [200, 402], "four credits are four messages"
    with Gateway(generation="g0") as g0:
        assert send(g0)[0] == 404
        body = send(g0, generated | {"otp_length": "4"}, path="/api/system/send/otp/")[1]
        details = json.loads(body)["data"]["details"]
        assert "credits_used" not in details and len(g0.last_code()) == 4
        assert details["message"].endswith(" ".join(g0.last_code()))
    with Gateway(generation="g1") as g1:
        assert "remaining_credits" in json.loads(send(g1, absent)[1])["data"]["details"]
        listed = json.loads(send(g1, None, path="/api/v1/auths/list/send-otps/?limit=1",
                                 method="GET")[1])
        assert listed["count"] == 1 and listed["results"]["data"][0]["otp"] == "012345"


def credits_left(gw, body=GOOD):
    status, answer, _ = send(gw, body)
    details = json.loads(answer).get("data", {}).get("details", {})
    return status, details.get("remaining_sms_credits"), details.get("remaining_phone_credits")


def test_each_message_uses_a_credit_of_its_channel(gw):
    gw.set("tingting", credits=2)
    assert [credits_left(gw), credits_left(gw, VOICE)] == [(200, 1, 2), (200, 1, 1)]
    assert [credits_left(gw), credits_left(gw)] == [(200, 0, 1), (402, None, None)]
    assert credits_left(gw, VOICE) == (200, 0, 0) and len(gw.outbox()) == 4
    gw.set("tingting", credits=1)
    gw.fault("status", status=500, times=1)
    assert [credits_left(gw)[0], credits_left(gw)] == [500, (200, 0, 1)], "a fault costs nothing"
    gw.clear()
    assert credits_left(gw) == (200, 126, 127)


def test_an_echo_fault_changes_the_answer_but_not_the_message(gw):
    gw.fault("echo", code="111111")
    details = json.loads(send(gw)[1])["data"]["details"]
    assert (details["otp"], gw.last_code()) == ("111111", "012345")


def test_a_generated_code_is_in_the_answer_and_can_be_chosen(gw):
    gw.set("tingting", code="0007")
    body = without("otp", VOICE) | {"otp_options": "generated", "otp_length": 4}
    details = json.loads(send(gw, body)[1])["data"]["details"]
    assert details["otp"] == "0007" == gw.last_code()
    assert gw.outbox()[0]["text"] == "Hi your OTP is 0 0 0 7"
    gw.clear()
    made = {json.loads(send(gw, body)[1])["data"]["details"]["otp"] for _ in range(5)}
    assert len(made) > 1 and all(len(one) == 4 and one.isdigit() for one in made)

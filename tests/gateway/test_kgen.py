"""The simulated KGeN is as its documents say, and as strict."""

import re

import pytest

from client import call, connect
from gateway import Gateway
from sim import codes

OPTIONS = {"provider": "kgen"}
OTP = "/fe/users/auth/otp"
BODY = {"phone_number": "9876543219", "countryCode": "+91"}
NUMBER = "+919876543219"


def session(gw, user="alice", path="/s2s/session", headers=None, **how):
    usual = {"x-client-id": gw.secret("client_id"), "x-client-secret": gw.secret("client_secret")}
    return call(gw, path, {"user_id": user} if isinstance(user, str) else user,
                headers=usual | (headers or {}), **how)


def ask(gw, what, token, body=None, **how):
    return call(gw, f"{OTP}/{what}", BODY if body is None else body,
                headers={"user-jwt-token": token}, **how)


def verify(gw, token, auth, code, **more):
    return ask(gw, "verify", token, BODY | {"authCode": auth, "otp": code} | more)


@pytest.fixture
def token(gw):
    return session(gw).json["access_token"]


def registered(gw, token):
    """Registers. Returns authCode and code as numbers."""
    return int(ask(gw, "register", token).json["authCode"]), int(gw.last_code())


def test_session_register_and_verify_link_the_phone(gw):
    conn = connect(gw)
    made = session(gw, conn=conn).json
    assert made["is_new_user"] is True and made["linked_phone"] == "" and made["refresh_token"]
    assert {"session_id", "user_id", "third_party_client_id", "namespaced_third_party_user_id",
            "wallet_address", "session_start_time"} < set(made)
    token = made["access_token"]
    answer = ask(gw, "register", token, conn=conn)
    assert (answer.status, list(answer.json)) == (200, ["authCode", "isNewUser"])
    assert re.fullmatch("[0-9]{4}", answer.json["authCode"]) and answer.json["isNewUser"] is True
    message, = gw.outbox(NUMBER)
    assert len(message["code"]) == 6 and message["code"] in message["text"]
    assert message["channel"] == "sms" and answer.json["authCode"] not in message["text"]
    numbers = int(answer.json["authCode"]), int(message["code"])
    done = verify(gw, token, *numbers)
    assert (done.status, done.json) == (200, {"message": "Users linked successfully"})
    assert verify(gw, token, *numbers).status == 401, "used once"
    again = session(gw, path="/s2s/session/").json
    assert (again["is_new_user"], again["linked_phone"]) == (False, NUMBER)
    assert ask(gw, "register", token).json["isNewUser"] is False
    assert len(gw.sessions("made", user="alice")) == 2 and not gw.sessions(user="bob")


def test_both_texts_of_success(gw, token):
    gw.set(message="esports")
    assert verify(gw, token, *registered(gw, token)).json == {
        "message": "Phone number verified successfully"}


@pytest.mark.parametrize("status, body", [
    (401, "UN_AUTHORIZED"), *[(one, {"message": "Invalid OTP"}) for one in (400, 403, 422, 500,
                                                                            200)]])
def test_a_wrong_code_is_answered_as_configured(gw, token, status, body):
    gw.set(wrong=status, auth_code="2735", code="596097")
    auth, code = registered(gw, token)
    for bad in ((auth, (code + 1) % 10 ** 6), ((auth + 1) % 10 ** 4, code), (code, auth)):
        refused = verify(gw, token, *bad)
        assert (refused.status, refused.json) == (status, body)
    other = session(gw, "bob").json["access_token"]
    assert verify(gw, other, auth, code).status == status, "it is another user's"
    assert verify(gw, token, auth, code, phone_number="9876543218").status == status
    assert verify(gw, token, auth, code, countryCode="+977").status == status
    assert verify(gw, token, auth, code).status == 200
    gw.set(wrong=401, unauthorized="object")
    assert verify(gw, token, auth, code).json == {"message": "UN_AUTHORIZED"}


@pytest.mark.parametrize("how", ["resend", "register"])
def test_a_resend_replaces_the_auth_code(gw, token, how):
    gw.set(code="000001")
    first, _ = registered(gw, token)
    gw.set(code="000002")
    second = int(ask(gw, how, token).json["authCode"])
    assert second != first and len(gw.outbox()) == 2
    for dead in ((first, 1), (second, 1), (first, 2)):
        assert verify(gw, token, *dead).status == 401
    assert verify(gw, token, second, 2).status == 200


def test_a_new_auth_code_differs_from_the_last_one():
    assert {codes.digits(1, unlike="7") for _ in range(500)} == set("012345689")


def test_a_resend_may_deliver_the_same_code(gw, token):
    gw.set(resend_code="same")
    first, code = registered(gw, token)
    second = int(ask(gw, "resend", token).json["authCode"])
    assert int(gw.last_code()) == code and len(gw.outbox()) == 2
    assert verify(gw, token, first, code).status == 401
    assert verify(gw, token, second, code).status == 200


def test_a_resend_without_a_code_is_refused(gw, token):
    missing = ask(gw, "resend", token)
    assert (missing.status, missing.json) == (500, {"message": "RECORD_NOT_FOUND"})
    assert not gw.outbox()


@pytest.mark.parametrize("types, compare, good, bad", [
    ("number", "number", [(735, 12345)], [("0735", "012345"), ("735", 12345), (735, "012345"),
                                          (735.0, 12345), (-735, 12345), (True, 12345)]),
    ("string", "number", [("0735", "012345"), ("735", "12345")], [(735, 12345), ("0735", 12345),
                                                                  ("0735 ", "012345")]),
    ("string", "text", [("0735", "012345")], [(735, 12345), ("735", "12345")]),
    ("either", "number", [(735, "012345"), ("0735", 12345)], [(None, 12345), ([735], 12345)]),
    ("number", "text", [], [(735, 12345)])])
def test_leading_zeros_and_the_types_of_verify(gw, token, types, compare, good, bad):
    gw.set(auth_code="0735", code="012345", types=types, compare=compare)
    for pair, status in [(one, 200) for one in good] + [(one, None) for one in bad]:
        assert ask(gw, "register", token).json["authCode"] == "0735"
        assert gw.last_code() == "012345"
        seen = verify(gw, token, *pair).status
        assert seen == 200 if status else seen in (400, 401), pair


def test_leading_zeros_can_be_forced(gw, token):
    gw.set(leading_zero=True)
    auth = ask(gw, "register", token).json["authCode"]
    assert (len(auth), len(gw.last_code())) == (4, 6)
    assert auth[0] == gw.last_code()[0] == "0"
    assert verify(gw, token, int(auth), int(gw.last_code())).status == 200


def test_expired_and_unknown_tokens_are_unauthorized(gw, token):
    gw.set(token_epoch=1)
    for what in ("register", "resend", "verify"):
        refused = ask(gw, what, token)
        assert (refused.status, refused.json) == (401, "UN_AUTHORIZED")
    fresh = session(gw).json["access_token"]
    assert ask(gw, "register", fresh).status == 200 and ask(gw, "register", token).status == 401
    assert len(gw.sessions("made", user="alice")) == 2
    gw.set(token_seconds=0)
    assert ask(gw, "register", fresh).status == 401
    assert ask(gw, "register", session(gw).json["access_token"]).status == 401, "no renewal helps"
    gw.clear()
    for bad in (None, "", "x", token):
        assert ask(gw, "register", bad).status == 401
    assert not gw.outbox()


def test_a_code_expires_as_configured(gw, token):
    auth, code = registered(gw, token)
    gw.set(code_seconds=0)
    assert verify(gw, token, auth, code).status == 401
    gw.set(expired=410)
    assert verify(gw, token, auth, code).json == {"message": "Invalid OTP"}
    gw.set(code_seconds=600)
    assert verify(gw, token, auth, code).status == 200


@pytest.mark.parametrize("headers", [{"x-client-id": None}, {"x-client-secret": None},
                                     {"x-client-id": "x"}, {"x-client-secret": "x"}])
def test_a_session_needs_both_credentials(gw, headers):
    assert session(gw, headers=headers).status == 500, "all that the documents know"
    gw.set(bad_client=401)
    assert session(gw, headers=headers).json == "UN_AUTHORIZED" and not gw.sessions()


@pytest.mark.parametrize("body", [{}, {"user_id": ""}, {"user_id": 1}, {"user_id": "a b"}, [1],
                                  {"user_id": "a", "userId": "a"}, {"user_id": "a", "email": 1}])
def test_a_session_needs_a_user(gw, body):
    assert session(gw, body).status == 400 and not gw.sessions()
    assert session(gw, {"user_id": "a", "email": "a@b.c", "device_model": "x"}).status == 200


def bad_bodies():
    yield from [{k: v for k, v in BODY.items() if k != name} for name in BODY]
    yield from [BODY | {"phone_number": value} for value in (
        9876543219, "+919876543219", "987654321", "98765४3219", "", None)]
    yield from [BODY | {"countryCode": value} for value in ("91", "+", 91, "XX", "+9191")]
    yield from [BODY | {"phoneNumber": "1"}, [BODY], BODY | {"user_id": "alice"}]


@pytest.mark.parametrize("body", bad_bodies())
def test_an_undocumented_body_is_refused(gw, token, body):
    auth, code = registered(gw, token)
    for what in ("register", "resend"):
        refused = ask(gw, what, token, body)
        assert refused.status == 400 and refused.json["message"]
    if isinstance(body, dict):
        body = body | {"authCode": auth, "otp": code}
    assert ask(gw, "verify", token, body).status == 400 and len(gw.outbox()) == 1
    assert verify(gw, token, auth, code).status == 200


@pytest.mark.parametrize("status, path, how", [
    (404, f"{OTP}/register/", {}), (404, "/fe/users/auth/otp", {}),
    (405, f"{OTP}/register", {"method": "GET", "body": None}), (400, f"{OTP}/register?a=b", {}),
    (415, f"{OTP}/register", {"headers": {"Content-Type": "text/plain"}}),
    (401, f"{OTP}/register", {"headers": {"Authorization": "Bearer x", "user-jwt-token": None}}),
    (400, f"{OTP}/register", {"body": b'{"otp":1,"otp":1}'})])
def test_a_wrong_request_is_refused(gw, token, status, path, how):
    how = {"body": BODY} | how
    how["headers"] = {"user-jwt-token": token} | how.get("headers", {})
    assert call(gw, path, **how).status == status
    assert gw.requests()[-1]["verdict"] == status and not gw.outbox()


def test_a_request_that_a_fault_hides_changes_nothing(gw, token):
    auth, code = registered(gw, token)
    gw.fault("success_false")
    assert verify(gw, token, auth, code).json == {"message": "Invalid OTP"}
    assert "authCode" not in ask(gw, "resend", token).json and len(gw.outbox()) == 1
    lost = session(gw, "bob").json
    assert "access_token" not in lost and not gw.sessions(user="bob")
    gw.fault("status", status=401, path="/verify", times=1)
    assert verify(gw, token, auth, code).status == 401
    gw.clear_faults()
    assert verify(gw, token, auth, code).status == 200
    gw.fault("wrong_types")
    assert isinstance(ask(gw, "register", token).json["authCode"], dict)


def test_with_all_providers_a_switch_must_name_one():
    with Gateway() as every:
        assert set(every.ready["providers"]) == {"crego", "bridgekeeper", "kgen", "smtp", "tingting"}
        assert every.token == every.secret("token", "tingting") != every.secret("token", "crego")
        with pytest.raises(ValueError, match="say which"):
            every.set(wrong=400)
        every.set("kgen", wrong=400)
        every.set("crego", wrong=403)
        every.set("kgen", code="012345")
        body = {"mode": "sms", "username": "9599976692", "otp": "1"}
        assert call(every, "/v1/identity/auth/rego/otp/verify/", body).status == 403
        assert call(every, "/api/auth/v1/users/send-otp", {"email": "a@b.cd"}).status == 200
        assert call(every, f"{OTP}/register", BODY).status == 401
        assert [one["provider"] for one in every.requests()] == ["crego", "bridgekeeper", "kgen"]
    with Gateway(provider="tingting") as one:
        assert call(one, f"{OTP}/register", BODY).status == 404 and one.token

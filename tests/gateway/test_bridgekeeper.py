"""The simulated Bridgekeeper is as its documents say, and as strict."""

import json
import subprocess

import pytest

from client import call, connect
from gateway import Gateway
from sim.faults import FaultError

OPTIONS = {"provider": "bridgekeeper"}
BASE = "/api/auth/v1"
NUMBER, EMAIL = "+919898989898", "jane@example.com"
PHONE, MAIL = {"phone-number": NUMBER}, {"email": EMAIL}
BOTH = PHONE | MAIL


def send(gw, body=PHONE, **how):
    return call(gw, f"{BASE}/users/send-otp", body, **how)


def login(gw, code, body=PHONE, **how):
    return call(gw, f"{BASE}/login", body | {"otp": code}, **how)


def ask(gw, path, cookie=None, header=None):
    headers = {"Cookie": cookie and f"qt-auth={cookie}", "x-qt-auth": header}
    return call(gw, BASE + path, method="GET", headers=headers)


def signed_in(gw, body=PHONE):
    """Signs in, and returns the qt-auth cookie."""
    send(gw, body)
    return login(gw, gw.last_code(), body).cookie("qt-auth")


def wrong(gw):
    return f"{(int(gw.last_code()) + 1) % 100000:05}"


@pytest.mark.parametrize("body, channel, key", [
    (PHONE, "sms", "phone-number"), (MAIL, "email", "email")])
def test_a_code_goes_out_and_signs_in_once(gw, body, channel, key):
    conn = connect(gw)
    answer = send(gw, body, conn=conn)
    assert answer.status == 200 and "error" not in answer.json
    message, = gw.outbox(body[key])
    assert message["channel"] == channel and message["code"] in message["text"]
    assert len(message["code"]) == 5, "the length of the documents' example"
    done = login(gw, message["code"], body, conn=conn)
    assert (done.status, list(done.json)) == (200, ["user"])
    assert done.json["user"]["id"] and done.json["user"][key] == body[key]
    assert done.cookie("qt-auth") and not done.cookie("tfa-auth")
    assert len(gw.connections()) == 1
    replay = login(gw, message["code"], body)
    assert replay.status == 401 and replay.cookie("qt-auth") is None


def test_a_session_is_valid_until_logout(gw):
    qt = signed_in(gw)
    assert gw.live_sessions(NUMBER) == 1 and gw.sessions("made")[0]["session"] == qt
    for how in ({"cookie": qt}, {"header": qt}):
        assert ask(gw, "/users/me", **how).json["active-sessions-count"] == 1
        assert ask(gw, "/sessions/validate", **how).status == 200
    other = signed_in(gw)
    assert gw.live_sessions(NUMBER) == 2
    gone = ask(gw, "/logout", header=qt)
    assert (gone.status, gone.body) == (204, b"")
    assert [one["session"] for one in gw.sessions("ended", user=NUMBER)] == [qt]
    assert ask(gw, "/users/me", header=other).json["active-sessions-count"] == 1
    for path in ("/users/me", "/sessions/validate", "/logout"):
        refused = ask(gw, path, header=qt)
        assert refused.status == 401 and "please Login" in refused.json["error"]["message"]
        assert ask(gw, path).status == 401
    assert gw.live_sessions() == 1


@pytest.mark.parametrize("switches, status, body", [
    *[({"wrong": status}, status, {"error": {"message": "Invalid OTP"}})
      for status in (400, 401, 403, 422)],
    ({"wrong": 200}, 200, {"message": "Invalid OTP"}),
    ({"wrong": 200, "wrong_shape": "error"}, 200, {"error": {"message": "Invalid OTP"}}),
    ({"wrong": 400, "wrong_shape": "message"}, 400, {"message": "Invalid OTP"})])
def test_a_wrong_code_is_answered_as_configured(gw, switches, status, body):
    gw.set(**switches)
    send(gw)
    bad = login(gw, wrong(gw))
    assert (bad.status, bad.json, bad.headers["Set-Cookie"]) == (status, body, None)
    assert login(gw, gw.last_code(), MAIL).status == status, "another user's code"
    assert not gw.live_sessions() and login(gw, gw.last_code()).json["user"]


def test_a_new_code_replaces_the_old_one_and_codes_expire(gw):
    gw.set(code="00000")
    send(gw)
    gw.set(code="00001")
    send(gw)
    assert login(gw, "00000").status == 401
    gw.set(code_seconds=0, expired=410)
    assert login(gw, "00001").json == {"error": {"message": "OTP has expired"}}
    gw.set(code_seconds=60)
    assert login(gw, "00001").status == 200


@pytest.mark.parametrize("tfa", ["setup", "validation"])
def test_status_200_with_a_second_factor_is_no_login(gw, tfa):
    gw.set(accounts=[PHONE | {"tfa": tfa}, MAIL])
    send(gw)
    assert login(gw, wrong(gw)).status == 401
    answer = login(gw, gw.last_code())
    assert (answer.status, list(answer.json)) == (200, ["code", "message"])
    assert answer.json["code"] == f"tfa-{tfa}-is-required"
    assert answer.cookie("tfa-auth") and answer.cookie("qt-auth") is None
    assert not gw.live_sessions() and ask(gw, "/users/me", answer.cookie("tfa-auth")).status == 401
    assert signed_in(gw, MAIL)
    gw.set(accounts=None, tfa=tfa)
    assert signed_in(gw, MAIL) is None


@pytest.mark.parametrize("cookie", ["qt-auth", "tfa-auth"])
def test_a_logged_in_user_may_omit_the_address(gw, cookie):
    gw.set(accounts=[BOTH | {cookie: "test-cookie"}])
    headers = {"Cookie": f"{cookie}=test-cookie"}
    assert send(gw, b"", headers=headers | {"Content-Type": None}).status == 200
    assert send(gw, {}, headers=headers).status == 200
    assert [one["channel"] for one in gw.outbox(EMAIL)] == ["email"] * 2, "the default medium"
    assert login(gw, gw.last_code(), PHONE).status == 401, "it went to the other address"
    assert login(gw, gw.last_code(), MAIL).status == 200
    assert send(gw, {"mediums": ["phone-number"]}, headers=headers).status == 200
    assert login(gw, gw.last_code(NUMBER)).json["user"]["email"] == EMAIL
    assert send(gw, {"mediums": ["phone-number", "email"]}, headers=headers).status == 200
    assert gw.outbox()[-1]["code"] == gw.outbox()[-2]["code"]


@pytest.mark.parametrize("status, cookie, body", [
    (400, None, {"mediums": ["email"]}), (400, "qt-auth=test-cookie", PHONE),
    (400, "qt-auth=test-cookie", {"mediums": []}), (400, "qt-auth=test-cookie", {"mediums": "sms"}),
    (400, "qt-auth=test-cookie", {"mediums": ["sms"]}), (401, "qt-auth=other", {}),
    (400, "qt-auth=test-cookie", {"mediums": [{}]}), (401, "tfa-auth=test-cookie", {}),
    (400, "qt-auth=test-cookie", {"mediums": ["email"]}), (400, "other=test-cookie", {}),
    (400, "qt-auth=test-cookie || tfa-auth=x", {}), (400, None, {})])
def test_wrong_cookies_and_mediums_are_refused(gw, status, cookie, body):
    gw.set(accounts=[PHONE | {"qt-auth": "test-cookie"}])
    assert send(gw, body, headers={"Cookie": cookie}).status == status and not gw.outbox()


def test_an_unknown_user_gets_nothing_unless_always_send_is_set(gw):
    gw.set(accounts=[MAIL])
    refused = send(gw)
    assert (refused.status, refused.json) == (400, {"error": {"message": "User not found"}})
    assert send(gw, PHONE | {"always-send": False}).status == 400
    gw.set(unknown_user="silent")
    assert send(gw).json == send(gw, MAIL).json and [m["number"] for m in gw.outbox()] == [EMAIL]
    assert send(gw, PHONE | {"always-send": True}).status == 200
    assert login(gw, gw.last_code(NUMBER)).status == 400, "there is no such account"
    send(gw, PHONE | {"always-send": True})
    assert login(gw, gw.last_code(NUMBER), PHONE | {"auto-signup": True}).json["user"]
    assert signed_in(gw), "now there is"


@pytest.mark.parametrize("over, status", [("refuse", 403), ("tell", 200)])
def test_sessions_can_be_limited(gw, over, status):
    gw.set(session_limit=1, over_limit=over)
    qt = signed_in(gw)
    assert signed_in(gw, MAIL), "each account has its own"
    send(gw)
    answer = login(gw, gw.last_code())
    assert answer.status == status and b"Session Exceeded" in answer.body
    assert (answer.cookie("qt-auth") is None) == (status == 403)
    assert gw.live_sessions(NUMBER) == (1 if status == 403 else 2)
    ask(gw, "/logout", header=qt)
    if status == 403:
        assert signed_in(gw)


def bad_bodies():
    yield from [{}, BOTH, {"phone": NUMBER}, PHONE | {"username": "x"}, [PHONE], "x"]
    yield from [{"phone-number": value} for value in (
        "9898989898", "919898989898", "+0898989898", "+9198989898९8", "", None, 919898989898,
        "+919898989898\n")]
    yield from [{"email": value} for value in ("jane", "jane@", "@example.com", "a@b c.d", 1)]
    yield PHONE | {"always-send": "true"}


@pytest.mark.parametrize("body", bad_bodies())
def test_an_undocumented_body_is_refused(gw, body):
    refused = send(gw, body)
    assert refused.status == 400 and refused.json["error"]["message"] and not gw.outbox()
    assert not isinstance(body, dict) or login(gw, "12345", body).status == 400


@pytest.mark.parametrize("more", [{"otp": 43210}, {"otp": ""}, {"otp": None}, {"code": "43210"},
                                  {"auto-signup": 1}, {"always-send": True}])
def test_login_refuses_other_types_and_members(gw, more):
    gw.set(code="43210")
    send(gw)
    refused = call(gw, f"{BASE}/login", PHONE | {"otp": "43210"} | more)
    assert refused.status == 400 and "error" in refused.json
    assert login(gw, "43210").status == 200


@pytest.mark.parametrize("status, how", [
    (404, {"headers": {"Host": "other.example"}}), (404, {"headers": {"Host": "localhost.x:1"}}),
    (404, {"path": f"{BASE}/users/send-otp/"}), (404, {"path": f"{BASE}/users/verify-otp"}),
    (405, {"method": "GET", "body": None}), (400, {"path": f"{BASE}/users/send-otp?a=b"}),
    (415, {"headers": {"Content-Type": None}}), (400, {"body": b'{"phone-number":"" "+91"}'}),
    (415, {"headers": {"Content-Type": "application/x-www-form-urlencoded"}})])
def test_a_wrong_request_is_refused(gw, status, how):
    assert call(gw, **{"path": f"{BASE}/users/send-otp", "body": PHONE} | how).status == status
    assert gw.requests()[0]["verdict"] == status and not gw.outbox()


def test_the_host_header_selects_the_realm(gw):
    assert send(gw, headers={"Host": "LOCALHOST"}).status == 200
    with Gateway(provider="bridgekeeper", realm=["news.example", "www.news.example"]) as news:
        assert send(news).status == 404
        assert send(news, headers={"Host": "www.news.example"}).status == 200


def test_the_documents_own_curl_signs_in(gw):
    def curl(path, body):
        done = subprocess.run(
            ["curl", "-sS", "--cacert", gw.ca_file, "-X", "POST", gw.url + BASE + path,
             "-H", "Content-Type: application/json", "-H", "Origin: https://localhost",
             "--data-raw", json.dumps(body)], capture_output=True, check=True)
        return json.loads(done.stdout)
    assert "error" not in curl("/users/send-otp", PHONE)
    assert curl("/login", PHONE | {"otp": gw.last_code()})["user"]["phone-number"] == NUMBER


def test_a_login_that_a_fault_hides_makes_no_session(gw):
    send(gw)
    gw.fault("success_false")
    assert login(gw, gw.last_code()).json == {"error": {"message": "Invalid OTP"}}
    gw.fault("status", status=502)
    assert login(gw, gw.last_code()).status == 502 and not gw.sessions()
    gw.fault("wrong_types")
    qt = login(gw, gw.last_code()).cookie("qt-auth")
    assert gw.live_sessions(NUMBER) == 1
    gw.fault("status", status=500, path="/logout")
    assert ask(gw, "/logout", header=qt).status == 500 and gw.live_sessions(NUMBER) == 1


@pytest.mark.parametrize("accounts", [{}, [{}], [{"phone": "1"}], [PHONE | {"tfa": "x"}],
                                      [{"email": 1}]])
def test_malformed_accounts_are_errors(gw, accounts):
    with pytest.raises(FaultError):
        gw.set(accounts=accounts)

"""The gateway is strict in TLS and HTTP, and its faults take effect."""

import gzip
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import time

import pytest

from client import GOOD, SEND, bare, call, connect, send
from gateway import Gateway
from sim.faults import FaultError

HERE = os.path.dirname(os.path.abspath(__file__))


# Certificates and TLS

@pytest.mark.parametrize("where", ["cafile", "capath"])
def test_the_right_certificate_is_trusted_by_file_and_by_hashed_folder(gw, where):
    conn = connect(gw, **{where: gw.ca_file if where == "cafile" else gw.ca_dir})
    assert send(gw, conn=conn)[0] == 200
    assert send(gw, conn=conn)[0] == 200
    assert len(gw.connections()) == 1, "the second request must use the same connection"
    assert gw.connections("tls")[0]["version"] == "TLSv1.3"


@pytest.mark.parametrize("listener, why", [
    ("wrong_name", "Hostname mismatch"), ("cn_only", "Hostname mismatch"),
    ("expired", "expired"), ("future", "not yet valid"), ("self_signed", "self-signed"),
    ("other_ca", "unable to get local issuer"), ("tls11", "ALERT_PROTOCOL_VERSION")])
def test_each_wrong_certificate_is_refused_for_its_own_reason(gw, listener, why):
    with pytest.raises(ssl.SSLError, match=why):
        send(gw, listener=listener)
    assert not gw.requests() and gw.connections(listener=listener)


def test_self_signed_tls12_and_plain_listeners_answer_a_client_that_accepts_them(gw):
    assert send(gw, listener="self_signed", cafile=gw.self_signed)[0] == 200
    assert send(gw, listener="tls12")[0] == 200
    assert send(gw, listener="plain")[0] == 200
    assert [one["listener"] for one in gw.requests()] == ["self_signed", "tls12", "plain"]


def test_the_old_listener_accepts_tls_1_1(gw):
    subprocess.run(["curl", "-sS", "--cacert", gw.ca_file, "--tlsv1.0", "--tls-max", "1.1",
                    "--ciphers", "ALL:@SECLEVEL=0", gw.urls["tls11"]], check=True)
    assert gw.connections("tls")[0]["version"] == "TLSv1.1"


def test_curl_signs_in_through_the_hashed_folder(gw):
    done = subprocess.run(
        ["curl", "-sS", "--capath", gw.ca_dir, "-H", f"Authorization: Bearer {gw.token}",
         "--json", json.dumps(GOOD), gw.url + SEND], capture_output=True, check=True)
    assert json.loads(done.stdout)["success"] is True


# HTTP

@pytest.mark.parametrize("head", [
    "POST / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "POST /\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nx: 2\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX y: 1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"])
def test_malformed_requests_are_refused(gw, head):
    assert bare(gw, head.encode())[:10] in (b"HTTP/1.1 4",)
    assert "refused" in gw.requests()[0]


def test_requests_and_messages_are_recorded(gw):
    send(gw, headers={"X-Request-Id": "r-1"})
    seen, message = gw.requests()[0], gw.outbox("9851023212")[0]
    assert (seen["method"], seen["target"], seen["json"]) == ("POST", SEND, GOOD)
    assert seen["headers"]["authorization"] == f"Bearer {gw.token}"
    assert (message["text"], message["request_id"]) == ("Hi your OTP is 012345", "r-1")
    assert gw.last_code() == "012345" and not gw.outbox("1")


# Faults

@pytest.mark.parametrize("status, more", [
    *[(status, {}) for status in (204, 400, 401, 402, 403, 404, 408, 422, 500, 502, 503)],
    (429, {"retry_after": 7}), (429, {"retry_date": 60})])
def test_a_status_fault_sends_no_message(gw, status, more):
    gw.fault("status", status=status, times=1, **more)
    conn = connect(gw)
    got, body, headers = send(gw, conn=conn)
    assert (got, not body) == (status, status == 204) and not gw.outbox()
    assert headers["Retry-After"] == "7" or more != {"retry_after": 7}
    assert "GMT" in (headers["Retry-After"] or "") or "retry_date" not in more
    assert send(gw, conn=conn)[0] == 200, "times=1 and the same connection"
    assert [one["fault"] for one in gw.requests()] == ["status", None]


def test_a_redirect_is_recorded_and_so_is_its_target(gw):
    for status in (301, 302, 307):
        gw.fault("redirect", status=status)
        got, _, headers = send(gw)
        assert (got, headers["Location"]) == (status, gw.url + "/elsewhere/")
    assert send(gw, path="/elsewhere/")[0] == 200 and len(gw.requests("/elsewhere/")) == 1


@pytest.mark.parametrize("kind", ["hang", "hang_tls", "hang_connect"])
def test_a_hang_outlasts_the_timeout_of_the_client(gw, kind):
    gw.fault(kind)
    with pytest.raises(TimeoutError):
        send(gw, timeout=0.3)
    assert not gw.outbox() and len(gw.requests()) == (1 if kind == "hang" else 0)


@pytest.mark.parametrize("kind, errors", [
    ("drop_connect", OSError), ("reset_connect", OSError), ("talk_connect", ssl.SSLError),
    ("drop_tls", OSError), ("drop", http.client.RemoteDisconnected), ("reset", ConnectionError),
    ("close_mid_body", http.client.IncompleteRead)])
def test_a_drop_breaks_the_exchange(gw, kind, errors):
    gw.fault(kind)
    with pytest.raises(errors):
        send(gw)
    assert len(gw.outbox()) == (1 if kind == "close_mid_body" else 0)
    assert len(gw.requests()) == (0 if kind.endswith(("_connect", "_tls")) else 1)
    gw.clear_faults()
    assert send(gw)[0] == 200, "it was the fault that broke it"


def test_a_message_can_be_delivered_although_the_answer_is_lost(gw):
    gw.fault("drop", deliver=True)
    with pytest.raises(http.client.RemoteDisconnected):
        send(gw)
    assert gw.last_code() == "012345"


def test_truncated_tls_has_no_close_notify(gw):
    gw.fault("truncate_tls")
    with pytest.raises(ssl.SSLError, match="UNEXPECTED_EOF"):
        bare(gw)
    gw.fault("close")
    assert bare(gw).endswith(b"}}}")


def test_slow_faults_take_their_time(gw):
    for kind, how in [("drip", {"where": "headers", "interval": 0.001}),
                      ("drip", {"interval": 0.001}), ("slow_connect", {"seconds": 0.2}),
                      ("interim", {"interval": 0.1, "count": 2, "status": 100}),
                      ("none", {"delay": 0.2})]:
        gw.fault(kind, **how)
        start = time.monotonic()
        assert send(gw)[0] == 200
        assert time.monotonic() - start > 0.19, kind


def answered(gw, kind, **how):
    gw.fault(kind, **how)
    return send(gw)


def test_malformed_bodies(gw):
    assert answered(gw, "empty")[:2] == (200, b"")
    for what in ("text", "html", "binary"):
        with pytest.raises(ValueError):
            json.loads(answered(gw, "garbage", what=what)[1])
    with pytest.raises(http.client.BadStatusLine):
        answered(gw, "garbage", what="http")
    body = answered(gw, "huge_body")[1]
    assert len(body) == 50_000_000 and json.loads(body)["success"] is True
    assert len(answered(gw, "huge_body", body_bytes=70000, length=False)[1]) == 70000
    assert b'"deep":' + b"[" * 10000 + b"]" * 10000 in answered(gw, "deep")[1]
    pairs = json.loads(answered(gw, "duplicate_keys")[1], object_pairs_hook=list)
    assert [value for name, value in pairs if name == "success"] == [None, True]
    assert b"\0" in answered(gw, "nul")[1]
    assert "\0" in json.loads(answered(gw, "nul", escaped=True)[1])["nul"]
    with pytest.raises(UnicodeDecodeError):
        answered(gw, "bad_utf8")[1].decode()
    assert "\x1b" in json.loads(answered(gw, "escapes")[1])["detail"]
    _, body, headers = answered(gw, "gzip")
    assert headers["Content-Encoding"] == "gzip" and json.loads(gzip.decompress(body))["success"]
    assert answered(gw, "trailing")[1].endswith(b'}}}{"success":false}')
    assert json.loads(answered(gw, "echo", code="111111")[1])["data"]["details"]["otp"] == "111111"
    assert json.loads(answered(gw, "wrong_types")[1])["success"] == "true"
    patched = json.loads(answered(gw, "merge", patch={"status": None, "x": {"y": 1}})[1])
    assert patched["x"] == {"y": 1} and "status" not in patched
    gw.clear()
    assert json.loads(answered(gw, "success_false")[1])["success"] is False and not gw.outbox()


def test_malformed_framing(gw):
    with pytest.raises(http.client.IncompleteRead):
        answered(gw, "content_length", delta=10)
    assert not answered(gw, "content_length", delta=-1)[1].endswith(b"}}}")
    gw.fault("content_length", value="-5")
    assert b"Content-Length: -5\r\n" in bare(gw)
    assert json.loads(answered(gw, "chunked")[1])["success"] is True
    with pytest.raises(http.client.IncompleteRead):
        answered(gw, "chunked", bad=True)
    with pytest.raises(http.client.HTTPException, match="100 headers"):
        answered(gw, "huge_headers")
    gw.fault("raw", text="HTTP/0.9 ok\r\n")
    assert bare(gw) == b"HTTP/0.9 ok\r\n"
    assert answered(gw, "status", headers={"Set-Cookie": "a=b"})[2]["Set-Cookie"] == "a=b"
    gw.fault("twice")
    sent = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    assert bare(gw, sent).count(b"HTTP/1.1 404") == 2


def test_number_listener_and_path_select_faults(gw):
    gw.set_faults({"kind": "status", "status": 503, "after": 1, "times": 1},
                  {"kind": "status", "status": 502, "listener": "plain"},
                  {"kind": "status", "status": 501, "path": "/other/"})
    assert [send(gw)[0] for _ in range(3)] == [200, 503, 200]
    assert send(gw, listener="plain")[0] == 502 and send(gw, path="/other/")[0] == 501


def test_an_unknown_fault_is_an_error(gw):
    for fault in ({"kind": "hangs"}, {"kind": "hang", "second": 1}, {"kind": "raw"},
                 {"kind": "hang_tls", "path": "/"}):
        with pytest.raises(FaultError):
            gw.set_faults(fault)
    gw.fault("echo")
    with pytest.raises(ssl.SSLError, match="UNEXPECTED_EOF"):
        send(gw, path="/unknown/")
    with pytest.raises(RuntimeError, match="is not defined for this answer"):
        gw.clear()


# The process, and the phone

def test_the_gateway_ends_on_sigterm_and_with_its_parent(tmp_path):
    with Gateway(str(tmp_path / "a")) as one:
        port = one.port
        assert one.stop() == 0 and not os.path.exists(one.folder + "/ready.json")
        with pytest.raises(ConnectionRefusedError):
            send(one)
        one.start()
        assert one.port == port and send(one)[0] == 200
    parent = subprocess.Popen(
        [sys.executable, "-c", "import sys, time; sys.path.insert(0, sys.argv[1])\n"
         "from gateway import Gateway\nwith Gateway(sys.argv[2]) as gw:\n"
         " print(gw.pid, flush=True); time.sleep(60)", HERE, str(tmp_path / "b")],
        stdout=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    end = time.monotonic() + 5
    while os.path.exists(f"/proc/{pid}/exe") and time.monotonic() < end:
        time.sleep(0.02)
    assert not os.path.exists(f"/proc/{pid}/exe"), "the gateway outlived its parent"


def phone(gw, *options):
    return subprocess.run([sys.executable, f"{HERE}/phone.py", gw.folder, *options],
                          capture_output=True, text=True, encoding="utf-8")


def test_the_phone_shows_what_the_person_reads(gw):
    assert phone(gw, "--wait", "0.1").returncode == 1
    send(gw, GOOD | {"message": "\x1b[2J{otp} is your code\u202e"})
    shown = phone(gw, "--last").stdout
    assert "012345 is your code" in shown and "\x1b" not in shown and "\u202e" not in shown
    assert len({len(line) for line in shown.splitlines()}) == 1, "the frame is straight"
    assert phone(gw, "--code", "--wait", "1").stdout == "012345\n"
    assert phone(gw, "--wait", "0.1", "--after", "1").returncode == 1
    assert phone(gw, "--count", "--number", "1").stdout == "0\n"
    long = "a-very-long-name-of-somebody@a-long-name.example"
    call(gw, "/v1/identity/auth/rego/otp/send/", {"mode": "email", "username": long})
    shown = phone(gw, "--last").stdout
    assert "E-mail to a-very-long" in shown and gw.last_code(long) in shown
    assert len({len(line) for line in shown.splitlines()}) == 1, "the frame is straight"

"""An HTTP client on Python's library. It is strict about TLS, and can send anything as HTTP."""

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

SEND = "/api/v1/auths/send/otp/"
GOOD = {"number": "9851023212", "message": "Hi your OTP is {otp}", "sms_send_options": "text",
        "otp_options": "personnel", "otp": "012345", "company_name": "prixa"}
VOICE = GOOD | {"sms_send_options": "voice", "voice_input": "np_rija"}


def without(name, fields=GOOD):
    return {k: v for k, v in fields.items() if k != name}


def context(gw, **where):
    """The TLS settings that a careful client has."""
    made = ssl.create_default_context(**(where or {"cafile": gw.ca_file}))
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.hostname_checks_common_name = False
    made.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return made


def connect(gw, listener="right", timeout=5, **where):
    url = urlsplit(gw.urls[listener])
    if url.scheme == "http":
        return http.client.HTTPConnection(url.hostname, url.port, timeout=timeout)
    return http.client.HTTPSConnection(url.hostname, url.port, timeout=timeout,
                                       context=context(gw, **where))


@dataclass
class Answer:
    """An answer. The headers are those of http.client."""
    status: int
    body: bytes
    headers: object

    @property
    def json(self):
        return json.loads(self.body)

    def cookie(self, name):
        """Returns the value of a cookie that the answer sets, or None."""
        for one in self.headers.get_all("Set-Cookie", []):
            if one.startswith(f"{name}="):
                return one.split(";")[0].partition("=")[2]
        return None


def call(gw, path, body=None, method="POST", headers=None, conn=None, **how):
    """Sends one request. A body that is not bytes is sent as JSON. A header that is None is not sent."""
    conn = conn or connect(gw, **how)
    usual = {} if body is None else {"Content-Type": "application/json"}
    text = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    headers_sent = {k: v for k, v in (usual | (headers or {})).items() if v is not None}
    conn.request(method, path, text, headers_sent)
    answer = conn.getresponse()
    return Answer(answer.status, answer.read(), answer.headers)


def send(gw, body=GOOD, path=SEND, headers=None, **how):
    """Sends a request to TingTing. Returns status, body as bytes, and headers."""
    usual = {"Authorization": f"Bearer {gw.token}", "Content-Type": "application/json"}
    got = call(gw, path, body, headers=usual | (headers or {}), **how)
    return got.status, got.body, got.headers


def bare(gw, data=None):
    """Returns the raw bytes of an answer, up to the end of the connection."""
    url = urlsplit(gw.url)
    with socket.create_connection((url.hostname, url.port), 5) as plain, context(gw).wrap_socket(
            plain, server_hostname="localhost", suppress_ragged_eofs=False) as sock:
        body = json.dumps(GOOD)
        sock.sendall(data or (
            f"POST {SEND} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gw.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            f"{body}").encode())
        got = b""
        while True:
            more = sock.recv(65536)
            if not more:
                return got
            got += more

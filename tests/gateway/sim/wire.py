"""HTTP/1.1 as a strict server reads it, and answers as a truthful server writes them."""

import email.utils
import json
import re
import time
from dataclasses import dataclass, field
from http import HTTPStatus

HEAD_MAX = 64 * 1024
BODY_MAX = 1024 * 1024
CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
REQUEST_LINE = re.compile(rb"([A-Z]+) (/[!-~]*) (HTTP/1\.[01])")


class Refused(Exception):
    """The bytes are not a request that a strict server takes. args: status, reason."""


class Gone(Exception):
    """The peer closed the connection between two requests."""


def strict_json(body):
    """Parses JSON that is UTF-8 without mark, duplicate key or NaN. ValueError if it is not."""
    def unique(pairs):
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("duplicate key")
        return found

    def refuse(name):
        raise ValueError(f"{name} is not JSON")

    return json.loads(body.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse)


def reason(status):
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


@dataclass
class Request:
    """One request. headers: (name, value) in the order and case they came."""
    method: str
    target: str
    version: str
    headers: list
    body: bytes = b""

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return self.target.partition("?")[2]

    def header(self, name, default=None):
        return next((v for k, v in self.headers if k.lower() == name), default)

    @property
    def keep_alive(self):
        asked = (self.header("connection") or "").lower()
        return asked != "close" and (self.version == "HTTP/1.1" or asked == "keep-alive")


@dataclass
class Response:
    """One answer. headers are beyond the usual ones. patches: see providers.Provider."""
    status: int
    body: bytes = b""
    headers: list = field(default_factory=list)
    content_type: str = "application/json"
    patches: dict = field(default_factory=dict)

    @classmethod
    def of(cls, status, value, headers=()):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return cls(status, text.encode("utf-8"), list(headers))

    def head(self, length="right", keep=True):
        """The head as bytes. length: "right", None (left out), or any text to lie with."""
        lines = [f"HTTP/1.1 {self.status} {reason(self.status)}",
                 f"Date: {email.utils.formatdate(time.time(), usegmt=True)}",
                 "Server: simulated-provider"]
        bodyless = self.status in (204, 304)
        if not bodyless:
            lines.append(f"Content-Type: {self.content_type}")
        if length == "right":
            length = None if bodyless else str(len(self.body))
        if length is not None:
            lines.append(f"Content-Length: {length}")
        lines += [f"{k}: {v}" for k, v in self.headers]
        lines.append(f"Connection: {'keep-alive' if keep else 'close'}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Reader:
    """Reads requests from a socket, one after the other."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""

    def _more(self):
        got = self.sock.recv(65536)
        self.buffer += got
        return bool(got)

    def _head(self):
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > HEAD_MAX:
                raise Refused(431, "the head is too long")
            if not self._more():
                raise Refused(400, "the head ends early") if self.buffer else Gone()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head

    def _body(self, request):
        if request.header("transfer-encoding") is not None:
            raise Refused(411, "a length is required")
        lengths = [v for k, v in request.headers if k.lower() == "content-length"]
        if not lengths:
            if request.method in ("POST", "PUT", "PATCH"):
                raise Refused(411, "a length is required")
            return b""
        if len(lengths) > 1 or not re.fullmatch(r"[0-9]{1,9}", lengths[0]):
            raise Refused(400, "bad Content-Length")
        size = int(lengths[0])
        if size > BODY_MAX:
            raise Refused(413, "the body is too long")
        if (request.header("expect") or "").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self.buffer) < size:
            if not self._more():
                raise Refused(400, "the body ends early")
        body, self.buffer = self.buffer[:size], self.buffer[size:]
        return body

    def request(self):
        """The next request; Gone, or Refused."""
        first, *lines = self._head().split(b"\r\n")
        start = REQUEST_LINE.fullmatch(first)
        if not start:
            raise Refused(400, "bad request line")
        headers = []
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or not TOKEN.fullmatch(name) or CONTROLS.search(value):
                raise Refused(400, "bad header line")
            headers.append((name.decode("ascii"), value.strip(b" \t").decode("latin-1")))
        request = Request(*(part.decode("ascii") for part in start.groups()), headers)
        names = [k.lower() for k, _ in headers]
        if names.count("host") != 1:
            raise Refused(400, "one Host is required")
        if len(set(names)) < len(names):
            raise Refused(400, "a header came twice")
        request.body = self._body(request)
        return request

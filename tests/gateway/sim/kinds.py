"""The faults: one function each, whose keyword arguments are the members fault.json may give.

How they are chosen is in faults.py.
"""

import gzip as gzip_codec
import inspect
import json
import random
import time
from dataclasses import dataclass
from email.utils import formatdate

from sim.wire import Response, reason

KEEP, CLOSE, CUT, RESET = "keep", "close", "cut", "reset"   # how a connection goes on after a fault
ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\rcode: 000000\n\u202e\x00 Verified."
KINDS = {}


class FaultError(ValueError):
    """fault.json asks for what does not exist, or for what this answer cannot show."""


@dataclass(frozen=True)
class Kind:
    act: object
    stage: str
    deliver: bool
    members: frozenset
    required: frozenset


def kind(stage, deliver=False):
    """Registers a fault. stage: connect (before TLS), tls (after the handshake), answer; or mail."""
    def register(act):
        own = [p for p in inspect.signature(act).parameters.values() if p.kind is p.KEYWORD_ONLY]
        KINDS[act.__name__] = Kind(act, stage, deliver, frozenset(p.name for p in own),
                                   frozenset(p.name for p in own if p.default is p.empty))
        return act
    return register


# Before TLS. None lets the connection go on as if nothing had been.

@kind("connect")
def hang_connect(conn):
    """Accepts and never says a word: no TLS handshake."""
    conn.wait_gone()
    return CUT


@kind("connect")
def drop_connect(_conn):
    return CUT


@kind("connect")
def reset_connect(_conn):
    return RESET


@kind("connect")
def slow_connect(_conn, *, seconds=1.0):
    time.sleep(seconds)


@kind("connect")
def talk_connect(conn, *, text="220 not a TLS server\r\n"):
    """Speaks another protocol than TLS."""
    conn.send(text.encode("latin-1"))
    conn.wait_gone()        # closed at once, the unread hello would make it a reset
    return CUT


# After the handshake, before the request.

@kind("tls")
def hang_tls(conn):
    """Never reads the request."""
    conn.wait_unread()
    return CUT


@kind("tls")
def drop_tls(_conn):
    return CLOSE


# Instead of the answer.

@kind("answer")
def hang(conn, _answer, *, seconds=None):
    """Reads the request and never answers (or not for so many seconds, then closes)."""
    conn.wait_gone(seconds)
    return CUT


@kind("answer")
def drop(_conn, _answer):
    return CLOSE


@kind("answer")
def reset(_conn, _answer):
    return RESET


@kind("answer")
def status(conn, _answer, *, status=500, retry_after=None, retry_date=None, body=None,
           content_type="application/json"):
    """Another status. body: text; by default {"detail": reason}, as a Django server says it.

    retry_after is the header's text; retry_date makes it a date so many seconds from now.
    """
    given = json.dumps({"detail": reason(status)}) if body is None else body
    if retry_date is not None:
        retry_after = formatdate(time.time() + retry_date, usegmt=True)
    headers = [] if retry_after is None else [("Retry-After", str(retry_after))]
    if status in (204, 304):
        given = ""
    return conn.answer(Response(status, given.encode("utf-8"), headers, content_type))


@kind("answer")
def redirect(conn, _answer, *, status=302, location=None):
    """To elsewhere: by default a path on the same listener that takes anything from anyone."""
    location = location or conn.url + "/elsewhere/"
    return conn.answer(Response.of(status, {}, [("Location", location)]))


@kind("answer")
def raw(conn, _answer, *, text):
    """Any bytes (latin-1), then the connection is closed."""
    conn.send(text.encode("latin-1"))
    return CLOSE


@kind("answer")
def garbage(conn, _answer, *, what="text"):
    """text: not JSON; html: a captive portal; binary: JSON in name only; http: not even HTTP."""
    noise = random.Random(1).randbytes(4096)
    if what == "http":
        conn.send(noise)
        return CLOSE
    page = b"<!doctype html><title>Sign in to Wi-Fi</title><p>success true</p>"
    bodies = {"text": (b"success: true", "application/json"), "html": (page, "text/html"),
              "binary": (noise, "application/json")}
    if what not in bodies:
        raise FaultError(f"garbage knows no {what}")
    body, content_type = bodies[what]
    return conn.answer(Response(200, body, content_type=content_type))


@kind("answer")
def escapes(conn, _answer, *, status=400):
    """A refusal whose texts attack the terminal or the log that shows them."""
    return conn.answer(Response.of(
        status, {"number": [ESCAPES], "message": ESCAPES, "detail": ESCAPES}))


@kind("answer")
def empty(conn, _answer, *, status=200):
    return conn.answer(Response(status, b""))


# With the answer that the provider would have given, bent.

@kind("answer", deliver=True)
def none(conn, answer):
    """The answer as it is; for `delay` and `headers`."""
    return conn.answer(answer)


@kind("answer", deliver=True)
def close(conn, answer):
    conn.answer(answer, keep=False)
    return CLOSE


@kind("answer", deliver=True)
def interim(conn, answer, *, status=103, interval=1.0, count=None):
    """1xx answers, one each interval; the real one after count of them, or never."""
    while count is None or count > 0:
        conn.send(f"HTTP/1.1 {status} {reason(status)}\r\n\r\n".encode("ascii"))
        time.sleep(interval)
        count = None if count is None else count - 1
    return conn.answer(answer)


@kind("answer", deliver=True)
def drip(conn, answer, *, where="body", interval=1.0):
    """One byte each interval, in the headers or in the body."""
    if where not in ("headers", "body"):
        raise FaultError(f"drip knows no {where}")
    head, slow = answer.head(), answer.body
    if where == "headers":
        head, slow = b"", head + slow
    conn.send(head)
    for byte in slow:
        conn.send(bytes((byte,)))
        time.sleep(interval)
    return KEEP


@kind("answer", deliver=True)
def close_mid_body(conn, answer, *, keep=None):
    """Half of the body (or the first `keep` bytes), then a clean close."""
    conn.send(answer.head() + _part(answer, keep))
    return CLOSE


@kind("answer", deliver=True)
def truncate_tls(conn, answer, *, keep=None):
    """The same without a length and without close_notify, as whoever cuts the line would do it."""
    conn.send(answer.head(length=None, keep=False) + _part(answer, keep))
    return CUT


@kind("answer", deliver=True)
def content_length(conn, answer, *, delta=10, value=None):
    """A Content-Length that lies by delta, or is any text."""
    length = str(len(answer.body) + delta) if value is None else value
    conn.send(answer.head(length=length) + answer.body)
    return CLOSE


@kind("answer", deliver=True)
def chunked(conn, answer, *, bad=False):
    """Chunked: rightly, or with a chunk whose length is no number."""
    answer.headers.append(("Transfer-Encoding", "chunked"))
    size = b"xyz" if bad else b"%x" % len(answer.body)
    conn.send(answer.head(length=None) + size + b"\r\n" + answer.body + b"\r\n0\r\n\r\n")
    return CLOSE if bad else KEEP


@kind("answer", deliver=True)
def twice(conn, answer):
    """The answer comes twice: the second must not be taken for that of the next request."""
    conn.answer(answer)
    return conn.answer(answer)


@kind("answer", deliver=True)
def gzip(conn, answer):
    """Compressed though nobody asked for it."""
    answer.headers.append(("Content-Encoding", "gzip"))
    answer.body = gzip_codec.compress(answer.body)
    return conn.answer(answer)


@kind("answer", deliver=True)
def huge_headers(conn, answer, *, count=1000, size=1024):
    answer.headers += [(f"X-Huge-{number}", "h" * size) for number in range(count)]
    return conn.answer(answer)


@kind("answer", deliver=True)
def huge_body(conn, answer, *, body_bytes=50 * 1000 * 1000, length=True):
    """Valid JSON, made huge by one more member. length: whether Content-Length warns of it."""
    start, end = _open(answer) + b'"padding":"', b'"}'
    pad = body_bytes - len(start) - len(end)
    conn.send(answer.head(length=str(body_bytes) if length else None, keep=False) + start)
    for done in range(0, pad, 65536):
        conn.send(b"x" * min(65536, pad - done))
    conn.send(end)
    return CLOSE


@kind("answer", deliver=True)
def deep(conn, answer, *, depth=10000):
    """Valid JSON with one more member, nested deep."""
    answer.body = _open(answer) + b'"deep":' + b"[" * depth + b"]" * depth + b"}"
    return conn.answer(answer)


@kind("answer", deliver=True)
def duplicate_keys(conn, answer):
    """Every outer member comes twice, first as null."""
    first = b"".join(json.dumps(name).encode() + b":null," for name in _members(answer))
    answer.body = b"{" + first + answer.body.lstrip()[1:]
    return conn.answer(answer)


@kind("answer", deliver=True)
def nul(conn, answer, *, escaped=False):
    """A NUL: a raw byte between two members, or \\u0000 in a text."""
    extra = b'"nul":"a\\u0000b"}' if escaped else b'\0"nul":1}'
    answer.body = _open(answer) + extra
    return conn.answer(answer)


@kind("answer", deliver=True)
def bad_utf8(conn, answer):
    answer.body = _open(answer) + b'"bad":"\xff\xfe\xed\xa0\x80"}'
    return conn.answer(answer)


@kind("answer", deliver=True)
def trailing(conn, answer, *, text='{"success":false}'):
    """Something after the JSON, within the body."""
    answer.body += text.encode("utf-8")
    return conn.answer(answer)


@kind("answer", deliver=True)
def merge(conn, answer, *, patch):
    """An RFC 7396 merge patch over the answer."""
    answer.body = Response.of(0, _merged(_members(answer), patch)).body
    return conn.answer(answer)


@kind("answer", deliver=True)
def echo(conn, answer, *, code="987654"):
    """The answer tells of another code than the one that was sent."""
    return merge(conn, answer, patch=_patch(answer, "echo")(code))


@kind("answer")
def success_false(conn, answer):
    """A status of 200 that says no."""
    return merge(conn, answer, patch=_patch(answer, "success_false")())


@kind("answer", deliver=True)
def wrong_types(conn, answer):
    return merge(conn, answer, patch=_patch(answer, "wrong_types")())


def _part(answer, keep):
    return answer.body[:len(answer.body) // 2 if keep is None else keep]


def _members(answer):
    """The members of the answer's body, which must be an object that is not empty."""
    try:
        members = json.loads(answer.body)
    except ValueError:
        members = None
    if not isinstance(members, dict) or not members:
        raise FaultError("this answer is no JSON object")
    return members


def _open(answer):
    """The body up to where one more member can be added."""
    _members(answer)
    return answer.body.rstrip()[:-1] + b","


def _patch(answer, name):
    if name not in answer.patches:
        raise FaultError(f"the fault {name} is not defined for this answer")
    return answer.patches[name]


def _merged(target, patch):
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = _merged(target.get(name), value)
    return target

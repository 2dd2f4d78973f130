"""A provider that answers anything, to each kind of request of every profile.

Whatever it answers, nobody is signed in by it. The helper neither dies nor works past its deadline, and its memory
stays bounded.
"""

import ipaddress
import os
import re
import time

import pytest

from wire import Gone

PATHS = {
    ("tingting", "send"): "/send/otp/",
    ("crego", "send"): "/otp/send/",
    ("crego", "verify"): "/otp/verify/",
    ("bridgekeeper", "send"): "/send-otp",
    ("bridgekeeper", "verify"): "/login",
    ("kgen", "session"): "/s2s/session",
    ("kgen", "send"): "/otp/register",
    ("kgen", "resend"): "/otp/resend",
    ("kgen", "verify"): "/otp/verify",
}
FAULTS = [
    ("status", {"status": 204}), ("status", {"status": 206}), ("status", {"status": 299}),
    ("status", {"status": 300}), ("redirect", {"status": 301}), ("redirect", {"status": 307}),
    ("status", {"status": 404}), ("status", {"status": 500}), ("status", {"status": 599}),
    ("status", {"status": 429, "retry_after": 999999999}), ("empty", {}),
    ("garbage", {"what": "text"}), ("garbage", {"what": "html"}), ("garbage", {"what": "binary"}),
    ("garbage", {"what": "http"}), ("escapes", {}), ("success_false", {}), ("wrong_types", {}),
    ("deep", {}), ("duplicate_keys", {}), ("nul", {}), ("nul", {"escaped": True}), ("bad_utf8", {}),
    ("trailing", {}), ("gzip", {}), ("huge_headers", {}), ("huge_body", {}),
    ("huge_body", {"length": False}), ("content_length", {"delta": -5}),
    ("content_length", {"delta": 5}), ("content_length", {"value": "-1"}),
    ("content_length", {"value": "99999999999999999999"}), ("chunked", {"bad": True}),
    ("close_mid_body", {}), ("truncate_tls", {}), ("drip", {}), ("drip", {"where": "headers"}),
    ("interim", {"interval": 0.01}), ("hang", {}), ("drop", {}), ("reset", {}),
]
# An answer without a JSON object has no members to change.
BEND_JSON = {"success_false", "wrong_types", "deep", "duplicate_keys", "nul", "bad_utf8", "trailing",
             "close_mid_body", "huge_body"}
# The members that the documents promise in the answer to a check. Each gets every other JSON type.
PROOFS = {
    "crego": ["access"],
    "bridgekeeper": ["user", "error", "code"],
    "kgen": ["message"],
}
NO_PROOF = [None, True, False, 0, 1, -1.5, 1e308, "", [], {}, ["a"], {"a": {"b": "c"}}, [[]]]
# Limits far below the defaults, so that the tests are fast.
FAST = "send_timeout = 1s\nattempt_timeout = 700ms\nverify_timeout = 1s\n"
GUARD = 8
MEMORY_KIB = 64 * 1024


@pytest.fixture
def hostile(gateway, request):
    from conftest import a_world
    with a_world(gateway, request.param[0]) as w:
        w.configure(otp=FAST, extra="[limits]\nresend_wait = 0s\nsends_per_user = 100/1h\n")
        yield w, request.param[1]


hosts = ipaddress.ip_network("10.9.0.0/16").hosts()


def peak(h):
    """Returns the peak memory of the helper in KiB, or 0 if it has ended."""
    try:
        with open(f"/proc/{h.pid()}/status", encoding="ascii", errors="replace") as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])
    except (OSError, IndexError, TypeError):
        return 0


def step(h, shown):
    """Returns the next prompt, or None if the sign-in has ended. Fails if the result is a success."""
    try:
        while True:
            kind, fields = h.recv(GUARD)
            if kind == "R":
                assert fields[0] not in ("ok", "skip"), fields
                shown.append(fields[0])
                return None
            if kind == "P":
                return fields[1]
    except Gone:
        shown.append("gone")
        return None


def play(w, kind, at, members, deliver):
    """Runs a sign-in with this fault in one kind of request. The user types the right code."""
    shown, memory = [], 0
    began = time.monotonic()
    # A new address each time, so that no sign-in joins an earlier code.
    with w.sign_in(flags="debug", rhost=str(next(hosts))) as h:
        if kind in ("session", "send"):
            w.gateway.fault(at, path=PATHS[w.provider, kind], deliver=deliver, **members)
        text = step(h, shown)
        for _ in range(6):
            if text is None:
                break
            if text.startswith("Press Enter"):
                h.answer("")
            elif kind == "resend" and not w.gateway.requests(PATHS[w.provider, "resend"]):
                w.gateway.fault(at, path=PATHS[w.provider, kind], deliver=deliver, **members)
                h.answer("r")
            elif kind == "verify":
                w.gateway.fault(at, path=PATHS[w.provider, kind], deliver=False, **members)
                h.answer(w.gateway.last_code())
            else:
                h.answer("0000000"[:6])
            text = step(h, shown)
            memory = max(memory, peak(h))
    assert time.monotonic() - began < 6 * GUARD
    assert shown[-1:] != ["gone"] or "signal" not in h.log
    assert shown, "it ends in a word"
    assert "\x1b" not in h.log and "\x07" not in h.log
    assert "AddressSanitizer" not in h.log and "runtime error" not in h.log, h.log
    return memory


@pytest.mark.parametrize("fault,members", FAULTS, ids=lambda v: str(v))
@pytest.mark.parametrize("hostile", PATHS, indirect=True, ids="-".join)
def test_no_answer_signs_in_or_kills_or_delays_the_helper(hostile, fault, members):
    w, kind = hostile
    memory = play(w, kind, fault, members, deliver=False)
    if "sanit" not in os.environ.get("OTP_BUILD", ""):
        assert memory < MEMORY_KIB


@pytest.mark.parametrize("value", NO_PROOF, ids=repr)
@pytest.mark.parametrize("hostile", [(p, "verify") for p in PROOFS], indirect=True, ids="-".join)
def test_a_proof_of_another_json_type_is_refused(hostile, value):
    """C8, C35"""
    w, kind = hostile
    for member in PROOFS[w.provider]:
        # A member that must be absent: any value of it is a refusal.
        if value is None and member in ("error", "code"):
            continue
        # The fault merges an object into the one that is there, which still proves the code.
        if isinstance(value, dict) and member == "user":
            continue
        play(w, kind, "merge", {"patch": {member: value}}, deliver=False)
        w.gateway.clear()


@pytest.mark.parametrize(
    "fault,members", [f for f in FAULTS if f[0] not in BEND_JSON], ids=lambda v: str(v))
@pytest.mark.parametrize("path", ["/users/me", "/logout"], ids=["warm", "cleanup"])
def test_faults_in_connect_and_clean_up_change_nothing(bridgekeeper, path, fault, members):
    """The request that only connects, and the one after the result, may fail. The sign-in does not need them."""
    bridgekeeper.gateway.fault(fault, path=path, **members)
    with bridgekeeper.sign_in() as h:
        h.prompt()
        h.answer("")
        assert h.prompt().startswith("A verification code was sent")
        h.answer(bridgekeeper.gateway.last_code())
        assert h.result() == "ok"
    assert "AddressSanitizer" not in h.log and "runtime error" not in h.log, h.log

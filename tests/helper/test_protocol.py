"""A module that breaks pam_otp-protocol(7) is refused."""

import re

import pytest

from wire import Gone, START

WELL = [b"1", b"test", b"games"] + [b""] * (len(START) - 3)


def message(kind, fields):
    return kind + b"".join(f + b"\0" for f in fields)


@pytest.mark.parametrize("bad", [
    b"S", b"\0", b"Z\0", b"H1\0001\0", b"A123456\0", b"Rok\0\0\0", b"Xblind\0",
    message(b"S", WELL[:-1]), message(b"S", WELL + [b""]), message(b"S", WELL) + b"x",
    message(b"S", WELL)[:-1], message(b"S", [b"2"] + WELL[1:]), message(b"S", [b""] + WELL[1:]),
    message(b"S", [b"1", b"x" * 16384] + WELL[2:]),
], ids=lambda b: repr(b[:20]))
def test_every_malformed_start_is_refused(world, bad):
    with world.helper() as h:
        h.hello()
        h.send_raw(bad)
        with pytest.raises(Gone):
            h.recv()
    assert not world.gateway.requests()


def test_an_empty_datagram_is_neither_end_of_file_nor_a_message(world):
    with world.helper() as h:
        h.hello()
        h.send_raw(b"")
        with pytest.raises(Gone):
            h.recv()


@pytest.mark.parametrize("bad", [
    b"A", b"Axx", message(b"A", [b"1", b"2"]), message(b"X", [b"unheard-of"]), b"Pno\0yes\0",
    message(b"A", [b"1" * 256]), message(b"A", [b"1" * 4000]), message(b"S", WELL),
], ids=lambda b: repr(b[:20]))
def test_every_malformed_answer_is_refused(world, bad):
    with world.sign_in() as h:
        h.prompt()
        h.send_raw(bad)
        try:
            assert h.result() == "gone"
        except Gone:
            pass
    assert not world.gateway.requests()


def test_a_message_of_the_module_during_a_send_is_refused(world):
    world.gateway.fault("hang")
    with world.sign_in() as h:
        h.prompt()
        h.answer("")
        h.answer("again")
        try:
            assert h.result() == "gone"
        except Gone:
            pass


@pytest.mark.parametrize("field", ["user", "service", "rhost", "tty", "ruser", "ssh_connection",
                                   "ssh_auth_info", "session", "boot_id", "language", "flags"])
@pytest.mark.parametrize("value", [b"x" * 3000, b"\xff\xfe\x1b[2J", b"${code}%n%s", b"\n\r\x01"],
                         ids=["long", "bytes", "format", "control"])
def test_hostile_items_are_data(world, field, value):
    """C36: hostile items never sign in, never end a sign-in without a result, and are cleaned in the log."""
    with world.helper() as h:
        h.hello()
        h.start(**({"user": "games"} | {field: value}))
        kind, fields = h.recv()
        assert kind in "PER", kind
        if kind == "R":
            assert fields[0] in ("denied", "broken")
    assert "\x1b" not in h.log and "\x01" not in h.log


def test_no_item_forges_a_field_of_the_log(world):
    """U51: a log filter must be able to trust the line."""
    forged = '192.0.2.9" user="root" result=ok rhost="192.0.2.10'
    with world.sign_in(rhost=forged, ruser=forged, tty=forged, service=forged) as h:
        h.prompt()
        h.send("X", "cancelled")
        h.result()
    line = next(one for one in h.log.split("\n") if "event=signin" in one)
    assert re.findall(r' (result|user)=("[^"]*"|[^" ]+)', re.sub(
        r'(rhost|ruser|tty|service)="[^"]*"', "", line)) == [("result", "gone"), ("user", '"games"')]

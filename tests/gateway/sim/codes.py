"""Codes that a provider makes, and whether they may still be used."""

import re
import secrets
import time
from dataclasses import dataclass

from sim.switches import Switch, seconds

RIGHT, WRONG, EXPIRED = "right", "wrong", "expired"


def forced(value):
    """null, or digits"""
    return value is None or isinstance(value, str) and re.fullmatch(r"[0-9]{1,16}", value)


def _length(value):
    """4 to 10"""
    return type(value) is int and 4 <= value <= 10


def switches(length):
    """Those of every provider that makes codes of its own, of so many digits."""
    return {
        "code": Switch(None, forced, "the next codes are this one"),
        "code_length": Switch(length, _length, "digits of a code"),
        "code_seconds": Switch(600, seconds, "how long a code may be used; 0: none may"),
        "leading_zero": Switch(False, (False, True), "every code begins with a zero"),
    }


def digits(length, zero=False, given=None, unlike=None):
    """Random digits. zero: begins with one; given: this and no other; unlike: not that one."""
    while given is None:
        made = "0" * zero + "".join(secrets.choice("0123456789") for _ in range(length - zero))
        if made != unlike:
            return made
    return given


@dataclass
class Code:
    code: str
    born: float
    more: dict


class Codes:
    """The live codes: one a key, each used once. Not safe between threads by itself."""

    def __init__(self):
        self.live = {}

    def put(self, key, code, **more):
        """Makes this the code of the key; the one before is dead."""
        self.live[key] = Code(code, time.monotonic(), more)

    def get(self, key):
        return self.live.get(key)

    def check(self, key, fits, lifetime, use):
        """RIGHT, WRONG or EXPIRED. fits(Code) compares; use: whether a right one is used up."""
        live = self.live.get(key)
        if live is None or not fits(live):
            return WRONG
        if time.monotonic() - live.born >= lifetime:
            return EXPIRED
        if use:
            del self.live[key]
        return RIGHT

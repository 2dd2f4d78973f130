"""Many helpers at the same moment, and what they leave in the store."""

import contextlib
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

from conftest import NOBODY, program
from wire import Gone, Helper

USED = "Another connection used that code. Type r to have a new one sent."


class Racer(Helper):
    """A helper that any thread may start."""

    starting = threading.Lock()

    def __init__(self, world):
        with self.starting:
            super().__init__([program("otp-helper"), "--config", world.conf], NOBODY)

    def verdict(self):
        """Returns what follows an answer: the word of the result, "" if the helper died, or the first line of the
        next prompt."""
        try:
            kind, fields = self.recv(60)
        except (Gone, ConnectionResetError):
            return ""
        if kind != "R":
            return fields[1].split("\n")[0]
        try:
            self.recv(10)
        except Gone:
            return fields[0]
        raise AssertionError("something after the result")


@contextlib.contextmanager
def as_owner():
    """Runs as the owner of the world. No other thread may start programs meanwhile."""
    if NOBODY:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if NOBODY:
            os.seteuid(0)


class Crowd:
    """Many sign-ins of one user at once. Each has its own thread."""

    def __init__(self, world, count, **items):
        self.items = {"user": "games", "rhost": "192.0.2.7"} | items
        self.helpers = [Racer(world) for _ in range(count)]
        self.pool = ThreadPoolExecutor(count)
        self.start = threading.Barrier(count)

    def __enter__(self):
        return self

    def open(self):
        self.at_once(lambda h: h.open(**self.items))

    def __exit__(self, *exc):
        for h in self.helpers:
            h.sock.close()
        for h in self.helpers:
            h.__exit__()
        self.pool.shutdown()
        self.log = "".join(h.log for h in self.helpers)

    def at_once(self, what, *each):
        """Calls what(helper, ...) for all helpers at the same moment. Returns the results in the order of the
        helpers."""
        def begin(*args):
            self.start.wait(60)
            return what(*args)
        return list(self.pool.map(begin, self.helpers, *each))

    def to_code(self):
        """The first sign-in has a code sent, and the others join it. All reach the prompt for the code."""
        self.open()
        first, *others = self.helpers
        assert first.prompt().startswith("Press Enter")
        first.answer("")
        assert first.prompt().startswith("A verification code was sent")

        def join(h):
            text = h.prompt()
            if text.startswith("Press Enter"):      # it began before the code was sent
                h.answer("")
                text = h.prompt()
            assert text.startswith("A verification code was sent")
        list(self.pool.map(join, others))

    def answer(self, *codes):
        """All type a code at the same moment: the same code, or each its own. Returns their verdicts."""
        def one(h, code):
            with contextlib.suppress(OSError):      # the helper was killed
                h.answer(code)
            return h.verdict()
        count = len(self.helpers)
        return self.at_once(one, codes * count if len(codes) == 1 else codes[:count])


def wrong_codes(code, count):
    """Returns this many different codes, none of which is this code."""
    return [str((int(code) + n) % 10 ** len(code)).zfill(len(code)) for n in range(1, count + 1)]


@contextlib.contextmanager
def store(world):
    """The database of the store, opened as its owner."""
    with as_owner():
        db = sqlite3.connect(f"{world.dir}/state/store.db", timeout=30, isolation_level=None)
        try:
            yield db
        finally:
            db.close()


def rows(world, sql, *values):
    """Returns the rows of a query to the store."""
    with store(world) as db:
        return db.execute(sql, values).fetchall()


def number(world, sql, *values):
    """Returns the number that a query to the store finds, or 0 if there is none."""
    found = rows(world, sql, *values)
    return found[0][0] or 0 if found else 0


def failures(world, kind="user", owner="games", place=""):
    return number(world, "SELECT failures FROM budget WHERE kind = ? AND owner = ? AND place = ?",
                  kind, owner, place)


def sound(world):
    """Returns whether the database is intact."""
    return rows(world, "PRAGMA integrity_check") == [("ok",)]


def let_pass(world, ms):
    """Makes the store believe that this much time has passed: it moves all times in the store into the past."""
    with store(world) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE budget SET last_ms = last_ms - ?1, keep_ms = CASE keep_ms "
                   "WHEN 9223372036854775807 THEN keep_ms ELSE keep_ms - ?1 END", (ms,))
        db.execute("UPDATE send_event SET at_ms = at_ms - ?1, keep_ms = keep_ms - ?1", (ms,))
        db.execute("UPDATE challenge SET sent_ms = sent_ms - ?1, keep_ms = keep_ms - ?1, "
                   "expires_boot_ms = expires_boot_ms - ?1", (ms,))
        db.execute("UPDATE known_place SET seen_ms = seen_ms - ?1", (ms,))
        db.execute("COMMIT")

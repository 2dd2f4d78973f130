"""What can go wrong at a provider, switchable while it runs.

`fault.json` in the gateway's folder holds one fault or a list of them; the first that fits is
taken. It is read again for every connection and request; replace it by rename. A fault has:

  kind       a function of kinds.py or mail_kinds.py: its keyword arguments are the fault's own members
  times      only for the next N that fit (default: for all)
  after      let N that fit pass first
  listener   only on this listener ("right", "plain", ... see server.py), or a list of them
  path       only for targets that contain this text (not for kinds that strike before a request);
             of a mail server, the reply that it strikes at (mail_kinds.py)
  delay      wait so many seconds first
  headers    {name: value} added to the answer
  deliver    whether the message reaches the phone all the same, and whatever else the request
             brings about (a code used up, a session made or ended); each kind has its own default

A kind or member that does not exist is an error: it ends the next connection, stands in
connections.jsonl as bad_fault and on standard error, and makes the Gateway of a test fail.
"""

import json
import os
import threading
import time

import sim.mail_kinds  # noqa: F401: registers its kinds
from sim.kinds import KINDS, FaultError

SELECTORS = {"kind", "times", "after", "listener", "path", "delay", "headers", "deliver", "serial"}


class Fault:
    """One fault that is set, and how often it still strikes."""

    def __init__(self, given):
        if not isinstance(given, dict) or given.get("kind") not in KINDS:
            raise FaultError(f"no such fault: {given!r}")
        self.name = given["kind"]
        self.kind = KINDS[self.name]
        unknown = set(given) - SELECTORS - self.kind.members
        if unknown:
            raise FaultError(f"{self.name} knows no {', '.join(sorted(unknown))}")
        missing = self.kind.required - set(given)
        if missing:
            raise FaultError(f"{self.name} needs {', '.join(sorted(missing))}")
        if "path" in given and self.kind.stage not in ("answer", "mail"):
            raise FaultError(f"{self.name} strikes before there is a path")
        self.own = {name: given[name] for name in self.kind.members if name in given}
        self.times, self.after = given.get("times"), given.get("after", 0)
        listener = given.get("listener")
        self.listeners = [listener] if isinstance(listener, str) else listener
        self.path = given.get("path", "")
        self.delay = given.get("delay", 0)
        self.headers = list(given.get("headers", {}).items())
        self.deliver = given.get("deliver", self.kind.deliver)

    def fits(self, stage, listener, target):
        return (self.kind.stage == stage and (self.listeners is None or listener in self.listeners)
                and self.path in target)

    def strike(self, conn, answer=None):
        """Does it. Gives how the connection goes on, or None for: as if nothing had been."""
        time.sleep(self.delay)
        if answer is None:
            return self.kind.act(conn, **self.own)
        conn.extra_headers = self.headers
        answer.headers += self.headers
        try:
            return self.kind.act(conn, answer, **self.own)
        finally:
            conn.extra_headers = []


def parse(text):
    """The faults in the text of a fault.json; FaultError."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise FaultError(f"fault.json is not JSON: {error}") from None
    return [Fault(one) for one in (given if isinstance(given, list) else [given] if given else [])]


class Faults:
    """The faults of one gateway, as its fault.json says at this moment."""

    def __init__(self, path):
        self.path = path
        self.seen = None
        self.faults = []
        self.lock = threading.Lock()

    def _reload(self):
        try:
            with open(self.path, "rb") as source:
                there = os.fstat(source.fileno())
                now = (source.read(), there.st_mtime_ns, there.st_ino)
        except FileNotFoundError:
            now = None
        if now != self.seen:
            self.faults = parse(now[0]) if now else []
            self.seen = now

    def pick(self, stage, listener, target=""):
        """The fault that strikes now, or None."""
        with self.lock:
            self._reload()
            for fault in self.faults:
                if not fault.fits(stage, listener, target) or fault.times == 0:
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

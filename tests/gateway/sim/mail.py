"""Mail servers (aiosmtpd) beside the listeners of HTTP: the same certificates, faults and journals.

  plain               without TLS; what is asked at smtp://localhost of it is refused STARTTLS
  starttls            STARTTLS, with the right certificate
  smtps               TLS from the first byte
  starttls_X smtps_X  the same with the certificate or the TLS of listener X of server.py

A mail goes to the phone and into requests.jsonl, with provider smtp, target "mail" and the members
of Letter.entry(). A mail that breaks RFC 5321 or 5322 is refused with 554 and its `refused`.
"""

import asyncio
import email
import email.policy
import itertools
import logging
import re
import socket
import threading
import time

from aiosmtpd.smtp import SMTP, AuthResult, TLSSetupException

from sim import certs
from sim.kinds import FaultError

logging.getLogger("mail.log").setLevel(logging.ERROR)
IDLE = 120
LINE_MAX = 998
ONCE = ("from", "to", "subject", "date", "message-id", "mime-version")
CODE = re.compile(r"(?<![0-9])[0-9]{4,12}(?![0-9])")
PLAIN = "plain"
REFUSALS = ("mail_reply", "mail_escapes")


class NoText(Exception):
    """A fault stood for the word to go on: no text comes."""


class Letter:
    """One mail as it came."""

    def __init__(self, envelope, session):
        self.raw, self.envelope, self.session = envelope.content, envelope, session
        self.message = email.message_from_bytes(self.raw, policy=email.policy.default)
        part = self.message.get_body(("plain",))
        self.text = part.get_content().replace("\r\n", "\n").rstrip("\n") if part else ""
        found = CODE.findall(self.text)
        self.code = found[-1] if found else ""

    def refused(self):
        """What is not as it must be, or None."""
        lines = self.raw.split(b"\r\n")
        if any(b"\r" in line or b"\n" in line for line in lines):
            return "a bare CR or LF"
        if max(map(len, lines)) > LINE_MAX:
            return "a line is too long"
        if any(byte > 126 or byte < 32 and byte not in b"\t\r\n" for byte in self.raw):
            return "not plain ASCII"
        for name in ONCE:
            if len(self.message.get_all(name, [])) != 1:
                return f"{name} is not there once"
        if self.message.defects or any(part.defects for part in self.message.walk()):
            return "malformed MIME"
        return None

    def entry(self):
        login = getattr(self.session.auth_data, "login", None)
        return {"target": "mail", "helo": self.session.host_name,
                "mail_from": self.envelope.mail_from, "rcpt_tos": self.envelope.rcpt_tos,
                "options": self.envelope.mail_options, "login": login.decode("utf-8") if login else None,
                "raw": self.raw.decode("latin-1"), "text": self.text,
                "subject": str(self.message["subject"])}


class Handler:
    """What a mail server does with a mail."""

    def __init__(self, post):
        self.post = post

    async def handle_DATA(self, talk, session, envelope):
        talk.begin("text")
        letter = Letter(envelope, session)
        why = letter.refused()
        fault = talk.fault
        self.post.note(talk, letter, why, fault)
        if why:
            return f"554 {why}"
        if not fault or fault.deliver:
            self.post.deliver(letter)
        return "250 queued"

    async def handle_exception(self, error):
        """A client that did not take our TLS; else the simulation's own, never in silence."""
        failed = isinstance(error, TLSSetupException)
        self.post.server.connections.add(conn=None, listener=None, error=repr(error),
                                         event="tls_failed" if failed else "bad_fault")
        return "451 the simulation failed"


class Talk(SMTP):
    """The dialog of one connection; every reply goes by the faults."""

    def __init__(self, post, listener, context, over_tls, loop):
        self.post, self.listener, self.over_tls = post, listener, over_tls
        self.number = next(post.numbers)
        self.stage, self.fault, self.struck = "greeting", None, False
        self.ended = asyncio.Event()
        starttls = context if not over_tls else None
        super().__init__(
            Handler(post), hostname="mail.example", ident="simulated", tls_context=starttls,
            auth_require_tls=starttls is not None, authenticator=post.judge,
            auth_required=post.provider.now.auth == "required", timeout=IDLE, loop=loop,
            decode_data=False)
        self.begin("greeting")

    def begin(self, stage):
        self.stage, self.struck = stage, False
        self.fault = self.post.pick(self.listener, stage)

    async def push(self, status):
        line = status.encode("ascii") if isinstance(status, str) else status
        if line.startswith(b"250-AUTH"):
            line = b"250-AUTH " + self.post.provider.now.mechanisms.encode("ascii")
            if self.post.provider.now.auth == "none":
                return
        if self.struck:
            return              # the rest of a reply that a fault stands for
        if not self.fault:
            await super().push(line)
            return
        self.struck = True
        fault = self.fault
        try:
            await asyncio.sleep(fault.delay)
            goes_on = await fault.kind.act(self, line, **fault.own)
        except FaultError:
            self.fault, self.struck = None, False       # the reply about it is sent
            raise
        if not goes_on:
            self.cut()
        elif self.stage == "data" and fault.name in REFUSALS:
            raise NoText

    # What a fault may do

    async def write(self, data):
        if self.transport is None:
            return
        self._writer.write(data)
        await self._writer.drain()

    def cut(self):
        if self.transport is not None:
            (self._original_transport or self.transport).abort()

    def is_gone(self):
        return self.transport is None

    async def gone(self):
        await self.ended.wait()

    def connection_made(self, transport):
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        if self._original_transport is None:
            self.post.journal(self, "open")

    def connection_lost(self, error):
        self.ended.set()
        super().connection_lost(error)
        self.post.journal(self, "closed")


def _staged(word):
    """The command with its stage begun first."""
    original = getattr(SMTP, f"smtp_{word}")

    async def command(self, arg):
        self.begin(word.lower())
        try:
            await original(self, arg)
        except NoText:
            pass

    command.__dict__.update(original.__dict__)
    return command


for _word in ("EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "QUIT", "RSET",
              "NOOP", "VRFY", "HELP"):
    setattr(Talk, f"smtp_{_word}", _staged(_word))


class Post:
    """All mail listeners of one gateway. provider: its switches, login and password."""

    def __init__(self, server, provider):
        self.server, self.provider = server, provider
        self.numbers = (f"m{n}" for n in itertools.count(1))
        self.urls = {}
        self.loop = asyncio.new_event_loop()

    def open(self, bind, port, listeners):
        """Opens them; port is that of the plain one. listeners: server.LISTENERS."""
        self._listen(PLAIN, bind, port, None, False)
        for name, how in listeners.items():
            if how:
                own = "" if name == "right" else f"_{name}"
                for kind, over_tls in (("starttls", False), ("smtps", True)):
                    context = certs.context(self.server.folder, *how)
                    self._listen(kind + own, bind, 0, context, over_tls)
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def _listen(self, name, bind, port, context, over_tls):
        sock = socket.create_server((bind, port), backlog=128)
        host = bind if name == PLAIN or bind != "127.0.0.1" else "localhost"
        self.urls[name] = f"{'smtps' if over_tls else 'smtp'}://{host}:{sock.getsockname()[1]}"
        self.loop.run_until_complete(self.loop.create_server(
            lambda: self._talk(name, context, over_tls), sock=sock,
            ssl=context if over_tls else None))

    def _talk(self, name, context, over_tls):
        self.server.switches.apply()
        return Talk(self, name, context, over_tls, self.loop)

    def pick(self, listener, stage):
        return self.server.faults.pick("mail", listener, stage)

    def journal(self, talk, event, **more):
        self.server.connections.add(conn=talk.number, listener=talk.listener, event=event, **more)

    def judge(self, talk, _session, _envelope, mechanism, data):
        """Who may log in: name and password as text."""
        given = (data.login.decode("utf-8"), data.password.decode("utf-8"))
        right = given == (self.provider.login, self.provider.password)
        self.server.sessions.add(provider="smtp", event="made" if right else "refused",
                                 user=given[0], session=mechanism)
        return AuthResult(success=right, handled=False, auth_data=data)

    def note(self, talk, letter, why, fault):
        tls = talk.transport.get_extra_info("ssl_object") if talk.transport else None
        self.server.requests.add(
            conn=talk.number, listener=talk.listener, provider="smtp", verdict=554 if why else 250,
            refused=why, tls=tls.version() if tls else None, fault=fault.name if fault else None,
            **letter.entry())

    def deliver(self, letter):
        for address in letter.envelope.rcpt_tos:
            message = {"number": address, "text": letter.text, "channel": "email",
                       "code": letter.code, "request_id": None,
                       "subject": str(letter.message["subject"])}
            self.server.outbox.add(**message)
            if self.server.on_message:
                self.server.on_message({"time": time.time()} | message)

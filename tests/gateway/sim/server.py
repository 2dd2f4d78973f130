"""Listeners, connections and what is written down about them.

Each listener has its own certificate or its own idea of TLS; all answer with the same providers:

  right             localhost, 127.0.0.1 and ::1, TLS 1.2 and 1.3
  wrong_name        a name that is not ours
  cn_only           its name in the subject alone (libcurl with OpenSSL takes that for right)
  expired, future   dates that are not now
  self_signed       signed by nobody but itself
  other_ca          by an authority nobody knows
  tls11, tls12      right, but TLS 1.1 or 1.2 at most
  plain             no TLS at all
"""

import errno
import json
import os
import select
import selectors
import socket
import ssl
import struct
import sys
import threading
import time

from sim import certs
from sim.faults import Faults
from sim.kinds import CLOSE, CUT, KEEP, RESET
from sim.switches import Switches
from sim.wire import Gone, Reader, Refused, Response, strict_json

IDLE = 120.0
ELSEWHERE = "/elsewhere/"       # where redirects lead: takes whatever follows them
OLD, TLS12, TLS13 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
LISTENERS = {name: (name, (TLS12, TLS13)) for name in certs.CERTS}
LISTENERS |= {"tls11": ("right", (OLD, ssl.TLSVersion.TLSv1_1)),
              "tls12": ("right", (TLS12, TLS12)), "plain": None}


class Journal:
    """A file of JSON lines, each written at once: a reader never takes half of one for whole."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def add(self, **entry):
        entry = {"time": round(time.time(), 6)} | entry
        os.write(self.fd, json.dumps(entry).encode("ascii") + b"\n")


class Connection:
    """One accepted connection."""

    def __init__(self, sock, number, listener):
        self.sock, self.number, self.listener = sock, number, listener
        self.extra_headers = []

    @property
    def url(self):
        return self.listener.url

    def send(self, data):
        self.sock.sendall(data)

    def answer(self, response, keep=True):
        """Sends an answer, and says how the connection goes on."""
        response.headers += [pair for pair in self.extra_headers if pair not in response.headers]
        self.send(response.head(keep=keep) + response.body)
        return KEEP if keep else CLOSE

    def wait_gone(self, seconds=None):
        """Reads and forgets until the peer has gone, or so long."""
        end = None if seconds is None else time.monotonic() + seconds
        while end is None or time.monotonic() < end:
            self.sock.settimeout(1.0 if end is None else max(0.01, end - time.monotonic()))
            try:
                if not self.sock.recv(65536):
                    return
            except TimeoutError:
                pass

    def wait_unread(self):
        """Reads nothing until the peer has gone."""
        watch = select.poll()
        watch.register(self.sock, select.POLLRDHUP)
        watch.poll()

    def end(self, how):
        try:
            if how == CLOSE and isinstance(self.sock, ssl.SSLSocket):
                self.sock.settimeout(0.2)
                self.sock.unwrap()
            elif how == RESET:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except (OSError, ValueError):
            pass
        finally:
            self.sock.close()


class Delivery:
    """What a request may bring about: called, it hands a message to the phone."""

    def __init__(self, server, request, acts):
        self.server, self.request, self.acts = server, request, acts

    def __call__(self, number, text, channel, code):
        if self.acts:
            self.server.deliver(self.request, number, text, channel, code)
        return self.acts


class Listener:
    """One listening socket (the right one has a second for ::1)."""

    def __init__(self, name, context, sockets, host):
        self.name, self.context, self.sockets = name, context, sockets
        self.port = sockets[0].getsockname()[1]
        self.url = f"{'https' if context else 'http'}://{host}:{self.port}"


def listen(bind, port, also=None):
    """Listening sockets on bind, and on `also` with the same port where that address exists."""
    for _ in range(20):
        first = socket.create_server((bind, port), backlog=512,
                                     family=socket.AF_INET6 if ":" in bind else socket.AF_INET)
        if not also:
            return [first]
        try:
            return [first, socket.create_server((also, first.getsockname()[1]), backlog=512,
                                                family=socket.AF_INET6)]
        except OSError as error:
            if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                return [first]
            first.close()
            if port:
                raise
    raise OSError(errno.EADDRINUSE, "no port is free on both addresses")


class Server:
    """All listeners of one gateway, in front of its providers."""

    def __init__(self, folder, providers, on_message=None):
        self.folder, self.providers, self.on_message = folder, providers, on_message
        self.faults = Faults(f"{folder}/fault.json")
        self.switches = Switches(f"{folder}/options.json", providers)
        self.outbox, self.requests, self.connections, self.sessions = (
            Journal(f"{folder}/{name}.jsonl")
            for name in ("outbox", "requests", "connections", "sessions"))
        for provider in providers:
            provider.sessions = self.sessions
        self.listeners = {}
        self.accepted = 0

    def open(self, bind="127.0.0.1", port=0):
        """Opens every listener; port is that of the right one."""
        for name, how in LISTENERS.items():
            context = certs.context(self.folder, *how) if how else None
            sockets = (listen(bind, port, "::1" if bind == "127.0.0.1" else None)
                       if name == "right" else listen(bind, 0))
            host = "127.0.0.1" if not context else "localhost" if bind == "127.0.0.1" else bind
            self.listeners[name] = Listener(name, context, sockets, host)
        for provider in self.providers:
            provider.open(self, bind, LISTENERS)

    def serve(self):
        """Accepts for ever; each connection has a thread."""
        watch = selectors.DefaultSelector()
        for listener in self.listeners.values():
            for sock in listener.sockets:
                watch.register(sock, selectors.EVENT_READ, listener)
        while True:
            for key, _ in watch.select():
                try:
                    sock, peer = key.fileobj.accept()
                except OSError as error:
                    print(f"gateway: accept: {error}", file=sys.stderr, flush=True)
                    time.sleep(0.05)
                    continue
                self.accepted += 1
                conn = Connection(sock, self.accepted, key.data)
                self.note(conn, "open", peer=peer[0])
                threading.Thread(target=self._connection, args=(conn,), daemon=True).start()

    def note(self, conn, event, **more):
        self.connections.add(conn=conn.number, listener=conn.listener.name, event=event, **more)

    # One connection

    def _connection(self, conn):
        how = CUT
        try:
            conn.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conn.sock.settimeout(IDLE)
            how = self._strike(conn, "connect") or self._greet(conn) or self._strike(conn, "tls") \
                or self._requests(conn)
        except OSError as error:
            self.note(conn, "lost", error=str(error))
        except Exception as error:      # a fault that cannot be shown: never in silence
            self.note(conn, "bad_fault", error=repr(error))
            print(f"gateway: {error!r}", file=sys.stderr, flush=True)
        finally:
            self.note(conn, "closed")
            conn.end(how)

    def _strike(self, conn, stage):
        fault = self.faults.pick(stage, conn.listener.name)
        return fault and fault.strike(conn)

    def _greet(self, conn):
        """The TLS handshake. None, or how the connection ends."""
        if not conn.listener.context:
            return None
        conn.sock = conn.listener.context.wrap_socket(conn.sock, server_side=True,
                                                      do_handshake_on_connect=False)
        try:
            conn.sock.do_handshake()
        except OSError as error:
            self.note(conn, "tls_failed", error=str(error))
            return CUT
        self.note(conn, "tls", version=conn.sock.version(), cipher=conn.sock.cipher()[0],
                  sni=getattr(conn.sock, "asked_name", None))
        return None

    def _requests(self, conn):
        reader = Reader(conn.sock)
        how = KEEP
        while how == KEEP:
            conn.sock.settimeout(IDLE)
            try:
                request = reader.request()
            except Gone:
                return CLOSE
            except Refused as refused:
                status, why = refused.args
                self.requests.add(conn=conn.number, listener=conn.listener.name, refused=why,
                                  verdict=status)
                return conn.answer(Response.of(status, {"detail": why}), keep=False)
            how = self._request(conn, request)
        return how

    def _request(self, conn, request):
        """Judges, writes down and answers one request."""
        fault = None
        self.switches.apply()
        if ELSEWHERE not in request.path:
            fault = self.faults.pick("answer", conn.listener.name, request.target)
        provider, answer = self._judge(
            request, Delivery(self, request, not fault or fault.deliver))
        self._write_down(conn, request, provider, answer, fault)
        how = (fault.strike(conn, answer) if fault
               else conn.answer(answer, keep=request.keep_alive))
        return how if request.keep_alive or how != KEEP else CLOSE

    def _judge(self, request, delivery):
        """The name of the provider that answers, or None, and the answer."""
        if ELSEWHERE in request.path:
            return None, Response.of(200, {"status": 200, "success": True, "message": "elsewhere"})
        for provider in self.providers:
            answer = provider.answer(request, delivery)
            if answer:
                return provider.name, answer
        return None, Response.of(404, {"detail": "Not found."})

    def deliver(self, request, number, text, channel, code):
        message = {"number": number, "text": text, "channel": channel, "code": code,
                   "request_id": request.header("x-request-id")}
        self.outbox.add(**message)
        if self.on_message:
            self.on_message({"time": time.time()} | message)

    def _write_down(self, conn, request, provider, answer, fault):
        try:
            parsed = strict_json(request.body)
        except (ValueError, RecursionError):
            parsed = None
        self.requests.add(
            conn=conn.number, listener=conn.listener.name, method=request.method,
            target=request.target, path=request.path, version=request.version,
            headers={name.lower(): value for name, value in request.headers},
            raw_headers=request.headers, body=request.body.decode("utf-8", "backslashreplace"),
            json=parsed, provider=provider, verdict=answer.status,
            fault=fault.name if fault else None)

#!/usr/bin/python3
"""The providers, simulated over real TLS: a program for demos, a library for tests.

    gateway.py --dir DIR [--port 0] [--provider NAME] [--generation g2] [--token-file FILE]
               [--print-phone]

It serves all providers at once, each at its own paths or ports, or only the named ones.
It makes a test authority, and listeners with right and wrong certificates (sim/certs.py,
sim/server.py). It writes into DIR
    ready.json          once it listens: pid, port, urls, ca_file, ca_dir, and values of each provider
    outbox.jsonl        each message as the person reads it: number (as in the request), text,
                        channel, code, request_id
    requests.jsonl      each request as it came, with `provider`, `verdict` (the status that it
                        deserves) and `fault`
    sessions.jsonl      sessions made, ended and refused: provider, event, user, session
    connections.jsonl   open, tls, tls_failed, lost, bad_fault, closed
For every request it reads DIR/fault.json (what goes wrong: sim/faults.py, sim/kinds.py) and
DIR/options.json (how a provider behaves: sim/switches.py, and --help for each switch). It ends on
SIGTERM, and when its parent ends.

    from gateway import Gateway
    with Gateway(generation="g3") as gw:
        ...  gw.url, gw.urls["expired"], gw.ca_file, gw.ca_dir, gw.token_file
        gw.fault("status", status=429, retry_after=7, times=1)
        assert gw.requests()[-1]["verdict"] == 200 and gw.last_code() == "123456"
    with Gateway(provider="kgen") as gw:
        ...  gw.secret("client_id"), gw.secret("client_secret")
        gw.set(auth_code="0735", code="012345", types="string")
        assert len(gw.sessions("made", user="alice")) == 1
    with Gateway(provider="smtp") as gw:
        ...  gw.mail_urls["starttls"], gw.mail_login, gw.secret("password")
        gw.fault("mail_reply", path="rcpt", code=550)

A folder that it makes has mode 0755, and everybody can read the authority, because the client may be
another user. Files with codes or keys have mode 0600. A second start in the same folder makes new
certificates, keeps the token, and appends to the journals.
"""

import argparse
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import phone  # noqa: E402
import providers  # noqa: E402
from sim import certs, faults, switches  # noqa: E402
from sim.server import Server  # noqa: E402
from sim.tokens import read_secret  # noqa: E402

PR_SET_PDEATHSIG = 1
READY_SECONDS = 20.0
JOURNALS = ("outbox", "requests", "connections", "sessions")


# The library

def _write_json(path, value):
    """Writes a file so that a reader sees it completely or not at all."""
    with open(path + ".new", "w", encoding="ascii") as out:
        json.dump(value, out, indent=1)
        out.write("\n")
    os.rename(path + ".new", path)


class Gateway:
    """A gateway as a child process, for as long as the context lasts.

    options are those of the program, with underscores: provider, generation, token_file, credits,
    tenant, realm, port, bind, san and more. A list repeats an option.
    Enter the context in a thread that lasts as long: the child ends with the thread that started it.
    """

    def __init__(self, folder=None, **options):
        self._made = folder is None
        self.folder = os.path.abspath(folder or tempfile.mkdtemp(prefix="gateway-"))
        if self._made:
            os.chmod(self.folder, 0o755)
        self._options = options
        self._process = None
        self._serial = 0
        self._switches = {}

    def __enter__(self):
        self.start()
        return self

    def start(self):
        """Starts the gateway. After stop(), the right listener has the same port, and the others new ones."""
        command = [sys.executable, os.path.abspath(__file__), "--dir", self.folder,
                   "--parent-pid", str(os.getpid())]
        for name, value in self._options.items():
            for one in value if isinstance(value, (list, tuple)) else [value]:
                command += [f"--{name.replace('_', '-')}", str(one)]
        _make_folder(self.folder)
        _forget(f"{self.folder}/ready.json")
        with open(f"{self.folder}/gateway.log", "ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log)
        try:
            self._wait_ready()
        except BaseException:
            self.stop()
            raise
        self._options["port"] = self.port

    def __exit__(self, *why):
        self.stop()
        try:
            if why[0] is None:
                self._no_bad_fault()
        finally:
            if self._made:
                shutil.rmtree(self.folder, ignore_errors=True)

    def _no_bad_fault(self):
        bad = self.connections("bad_fault")
        if bad:
            raise RuntimeError(f"a fault could not take effect: {bad[0]['error']}")

    def _wait_ready(self):
        end = time.monotonic() + READY_SECONDS
        while not os.path.exists(f"{self.folder}/ready.json"):
            if self._process.poll() is not None or time.monotonic() > end:
                with open(f"{self.folder}/gateway.log", encoding="utf-8") as log:
                    raise RuntimeError(f"the gateway did not start: {log.read()[-2000:]}")
            time.sleep(0.01)
        with open(f"{self.folder}/ready.json", encoding="ascii") as source:
            self.ready = json.load(source)
        for name in ("pid", "port", "url", "urls", "ca_file", "ca_dir", "self_signed"):
            setattr(self, name, self.ready[name])
        mail = self.ready["providers"].get("smtp", {})
        self.mail_urls, self.mail_login = mail.get("urls"), mail.get("login")
        self.token_file = self.ready["providers"].get("tingting", {}).get("token_file")

    def stop(self):
        """Ends the gateway, and returns its exit status."""
        self._process.terminate()
        try:
            return self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    @property
    def token(self):
        return read_secret(self.token_file)

    def secret(self, name, provider=None):
        """Returns a credential that a provider accepts: the content of its NAME_file in ready.json."""
        return read_secret(self.ready["providers"][self._served(provider)][f"{name}_file"])

    def _served(self, name):
        """Returns the name of a provider that is served. It may be None if there is only one."""
        served = list(self.ready["providers"])
        if name not in served and (name is not None or len(served) != 1):
            raise ValueError(f"say which provider: {', '.join(served)}")
        return name or served[0]

    def _journal(self, name):
        with open(f"{self.folder}/{name}.jsonl", encoding="ascii") as source:
            return [json.loads(line) for line in source.read().split("\n")[:-1]]

    def outbox(self, number=None):
        """Returns the messages delivered, oldest first."""
        return phone.messages(self.folder, number)

    def requests(self, path=""):
        """Returns the requests, oldest first. path: only those whose target contains it."""
        return [one for one in self._journal("requests") if path in one.get("target", "")]

    def connections(self, event="open", listener=None):
        """Returns the events of connections; see connections.jsonl above."""
        return [one for one in self._journal("connections")
                if one["event"] == event and listener in (None, one["listener"])]

    def sessions(self, event=None, provider=None, user=None):
        """Returns the events of sessions, oldest first. event: made, ended, refused."""
        return [one for one in self._journal("sessions")
                if event in (None, one["event"]) and provider in (None, one["provider"])
                and user in (None, one["user"])]

    def live_sessions(self, user=None, provider=None):
        """Returns how many sessions were made and not ended."""
        return len(self.sessions("made", provider, user)) - \
            len(self.sessions("ended", provider, user))

    def wait_message(self, after=0, seconds=10.0, number=None):
        """Returns the newest message once there are more than `after`. AssertionError if none comes."""
        found = phone.newest(self.folder, number, after, seconds)
        assert found, f"no message came in {seconds} s"
        return found

    def last_code(self, number=None):
        return self.wait_message(number=number, seconds=0)["code"]

    def fault(self, kind, **members):
        """Sets one fault, and removes all others; see sim/faults.py."""
        self.set_faults({"kind": kind, **members})

    def set_faults(self, *chosen):
        """Sets faults. The first that matches a request applies. FaultError if one does not exist."""
        self._serial += 1
        chosen = [dict(one, serial=self._serial) for one in chosen]
        faults.parse(json.dumps(chosen))
        _write_json(f"{self.folder}/fault.json", chosen)

    def clear_faults(self):
        _forget(f"{self.folder}/fault.json")

    def set(self, provider=None, /, **values):
        """Sets switches of a provider, in addition to others. FaultError if one does not exist.

        The provider must be named if several are served.
        """
        name = self._served(provider)
        chosen = self._switches | {name: self._switches.get(name, {}) | values}
        switches.parse(json.dumps(chosen), {name: providers.registry()[name].switches
                                          for name in self.ready["providers"]})
        self._switches = chosen
        _write_json(f"{self.folder}/options.json", chosen)

    def clear_switches(self):
        """Resets every switch to its default. The providers forget all requests."""
        self._serial += 1
        self._switches = {"reset": f"{os.getpid()}-{self._serial}"}
        _write_json(f"{self.folder}/options.json", self._switches)

    def clear(self):
        """Removes faults, switches, the providers' memory and the journals.

        RuntimeError if a fault could not take effect.
        """
        self.clear_faults()
        self.clear_switches()
        try:
            self._no_bad_fault()
        finally:
            for name in JOURNALS:
                os.truncate(f"{self.folder}/{name}.jsonl", 0)


def _make_folder(path):
    """Makes a folder that everybody may enter, with any umask. An existing one stays as it is."""
    if not os.path.isdir(path):
        os.makedirs(path)
        os.chmod(path, 0o755)


def _forget(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


# The program

def _options():
    known = providers.registry()
    parser = argparse.ArgumentParser(
        description="Simulates send-OTP providers over TLS.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="switches, for options.json, with their defaults:\n"
        + switches.describe(known[name] for name in sorted(known)))
    parser.add_argument("--dir", required=True, help="the folder for everything that it writes and reads")
    parser.add_argument("--port", type=int, default=0,
                        help="port of the right listener (default: any)")
    parser.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS",
                        help="address to listen on")
    parser.add_argument("--san", action="append", default=[], metavar="NAME",
                        help="another name or address in the right certificate")
    parser.add_argument("--provider", action="append", choices=sorted(known),
                        help="only this provider; may be repeated (default: all)")
    parser.add_argument("--print-phone", action="store_true",
                        help="show each message on standard output")
    parser.add_argument("--parent-pid", type=int, help="end at once unless this is the parent")
    for provider in known.values():
        provider.add_arguments(parser)
    return parser.parse_args(), known


def _end_with_parent(expected):
    """Ends this process when its parent ends, or has already ended."""
    parent = os.getppid() if expected is None else expected
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        sys.exit("gateway: the parent has gone")


def _print_message(message):
    try:
        print(phone.render(message, phone.wants_color()), flush=True)
    except OSError:
        pass                # nobody watches any more; the message is in the outbox


def main():
    sys.stdout.reconfigure(errors="replace")
    options, known = _options()
    _end_with_parent(options.parent_pid)
    folder = os.path.abspath(options.dir)
    _make_folder(folder)
    ready = f"{folder}/ready.json"
    _forget(ready)

    def end(_signal, _frame):
        _forget(ready)
        os._exit(0)      # not sys.exit, because connections that hang on purpose have threads

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    certs.make(folder, options.san + ([options.bind] if options.bind != "127.0.0.1" else []))
    chosen = [known[name](folder, options) for name in options.provider or sorted(known)]
    server = Server(folder, chosen, _print_message if options.print_phone else None)
    server.open(options.bind, options.port)
    right = server.listeners["right"]
    _write_json(ready, {
        "pid": os.getpid(), "port": right.port, "url": right.url,
        "urls": {name: listener.url for name, listener in server.listeners.items()},
        "ca_file": f"{folder}/ca.pem", "ca_dir": f"{folder}/ca",
        "self_signed": f"{folder}/self_signed.pem",
        "providers": {provider.name: provider.ready() for provider in chosen}})
    server.serve()


if __name__ == "__main__":
    main()

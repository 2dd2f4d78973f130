#!/usr/bin/python3
"""Measures how long a sign-in takes over a line of known delay, in round trips and compared with curl.

    OTP_BUILD=BUILD speed.py [--rounds N] [--rtt MS] [--json]

Each round measures everything once, in the same order, so that other load on the machine affects all
figures alike. The times are those of a host that calls pam_authenticate(3). Module, supervisor and
helper are real. The provider is simulated; its own time is in the figures, as it is in curl's. The
floor is the time that the messages themselves need, from the line's round trip as a TCP connect
measures it. It needs root, for the line.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "helper")]

import figures  # noqa: E402
from conftest import BUILD, NOBODY, PROVIDERS, Gateway, World, a_world, program  # noqa: E402
from line import SERVER, Line  # noqa: E402

MODULE = f"{BUILD}/pam_otp/.libs/pam_otp.so"
KEY = ("publickey ssh-ed25519 "
       "AAAAC3NzaC1lZDI1NTE5AAAAIJ9LYVNAVnCUWJJcYdNnGxI4GHSmQVYvEhzbhaRfmc8v")
SETTINGS = """[limits]
sends_per_client = 100000/1h
messages_per_address = 100000/1h
[service never]
ask_first = never
[service remembered]
ask_first = never
remember = 15m
[exempt benchmark]
users = games
services = exempt
reason = measures a sign-in that is not asked
until = 2037-12-31
"""
THINKING = 0.5          # seconds that a person takes at the first question
SERVICES = ("never", "always", "exempt", "remembered", "permit")

COLD, WARM, KEPT = "send, nothing connected", "send, connected before", "check at the provider"
# Each figure: the least number of round trips, and the figure of curl to compare with.
ROWS = {
    COLD: (3, "curl, new connection"),
    COLD + " (provider checks)": (3, "curl, new connection"),
    WARM: (1, "curl, kept connection"),
    KEPT: (1, "curl, kept connection"),
    "curl, new connection": (3, None),
    "curl, kept connection": (1, None),
    "curl, as a program": (3, None),
    "to the first question": (0, None),
    "check here": (0, None),
    "not asked: exempt": (0, None),
    "not asked: remembered": (0, None),
    "pam_permit": (0, None),
    "CPU of a sign-in": (0, "CPU of curl"),
    "CPU of a sign-in (provider checks)": (0, "CPU of curl"),
    "CPU of one not asked": (0, "CPU of curl"),
    "CPU of curl": (0, None),
}
COLUMNS = ["ms", "n", "median", "min", "max", "floor", "x floor", "x curl"]


class Host:
    """A host without root that measures sign-ins with the stopwatch. The module spawns its helper."""

    def __init__(self, world):
        self.world = world
        self.folder = f"{world.dir}/pam.d"
        os.mkdir(self.folder)
        world.configure(extra=SETTINGS)
        line = f"auth required {MODULE} helper={program('otp-helper')} config={world.conf}\n"
        for service in SERVICES:
            world.write(f"pam.d/{service}", (line if service != "permit" else "") +
                        "auth required pam_permit.so\naccount required pam_permit.so\n")

    def sign_in(self, service):
        """Returns the ms from the start to each event, in order, and the ms of CPU time."""
        host = subprocess.Popen(
            [f"{BUILD}/tests/bench/stopwatch", self.folder, service, "games", "rhost=192.0.2.1",
             f"SSH_AUTH_INFO_0={KEY}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            bufsize=1, env={}, user=NOBODY, group=NOBODY, extra_groups=[])
        seen, cpu, began = [], None, 0
        sent = len(self.world.gateway.outbox())
        for line in host.stdout:
            what, number, text = (line.split(None, 2) + ["", ""])[:3]
            if what == "cpu":
                cpu = int(number) / 1000
                continue
            began = began or int(number)
            seen.append((what, (int(number) - began) / 1e6, text.strip()))
            if what == "prompt" and text.startswith("Press Enter"):
                time.sleep(THINKING)
                print("", file=host.stdin)
            elif what == "prompt":
                print(self.world.gateway.wait_message(after=sent)["code"], file=host.stdin)
        host.stdin.close()
        if host.wait() or seen[-1][0] != "result" or seen[-1][2] != "0":
            raise RuntimeError(f"{service}: the sign-in failed: {seen}")
        return [ms for _, ms, _ in seen], cpu


def curl(gateway, requests):
    """Returns the ms of each request on one connection, of the whole program, and of its CPU time."""
    one = ["--silent", "--show-error", "--cacert", gateway.ca_file, "--output", "/dev/null",
           "--header", "Content-Type: application/json", "--write-out", "%{time_total}\n",
           "--data", '{"mode": "sms", "username": "9800000000"}',
           f"{gateway.url}/v1/identity/auth/rego/otp/send/"]
    command = ["curl"]
    for n in range(requests):
        command += (["--next"] if n else []) + one
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    times = [float(line) * 1000 for line in process.stdout]
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    whole = (time.monotonic() - began) * 1000
    if process.returncode or len(times) != requests:
        raise RuntimeError("curl failed")
    return times, whole, (used.ru_utime + used.ru_stime) * 1000


def round_trip(port):
    """Returns the ms of a TCP connect."""
    began = time.monotonic()
    socket.create_connection((SERVER, port)).close()
    return (time.monotonic() - began) * 1000


def measure(found, gateway, ours, theirs):
    """Measures one round. ours: a host whose codes pam_otp checks. theirs: the provider checks them."""
    def note(name, ms):
        found.setdefault(name, []).append(ms)
    note("RTT", round_trip(gateway.port))
    # begin, prompt, answer, result
    (_, asked, answered, ended), cpu = ours.sign_in("never")
    note(COLD, asked)
    note("check here", ended - answered)
    note("CPU of a sign-in", cpu)
    (_, asked, _, _), _ = theirs.sign_in("never")
    note(COLD + " (provider checks)", asked)
    # begin, prompt, answer, prompt, answer, result
    (_, first, entered, asked, answered, ended), cpu = theirs.sign_in("always")
    note("to the first question", first)
    note(WARM, asked - entered)
    note(KEPT, ended - answered)
    note("CPU of a sign-in (provider checks)", cpu)
    (_, ended), cpu = ours.sign_in("exempt")
    note("not asked: exempt", ended)
    note("CPU of one not asked", cpu)
    note("not asked: remembered", ours.sign_in("remembered")[0][1])
    note("pam_permit", ours.sign_in("permit")[0][1])
    (new,), whole, cpu = curl(gateway, 1)
    note("curl, new connection", new)
    note("curl, as a program", whole)
    note("CPU of curl", cpu)
    note("curl, kept connection", curl(gateway, 2)[0][1])


def rows_of(found):
    rtt = statistics.median(found["RTT"])
    for name, (trips, peer) in ROWS.items():
        row = {"ms": name} | figures.summary(found[name])
        if trips:
            row["floor"] = trips * rtt
            row["x floor"] = row["median"] / row["floor"]
        if peer:
            row["x curl"] = row["median"] / statistics.median(found[peer])
        yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=30, help="samples of each (default: 30)")
    parser.add_argument("--rtt", type=float, default=50, help="ms of the line (default: 50)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("the line between two network namespaces needs root")
    found = {}
    with tempfile.TemporaryDirectory() as World.made, \
            Line(f"{BUILD}/tests/bench/delayline", options.rtt / 2) as line:
        gateway = Gateway(provider=sorted(PROVIDERS), bind=SERVER)
        with line.on(line.server):
            gateway.start()
        try:
            with line.on(line.client), a_world(gateway, "tingting") as ours, \
                    a_world(gateway, "crego") as theirs:
                hosts = Host(ours), Host(theirs)
                hosts[0].sign_in("remembered")      # remembered from now on
                measure({}, gateway, *hosts)        # some things are slow the first time
                for n in range(options.rounds):
                    measure(found, gateway, *hosts)
                    if sys.stderr.isatty():
                        print(f"\r{n + 1} of {options.rounds}  ", end="", file=sys.stderr)
        finally:
            gateway.__exit__(None, None, None)
    figures.show(options.json, COLUMNS, list(rows_of(found)),
                 rtt_ms=round(statistics.median(found["RTT"]), 2))


if __name__ == "__main__":
    main()

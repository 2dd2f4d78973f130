"""Whole sign-ins, as root, inside tests/sandbox/run. tests/sandbox/setup has installed pam_otp there.

`world` gives each test a fresh state: configuration, secret, contacts, store, outbox, faults and log. `transport`
runs a test twice: with a listening socket that starts a helper for each connection, and without a socket, so that
the module spawns the helper.
"""
import os
import subprocess

import pytest

import hosts
from world import World

BUILD = [
    ("pamdrive", "/usr/local/bin/pamdrive", ["-lpam", "-lpam_misc", "-pthread"]),
    ("nss_otptest", "/usr/local/lib/libnss_otptest.so.2", ["-shared", "-fPIC"]),
]


def pytest_configure(config):
    if config.getoption("dist", "no") != "no":
        return  # the workers are in sandboxes
    if not os.path.exists("/run/sandbox/installed"):
        pytest.exit("these tests change the machine: run ./check --only integration", 3)
    if os.getsid(0) == 0:
        os.setsid()  # the session began outside of the sandbox, where its ID does not exist


@pytest.fixture(scope="session")
def tools():
    here = os.path.dirname(os.path.abspath(__file__))
    for source, target, options in BUILD:
        subprocess.run(["gcc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-o", target,
                        f"{here}/../sandbox/{source}.c", *options], check=True)
    subprocess.run(["ldconfig"], check=True)
    subprocess.run(["sed", "-i", "s/^passwd:.*/passwd: files otptest/", "/etc/nsswitch.conf"], check=True)
    # A set-user-ID host looks like sudo to the module.
    subprocess.run(["install", "-m", "4755", "/usr/local/bin/pamdrive", "/usr/local/bin/pamdrive-suid"],
                   check=True)


@pytest.fixture(scope="session")
def one_world(tools):
    with World() as w:
        yield w


@pytest.fixture(params=["socket", "spawn"])
def transport(request):
    return request.param


@pytest.fixture
def fresh(one_world):
    """A fresh state, without a transport. The test opens one."""
    one_world.fresh()
    yield one_world
    one_world.close_transport()


@pytest.fixture(scope="module")
def all_hosts(one_world):
    with hosts.standing() as found:
        yield found


@pytest.fixture(params=["ssh-key", "sudo", "su", "login"])
def host(request, all_hosts):
    return all_hosts[request.param]


@pytest.fixture(params=["ssh-key", "sudo"])
def two_hosts(request, all_hosts):
    """A host that asks before it sends, and one that does not."""
    return all_hosts[request.param]


@pytest.fixture
def world(fresh, transport):
    fresh.open_transport(transport)
    return fresh

"""The helper loads the part that speaks HTTP only for a sign-in that has to send a code."""

import os
import re
import shutil

import pytest

from conftest import NOBODY, NUMBER, SOURCE, program
from test_remember import KEY
from wire import Gone, Helper, Silent

SERVICES = """
[service remembering]
ask_first = always
remember = 15m
[exempt test]
services = exempt
users = games
reason = a sign-in that is not asked
until = 2037-12-31
"""
HEAVY = "libcurl.so", "libssl.so", "otp-http.so"


@pytest.fixture
def world_of_services(world):
    world.configure(extra=SERVICES)
    return world


def sign_in(world, service, helper=None, env=()):
    argv = [*env, helper or program("otp-helper"), "--config", world.conf]
    items = {"service": service, "rhost": "192.0.2.7", "tty": "ssh", "ssh_auth_info": KEY}
    return Helper(argv, NOBODY).open(user="games", **items)


def with_a_code(world, **how):
    with sign_in(world, "remembering", **how) as h:
        assert NUMBER[-2:] in h.prompt()
        h.answer("")
        h.prompt()
        h.answer(world.gateway.wait_message(seconds=5)["code"])
        assert h.result() == "ok"
    return h.log


def loaded(log):
    """Returns which of the large libraries the dynamic linker has initialised."""
    started = [line for line in log.splitlines() if "calling init:" in line]
    assert any("libsqlite3.so" in line for line in started), log
    return [name for name in HEAVY if any(name in line for line in started)]


WATCHED = ["LD_DEBUG=files"]


def test_an_exempt_sign_in_loads_neither_tls_nor_http(world_of_services):
    with sign_in(world_of_services, "exempt", env=WATCHED) as h:
        assert h.result() == "skip"
    assert loaded(h.log) == []


def test_a_remembered_sign_in_loads_neither_tls_nor_http(world_of_services):
    assert loaded(with_a_code(world_of_services, env=WATCHED)) == list(HEAVY)
    with sign_in(world_of_services, "remembering", env=WATCHED) as h:
        assert h.result() == "skip"
        assert h.reason.startswith("remembered: ")
    assert loaded(h.log) == []


@pytest.fixture
def moved(world_of_services):
    """A copy of the helper and of its part, in a folder of their own."""
    folder = f"{world_of_services.dir}/libexec"
    os.mkdir(folder)
    helper = shutil.copy(program("otp-helper"), folder)
    part = shutil.copy(program("otp-http.so"), folder)
    return helper, part


def test_the_helper_loads_the_part_from_its_own_folder(world_of_services, moved):
    log = with_a_code(world_of_services, helper=moved[0], env=WATCHED)
    assert f"calling init: {moved[1]}" in log


def test_a_helper_started_by_a_link_finds_the_part(world_of_services, moved):
    os.mkdir(f"{world_of_services.dir}/links")
    link = f"{world_of_services.dir}/links/otp-helper"
    os.symlink(moved[0], link)
    shutil.copy(f"{SOURCE}/README.md", f"{world_of_services.dir}/links/otp-http.so")
    log = with_a_code(world_of_services, helper=link, env=WATCHED)
    assert f"calling init: {moved[1]}" in log


def absent(part):
    os.unlink(part)
    return "No such file or directory"


def cut_off(part):
    with open(part, "r+b") as f:
        f.truncate(40)
    return "file too short"


def another_file(part):
    shutil.copy(f"{SOURCE}/README.md", part)
    return "invalid ELF header"


def another_library(part):
    """A library without the symbol that the helper needs."""
    os.unlink(part)
    with open("/proc/self/maps", encoding="ascii") as maps:
        library = next(line.split()[-1] for line in maps if "/libm.so" in line or "/libz.so" in line)
    shutil.copy(library, part)
    return "otp_http"


def another_build(part):
    """The same part, but as if built from other sources. Its length is the same."""
    with open(part, "rb") as f:
        data = f.read()
    stamp = build_stamp(data)
    with open(part, "wb") as f:
        f.write(data.replace(stamp, stamp[:-1] + (b"0" if stamp[-1:] != b"0" else b"1")))
    return "it is from another build than otp-helper"


def build_stamp(data):
    """Returns the stamp that helper and part contain: the version, a checksum and a length."""
    with open(program("otp-helper"), "rb") as f:
        texts = set(f.read().split(b"\0"))
    found = {t for t in data.split(b"\0")
             if t in texts and re.fullmatch(rb"[0-9][^ ]* [0-9]+ [0-9]+", t)}
    assert len(found) == 1, found
    return found.pop()


def anybodys_file(part):
    os.chmod(part, 0o666)
    return f"{part}: expected owner root, and nobody else who may write it"


def anybodys_folder(part):
    os.chmod(os.path.dirname(part), 0o777)
    return f"{os.path.dirname(part)}: expected owner root, and nobody else who may write it"


def somebodys_file(part):
    """A part of another user, in a sticky folder to which everybody can write. A wrong helper= may lead there."""
    if os.geteuid() != 0:
        pytest.skip("a file of another user's takes root to make")
    os.chown(part, 2, 2)
    os.chown(os.path.dirname(part), 0, 0)
    os.chmod(os.path.dirname(part), 0o1777)
    return f"{part}: expected owner root, and nobody else who may write it"


@pytest.mark.parametrize("spoil", [
    absent, cut_off, another_file, another_library, another_build,
    anybodys_file, anybodys_folder, somebodys_file])
def test_a_missing_or_wrong_part_ends_as_broken_and_is_logged(world_of_services, moved, spoil):
    helper, part = moved
    why = spoil(part)
    with sign_in(world_of_services, "remembering", helper=helper) as h:
        assert h.result() == "broken"
    assert why in h.log
    assert world_of_services.gateway.outbox() == []
    # A sign-in that is not asked does not need the part.
    with sign_in(world_of_services, "exempt", helper=helper) as h:
        assert h.result() == "skip"


def test_the_helper_waits_a_moment_for_a_part_that_an_upgrade_replaces(world_of_services, moved):
    helper, part = moved
    os.rename(part, part + ".new")
    with sign_in(world_of_services, "remembering", helper=helper) as h:
        with pytest.raises(Silent):
            h.recv(timeout=0.2)
        os.rename(part + ".new", part)
        assert h.prompt()


def test_a_truncated_part_ends_the_helper(world_of_services, moved):
    """The kernel kills the helper when it reads beyond the end. Without a result, the module denies."""
    os.truncate(moved[1], os.sysconf("SC_PAGESIZE"))
    with sign_in(world_of_services, "remembering", helper=moved[0]) as h, pytest.raises(Gone):
        h.result()

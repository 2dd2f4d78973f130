"""Every provider by every channel it has, through real sshd, sudo and login: what lets in, and what does not.

What the person sees stands in these tests as it is shown; test_ssh.py, test_sudo.py and test_su_login.py have
what each host makes of it.
"""
import re
import time

import pytest

import hosts
from hosts import VERIFY, DESTINATIONS, configure
from world import PHONE

CODE = "Verification code (r = resend): "
REMOTE = [way for way in DESTINATIONS if way.remote]
BRIDGEKEEPER = [way for way in DESTINATIONS if way.provider == "bridgekeeper"]


@pytest.fixture(params=["ssh-password", "ssh-key", "sudo", "login"])
def host(request, all_hosts):
    return all_hosts[request.param]


@pytest.fixture(params=["ssh-password", "sudo", "login"])
def one_host(request, all_hosts):
    """Where the kind of the first factor makes no difference."""
    return all_hosts[request.param]


@pytest.fixture
def world(fresh, request):
    host = request.getfixturevalue("host" if "host" in request.fixturenames else "one_host")
    fresh.open_door(host.door)
    yield fresh
    assert fresh.helpers_gone()


def sent(way, host):
    return f"{host.prefix}A verification code was sent {way.shown}. It ends in 5 minutes.\n{CODE}"


def force(world, way, code):
    """What the provider's next codes are; those that we make are as they come."""
    if way.remote or way.variant == "generated":
        world.gateway.set(way.provider, code=code)


def expire(world, way):
    """Ends alice's code where it is checked."""
    if way.remote:
        world.gateway.set(way.provider, code_seconds=0)
    else:
        world.sql("UPDATE challenge SET expires_boot_ms = 1 WHERE user = 'alice'")


def code_for(world, way, user="alice"):
    return world.gateway.last_code(getattr(way, user))


def other(code):
    return code[:-1] + str((int(code[-1]) + 1) % 10)


@pytest.mark.parametrize("way", DESTINATIONS, ids=str)
def test_lets_in(world, host, way):
    """Wrong codes are told, a resend's code takes the place of the one before, and the right one lets in."""
    configure(world, way)
    force(world, way, "111111")
    with host.begin() as t:
        assert host.to_code(t) == sent(way, host)
        first = code_for(world, way)
        assert t.answer(other(first)) == f"{host.prefix}Wrong code, 2 tries left.\n{CODE}"
        force(world, way, "222222")
        assert t.answer("r") == sent(way, host)
        second = code_for(world, way)
        assert second != first and len(world.gateway.outbox(way.alice)) == 2
        assert t.answer(first) == f"{host.prefix}Wrong code, 1 try left.\n{CODE}"
        t.type(second)
        host.inside(t)
    assert {m["channel"] for m in world.messages()} == {way.channel}
    log = world.log()
    assert re.search(f'event=signin result=ok .* user="alice" service="{host.service}" .*channel={way.channel} '
                     f"provider={way.provider} ", log)
    assert not [s for s in (first, second, PHONE["alice"], hosts.MAILBOX["alice"]) if s in log]


@pytest.mark.parametrize("way", DESTINATIONS, ids=str)
def test_refuses(world, one_host, way):
    """A code that was used, one that ended at its provider, and another user's."""
    host = one_host
    configure(world, way)
    force(world, way, "111111")
    with host.begin() as t:
        host.to_code(t)
        used = code_for(world, way)
        t.type(used)
        host.inside(t)
    force(world, way, "222222")
    with host.begin("bob") as b:
        host.to_code(b)
        bobs = code_for(world, way, "bob")
        force(world, way, "333333")
        with host.begin() as t:
            host.to_code(t)
            assert len({used, bobs, code_for(world, way)}) == 3
            assert t.answer(used) == f"{host.prefix}Wrong code, 2 tries left.\n{CODE}", "replayed"
            assert t.answer(bobs) == f"{host.prefix}Wrong code, 1 try left.\n{CODE}", "another user's"
            expire(world, way)
            t.type(code_for(world, way))
            host.outside(t)
        if way.remote:
            world.gateway.set(way.provider, code_seconds=600)
        b.type(bobs)
        host.inside(b)


def test_a_provider_that_says_expired_is_believed(world, one_host):
    host = one_host
    configure(world, next(way for way in DESTINATIONS if way.provider == "crego"))
    world.gateway.set("crego", code_seconds=0, expired=410)
    with host.begin() as t:
        host.to_code(t)
        assert t.answer(world.code()) == f"{host.prefix}That code has ended. Type r to have a new one sent.\n{CODE}"


@pytest.mark.parametrize("tfa", ["setup", "validation"])
@pytest.mark.parametrize("way", BRIDGEKEEPER, ids=str)
def test_a_second_factor_at_the_provider_is_no_success(world, one_host, way, tfa):
    host = one_host
    configure(world, way)
    world.gateway.set("bridgekeeper", tfa=tfa)
    with host.begin() as t:
        host.to_code(t)
        t.type(world.code())
        host.outside(t, "The code was right, but your account at its service needs another step first. "
                        "Ask your administrator.")
    assert "result=denied" in world.log()


# Each spends a try, for it may have reached the wire: three make a sign-in.
UNCHECKED = [
    [("status", {"status": 500}), ("garbage", {}), ("hang", {})],
    [("drop", {}), ("wrong_types", {}), ("status", {"status": 418})],
    [("truncate_tls", {}), ("duplicate_keys", {}), ("drip", {})],
    [("empty", {}), ("deep", {}), ("bad_utf8", {})],
]
# A whole answer that does not say yes is a no: at Crego nothing else tells a wrong code.
SAID_NO = ("wrong_types",)
# Every fault at every provider, every provider in every host.
SPREAD = [(("ssh-password", "sudo", "login")[(i + j) % 3], way, kinds)
          for i, way in enumerate(way for way in REMOTE if way.channel == "sms") for j, kinds in enumerate(UNCHECKED)]


@pytest.mark.parametrize("name,way,kinds", SPREAD, ids=lambda x: "+".join(kind for kind, _ in x)
                         if isinstance(x, list) else str(x))
def test_a_right_code_that_nobody_can_check(fresh, all_hosts, name, way, kinds):
    """It is told that it was not checked; it never lets in, and not past the deadline."""
    world, host = fresh, all_hosts[name]
    world.open_door(host.door)
    configure(world, way, verify_timeout="1s")
    with host.begin() as t:
        host.to_code(t)
        code = world.code()
        for (kind, members), left in zip(kinds, ("2 tries left", "1 try left", None)):
            world.gateway.fault(kind, path=VERIFY[way.provider], deliver=False, **members)
            began = time.monotonic()
            t.type(code)
            if not left:
                break
            told = "Wrong code, " if kind in SAID_NO else (
                "The code could not be checked: its service cannot be reached. ")
            assert t.prompt() == f"{host.prefix}{told}{left}.\n{CODE}", kind
            assert time.monotonic() - began < 3.0, kind
        host.outside(t)
    assert len(world.gateway.requests(VERIFY[way.provider])) == 3, "none was repeated"
    assert world.helpers_gone()


@pytest.mark.parametrize("way", [way for way in REMOTE if way.channel == "sms"], ids=str)
def test_a_provider_that_is_away_and_comes_back(world, one_host, way):
    """Down between send and check: told truthfully, and the same code lets in afterwards."""
    host = one_host
    configure(world, way)
    with host.begin() as t:
        host.to_code(t)
        code = world.code()
        world.gateway.fault("drop_connect")
        world.gateway.fault("status", status=503, path=VERIFY[way.provider], deliver=False)
        assert t.answer(code) == (f"{host.prefix}The code could not be checked: its service cannot be reached. "
                                  f"2 tries left.\n{CODE}")
        world.gateway.fault("none", path=VERIFY[way.provider], delay=1.0)
        t.type(code)
        host.inside(t)


@pytest.mark.parametrize("way", [DESTINATIONS[0], *(way for way in REMOTE if way.channel == "sms")], ids=str)
def test_a_provider_that_cannot_send(world, one_host, way):
    """No prompt for a code, nobody is let in, and the next sign-in is not locked."""
    host = one_host
    configure(world, way)
    with host.begin() as t:
        world.gateway.fault("status", status=500, path=hosts.SEND[way.provider])
        if host.asks_first:
            t.prompt()
            t.type("")
        host.outside(t, "The verification code could not be sent: its delivery service cannot be reached.")
    # Who sits at this machine can make its network look down: only from elsewhere it is an outage.
    assert f"result={'unavail' if host.asks_first else 'broken'} " in world.log()
    assert world.messages() == []
    world.gateway.clear_faults()
    with host.begin() as t:
        host.to_code(t)
        t.type(world.code())
        host.inside(t)

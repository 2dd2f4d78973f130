"""Every provider with each of its channels, through real sshd, sudo and login: what signs in, and what does not.

These tests compare the texts as they are shown. test_ssh.py, test_sudo.py and test_su_login.py have what each host
adds.
"""
import re
import time

import pytest

import hosts
from hosts import VERIFY, SENDERS, configure
from world import PHONE

CODE = "Verification code (r = resend): "
REMOTE = [sender for sender in SENDERS if sender.remote]
BRIDGEKEEPER = [sender for sender in SENDERS if sender.provider == "bridgekeeper"]


@pytest.fixture(params=["ssh-password", "ssh-key", "sudo", "login"])
def host(request, all_hosts):
    return all_hosts[request.param]


@pytest.fixture(params=["ssh-password", "sudo", "login"])
def one_host(request, all_hosts):
    """A host for tests in which the kind of the first factor does not matter."""
    return all_hosts[request.param]


@pytest.fixture
def world(fresh, request):
    host = request.getfixturevalue("host" if "host" in request.fixturenames else "one_host")
    fresh.open_transport(host.transport)
    yield fresh
    assert fresh.helpers_gone()


def sent(sender, host):
    return f"{host.prefix}A verification code was sent {sender.shown}. It ends in 5 minutes.\n{CODE}"


def force(world, sender, code):
    """Sets the provider's next codes. Codes that pam_otp makes cannot be set."""
    if sender.remote or sender.variant == "generated":
        world.gateway.set(sender.provider, code=code)


def expire(world, sender):
    """Makes alice's code expire where it is checked."""
    if sender.remote:
        world.gateway.set(sender.provider, code_seconds=0)
    else:
        world.sql("UPDATE challenge SET expires_boot_ms = 1 WHERE user = 'alice'")


def code_for(world, sender, user="alice"):
    return world.gateway.last_code(getattr(sender, user))


def other(code):
    return code[:-1] + str((int(code[-1]) + 1) % 10)


@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_the_right_code_signs_in(world, host, sender):
    """A wrong code is reported as wrong. The code of a resend replaces the old one. The right code signs in."""
    configure(world, sender)
    force(world, sender, "111111")
    with host.begin() as t:
        assert host.to_code(t) == sent(sender, host)
        first = code_for(world, sender)
        assert t.answer(other(first)) == f"{host.prefix}Wrong code, 2 tries left.\n{CODE}"
        force(world, sender, "222222")
        assert t.answer("r") == sent(sender, host)
        second = code_for(world, sender)
        assert second != first and len(world.gateway.outbox(sender.alice)) == 2
        assert t.answer(first) == f"{host.prefix}Wrong code, 1 try left.\n{CODE}"
        t.type(second)
        host.inside(t)
    assert {m["channel"] for m in world.messages()} == {sender.channel}
    log = world.log()
    assert re.search(f'event=signin result=ok .* user="alice" service="{host.service}" .*channel={sender.channel} '
                     f"provider={sender.provider} ", log)
    assert not [s for s in (first, second, PHONE["alice"], hosts.MAILBOX["alice"]) if s in log]


@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_other_codes_are_refused(world, one_host, sender):
    """A used code, a code that has expired at its provider, and another user's code."""
    host = one_host
    configure(world, sender)
    force(world, sender, "111111")
    with host.begin() as t:
        host.to_code(t)
        used = code_for(world, sender)
        t.type(used)
        host.inside(t)
    force(world, sender, "222222")
    with host.begin("bob") as b:
        host.to_code(b)
        bobs = code_for(world, sender, "bob")
        force(world, sender, "333333")
        with host.begin() as t:
            host.to_code(t)
            assert len({used, bobs, code_for(world, sender)}) == 3
            assert t.answer(used) == f"{host.prefix}Wrong code, 2 tries left.\n{CODE}", "replayed"
            assert t.answer(bobs) == f"{host.prefix}Wrong code, 1 try left.\n{CODE}", "another user's"
            expire(world, sender)
            t.type(code_for(world, sender))
            host.outside(t)
        if sender.remote:
            world.gateway.set(sender.provider, code_seconds=600)
        b.type(bobs)
        host.inside(b)


def test_an_expiry_reported_by_the_provider_counts(world, one_host):
    host = one_host
    configure(world, next(sender for sender in SENDERS if sender.provider == "crego"))
    world.gateway.set("crego", code_seconds=0, expired=410)
    with host.begin() as t:
        host.to_code(t)
        assert t.answer(world.code()) == f"{host.prefix}That code has ended. Type r to have a new one sent.\n{CODE}"


@pytest.mark.parametrize("tfa", ["setup", "validation"])
@pytest.mark.parametrize("sender", BRIDGEKEEPER, ids=str)
def test_a_second_factor_at_the_provider_is_no_success(world, one_host, sender, tfa):
    host = one_host
    configure(world, sender)
    world.gateway.set("bridgekeeper", tfa=tfa)
    with host.begin() as t:
        host.to_code(t)
        t.type(world.code())
        host.outside(t, "The code was right, but your account at its service needs another step first. "
                        "Ask your administrator.")
    assert "result=denied" in world.log()


# Each uses up a try, because it may have reached the provider. A sign-in has three.
UNCHECKED = [
    [("status", {"status": 500}), ("garbage", {}), ("hang", {})],
    [("drop", {}), ("wrong_types", {}), ("status", {"status": 418})],
    [("truncate_tls", {}), ("duplicate_keys", {}), ("drip", {})],
    [("empty", {}), ("deep", {}), ("bad_utf8", {})],
]
# A complete answer without the proof means a wrong code: Crego has no other sign of one.
SAID_NO = ("wrong_types",)
# Each fault with each provider, spread over the hosts.
SPREAD = [(("ssh-password", "sudo", "login")[(i + j) % 3], sender, kinds)
          for i, sender in enumerate(one for one in REMOTE if one.channel == "sms")
          for j, kinds in enumerate(UNCHECKED)]


@pytest.mark.parametrize("name,sender,kinds", SPREAD, ids=lambda x: "+".join(kind for kind, _ in x)
                         if isinstance(x, list) else str(x))
def test_a_right_code_that_cannot_be_checked(fresh, all_hosts, name, sender, kinds):
    """The user reads that the code was not checked. It never signs in, also not after the deadline."""
    world, host = fresh, all_hosts[name]
    world.open_transport(host.transport)
    configure(world, sender, verify_timeout="1s")
    with host.begin() as t:
        host.to_code(t)
        code = world.code()
        for (kind, members), left in zip(kinds, ("2 tries left", "1 try left", None)):
            world.gateway.fault(kind, path=VERIFY[sender.provider], deliver=False, **members)
            began = time.monotonic()
            t.type(code)
            if not left:
                break
            shown = "Wrong code, " if kind in SAID_NO else (
                "The code could not be checked: its service cannot be reached. ")
            assert t.prompt() == f"{host.prefix}{shown}{left}.\n{CODE}", kind
            assert time.monotonic() - began < 3.0, kind
        host.outside(t)
    assert len(world.gateway.requests(VERIFY[sender.provider])) == 3, "none was repeated"
    assert world.helpers_gone()


@pytest.mark.parametrize("sender", [sender for sender in REMOTE if sender.channel == "sms"], ids=str)
def test_a_provider_that_is_down_for_a_while(world, one_host, sender):
    """The provider is down between send and check. The user reads that, and the same code signs in later."""
    host = one_host
    configure(world, sender)
    with host.begin() as t:
        host.to_code(t)
        code = world.code()
        world.gateway.fault("drop_connect")
        world.gateway.fault("status", status=503, path=VERIFY[sender.provider], deliver=False)
        assert t.answer(code) == (f"{host.prefix}The code could not be checked: its service cannot be reached. "
                                  f"2 tries left.\n{CODE}")
        world.gateway.fault("none", path=VERIFY[sender.provider], delay=1.0)
        t.type(code)
        host.inside(t)


@pytest.mark.parametrize("sender", [SENDERS[0], *(sender for sender in REMOTE if sender.channel == "sms")], ids=str)
def test_a_provider_that_cannot_send(world, one_host, sender):
    """There is no prompt for a code, nobody signs in, and the next sign-in is not locked."""
    host = one_host
    configure(world, sender)
    with host.begin() as t:
        world.gateway.fault("status", status=500, path=hosts.SEND[sender.provider])
        if host.asks_first:
            t.prompt()
            t.type("")
        host.outside(t, "The verification code could not be sent: its delivery service cannot be reached.")
    # A local user can make the network look down, so only a remote sign-in reports an outage.
    assert f"result={'unavail' if host.asks_first else 'broken'} " in world.log()
    assert world.messages() == []
    world.gateway.clear_faults()
    with host.begin() as t:
        host.to_code(t)
        t.type(world.code())
        host.inside(t)

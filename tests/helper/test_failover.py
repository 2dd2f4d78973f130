"""Two providers of one channel: which one sends, and how long the helper leaves one alone after its rate limit."""

import re
import time

import pytest

from conftest import MESSAGE, PROVIDERS

# A fault affects one listener, so each provider has its own listener.
FIRST, SECOND = "right", "plain"


def configure(world, first="tingting", second="tingting", otp="", base=None, more=""):
    """Configures the providers `one` and `two` with these profiles, in this order. more: sections to append."""
    world.write("otp.conf", f"""[otp]
channels = sms
{otp}
[paths]
contacts = {world.dir}/contacts.db
state = {world.dir}/state
host_key = {world.dir}/host.key
profiles = {world.dir}/providers
[limits]
resend_wait = 0s
[channel sms]
providers = one, two
{MESSAGE}
[provider one]
profile = {first}
base = {base or world.gateway.urls[FIRST]}
ca = {world.gateway.ca_file}
{PROVIDERS[first].replace("DIR", world.dir)}
[provider two]
profile = {second}
base = {world.gateway.urls[SECOND]}
{PROVIDERS[second].replace("DIR", world.dir)}
{more}""")


def to_code(h):
    assert h.prompt().startswith("Press Enter to have a verification code sent")
    h.answer("")
    return h.prompt()


def requests(world, listener):
    """Returns the requests that a provider got, without those that only open the connection."""
    return [one for one in world.gateway.requests()
            if one["listener"] == listener and one["method"] == "POST"]


def codes(world):
    """Returns the codes that reached the phone, oldest first."""
    return [one["code"] for one in world.gateway.outbox()]


def wrong(code):
    return str((int(code) + 1) % 10 ** len(code)).zfill(len(code))


DOWN = [("drop_connect", {}), ("reset_connect", {}), ("hang_connect", {}),
        ("status", {"status": 500}), ("status", {"status": 503}), ("status", {"status": 402}),
        ("status", {"status": 401})]


@pytest.mark.parametrize("kind,members", DOWN, ids=str)
def test_the_next_provider_sends_the_same_code_once(world, kind, members):
    """C8"""
    configure(world, otp="attempt_timeout = 1s\nsend_timeout = 30s")
    world.gateway.fault(kind, listener=FIRST, **members)
    with world.sign_in() as h:
        text = to_code(h)
        assert "A verification code was sent by SMS to +977 ******** 19." in text
        assert "another service" in text
        assert len(codes(world)) == 1
        sent = [one["json"]["otp"] for one in requests(world, FIRST) + requests(world, SECOND)]
        assert set(sent) == set(codes(world))
        assert len(requests(world, FIRST)) == (kind == "status")
        assert len(requests(world, SECOND)) == 1
        h.answer(codes(world)[0])
        assert h.result() == "ok"
    assert re.search(r"event=signin result=ok .*provider=two", h.log)


def test_the_next_provider_sends_if_nobody_listens_at_the_first(world):
    """C8: the connection is refused."""
    configure(world, base="https://127.0.0.1:9")
    with world.sign_in() as h:
        assert "another service" in to_code(h)
        h.answer(world.gateway.last_code())
        assert h.result() == "ok"
    assert len(codes(world)) == 1 and not requests(world, FIRST)


def test_a_prompt_does_not_mention_failover_if_the_first_provider_sent(world):
    configure(world)
    with world.sign_in() as h:
        assert "another service" not in to_code(h)
    assert len(requests(world, FIRST)) == 1 and not requests(world, SECOND)


@pytest.mark.parametrize("status", [400, 403, 404, 418])
def test_another_provider_sends_after_a_refusal(world, status):
    """provider-403.txt: an account without credit, an unlisted address or a firewall shuts nobody out."""
    configure(world)
    world.gateway.fault("status", status=status, listener=FIRST)
    with world.sign_in() as h:
        assert "another service" in to_code(h)
    assert len(requests(world, FIRST)) == len(requests(world, SECOND)) == 1


def test_no_other_provider_sends_for_a_stranger_after_a_rate_limit(world):
    configure(world)
    world.gateway.fault("status", status=429, listener=FIRST)
    with world.sign_in() as h:
        h.prompt()
        h.answer("")
        assert h.result() == "locked"
    assert not requests(world, SECOND) and not codes(world)


def test_the_user_reads_that_both_providers_are_down(world):
    configure(world)
    world.gateway.fault("status", status=503)
    with world.sign_in() as h:
        h.prompt()
        h.answer("")
        assert h.result() == "unavail"
    assert len(requests(world, FIRST)) == len(requests(world, SECOND)) == 1


def test_a_provider_that_was_not_asked_in_time_is_not_down(world):
    """Administrators may let `unavail` pass. So the helper must know of every provider that it is down."""
    configure(world, otp="attempt_timeout = 1s\nsend_timeout = 1s")
    world.gateway.fault("hang_connect", listener=FIRST)
    with world.sign_in() as h:
        h.prompt()
        h.answer("")
        assert h.result() == "broken"
    assert not requests(world, SECOND)


@pytest.mark.parametrize("kind", ["drop", "reset", "close_mid_body"])
def test_after_a_complete_request_only_r_uses_the_next_provider(world, kind):
    """C29: after `r` the next provider sends a new code, and the old one is void."""
    configure(world)
    world.gateway.fault(kind, listener=FIRST, deliver=True)
    with world.sign_in() as h:
        text = to_code(h)
        assert text.startswith("A verification code may be on its way by SMS to +977 ******** 19")
        assert "another service" not in text
        assert len(requests(world, FIRST)) == 1 and not requests(world, SECOND)
        h.answer("r")
        text = h.prompt()
        assert text.startswith("A verification code was sent by SMS to")
        assert len(requests(world, FIRST)) == len(requests(world, SECOND)) == 1
        old, new = codes(world)
        if old != new:
            h.answer(old)
            assert h.prompt().startswith("Wrong code, 2 tries left.")
        h.answer(new)
        assert h.result() == "ok"


def test_resends_use_the_providers_in_turn(world):
    """No provider answers. Each resend asks the next one once, and a code that arrives is still accepted."""
    configure(world)
    world.gateway.fault("drop", deliver=True)
    with world.sign_in() as h:
        to_code(h)
        for n, listener in enumerate([FIRST, SECOND, FIRST, SECOND], 1):
            assert world.gateway.requests()[-1]["listener"] == listener
            assert len(world.gateway.requests()) == n
            if n < 4:
                h.answer("r")
                assert h.prompt().startswith("A verification code may be on its way")
        h.answer(codes(world)[-1])
        assert h.result() == "ok"


def test_the_next_provider_may_make_the_code_itself(world):
    """The first provider, which would send our code, is down. The next one makes and checks its own code."""
    configure(world, second="crego")
    world.gateway.fault("status", status=503, listener=FIRST)
    with world.sign_in() as h:
        to_code(h)
        ours = requests(world, FIRST)[0]["json"]["otp"]
        code, = codes(world)
        for bad in {wrong(code), ours} - {code}:
            h.answer(bad)
            assert h.prompt().startswith(("Wrong code", "A verification code has"))
        h.answer(code)
        assert h.result() == "ok"
    assert len(requests(world, FIRST)) == 1


def test_the_next_provider_may_send_our_code(world):
    configure(world, first="crego", second="tingting")
    world.gateway.fault("status", status=503, listener=FIRST)
    with world.sign_in() as h:
        to_code(h)
        code, = codes(world)
        h.answer(wrong(code))
        assert h.prompt().startswith("Wrong code, 2 tries left.")
        h.answer(code)
        assert h.result() == "ok"
    # No provider was asked to check a code that pam_otp made.
    assert len(requests(world, FIRST)) == len(requests(world, SECOND)) == 1


def test_our_unconfirmed_code_ends_once_another_provider_made_its_own(world):
    configure(world, second="crego")
    world.gateway.fault("drop", listener=FIRST, deliver=True)
    with world.sign_in() as h:
        assert to_code(h).startswith("A verification code may be on its way")
        h.answer("r")
        h.prompt()
        old, new = codes(world)
        if old != new:
            h.answer(old)
            assert h.prompt().startswith(("Wrong code", "A verification code has"))
        h.answer(new)
        assert h.result() == "ok"


def locked(world, **items):
    """Returns a sign-in that ends at a limit, with the text that it shows."""
    with world.sign_in(**items) as h:
        h.prompt()
        h.answer("")
        assert h.result() == "locked"
    return h


def test_a_provider_gets_no_request_before_its_retry_after_ends(world):
    """The next sign-in makes no request, and shows the time that is left."""
    world.otpctl("contact", "add", "--force", "mail", "--phone", "+9779800000027")
    configure(world)
    world.gateway.fault("status", status=429, retry_after=3600, listener=FIRST)
    h = locked(world)
    assert h.shown == ["Too many verification codes were sent. Try again in 60 minutes."]
    assert re.search(r"event=pause provider=one s=3600\b", h.log)
    world.gateway.clear_faults()
    for rhost in "192.0.2.1", "198.51.100.7":
        h = locked(world, rhost=rhost)
        assert re.fullmatch(
            r"Too many verification codes were sent\. Try again in \d+ minutes\.", h.shown[0])
        left = int(re.search(r"event=pause provider=one s=(\d+)", h.log)[1])
        assert 0 < left <= 3600
        assert "9800000019" not in h.log
    assert len(world.gateway.requests()) == 1
    # The limit of one user does not affect another user.
    with world.sign_in(user="mail") as h:
        to_code(h)
        h.answer(world.gateway.last_code())
        assert h.result() == "ok"


def test_a_retry_after_ends(world):
    configure(world)
    world.gateway.fault("status", status=429, retry_after=1, listener=FIRST)
    assert locked(world).shown == ["Too many verification codes were sent. Try again in 1 second."]
    world.gateway.clear_faults()
    time.sleep(1.1)
    with world.sign_in() as h:
        to_code(h)
        h.answer(world.gateway.last_code())
        assert h.result() == "ok"
    assert len(requests(world, FIRST)) == 2


def test_a_limit_without_a_time_is_not_stored(world):
    configure(world)
    world.gateway.fault("status", status=429, listener=FIRST)
    assert locked(world).shown == ["Too many verification codes were sent. Try again later."]
    world.gateway.clear_faults()
    with world.sign_in() as h:
        to_code(h)
        h.answer(world.gateway.last_code())
        assert h.result() == "ok"


def test_a_live_code_stays_valid_during_a_retry_after(world):
    """Only sends stop. A code that was sent before is still accepted."""
    configure(world, first="crego", second="tingting")
    with world.sign_in() as h:
        to_code(h)
        world.gateway.fault("status", status=429, retry_after=60, path="/otp/send/")
        h.answer("r")
        h.prompt()
        h.answer("r")
        h.prompt()
        assert len(requests(world, FIRST)) == 2
        h.answer(codes(world)[0])
        assert h.result() == "ok"
    assert not requests(world, SECOND)

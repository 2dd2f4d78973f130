"""What a user meets, with both transports, one configuration and one secret."""
import contextlib
import subprocess

import pytest

from world import AUTH_ERR, MAXTRIES, PERM_DENIED, PHONE, SERVICE, SOLE, SUCCESS


def test_right_code(world):
    with world.sign_in() as d:
        text = d.enter()
        assert "19" in text and PHONE["alice"][:-2] not in text, "the number is masked"
        assert d.answer(world.code()).result() == SUCCESS
    assert len(world.messages("alice")) == 1


def test_code_as_people_type_it(world):
    with world.sign_in() as d:
        d.enter()
        code = world.code()
        assert d.answer(f"  {code[:3]}-{code[3:]} ").result() == SUCCESS


def test_pamtester_agrees(world):
    """pamtester, with which administrators try the result table, has the same exit status and words."""
    done = subprocess.run(["pamtester", SERVICE, "carol", "authenticate"], input="123456\n" * 3,
                          capture_output=True, text=True)
    assert done.returncode == 1 and "Authentication failure" in done.stderr


def test_wrong_three_times(world):
    with world.sign_in() as d:
        d.enter()
        for left in ("2", "1"):
            text = d.answer(world.wrong()).prompt()
            assert left in text, f"the tries left are shown: {text}"
        assert d.answer(world.wrong()).result() == AUTH_ERR
    assert len(world.messages()) == 1


def test_right_code_after_a_wrong_one(world):
    with world.sign_in() as d:
        d.enter()
        d.answer(world.wrong()).prompt()
        assert d.answer(world.code()).result() == SUCCESS


def test_expired(world):
    with world.sign_in() as d:
        d.enter()
        world.sql("UPDATE challenge SET expires_boot_ms = 1")
        d.answer(world.code())
        assert d.until("prompt", "result")["event"] in ("prompt", "result")
        assert SUCCESS not in [e.get("code") for e in d.events]
        d.process.stdin.close()
    assert world.sql("SELECT count(*) FROM challenge WHERE state = 'used'") == "0"


def test_replayed(world):
    """S2: a code signs in once, also in a sign-in that was waiting for the same code."""
    with world.sign_in() as d:
        d.enter()
        code = world.code()
        with world.sign_in() as e:
            e.enter()
            assert d.answer(code).result() == SUCCESS
            assert "used that code" in e.answer(code).prompt(), "shown as used, and not counted"
    with world.sign_in() as f:
        f.enter()
        if world.code() != code:
            event = f.answer(code).until("prompt", "result")
            assert event["event"] == "prompt" or event["code"] != SUCCESS


def test_resend(world):
    """There is a new code, and the old one is void."""
    world.configure(extra="[limits]\nresend_wait = 0s\n")
    with world.sign_in() as d:
        d.enter()
        old = world.code()
        d.answer("r").prompt()
        assert len(world.messages()) == 2
        if world.code() != old:
            d.answer(old).prompt()
        assert d.answer(world.code()).result() == SUCCESS


def test_resend_waits(world):
    with world.sign_in() as d:
        d.enter()
        assert "30" in d.answer("r").prompt() or len(world.messages()) == 1
        assert len(world.messages()) == 1
        assert d.answer(world.code()).result() == SUCCESS


def test_second_sign_in_joins(world):
    """Q17: sudo runs the stack several times, with one message for all."""
    with world.sign_in() as d:
        d.enter()
        with world.sign_in() as e:
            e.enter()
            assert len(world.messages()) == 1
            assert e.answer(world.code()).result() == SUCCESS


def test_one_code_for_many(world):
    """C29, U33: eight sign-ins use one right code at once. One succeeds, and no other reads that the code is wrong."""
    with contextlib.ExitStack() as stack:
        many = []
        for _ in range(8):
            many.append(stack.enter_context(world.sign_in()))
            many[-1].enter()
        assert len(world.messages()) == 1
        for d in many:
            d.answer(world.code())
        ends = [d.until("prompt", "result") for d in many]
    assert [e.get("code") for e in ends].count(SUCCESS) == 1
    assert all("used that code" in e["text"] for e in ends if e["event"] == "prompt"), ends


@pytest.mark.parametrize("user", ["carol", "nobody-of-that-name"])
def test_no_contact_and_unknown_user(world, user):
    """C20, C32: the prompts are the usual ones, nothing is sent, and the sign-in is denied."""
    with world.sign_in(user) as d:
        assert "erification code" in d.enter()
        for _ in range(2):
            d.answer("123456").prompt()
        assert d.answer("123456").result() == AUTH_ERR
    assert world.messages() == []


def test_unregistered_skip(world):
    """This applies only to users who exist."""
    world.configure(unregistered="skip")
    assert world.finish("carol", "123456") == SUCCESS
    assert world.finish("nobody-of-that-name", "123456") == AUTH_ERR
    world.pam(SERVICE, SOLE)
    assert world.finish("carol", "123456") == PERM_DENIED


@pytest.mark.parametrize("spelling", ["ALICE", "Alice"])
def test_alias_spelling(world, spelling):
    """Another spelling of a name is the same user: same contact, same challenge, same limits."""
    with world.sign_in() as d:
        d.enter()
        with world.sign_in(spelling) as e:
            e.enter()
            assert len(world.messages()) == 1
            assert e.answer(world.code()).result() == SUCCESS


def test_alias_shares_the_budget(world):
    world.configure(extra="[limits]\nfailures = 3\n")
    for user in ("alice", "ALICE", "aLiCe"):
        with world.sign_in(user) as d:
            event = d.until("prompt", "result")
            if event["event"] == "result":
                break
            d.answer("000000").until("prompt", "result")
    with world.sign_in("Alice") as d:
        assert d.result() == MAXTRIES


@pytest.mark.parametrize("name", ["ns-away", "ns-unavail", "ns-tryagain"])
def test_name_service_error(world, name):
    """After an error of the name service, a user is neither unknown nor skipped."""
    world.configure(unregistered="skip")
    assert world.finish(name, "123456") == PERM_DENIED
    assert world.messages() == []


EXEMPT = """
[exempt robots]
users = robot
reason = a robot has no phone
until = 2099-12-31
"""


def test_exempt(world):
    """The user is not asked. The shipped stack signs the user in; a stack without another success does not."""
    world.configure(extra=EXEMPT)
    with world.sign_in("robot") as d:
        assert d.result() == SUCCESS
    assert "robots" in world.log(), "the rule is named in the log"
    world.pam(SERVICE, SOLE)
    with world.sign_in("robot") as d:
        assert d.result() == PERM_DENIED
    assert world.messages() == []


def test_exempt_applies_only_to_named_users(world):
    world.configure(extra=EXEMPT)
    assert world.finish("alice", "000000") == AUTH_ERR


def test_exempt_ends(world):
    world.configure(extra=EXEMPT.replace("2099", "2020"))
    assert world.finish("robot", "000000") == AUTH_ERR


def test_ask_first(world):
    """Nothing is sent and nothing counted before a person has answered."""
    world.configure(ask_first="always")
    with world.sign_in() as d:
        assert "Press Enter" in d.prompt()
        assert world.messages() == []
        assert "Press Enter" not in d.answer("").prompt()
        assert d.answer(world.code()).result() == SUCCESS


def test_log_line(world):
    """U51: there is one line for each outcome, with user and request ID, without number and code."""
    assert world.finish() == SUCCESS
    log = world.log()
    outcome = [line for line in log.splitlines() if "otp-helper" in line and "alice" in line]
    assert len(outcome) >= 1
    assert world.code() not in log and PHONE["alice"] not in log


def test_no_process_and_no_file_remains(world):
    assert world.finish() == SUCCESS
    assert world.helpers_gone()

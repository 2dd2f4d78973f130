"""A sign-in, as the module sees it."""

import concurrent.futures
import re

import pytest

from wire import wait_until

CODE_PROMPT = "Verification code (r = resend): "


def to_code(h):
    """Answers the first question, and returns the prompt for a code."""
    assert h.prompt().startswith("Press Enter to have a verification code sent by SMS to +977 ")
    h.answer("")
    return h.prompt()


def wrong(code):
    return str((int(code) + 1) % 10 ** len(code)).zfill(len(code))


def test_the_right_code_signs_in_and_the_prompt_has_the_words_that_clients_know(world):
    with world.sign_in() as h:
        text = to_code(h)
        assert "verification code was sent by SMS to +977 ******** 19" in text
        assert text.endswith(CODE_PROMPT)
        h.answer(world.gateway.last_code())
        assert h.result() == "ok"
    assert re.search(rf"id={h.request_id} event=signin result=ok .*user=\"games\"", h.log)


def test_grouped_digits_are_the_same_code(world):
    with world.sign_in() as h:
        to_code(h)
        code = world.gateway.last_code()
        h.answer(f" {code[:3]}-{code[3:]} ")
        assert h.result() == "ok"


def test_three_wrong_codes_end_the_sign_in(world):
    with world.sign_in() as h:
        to_code(h)
        bad = wrong(world.gateway.last_code())
        h.answer(bad)
        assert h.prompt() == "Wrong code, 2 tries left.\n" + CODE_PROMPT
        h.answer(bad)
        assert h.prompt() == "Wrong code, 1 try left.\n" + CODE_PROMPT
        h.answer(bad)
        assert h.result() == "denied"
    assert bad not in h.log


def test_a_used_code_does_not_sign_in_again(world):
    with world.sign_in() as h:
        to_code(h)
        used = world.gateway.last_code()
        h.answer(used)
        assert h.result() == "ok"
    with world.sign_in() as h:
        to_code(h)
        if world.gateway.last_code() != used:
            h.answer(used)
            assert h.prompt().startswith("Wrong code")


def test_nothing_is_sent_before_a_human_answered(world):
    """Q5, Q10: sshd runs the stack for every client."""
    with world.sign_in() as h:
        h.prompt()
        h.answer("not Enter")
        assert h.prompt().startswith("Press Enter")
        h.send("X", "blind")
        assert h.result() == "gone"
    assert not world.gateway.outbox()


@pytest.mark.parametrize("why", ["conv", "cancelled"])
def test_a_user_who_left_ends_as_gone(world, why):
    with world.sign_in() as h:
        to_code(h)
        h.send("X", why)
        assert h.result() == "gone"


def test_answers_of_the_host_itself_are_wrong_and_not_counted(world):
    """Q5, C32: sshd answers by itself for users whom it refuses. Nobody must see which users these are."""
    with world.sign_in(rhost="192.0.2.7") as h:
        to_code(h)
        for left in "2 tries", "1 try":
            h.send("X", "blind")
            assert h.prompt().startswith(f"Wrong code, {left} left.")
        h.send("X", "blind")
        assert h.result() == "gone"
    with world.sign_in(rhost="192.0.2.7") as h:
        assert h.prompt().startswith("A verification code was sent")
        h.answer(world.gateway.last_code())
        assert h.result() == "ok"


def test_a_joining_sign_in_shows_that_the_code_has_ended(world):
    bad = None
    for first in ("Press Enter", "A verification code was sent"):
        with world.sign_in(rhost="192.0.2.7") as h:
            assert h.prompt().startswith(first)
            if not bad:
                h.answer("")
                h.prompt()
                bad = wrong(world.gateway.last_code())
            for _ in range(2):
                h.answer(bad)
                h.prompt()
            h.answer(bad)
            assert h.result() == "denied"
    with world.sign_in(rhost="192.0.2.7") as h:
        assert h.prompt().startswith("That code has ended. Type r to have a new one sent.")


def test_a_host_with_a_person_shows_last_words_without_a_question(world):
    world.configure(extra="[limits]\nsends_per_user = 1/15m\n")
    for expected in ("gone", "locked"):
        with world.sign_in(service="sudo", rhost="", tty="/dev/pts/9", session="1") as h:
            if expected == "gone":
                h.prompt()
                h.send("X", "cancelled")
            assert h.result() == expected
    assert h.shown[0].startswith("Too many verification codes were sent.")


def test_an_unknown_user_sees_the_usual_prompts_and_gets_no_message(world):
    """C20, C32"""
    with world.sign_in() as h:
        known = re.sub(r"\d\d\.", "NN.", to_code(h))
        h.send("X", "cancelled")
        h.result()
    sent = len(world.gateway.outbox())
    with world.sign_in(user="no-such-user") as h:
        assert re.sub(r"\d\d\.", "NN.", to_code(h)) == known
        for _ in range(2):
            h.answer("123456")
            h.prompt()
        h.answer("123456")
        assert h.result() == "denied"
    assert len(world.gateway.outbox()) == sent
    assert "no-such-user" not in h.log, "it may be a password typed too early"


def test_a_resend_revokes_the_old_code(world):
    world.configure(extra="[limits]\nresend_wait = 0s\n")
    with world.sign_in() as h:
        to_code(h)
        old = world.gateway.last_code()
        h.answer("r")
        assert h.prompt().startswith("A verification code was sent")
        new = world.gateway.last_code()
        if old != new:
            h.answer(old)
            assert h.prompt().startswith("Wrong code")
        h.answer(new)
        assert h.result() == "ok"


def test_a_resend_has_a_cool_down_that_is_shown(world):
    with world.sign_in() as h:
        to_code(h)
        h.answer("r")
        assert re.match(r"A new code can be sent in \d+ seconds\.\n", h.prompt())
        assert len(world.gateway.outbox()) == 1
        h.answer(world.gateway.last_code())
        assert h.result() == "ok"


def test_sends_are_limited_and_the_limit_is_shown(world):
    world.configure(extra="[limits]\nsends_per_user = 2/15m\nresend_wait = 0s\n")
    with world.sign_in() as h:
        to_code(h)
        h.answer("r")
        h.prompt()
        h.answer("r")
        assert h.prompt() == (
            "Too many verification codes were sent. Try again in 15 minutes.\nVerification code (r = resend): ")
        h.send("X", "cancelled")
        h.result()
    with world.sign_in(rhost="192.0.2.2") as h:
        h.prompt()
        h.answer("")
        assert h.result() == "locked"
        assert h.shown[0].startswith("Too many verification codes were sent.")
    assert len(world.gateway.outbox()) == 2


def test_a_successful_sign_in_does_not_count_its_send(world):
    world.configure(extra="[limits]\nsends_per_user = 1/15m\n")
    for _ in range(3):
        with world.sign_in() as h:
            to_code(h)
            h.answer(world.gateway.last_code())
            assert h.result() == "ok"


def test_failures_in_a_row_lock_the_user(world):
    world.configure(extra="[limits]\nfailures = 4\nresend_wait = 0s\n")
    with world.sign_in() as h:
        to_code(h)
        bad = wrong(world.gateway.last_code())
        for _ in range(2):
            h.answer(bad)
            h.prompt()
        h.answer(bad)
        assert h.result() == "denied"
    with world.sign_in(rhost="192.0.2.2") as h:
        to_code(h)
        h.answer(wrong(world.gateway.last_code()))
        h.prompt()
        h.answer(world.gateway.last_code())
        assert h.result() == "locked"
    with world.sign_in() as h:
        assert h.result() == "locked"
        assert h.shown[0].startswith("Too many wrong codes.")


def test_one_code_signs_in_one_of_many_parallel_sign_ins(world):
    """C29, U33: the connections of an editor share one challenge."""
    same = {"rhost": "192.0.2.7", "service": "sshd"}
    helpers = [world.sign_in(**same)]
    to_code(helpers[0])
    code = world.gateway.last_code()
    for _ in range(15):
        helpers.append(world.sign_in(**same))
        assert helpers[-1].prompt().startswith("A verification code was sent")

    def finish(h):
        h.answer(code)
        kind, fields = h.recv()
        return fields[0] if kind == "R" else fields[1].split("\n")[0]

    with concurrent.futures.ThreadPoolExecutor(len(helpers)) as pool:
        results = sorted(pool.map(finish, helpers))
    for h in helpers:
        h.__exit__()
    assert results.count("ok") == 1
    assert results.count("Another connection used that code. Type r to have a new one sent.") == 15
    assert len(world.gateway.outbox()) == 1


def test_sign_ins_of_different_sources_share_no_code(world):
    with world.sign_in(rhost="192.0.2.7") as h:
        to_code(h)
        with world.sign_in(rhost="192.0.2.8") as other:
            assert other.prompt().startswith("Press Enter")


def test_the_helper_ends_with_its_peer_at_each_step(world):
    """Q3: no process remains when a client hangs up."""
    with world.helper():
        pass
    with world.helper() as h:
        h.hello()
    with world.sign_in():
        pass
    with world.sign_in() as h:
        h.prompt()
    with world.sign_in() as h:
        to_code(h)
    world.gateway.fault("hang")
    with world.sign_in() as h:
        h.prompt()
        h.answer("")
        wait_until(lambda: world.gateway.requests())
        h.sock.close()
        assert h.proc.wait(2) != 0, "seen at once, not at the deadline"

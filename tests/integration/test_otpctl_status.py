"""otpctl status and unlock: status shows the limits in force and what the user reads, and unlock ends them."""
import json
import os
import re

import pytest

from test_otpctl import FAILED, FOLDER, NONE, OK, as_nobody, facts, otpctl
from world import MAXTRIES, PHONE, REMOTE, SUCCESS

LIMITS = "\n[limits]\nresend_wait = 0s\nfailures = 3\nbackoff_first = 10m\nbackoff_most = 1h\n"
AT_HOME = "192.0.2.7"


@pytest.fixture
def asked(fresh):
    """Three wrong codes in a row lock alice out for ten minutes."""
    fresh.configure(extra=LIMITS)
    fresh.open_transport("spawn")
    return fresh


def status(user="alice"):
    done = otpctl("status", user, "--json")
    assert done.returncode == OK, done.stderr
    return json.loads(done.stdout)


def text(*args):
    done = otpctl("status", *args)
    assert done.returncode == OK, done.stderr
    return done.stdout


def unlock(user="alice"):
    return json.loads(otpctl("unlock", user, "--json").stdout)


def one(rows, **wanted):
    found = [r for r in rows if all(r[k] == v for k, v in wanted.items())]
    assert len(found) == 1, f"{wanted} in {rows}"
    return found[0]


def events_of(world, answer, options=()):
    """All that a user sees in one sign-in, if every answer is this one."""
    with world.sign_in("alice", "otp-test", *options) as d:
        event = d.until("prompt", "result", timeout=30)
        while event and event["event"] == "prompt":
            d.say("=" + (answer() if callable(answer) else answer))
            event = d.until("prompt", "result", timeout=30)
        return d.events


def seen(events):
    return "\n".join(e["text"] for e in events if "text" in e)


def without_numbers(text_shown):
    return re.sub(r"[0-9]+ [a-z]+", "N", text_shown)


def test_a_new_user_has_no_limit_in_force(asked):
    assert status() == {
        "user": "alice", "held": False, "recovery_codes": None,
        "contacts": [{"kind": "phone", "address": "+977 ******** 19", "allowed": True}],
        "places": [], "failures": [], "sends": [], "codes": [], "pauses": []}
    assert text("alice").startswith("alice: no lock-out and no limit of this user is in force\n")
    assert unlock() == {"user": "alice", "unlocked": False, "failures": 0, "sends": 0, "pauses": 0}
    done = otpctl("unlock", "alice")
    assert done.returncode == OK and done.stdout.startswith("alice: nothing to unlock\n")


def test_a_lock_out_is_shown_as_the_user_reads_it_and_ends_with_unlock(asked):
    events_of(asked, lambda: asked.wrong())
    row = one(status()["failures"], of="codes", place=None)
    assert row["in_a_row"] == 3 and row["locked"] and not row["for_good"] and row["root"]
    assert status()["held"]
    events = events_of(asked, "123456")
    assert events[-1]["code"] == MAXTRIES
    assert without_numbers(row["told"]) in without_numbers(seen(events))
    shown = text("alice")
    assert row["told"][:20] in shown and "otpctl unlock alice" in shown and row["until"] in shown
    assert unlock()["failures"] == 3
    assert not status()["held"] and not status()["failures"]
    assert 'event=unlock by=0 user="alice" failures=3' in asked.log()
    assert asked.finish() == SUCCESS


def test_messages_are_counted_against_each_limit(asked):
    asked.edit("/etc/pam_otp/pam_otp.conf", "^resend_wait.*", "resend_wait = 0s\nsends_per_user = 2/15m, 9/1d")
    with asked.sign_in() as d:
        d.enter()
        d.answer("r")
        d.prompt()
        now = status()
        user = one(now["sends"], key="sends_per_user")
        assert user["windows"] == [{"sent": 2, "of": 2, "in": "15m"}, {"sent": 2, "of": 9, "in": "1d"}]
        assert user["full"] and user["next"] and user["place"] is None
        address = one(now["sends"], key="sends_per_address")
        assert address["address"] == "+977 ******** 19" and not address["full"] and address["told"] is None
        assert one(now["sends"], key="messages_per_address")["windows"][0]["sent"] == 2
        assert one(now["sends"], key="sends_per_host")["windows"] == [{"sent": 2, "of": 300, "in": "1h"}]
        assert len(now["codes"]) == 1 and now["codes"][0]["channel"] == "sms"
        d.answer("r")
        assert without_numbers(user["told"]) in without_numbers(d.prompt())
        machine = json.loads(otpctl("status", "--json").stdout)
        assert one(machine["sends"], key="sends_per_host")["windows"][0]["sent"] == 2
        assert "sends_per_host: 2 of 300 in 1h" in text()
        d.answer(asked.code())
        assert d.result() == SUCCESS
    # A success gives its own message back to the user's limit, and no other. The address keeps its count.
    assert one(status()["sends"], key="sends_per_user")["windows"][0]["sent"] == 1
    assert one(status()["sends"], key="messages_per_address")["windows"][0]["sent"] == 2
    assert unlock()["sends"] == 2
    assert [r["key"] for r in status()["sends"]] == ["sends_per_host"]


def test_a_known_source_is_shown_and_has_its_own_count(asked):
    assert asked.finish(options=REMOTE) == SUCCESS
    assert one(status()["places"], known=False)["place"] == AT_HOME
    assert "only seen, not known" in text("alice")
    events_of(asked, lambda: asked.wrong(), ["--item=rhost=203.0.113.9"])
    events_of(asked, lambda: asked.wrong(), REMOTE)
    rows = status()["failures"]
    assert one(rows, place=None)["locked"] and one(rows, place=AT_HOME)["locked"]
    assert f"from {AT_HOME}, the last at" in text("alice") and "from new sources, the last at" in text("alice")
    assert unlock()["failures"] == 6
    assert not status()["failures"] and one(status()["places"])["place"] == AT_HOME


def test_the_key_of_a_known_source_is_shown_by_eight_characters(asked):
    """They tell the keys of one user apart, and can be found in sshd's log."""
    asked.sql("INSERT INTO known_place (user, place, seen_ms) VALUES "
              "('alice', 'net 192.0.2.7 SHA256:Zwi0+iPKYcIFJc4D', 4102444800000)")
    assert one(status()["places"], known=True)["place"] == "192.0.2.7, key SHA256:Zwi0+iPK"
    assert "only seen" not in text("alice")


def test_a_hundred_wrong_codes_lock_until_unlock(asked):
    asked.sql("INSERT INTO budget (kind, owner, place, failures, last_ms, keep_ms) VALUES "
              "('user', 'alice', '', 100, 1000, 9223372036854775807)")
    row = one(status()["failures"])
    assert row["for_good"] and row["locked"] and row["until"] is None
    events = events_of(asked, "123456")
    assert events[-1]["code"] == MAXTRIES and row["told"] in seen(events)
    assert "no more are accepted; to end this: otpctl unlock alice" in text("alice")
    otpctl("recovery", "issue", "alice")
    assert "a recovery code is accepted" in text("alice")
    assert otpctl("unlock", "alice").returncode == OK
    assert asked.finish() == SUCCESS


def test_a_retry_after_time_is_shown_and_forgotten(asked):
    asked.sql("INSERT INTO pause (provider, address, until_ms) VALUES "
              f"('tingting', '{PHONE['alice']}', 4102444800000), ('tingting', '{PHONE['bob']}', 4102444800000)")
    assert status()["pauses"] == [
        {"provider": "tingting", "address": "+977 ******** 19", "until": "2100-01-01 00:00:00Z"}]
    assert "tingting asked to wait" in text("alice")
    assert unlock()["pauses"] == 1
    assert not status()["pauses"] and len(status("bob")["pauses"]) == 1


def test_numbers_are_masked_and_control_characters_removed(asked):
    asked.sql("INSERT INTO known_place (user, place, seen_ms) VALUES "
              "('alice', 'user ' || char(27) || '[31mmallory', 4102444800000)")
    events_of(asked, lambda: asked.wrong())
    for shown in (text("alice"), otpctl("status", "alice", "--json").stdout):
        assert "9800000019" not in shown and "\x1b" not in shown and "[31mmallory" in shown


def test_the_files_of_the_store_keep_their_owner(asked):
    asked.finish()
    for args in (("status",), ("status", "alice"), ("unlock", "alice")):
        assert otpctl(*args).returncode == OK
        for name in os.listdir(FOLDER):
            assert facts(f"{FOLDER}/{name}")[0] == asked.user.pw_uid, (args, name)


def test_status_refuses_callers_without_root_and_unknown_users(asked):
    for args in (("status",), ("status", "alice"), ("unlock", "alice")):
        done = as_nobody(*args)
        assert done.returncode == FAILED and "sudo" in done.stderr and not done.stdout
    for args in (("status",), ("unlock",), ("remember", "revoke"), ("remember", "revoke", "--json")):
        done = otpctl(*args, "no-such-user")
        assert (done.returncode, done.stdout) == (NONE, "")
        assert done.stderr == ("otpctl: this machine knows no user 'no-such-user'; check the spelling with: "
                               "getent passwd no-such-user\n")


def test_remembered_sign_ins_of_a_deleted_user_can_be_revoked(asked):
    asked.sql("INSERT INTO remembered VALUES ('no-such-user', 'somewhere', 1000, 'boot', 1000)")
    left = json.loads(otpctl("remember", "list", "no-such-user", "--json").stdout)
    assert [(one["user"], one["where"]) for one in left] == [("no-such-user", "somewhere")]
    assert "somewhere" in otpctl("remember", "list", "no-such-user").stdout
    done = otpctl("remember", "revoke", "no-such-user")
    assert (done.returncode, done.stdout) == (OK, "1 remembered sign-in forgotten.\n")
    assert otpctl("remember", "revoke", "no-such-user").returncode == NONE
    assert otpctl("remember", "list", "no-such-user", "--json").returncode == NONE
    # A user who exists and has none is no error.
    for args in ("alice",), ("--all",):
        done = otpctl("remember", "revoke", *args)
        assert (done.returncode, done.stdout) == (OK, "0 remembered sign-ins forgotten.\n")

"""Facts about hosts, and weaknesses of other modules, that have no other file here.

Facts: Q4, Q11, Q15 sshd; C12, C24, C37, C41, C43.
"""
import dataclasses
import json
import os
import re
import subprocess

import pytest

import hosts
from hosts import IN, Sshd, Terminal, configure
from world import AUTH_ERR, AUTHINFO_UNAVAIL, CONF, PERM_DENIED, PHONE, REMOTE, SERVICE, SUCCESS

ALICE, CODE = "(alice@127.0.0.1) ", "Verification code (r = resend): "
DENIED = "alice@127.0.0.1: Permission denied (keyboard-interactive).\n"
EXEMPT = "[exempt x]\nreason = because\nuntil = 2099-12-31\n"


# --- walls ---

WALLS = "for d in /home /root /proc; do mount -n -t tmpfs -o mode=755 walls $d || exit; done; exec \"$@\""


def test_a_host_without_network_home_and_proc(fresh):
    """Q29: the host has no network, no home and no /proc. The module needs only the socket."""
    fresh.open_transport("socket")
    walls = ["unshare", "--mount", "--net", "sh", "-c", WALLS, "sh"]
    assert fresh.finish("alice", prefix=walls) == SUCCESS
    assert fresh.finish("alice", "000000", prefix=walls) == AUTH_ERR


# --- sshd ---

@pytest.fixture(scope="module")
def stacks(one_world):
    hosts.install("sshd-key", "sshd")
    yield
    hosts.put_back()


@pytest.fixture
def ready(fresh):
    """Only the first test here depends on the transport."""
    fresh.open_transport("spawn")
    configure(fresh)
    return fresh


@pytest.mark.parametrize("transport, sig", [("spawn", "SEGV"), ("socket", "ABRT")])
def test_a_crash_of_the_helper_is_no_crash_of_sshd(ready, stacks, transport, sig):
    """Q4: sshd itself does not crash, so it does not punish the client's address."""
    ready.open_transport(transport)
    with Sshd("sshd-key", AuthenticationMethods="publickey,keyboard-interactive") as sshd:
        with Terminal(*sshd.ssh(key="alice")) as t:
            t.prompt()
            assert t.answer("").endswith(CODE)
            subprocess.run(["kill", f"-{sig}", *map(str, ready.helpers())], check=True)
            assert t.type(ready.code()).end() == DENIED
        with Terminal(*sshd.ssh(key="alice")) as t:
            assert t.prompt().endswith(CODE)
            assert t.type(ready.code()).end() == f"{IN}\n"
        assert not re.search("crash|fatal|signal", sshd.log_text())


def test_a_public_key_alone_does_not_run_the_module(ready, stacks):
    """Q11: sshd then runs no auth line, and the account line asks for nothing."""
    with open("/etc/pam.d/sshd-key", encoding="utf-8") as f:
        before = f.read()
    try:
        ready.write("/etc/pam.d/sshd-key", "account required pam_otp.so\n" + before)
        with Sshd("sshd-key", AuthenticationMethods="publickey") as sshd, Terminal(*sshd.ssh(key="alice")) as t:
            assert t.end() == f"{IN}\n"
    finally:
        ready.write("/etc/pam.d/sshd-key", before)
    assert ready.messages() == [] and "pam_otp" not in ready.log()


def test_a_sign_in_ends_before_sshd_would_end_it(one_world, stacks):
    """Q15: the shipped login_timeout is shorter than the default grace time of sshd."""
    shown = one_world.otpctl("config", "show", "--service", "sshd").stdout
    ours = int(re.search(r"^login_timeout = (\d+)s$", shown, re.MULTILINE)[1])
    with Sshd("sshd-key") as sshd:
        settings = subprocess.run([sshd.program, "-T", "-f", sshd.conf], check=True, capture_output=True,
                                  text=True).stdout
    assert ours < int(re.search(r"^logingracetime (\d+)$", settings, re.MULTILINE)[1])


# --- whose word counts ---

def test_data_that_users_can_write_is_no_contact(ready):
    """C12: neither the comment field, which chfn changes, nor a file in the home folder counts."""
    number = "9800000099"
    try:
        for user in "alice", "carol":
            subprocess.run(["chfn", "-f", f"+977{number}", "-h", number, "-w", number, user], check=True)
            for name in ".phone", ".google_authenticator", ".pam_otp", ".forward":
                ready.write(f"/home/{user}/{name}", f"+977{number}\n")
        assert ready.finish("alice", options=REMOTE) == SUCCESS
        assert [m["number"] for m in ready.gateway.outbox()] == [PHONE["alice"][4:]]
        assert ready.finish("carol", answer="000000", options=REMOTE) == AUTH_ERR
        assert len(ready.gateway.outbox()) == 1, "carol has no registered number, and nothing else is one"
    finally:
        for user in "alice", "carol":
            subprocess.run(["chfn", "-f", "", "-h", "", "-w", "", user], check=True)
            for name in ".phone", ".google_authenticator", ".pam_otp", ".forward":
                os.unlink(f"/home/{user}/{name}")


SEAT = ["--pamenv=XDG_SEAT=seat0", "--pamenv=XDG_VTNR=1", "--pamenv=XDG_SESSION_CLASS=user"]
OFFICE = ["--pamenv=SSH_CONNECTION=10.1.2.3 50000 10.0.0.1 22", "--pamenv=SSH_CLIENT=10.1.2.3 50000 22",
          "--pamenv=PAM_RHOST=10.1.2.3"]


@pytest.mark.parametrize("where", [REMOTE, []], ids=["remote", "local"])
def test_variables_that_users_set_do_not_change_the_client(ready, where):
    """C24: with pam_env a user can set variables, but only the host says what the client's address is."""
    ready.edit(CONF, r"\Z", EXEMPT + "networks = 10.0.0.0/8\n")
    ready.gateway.fault("status", status=500)
    expected = AUTHINFO_UNAVAIL if where else PERM_DENIED
    assert ready.finish(options=[*where, *SEAT, *OFFICE]) == expected
    ready.gateway.clear_faults()
    assert ready.finish(answer="000000", options=[*where, *SEAT, *OFFICE]) == AUTH_ERR


@pytest.mark.parametrize("sender", hosts.SENDERS, ids=str)
def test_the_provider_learns_the_contact_but_no_name(ready, sender):
    """C41: data leaked from a provider shows neither whose the contact is nor which account it opens. KGeN wants a
    user ID. It is the name, unless the variant `attribute` chooses another value."""
    if sender.provider == "kgen":
        sender = dataclasses.replace(sender, variant="attribute")
    configure(ready, sender)
    if sender.provider == "kgen":
        subprocess.run(["otpctl", "attribute", "set", "alice", "kgen", "user_id"], input="4711\n", text=True,
                       check=True)
    assert ready.finish("alice", options=REMOTE) == SUCCESS
    sent = json.dumps(ready.gateway.requests() + ready.gateway.outbox()).lower()
    assert sender.alice in sent or sender.alice.lstrip("+") in sent, "the journal has what was sent"
    sent = sent.replace(hosts.MAILBOX["alice"], "").replace(hosts.MAILBOX["alice"].replace("@", "%40"), "")
    assert "alice" not in sent and REMOTE[0].split("=")[-1] not in sent


# --- stacks ---

def test_a_module_that_is_missing_lets_nobody_in(fresh):
    """C37: this is as if the package were removed under a stack that names it."""
    fresh.pam(SERVICE, "auth requisite pam_otp_absent.so\nauth required pam_permit.so\n"
              "account required pam_permit.so\n")
    with fresh.sign_in() as d:
        assert d.result() != SUCCESS


CONTROLS = {
    "required": "auth required pam_otp.so\nauth required pam_permit.so\n",
    "requisite": "auth requisite pam_otp.so\nauth required pam_permit.so\n",
    "sufficient": "auth sufficient pam_otp.so\nauth required pam_deny.so\n",
    "a jump": "auth [success=1 default=ignore] pam_otp.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
    "a jump that dies": "auth [success=1 ignore=ignore default=die] pam_otp.so\nauth required pam_permit.so\n"
                        "auth required pam_permit.so\n",
    "alone": "auth required pam_otp.so\n",
}
ALLOWS_SKIP = ("required", "requisite", "a jump that dies")


@pytest.fixture(params=CONTROLS)
def control(request, ready):
    ready.pam(SERVICE, CONTROLS[request.param] + "account required pam_otp.so\naccount required pam_permit.so\n")
    return request.param


def codes(world, answer, user="alice", calls=("auth", "setcred", "acct")):
    """Returns the result of each PAM call with one handle."""
    found = []
    with world.sign_in(user, calls=calls) as d:
        for event in iter(lambda: d.until("prompt", "result"), None):
            if event["event"] == "result":
                found.append(event["code"])
            else:
                d.answer("" if "Press Enter" in event["text"] else world.code() if answer == "right" else answer)
    assert len(found) == len(calls)
    return found


def test_a_right_code_succeeds_in_every_stack(ready, control):
    """C43: pam_setcred runs the stack again, in the same process or, as in sshd, in another one."""
    assert codes(ready, "right") == [SUCCESS] * 3
    assert codes(ready, "right", calls=["setcred"]) == [SUCCESS]


def test_a_wrong_code_fails_in_every_stack(ready, control):
    """C43: no host calls pam_setcred after a failure."""
    assert codes(ready, "000000", calls=["auth"]) != [SUCCESS]


def test_skip_needs_another_line_that_succeeds(ready, control):
    """C43: skip has no influence on the stack, neither in pam_authenticate nor in pam_setcred."""
    ready.edit(CONF, r"\Z", EXEMPT + "users = alice\n")
    if control in ALLOWS_SKIP:
        assert codes(ready, "") == [SUCCESS] * 3
    else:
        assert codes(ready, "", calls=["auth"]) != [SUCCESS]

"""Who is asked and who is exempt, in real hosts: each rule where it decides, and where it almost matches.

Facts: Q13, Q14, Q21, Q22 hosts, Q28 hosts without a person, U17-U20, C13, C22, C39.
"""
import grp
import json
import os
import subprocess
import time

import pytest

import hosts
from private_sshd import SSH
from hosts import AS, IN, Sshd, SudoHost, Terminal, configure
from world import AUTH_ERR, CONF, CONV_ERR, PERM_DENIED, SERVICE, STORE, SUCCESS

ENTER = "Press Enter to have a verification code sent by SMS to +977 ******** 19: "
SENT = "A verification code was sent by SMS to +977 ******** 19. It ends in 5 minutes.\n"
CODE = "Verification code (r = resend): "
NSSWITCH = "/etc/nsswitch.conf"


@pytest.fixture(scope="module")
def stacks(one_world):
    hosts.install("sudo")
    hosts.install("sudo-i", "sudo", rest="sudo-i")
    hosts.install("su")
    hosts.install("login")
    hosts.install("sshd-key", "sshd")
    with open(NSSWITCH) as f:
        before = f.read()
    subprocess.run(["sed", "-i", r"s/^\(group\|shadow\):.*/\1: files otptest/", NSSWITCH], check=True)
    with hosts.sudoers():
        yield
    with open(NSSWITCH, "w") as f:
        f.write(before)
    hosts.put_back()


@pytest.fixture
def world(fresh, stacks):
    fresh.open_transport("spawn")
    configure(fresh)
    subprocess.run(["rm", "-rf", "/run/sudo/ts"], check=True)
    yield fresh
    assert fresh.helpers_gone()


@pytest.fixture(scope="module")
def sshd(stacks):
    with Sshd("sshd-key", AuthenticationMethods="publickey,keyboard-interactive") as s:
        yield s


@pytest.fixture
def group():
    """A group with the member alice, for one test."""
    name = "otp-robots"
    subprocess.run(["groupadd", name], check=True)
    subprocess.run(["gpasswd", "-a", "alice", name], check=True, capture_output=True)
    yield name
    subprocess.run(["groupdel", name], check=False, capture_output=True)


def rule(world, *lines, name="x", until="2099-12-31"):
    world.edit(CONF, r"\Z", f"[exempt {name}]\nreason = because\nuntil = {until}\n" + "\n".join(lines) + "\n")


def sudo(*options, how=AS["alice"]):
    """Runs sudo and types the password. Returns the prompt for a code, or the output of id if she is not asked."""
    with Terminal(*how, "sudo", *options, "id", "-u") as t:
        t.prompt()
        t.type("alice-password")
        return t.prompt(r"(?:Verification code \(r = resend\): |0\r\n)$")


def login(client, user="alice"):
    with Terminal("login", "-h", client) as t:
        assert t.prompt() == "sandbox login: "
        t.answer(user)
        return t.answer(f"{user.lower()}-password")


def asked(text):
    return text.endswith(CODE) or "Press Enter to have a verification code sent" in text


# --- users, and the names they go by ---

def test_users(world):
    """U18; a rule for another name with the same beginning does not match."""
    rule(world, "users = alice")
    assert sudo() == "0\n"
    assert 'result=skip rhost="" user="alice" service="sudo"' in world.log()
    assert "rule exempt x: because" in world.log()
    world.edit(CONF, "^users = .*", "users = ali, alice2, al")
    assert sudo() == SENT + CODE


def ssh(sshd, name="alice", key="alice"):
    with Terminal(*sshd.ssh(name, key=key)) as t:
        return t.prompt(rf"(?:: |{IN}\r\n)$")


def test_another_spelling_is_the_same_user(world, sshd):
    """A rule matches however the name is typed. A rule written in another spelling matches nobody."""
    rule(world, "users = alice")
    world.open_transport("socket")
    assert ssh(sshd, "ALICE") == f"{IN}\n"
    assert not asked(login("192.0.2.7", "Alice"))
    world.edit(CONF, "^users = .*", "users = ALICE")
    assert asked(ssh(sshd, "ALICE"))
    assert asked(ssh(sshd))
    assert asked(login("192.0.2.7", "ALICE"))
    check = world.otpctl("config", "check", check=False)
    assert check.returncode == 1 and '"ALICE" is another name of "alice"' in check.stderr


# --- groups ---

def test_groups(world, group):
    """C39: the groups of this moment count. A membership that was just removed does not match, even if alice's
    processes still have it."""
    rule(world, f"groups = {group}")
    assert sudo() == "0\n"
    number = grp.getgrnam(group).gr_gid
    subprocess.run(["gpasswd", "-d", "alice", group], check=True, capture_output=True)
    holds = ["setpriv", "--reuid=alice", "--regid=alice", f"--groups={number}", "--reset-env"]
    assert subprocess.run([*holds, "id", "-G"], capture_output=True, text=True, check=True).stdout.split()[-1] == str(
        number)
    subprocess.run(["rm", "-rf", "/run/sudo/ts"], check=True)
    assert sudo(how=holds) == SENT + CODE


def test_a_deleted_group_matches_nobody(world, group):
    """The log says so. Another group that took its number does not match its name."""
    rule(world, f"groups = {group}")
    number = grp.getgrnam(group).gr_gid
    subprocess.run(["groupdel", group], check=True)
    subprocess.run(["groupadd", "-g", str(number), "otp-others"], check=True)
    subprocess.run(["gpasswd", "-a", "alice", "otp-others"], check=True, capture_output=True)
    try:
        assert sudo() == SENT + CODE
        assert f'event=rule rule="x" detail="there is no group {group}"' in world.log()
        check = world.otpctl("config", "check", check=False)
        assert check.returncode == 1 and f'[exempt x] groups: there is no group "{group}"' in check.stderr
    finally:
        subprocess.run(["groupdel", "otp-others"], check=True)


def test_groups_match_by_group_id(world, group):
    """Two names of one number are one group."""
    number = grp.getgrnam(group).gr_gid
    subprocess.run(["groupadd", "-o", "-g", str(number), "otp-twins"], check=True)
    try:
        rule(world, "groups = otp-twins")
        assert sudo() == "0\n"
    finally:
        subprocess.run(["groupdel", "otp-twins"], check=True)


# --- networks ---

@pytest.mark.parametrize("networks, client", [
    ("10.0.0.0/8", "10.1.2.3"), ("10.0.0.0/8", "::ffff:10.1.2.3"), ("2001:db8::/32", "2001:db8::7"),
    ("fe80::/64", "fe80::1%eth0"), ("192.0.2.7", "192.0.2.7")])
def test_networks(world, networks, client):
    """U17: IPv4, IPv6, IPv4 in IPv6, and an address with a zone."""
    rule(world, f"networks = {networks}")
    assert not asked(login(client)), networks
    assert f'result=skip rhost="{client}"' in world.log()


@pytest.mark.parametrize("networks, client", [
    ("10.0.0.0/8", "11.1.2.3"), ("10.0.0.0/8", "10.0.0.0.example.org"), ("10.0.0.0/8", "10.0.0.0/8"),
    ("10.0.0.0/8", "10.1"), ("10.0.0.0/8", "167772161"), ("10.0.0.0/8", "0x0a.1.2.3"),
    ("10.0.0.0/8", "::10.1.2.3"), ("10.0.0.0/8", "::ffff:11.1.2.3"), ("::/16", "10.1.2.3"),
    ("fe80::/64", "fe80:0:0:1::1%eth0"), ("10.0.0.0/8", "10.1.2.3%eth0"), ("127.0.0.1", "localhost"),
    ("0.0.0.0/8", "0.0.0.0"), ("::1", "UNKNOWN")])
def test_networks_that_almost_match(world, networks, client):
    """C22: texts that look like an address or a network but are none, and other addresses."""
    rule(world, f"networks = {networks}")
    assert asked(login(client)), client


@pytest.fixture
def own_address():
    """This machine has 10.1.2.3 beside its other addresses."""
    subprocess.run(["ip", "address", "add", "10.1.2.3/32", "dev", "lo"], check=True)
    yield "10.1.2.3"
    subprocess.run(["ip", "address", "del", "10.1.2.3/32", "dev", "lo"], check=True)


@pytest.fixture
def own_network():
    """The routes deliver all of 10.5.0.0/16 to this machine, whose addresses no interface has."""
    subprocess.run(["ip", "route", "add", "local", "10.5.0.0/16", "dev", "lo"], check=True)
    yield "10.5.6.7"
    subprocess.run(["ip", "route", "del", "local", "10.5.0.0/16", "dev", "lo"], check=True)


def test_an_address_of_this_machine_is_not_elsewhere(world, own_address, own_network):
    """Whoever is on this machine can come from its addresses. A rule may name one of them by itself."""
    rule(world, "networks = 10.0.0.0/8")
    assert not asked(login("10.1.2.4"))
    for client in own_address, f"::ffff:{own_address}", own_network:
        assert asked(login(client)), client
    shown = world.otpctl("explain", "alice", "--service", "login", "--rhost", own_address).stdout
    assert f"networks: {own_address} is this machine's own; to exempt it, list it with /32" in shown
    world.edit(CONF, "^networks = .*", f"networks = {own_address}/32, {own_network}")
    assert not asked(login(own_address))
    assert not asked(login(own_network))


def test_loopback_addresses_in_a_network_are_an_error(world):
    rule(world, "networks = 127.0.0.0/8")
    check = world.otpctl("config", "check", check=False)
    assert check.returncode == 1 and "list the address itself, as in networks = 127.0.0.1" in check.stderr


def test_a_console_sign_in_has_no_network(world):
    rule(world, "networks = 127.0.0.1, ::1, 128.0.0.0/8, 2000::/16")
    with Terminal("login") as t:
        assert t.prompt() == "sandbox login: "
        t.answer("alice")
        assert t.answer("alice-password") == SENT + CODE
    assert sudo() == SENT + CODE


@pytest.fixture
def lying_name():
    """The owner of 127.0.0.1 has chosen its reverse name, and sshd looks it up."""
    with open("/etc/hosts") as f:
        before = f.read()
    with open("/etc/hosts", "w") as f:
        f.write("127.0.0.1 10.1.2.3.office.example.org\n" + before)
    yield
    with open("/etc/hosts", "w") as f:
        f.write(before)


def test_a_forged_reverse_name(world, stacks, lying_name):
    """Q13, C22: the log has the name, but the address decides."""
    world.open_transport("socket")
    rule(world, "networks = 10.0.0.0/8")
    with Sshd("sshd-key", AuthenticationMethods="publickey,keyboard-interactive", UseDNS="yes") as named:
        assert asked(ssh(named))
        assert world.helpers_gone()
        assert 'rhost="10.1.2.3.office.example.org"' in world.log()
        world.edit(CONF, "^networks = .*", "networks = 127.0.0.1")
        assert ssh(named) == f"{IN}\n"


# --- services, keys, days ---

def test_services(world):
    rule(world, "services = sudo")
    assert sudo() == "0\n"
    assert sudo("-i") == SENT + CODE, "sudo -i is another service"


def test_public_keys(world, sshd):
    """Q14: the rule matches a key at sshd. sudo knows no key, however alice came in."""
    rule(world, "users = alice", "requires = publickey")
    assert sudo() == SENT + CODE
    world.open_transport("socket")
    assert ssh(sshd) == f"{IN}\n"


def test_all_conditions_of_a_rule_must_match(world, sshd, group):
    world.open_transport("socket")
    rule(world, "users = alice, bob", f"groups = {group}", "services = sshd-key", "networks = 127.0.0.1",
         "requires = publickey")
    assert ssh(sshd) == f"{IN}\n"
    assert asked(ssh(sshd, "bob", key="bob")), "not in the group"


def test_the_last_day(world):
    """U20"""
    rule(world, "users = alice", until="2020-12-31")
    assert sudo() == SENT + CODE
    assert warned(world) == [": warning: [exempt x] expired at the end of 2020-12-31 and exempts nobody; remove it, "
                             "or set a later until\""]


def warned(world):
    return [line.partition(f'event=start detail="{CONF}:')[2].lstrip("0123456789")
            for line in world.log().splitlines() if "warning: " in line or "event=start" in line]


def test_expired_rules_are_logged_in_one_line(world):
    """A rule with an error has its own line, whatever the value contains."""
    for n in range(12):
        rule(world, "users = alice", name=f"x{n}", until="2020-12-31")
    assert sudo() == SENT + CODE
    line, = warned(world)
    assert line.startswith(": warning: [exempt x0] expired") and line.endswith(
        'until (and 11 more; run: otpctl config check)"')
    assert "more errors" not in world.log()
    world.edit(CONF, r"\Z", "[exempt last]\nusers = a: warning: b\nreason = r\nuntil = 2099-12-31\n")
    assert world.finish("alice", "000000") == PERM_DENIED
    wrong, = (line for line in world.log().splitlines() if "[exempt last]" in line)
    assert '[exempt last] users: "a: warning: b": expected a user' in wrong and "event=start" not in wrong


def test_rules_match_the_user_who_is_asked(world):
    """Q22: su asks for the target's code or for the caller's."""
    rule(world, "users = alice")

    def su():
        with Terminal(*AS["alice"], "su", "bob", "-c", "id -un") as t:
            t.prompt()
            t.type("bob-password")
            return t.prompt(r"(?:: |bob\r\n)$")

    assert asked(su())
    world.edit(CONF, r"\Z", "[service su]\nidentity = caller\n")
    assert su() == "bob\n"


def test_the_options_of_a_service(world):
    """[service A B] applies only to the services that it names."""
    world.edit(CONF, r"\Z", "[service sudo su]\ntries = 1\n")
    with SudoHost().begin() as t:
        t.prompt()
        t.type("000000")
        assert "Sorry, try again." in t.prompt()
    with SudoHost().begin("alice", "-i") as t:
        t.prompt()
        assert t.answer("000000") == f"Wrong code, 2 tries left.\n{CODE}"


# --- nobody there ---

def test_services_without_a_person(world):
    """Q28: the sign-in ends without a prompt, and is never skipped. A rule that names the service comes first."""
    world.edit(CONF, r"^\[otp\]\n", "[otp]\nunregistered = skip\n")
    world.pam("dovecot")
    world.pam("dovecot2")
    for user in "alice", "carol", "nobody.such":
        with world.sign_in(user, "dovecot", "--item=rhost=192.0.2.7") as d:
            assert d.result() == CONV_ERR
            assert [e["event"] for e in d.events if e["event"] != "snap"] == ["result"]
    assert world.messages() == []
    assert "result=gone" in world.log()
    assert "dovecot cannot prompt (never_prompt_services), and no rule exempts this sign-in" in world.log()
    with world.sign_in("alice", "dovecot2") as d:
        assert asked(d.prompt()), "of another name"
    rule(world, "services = dovecot", "users = alice")
    with world.sign_in("alice", "dovecot") as d:
        assert d.result() == SUCCESS
    with world.sign_in("bob", "dovecot") as d:
        assert d.result() == CONV_ERR


# --- contacts ---

def test_verified_contacts(world):
    """alice's number is not verified. Nothing is sent to it. She gets the usual prompts, and is never skipped."""
    world.edit(CONF, r"^\[otp\]\n", "[otp]\nrequire_verified = yes\nunregistered = skip\n")
    assert sudo().endswith(CODE)
    assert world.messages() == []
    assert ('event=contact user="alice" detail="a contact is not verified and gets no code; '
            'run: otpctl contact verify"') in world.log()
    assert world.finish("alice", "000000") == AUTH_ERR
    world.otpctl("contact", "remove", "alice", "--all")
    world.otpctl("contact", "add", "alice", "--phone=+9779800000019", "--verified")
    before = len(world.messages())
    assert sudo() == SENT + CODE
    assert len(world.messages()) == before + 1


def test_unregistered(world):
    """U20: while contacts are collected, a user without one is skipped. A user who does not exist is not."""
    world.edit(CONF, r"^\[otp\]\n", "[otp]\nunregistered = skip\n")
    with Terminal(*AS["carol"], "sudo", "id", "-u") as t:
        t.prompt()
        t.type("carol-password")
        assert t.end() == "0\n"
    assert sudo() == SENT + CODE
    assert world.finish("nobody.such", "000000") == AUTH_ERR


# --- the name service ---

RULES = ["users = alice", "groups = sudo, adm", "services = otp-test", "networks = 10.0.0.0/8",
         "users = bob\nrequires = publickey"]
FAILS = pytest.mark.parametrize("how", ["ns-away", "ns-unavail", "ns-tryagain", "ns-silent"])


@pytest.fixture
def strays():
    """A group whose only member does not exist."""
    with open("/etc/group") as f:
        before = f.read()
    with open("/etc/group", "a") as f:
        f.write("otp-strays:x:4242:nobody.such\n")
    assert grp.getgrnam("otp-strays").gr_mem == ["nobody.such"]
    yield
    with open("/etc/group", "w") as f:
        f.write(before)


@pytest.mark.parametrize("lines", [
    "users = nobody.such", "groups = otp-strays", "services = otp-test", "networks = 10.0.0.0/8",
    "users = nobody.such\ngroups = otp-strays\nservices = otp-test\nnetworks = 10.0.0.0/8"])
def test_an_unknown_user_is_never_exempt(world, strays, lines):
    """C20: each rule would match if the user existed."""
    rule(world, lines)
    assert world.finish("nobody.such", "000000", ["--item=rhost=10.1.2.3"]) == AUTH_ERR


@FAILS
@pytest.mark.parametrize("lines", RULES)
def test_a_user_that_cannot_be_looked_up(world, how, lines):
    """A failed lookup ends as broken with any rule."""
    rule(world, lines)
    assert world.finish(how, "000000", ["--item=rhost=10.1.2.3"]) == PERM_DENIED
    assert world.messages() == []
    assert "the name service failed" in world.log()


@FAILS
@pytest.mark.parametrize("options", ["unregistered = skip", "remember = 15m", f"never_prompt_services = {SERVICE}",
                                     "require_verified = yes\nunregistered = skip", "identity = caller"])
def test_a_failed_user_lookup_ends_as_broken_with_any_option(world, how, options):
    """This also holds for options that skip users."""
    world.edit(CONF, r"\Z", f"[service {SERVICE}]\n{options}\n")
    for user, caller in ((how, "alice"), ("alice", how)) if "identity" in options else ((how, "alice"),):
        assert world.finish(user, "000000", [f"--item=ruser={caller}", "--item=tty=/dev/pts/1"]) == PERM_DENIED
    assert world.messages() == []


@FAILS
def test_the_target_user_is_looked_up_too(world, how):
    """With identity = caller, a rule that exempts the caller signs in nobody whose target user does not exist or
    cannot be looked up."""
    world.edit(CONF, r"\Z", f"[service {SERVICE}]\nidentity = caller\nunregistered = skip\n")
    rule(world, "users = alice")
    items = ["--item=ruser=alice", "--item=tty=/dev/pts/1"]
    assert world.finish("bob", "000000", items) == SUCCESS
    assert world.finish("nobody.such", "000000", items) == AUTH_ERR
    assert world.finish(how, "000000", items) == PERM_DENIED
    assert "user lookup: the name service failed" in world.log()


@FAILS
def test_a_group_that_cannot_be_looked_up(world, how):
    """If the group decides, the result is broken. If another condition has decided, the group is not looked up."""
    rule(world, "users = alice", f"groups = {how}")
    assert world.finish("alice", "000000") == PERM_DENIED
    assert f'event=rule rule="x" detail="the name service failed to look up the group {how}"' in world.log()
    assert "rules: the name service failed" in world.log()
    assert world.finish("bob", "000000") == AUTH_ERR
    check = world.otpctl("config", "check", check=False)
    assert f'the group "{how}" could not be looked up: the name service failed' in check.stderr
    rule(world, "users = alice", name="y")
    assert world.finish("alice", "000000") == SUCCESS, "whatever the other says"


class Directory:
    """A directory of groups and members, asked after the machine's own files. It can be down or busy."""
    groups, trouble, waits = "/etc/otptest-group", "/run/otptest", "/run/otptest-waited"

    def __init__(self, *lines):
        with open(self.groups, "w") as f:
            f.write("".join(f"{line}\n" for line in lines))

    def fails(self, how):
        with open(self.trouble, "w") as f:
            f.write(how)
        with open(self.waits, "w"):
            os.chmod(self.waits, 0o666)

    def waited(self):
        """Returns how often the slow directory was waited for."""
        return os.path.getsize(self.waits)

    def answers(self):
        subprocess.run(["rm", "-f", self.trouble, self.waits], check=True)


@pytest.fixture
def directory(group):
    """The directory has a group of its own with alice, and bob as a member of a group of the machine."""
    d = Directory("otp-far:x:5151:alice", f"{group}:x:{grp.getgrnam(group).gr_gid}:bob")
    yield d
    d.answers()
    os.unlink(d.groups)


def test_groups_of_a_directory(world, directory, group):
    rule(world, "groups = otp-far")
    assert world.finish("alice") == SUCCESS and world.messages() == []
    assert world.finish("bob", "000000") == AUTH_ERR
    world.edit(CONF, "^groups = .*", f"groups = {group}")
    before = len(world.messages())
    assert world.finish("alice") == world.finish("bob") == SUCCESS and len(world.messages()) == before
    assert world.finish("carol", "000000") == AUTH_ERR


@FAILS
def test_a_directory_that_fails(world, directory, group, how):
    """A member in the machine's own files is exempt. A user who may be a member in the directory is refused, and the
    log says why."""
    directory.fails(how)
    for groups in f"otp-far, {group}", f"{group}, otp-far", group:
        rule(world, f"groups = {groups}")
        assert world.finish("alice") == SUCCESS, "she is in the machine's own"
        for user in "bob", "carol":
            assert world.finish(user, "000000") == PERM_DENIED, (user, groups)
            assert explain(world, user, SERVICE)["outcome"] == "broken"
        world.edit(CONF, r"\[exempt x\]\n(.*\n)*", "")
    rule(world, "groups = otp-far")
    assert world.finish("alice") == PERM_DENIED
    assert world.messages() == []
    directory.answers()
    assert world.finish("alice") == SUCCESS
    assert world.finish("bob") == SUCCESS
    assert len(world.messages("bob")) == 1


@FAILS
def test_a_failing_directory_does_not_matter_if_other_conditions_decide(world, directory, group, how):
    """A user whom another condition excludes is asked. A user whom another rule exempts is not."""
    rule(world, f"groups = {group}", "services = cron")
    directory.fails(how)
    assert world.finish("bob") == SUCCESS and len(world.messages("bob")) == 1
    world.edit(CONF, "^services = .*", f"services = {SERVICE}")
    assert world.finish("bob") == PERM_DENIED
    rule(world, "users = bob", name="y")
    assert world.finish("bob") == SUCCESS and len(world.messages("bob")) == 1
    assert "rule exempt y: because" in world.log()


def test_a_directory_that_is_slow_to_fail(world, directory):
    """A sign-in does not wait for it again and again. A sign-in that another rule exempts does not wait at all."""
    rule(world, "groups = " + ", ".join(f"otp-far{n}" for n in range(12)))
    rule(world, "users = bob", name="y")
    directory.fails("ns-slow")
    assert world.finish("bob") == SUCCESS and world.messages() == []
    assert directory.waited() == 0
    assert world.finish("alice") == PERM_DENIED
    assert directory.waited() == 2, "once for her groups, and once for one of the rule's"


def test_a_directory_that_fails_in_hosts(world, sshd, directory, group):
    rule(world, f"groups = {group}")
    directory.fails("ns-away")
    assert sudo() == "0\n"
    with SudoHost().begin("bob") as t:
        assert t.prompt() == "Sorry, try again.\n[sudo] password for bob: "
    world.open_transport("socket")
    assert ssh(sshd) == f"{IN}\n"
    with Terminal(*sshd.ssh("bob", key="bob")) as t:
        text = t.end()
    assert IN not in text and "Permission denied" in text, text
    check = world.otpctl("config", "check", check=False)
    assert "warning: [exempt x] groups: until this is mended, users in none of these groups are refused" in check.stderr


def test_otpctl_removes_by_name_while_the_directory_fails(world, directory):
    """Commands that add need a lookup of the name. Commands that list or remove use the name as typed."""
    gone = set()
    world.otpctl("contact", "add", "--force", "far.away", "--phone=+9779800000055")
    world.otpctl("recovery", "issue", "alice")
    subprocess.run(["otpctl", "attribute", "set", "--force", "far.away", "tingting", "x"], input="y", text=True, check=True)
    directory.fails("ns-away")
    for command in ("status far.away", "contact list far.away", "remember list far.away",
                    "attribute list far.away tingting", "attribute remove far.away tingting x",
                    "contact remove far.away +9779800000055", "unlock far.away", "remember revoke far.away",
                    "contact remove far.away --all", "attribute remove far.away tingting x",
                    "recovery revoke far.away"):
        done = world.otpctl(*command.split(), check=False)
        # What was to be taken away and is not there may be there under another spelling.
        nothing = "nothing is stored for 'far.away'; it may be stored under another spelling" in done.stderr
        expected = command in gone or command.startswith(("unlock", "remember revoke", "recovery"))
        assert done.returncode == nothing == expected, (command, done.stderr)
        gone.add(command.replace("+9779800000055", "--all"))
        assert done.stderr.startswith("otpctl: warning: the user 'far.away' could not be looked up (the name service failed); "
                                      "the name is taken as it was typed\n"), command
    for command in "contact add --force far.away --phone=+9779800000055", "recovery issue far.away":
        done = world.otpctl(*command.split(), check=False)
        assert done.returncode == 1 and "run: getent passwd far.away" in done.stderr, command
    done = world.otpctl("recovery", "revoke", "alice")
    assert done.stderr == "", "the machine's own are known"


# --- explain ---

def explain(world, user, service, *more):
    done = world.otpctl("explain", user, "--service", service, "--json", *more, check=False)
    assert done.returncode in (0, 3), done.stderr
    return json.loads(done.stdout)


def test_explain_agrees_with_the_hosts(world, sshd, group):
    """root runs explain, which opens the files as the helper's user. No file of root's is left in the state."""
    rule(world, f"groups = {group}", "networks = 127.0.0.1", "requires = publickey")
    world.open_transport("socket")
    with open(f"{SSH}/alice.pub") as f:
        key = f.read().strip()
    fingerprint = subprocess.run(["ssh-keygen", "-lf", f"{SSH}/alice.pub"], capture_output=True, text=True,
                                 check=True).stdout.split()[1]
    for shown in key, f"{SSH}/alice.pub", fingerprint:
        a = explain(world, "ALICE", "sshd-key", "--rhost", "127.0.0.1", "--key", shown)
        assert (a["user"], a["outcome"], a["reason"]) == ("alice", "skip", "rule exempt x: because")
    assert ssh(sshd) == f"{IN}\n"
    a = explain(world, "bob", "sshd-key", "--rhost", "127.0.0.1", "--key", key)
    assert a["rules"][0]["why_not"] == "groups: the user is in none of them"
    assert a["outcome"] == "asked"
    text = ssh(sshd, "bob", key="bob")
    assert text.replace("(bob@127.0.0.1) ", "") == a["prompts"][0]
    a = explain(world, "alice", "sudo")
    assert a["rules"][0]["why_not"] == "requires: no public key was used"
    assert a["ways"] == [{"channel": "sms", "to": "+977 ******** 19"}]
    assert explain(world, "ns-unavail2", "sudo")["outcome"] == "denied"
    a = explain(world, "ns-unavail", "sudo")
    assert (a["exists"], a["outcome"], a["reason"]) == (None, "broken", "user lookup: the name service failed")
    for path, _, files in os.walk("/var/lib/pam_otp/state"):
        assert all(os.stat(f"{path}/{f}").st_uid == world.user.pw_uid for f in files)


@pytest.mark.parametrize("path", [CONF, f"{CONF}.d/drop-in.conf"])
def test_explain_and_check_see_what_a_sign_in_sees(world, path):
    """A file that only root can read breaks every sign-in, and both commands say so."""
    rule(world, "users = alice")
    os.makedirs(f"{CONF}.d", exist_ok=True)
    with open(f"{CONF}.d/drop-in.conf", "w") as f:
        f.write("[otp]\ntries = 2\n")
    assert world.finish("alice") == SUCCESS
    os.chmod(path, 0o600)
    assert world.finish("alice") == PERM_DENIED
    done = world.otpctl("explain", "alice", "--service", SERVICE, check=False)
    assert done.returncode == 1 and f"{path}:" in done.stderr and "Permission denied" in done.stderr, done
    done = world.otpctl("config", "check", check=False)
    assert done.returncode == 1 and f"{path}:" in done.stderr + done.stdout, done


def test_explain_names_the_command_that_mends_the_store(world):
    os.rename(STORE, f"{STORE}.away")
    done = world.otpctl("explain", "alice", "--service", SERVICE, check=False)
    assert done.returncode == 1, done
    assert done.stderr.endswith(f"the store in {os.path.dirname(STORE)} could not be opened; run: otpctl init\n"), done


def test_explain_uses_the_time_zone_of_the_machine(world):
    """The caller's time zone, in which it may be another day, does not matter."""
    day, explained = None, None
    while day != time.strftime("%Y-%m-%d"):  # does not run over midnight
        now = time.time()
        day = time.strftime("%Y-%m-%d", time.localtime(now))
        yesterday = time.strftime("%Y-%m-%d", time.localtime(now - 24 * 3600))
        late = time.localtime(now).tm_hour >= 12
        rule(world, "users = alice", until=day if late else yesterday)
        explained = subprocess.run(["otpctl", "explain", "alice", "--service", SERVICE, "--json"], capture_output=True,
                              text=True, env=os.environ | {"TZ": "X-14" if late else "X+14"}, check=True)
        world.edit(CONF, r"\[exempt x\]\n(.*\n)*", "")
    assert json.loads(explained.stdout)["outcome"] == ("skip" if late else "asked")


def test_explain_needs_root(world):
    done = subprocess.run([*AS["alice"], "/usr/sbin/otpctl", "explain", "alice", "--service", SERVICE], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1 and done.stdout == "" and "run it with sudo" in done.stderr

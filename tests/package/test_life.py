"""The package from its installation to its purge, with sign-ins before, between and after.

Facts: U6 updates, U7 removal, U8 what an installation changes.
"""
import contextlib
import os
import re
import sqlite3

import pytest

from machine import CODE, ENTER, NAME, PASSWORD, SHELL, SSHD

HERE = os.path.dirname(os.path.abspath(__file__))
HOST_KEY, CONTACTS, STORE = ("/etc/pam_otp/secrets/host.key", "/var/lib/pam_otp/contacts.db",
                             "/var/lib/pam_otp/state/store.db")


def nothing():
    raise AssertionError("no code was expected")


def signs_in(person, *asked):
    """Checks that the user signs in, and is asked exactly for this."""
    with person as p:
        seen = p.to_the_end()
    assert seen.asked == list(asked) and seen.let_in, seen


def signs_in_as_ever(debian):
    """Checks that a password alone signs in, as in a Debian without this package."""
    debian.sshd(SSHD)
    signs_in(debian.ssh(nothing), PASSWORD)
    signs_in(debian.sudo(nothing), PASSWORD)
    signs_in(debian.login(nothing), NAME, PASSWORD, SHELL)


def signs_in_with_a_code(debian, code):
    debian.sshd(SSHD)
    signs_in(debian.ssh(code), PASSWORD, ENTER, CODE)
    signs_in(debian.sudo(code), PASSWORD, CODE)
    signs_in(debian.login(code), NAME, PASSWORD, CODE, SHELL)


def refused(person):
    with person as p:
        seen = p.to_the_end()
    assert not seen.let_in, seen
    return seen


# --- install, and away again ---

def test_install_use_and_purge(debian, gateway, code):
    """U7, U8: the installation changes no sign-in. Set up as the examples say, every service asks for a code. After
    a purge, everything is as before."""
    signs_in_as_ever(debian)
    debian.install()
    assert debian.state("/etc/pam.d") == debian.before
    signs_in_as_ever(debian)
    assert debian.run("id", "-nu", "pam_otp").stdout == "pam_otp\n"
    debian.provider(gateway)
    debian.run("otpctl", "contact", "add", "alice", "--phone=+9779800000019")
    for name in "sshd", "sudo", "su", "login":
        debian.stack(name)
    signs_in_with_a_code(debian, code)
    refused(debian.ssh(lambda: "000000"))
    debian.put_back("sshd", "sudo", "su", "login")
    debian.apt("purge", "libpam-otp")
    assert not debian.exists("/etc/pam_otp") and not debian.exists("/var/lib/pam_otp")
    assert debian.state("/etc/pam.d") == debian.before
    assert debian.run("sh", "-c", "find / -xdev -name '*pam_otp*' -not -path '/proc/*' -not -path '/root/*' "
                      "-not -path '/var/log/*' -not -path '/etc/ssh/*'").stdout == ""
    signs_in_as_ever(debian)


def test_a_removal_stops_while_a_stack_names_the_module(debian, gateway, code):
    """U7: the removal stops and names the file, and the sign-in still works."""
    debian.ready(gateway)
    debian.stack("sshd")
    debian.write("/etc/pam.d/other-thing", "# auth required pam_otp.so\nauth required pam_permit.so # pam_otp.so\n")
    for how in "remove", "purge":
        done = debian.apt(how, "libpam-otp", check=False)
        assert done.returncode != 0 and "    /etc/pam.d/sshd\n" in done.stdout
        assert "other-thing" not in done.stdout and "common-" not in done.stdout.replace("common-auth", "")
    assert debian.installed()
    debian.sshd(SSHD)
    signs_in(debian.ssh(code), PASSWORD, ENTER, CODE)


@pytest.mark.parametrize("line", [
    "auth required /usr/lib/x86_64-linux-gnu/security/pam_otp.so debug",
    "-auth [success=ok \\\n default=die] pam_otp.so",
    "auth\trequisite\tpam_otp.so socket=/run/pam_otp/user.sock # why",
])
def test_every_form_of_naming_the_module_stops_the_removal(debian, line):
    debian.install()
    debian.write("/etc/pam.d/locker", f"{line}\nauth required pam_permit.so\n")
    assert debian.apt("remove", "libpam-otp", check=False).returncode != 0
    debian.write("/etc/pam.d/locker", "auth required pam_deny.so\n")
    debian.apt("remove", "libpam-otp")


def test_a_removal_keeps_the_files_of_the_administrator(debian, gateway, code):
    """The next installation finds configuration, secrets, contacts and store again, and the same key."""
    debian.ready(gateway)
    debian.stack("sshd")
    kept = [debian.state("/etc/pam_otp"), debian.run("sha256sum", HOST_KEY, CONTACTS).stdout]
    debian.put_back("sshd")
    debian.apt("remove", "libpam-otp")
    assert not debian.exists("/usr/libexec/pam_otp") and debian.exists(STORE)
    signs_in_as_ever(debian)
    done = debian.install()
    assert "made " not in done.stdout, "nothing is made twice"
    assert [debian.state("/etc/pam_otp"), debian.run("sha256sum", HOST_KEY, CONTACTS).stdout] == kept
    debian.stack("sshd")
    debian.sshd(SSHD)
    signs_in(debian.ssh(code), PASSWORD, ENTER, CODE)


def test_a_lost_key_is_replaced_with_a_note(debian):
    debian.install()
    before = debian.read(HOST_KEY)
    os.unlink(debian.path(HOST_KEY))
    done = debian.run("dpkg-reconfigure", "libpam-otp", check=False)
    done = debian.apt("install", "--reinstall", "/root/libpam-otp.deb")
    assert f"made  host key     {HOST_KEY}" in done.stdout or "note: the host key was missing" in done.stdout
    assert debian.read(HOST_KEY) != before


# --- the profile of pam-auth-update ---

def test_the_pam_auth_update_profile(debian, gateway, code):
    """It is off by default. If it is enabled, a wrong password sends nothing, a right one needs a code, and an
    exempt user signs in without one. The removal disables it."""
    debian.ready(gateway)
    assert "pam_otp" not in debian.read("/etc/pam.d/common-auth")
    debian.run("pam-auth-update", "--enable", "pam_otp")
    lines = re.findall(r"^auth\s.*", debian.read("/etc/pam.d/common-auth"), flags=re.MULTILINE)
    assert [" ".join(line.split()) for line in lines] == [
        "auth [success=1 default=ignore] pam_unix.so nullok", "auth requisite pam_deny.so",
        "auth required pam_permit.so", "auth requisite pam_otp.so"]
    refused(debian.sudo(nothing, password="wrong"))
    assert gateway.outbox() == []
    signs_in_with_a_code(debian, code)
    sent = len(gateway.outbox())
    refused(debian.sudo(lambda: "000000"))
    debian.write("/etc/pam_otp/pam_otp.conf.d/exempt.conf",
                 "[exempt bob]\nusers = bob\nreason = x\nuntil = 2099-12-31\n")
    signs_in(debian.sudo(nothing, user="bob"), PASSWORD)
    assert len(gateway.outbox("9800000028")) == 0 and len(gateway.outbox()) <= sent + 1
    debian.apt("remove", "libpam-otp")
    assert debian.state("/etc/pam.d") == debian.before
    signs_in_as_ever(debian)


def test_a_profile_that_cannot_be_disabled_stops_the_removal(debian, gateway, code):
    """Somebody has added lines to common-auth, so pam-auth-update leaves the file alone. Then nothing is removed."""
    debian.ready(gateway)
    debian.run("pam-auth-update", "--enable", "pam_otp")
    text = debian.read("/etc/pam.d/common-auth")
    debian.write("/etc/pam.d/common-auth", re.sub(r"^(auth\s.*pam_unix)", r"auth optional pam_faildelay.so delay=1\n\1",
                                                  text, flags=re.MULTILINE))
    done = debian.apt("remove", "libpam-otp", check=False)
    assert done.returncode != 0 and "    /etc/pam.d/common-auth\n" in done.stdout
    signs_in(debian.sudo(code), PASSWORD, CODE)


# --- upgrades ---

def test_waiting_sign_ins_survive_an_upgrade(debian, gateway, code):
    """U6: sign-ins wait at the password, before the first prompt of pam_otp, and at the prompt for a code. All
    succeed. Contacts, store and key are the same."""
    debian.ready(gateway)
    for name in "sshd", "sudo", "login":
        debian.stack(name)
    debian.sshd(SSHD)
    kept = [debian.state("/etc/pam_otp"), debian.run("sha256sum", CONTACTS).stdout]
    with debian.ssh(code) as at_code, debian.ssh(code, user="bob") as at_enter, debian.login(code) as at_password:
        at_code.until(CODE)
        at_enter.until(ENTER)
        at_password.until(PASSWORD)
        alices = gateway.last_code("9800000019")
        at_code.code = lambda: alices
        debian.install("next")
        assert debian.installed() == "0.2.0-1"
        assert at_code.go_on(CODE).let_in
        assert at_enter.go_on(ENTER).let_in
        assert at_password.go_on(PASSWORD).let_in, debian.log()
    assert [debian.state("/etc/pam_otp"), debian.run("sha256sum", CONTACTS).stdout] == kept
    signs_in(debian.ssh(code), PASSWORD, ENTER, CODE)


WORSE = "[otp]\ntries = 5\n"


def test_an_upgrade_that_would_refuse_the_configuration_stops(debian, gateway, code):
    """It stops before anything has changed, and names file and line. When they are corrected, it goes on."""
    debian.ready(gateway)
    debian.stack("sshd")
    debian.write("/etc/pam_otp/pam_otp.conf.d/more.conf", WORSE)
    debian.run("otpctl", "config", "check")
    folders = "/etc /usr/libexec /usr/sbin /usr/share/pam_otp /usr/lib/x86_64-linux-gnu/security /var/lib/pam_otp"
    before = [debian.state(folder) for folder in folders.split()]
    done = debian.install("next", check=False)
    assert done.returncode != 0
    assert "/etc/pam_otp/pam_otp.conf.d/more.conf:2: " in done.stdout
    assert "has stopped, and nothing has changed" in done.stdout
    assert [debian.state(folder) for folder in folders.split()] == before
    assert debian.installed() == "0.1.0-1"
    debian.sshd(SSHD)
    signs_in(debian.ssh(code), PASSWORD, ENTER, CODE)
    debian.write("/etc/pam_otp/pam_otp.conf.d/more.conf", "[otp]\ntries = 4\n")
    debian.install("next")
    signs_in(debian.ssh(code), PASSWORD, ENTER, CODE)


def test_a_configuration_that_is_already_wrong_does_not_stop_an_upgrade(debian, gateway):
    """Neither version accepts it. The upgrade goes on, and completes once the configuration is correct."""
    debian.ready(gateway)
    debian.write("/etc/pam_otp/pam_otp.conf.d/more.conf", WORSE + "no_such_key = 1\n")
    done = debian.install("next", check=False)
    assert done.returncode != 0 and "has stopped" not in done.stdout
    assert "more.conf:3: [otp] no_such_key" in done.stdout and "dpkg --configure libpam-otp" in done.stdout
    os.unlink(debian.path("/etc/pam_otp/pam_otp.conf.d/more.conf"))
    debian.run("dpkg", "--configure", "libpam-otp")
    assert debian.installed() == "0.2.0-1"


def test_a_setting_of_the_new_version_does_not_stop_an_upgrade(debian, gateway):
    debian.ready(gateway)
    debian.write("/etc/pam_otp/pam_otp.conf.d/z-more.conf", "[limits]\nresend_wait = 15m\n")
    assert debian.run("otpctl", "config", "check", check=False).returncode != 0
    debian.install("next")
    debian.run("otpctl", "config", "check")


def test_an_upgrade_checks_with_the_profiles_of_the_new_version(debian, gateway):
    """A profile that only the new version has is no reason to stop."""
    debian.ready(gateway)
    debian.write("/usr/share/pam_otp/providers/tingting.json", "{}")
    debian.write("/etc/pam_otp/pam_otp.conf.d/more.conf", "[paths]\nprofiles = /usr/share/pam_otp/providers\n")
    done = debian.install("next")
    assert debian.installed() == "0.2.0-1", done.stdout
    debian.run("otpctl", "config", "check")


def test_a_migration_can_be_stopped(debian, gateway):
    debian.ready(gateway)
    debian.write("/etc/pam_otp/no-migration", "")
    done = debian.install("schema", check=False)
    assert done.returncode != 0 and "/etc/pam_otp/no-migration" in done.stdout
    assert debian.installed() == "0.1.0-1"
    os.unlink(debian.path("/etc/pam_otp/no-migration"))
    debian.install("schema")
    assert debian.installed() == "0.2.0-1"


def old_store(debian):
    """Replaces the store by one of schema 1, as in the unit test of the migration."""
    with open(f"{HERE}/../unit/test_store.c", encoding="utf-8") as f:
        source = f.read()
    sql = {name: "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)).replace('\\"', '"')
           for name, text in re.findall(r"char (schema_1|rows_1)\[\] =(.*?\");\n", source, flags=re.DOTALL)}
    os.unlink(debian.path(STORE))
    with contextlib.closing(sqlite3.connect(debian.path(STORE))) as db:
        db.executescript("PRAGMA journal_mode = WAL; PRAGMA application_id = 1869901939; PRAGMA user_version = 1;"
                         + sql["schema_1"] + sql["rows_1"] + "UPDATE budget SET keep_ms = 9000000000000;")
    debian.run("sh", "-c", "cd /var/lib/pam_otp/state && chown pam_otp:pam_otp store.db* && chmod 600 store.db*")


def asked(debian, sql):
    with contextlib.closing(sqlite3.connect(debian.path(STORE))) as db:
        return db.execute(sql).fetchone()[0]


def test_an_older_store_is_migrated(debian, gateway, code):
    """Its counters are still there afterwards. A sign-in before the package is configured works, too."""
    debian.ready(gateway)
    debian.stack("sudo")
    old_store(debian)
    debian.run("dpkg", "--unpack", "/root/next.deb")
    signs_in(debian.sudo(code), PASSWORD, CODE)
    debian.run("dpkg", "--configure", "libpam-otp")
    assert asked(debian, "SELECT failures FROM budget WHERE kind = 'user' AND owner = 'asha'") == 3
    signs_in(debian.sudo(code), PASSWORD, CODE)


def test_the_upgrade_migrates_an_older_store(debian, gateway, code):
    debian.ready(gateway)
    debian.stack("sudo")
    old_store(debian)
    debian.install("next")
    assert asked(debian, "SELECT credits FROM provider_credits WHERE provider = 'tingting'") == 42
    assert asked(debian, "PRAGMA user_version") > 1
    signs_in(debian.sudo(code), PASSWORD, CODE)


# --- two versions at once ---

MODULE = ["/usr/lib/x86_64-linux-gnu/security/pam_otp.so"]
HELPER = ["/usr/libexec/pam_otp/otp-helper", "/usr/libexec/pam_otp/otp-http.so"]  # always from one build


def from_package(debian, package, paths):
    """Replaces these files by those of another package."""
    debian.run("sh", "-c", f"rm -rf /root/x && dpkg-deb -x /root/{package}.deb /root/x")
    for path in paths:
        debian.run("mv", f"/root/x{path}", path)


@pytest.mark.parametrize("paths", [HELPER, MODULE], ids=["old-module", "old-helper"])
def test_versions_with_a_common_protocol(debian, gateway, code, paths):
    """U6: one side speaks versions 1 and 2, the other only 1. They use 1."""
    debian.ready(gateway)
    debian.stack("sudo")
    from_package(debian, "next", paths)
    signs_in(debian.sudo(code), PASSWORD, CODE)


@pytest.mark.parametrize("paths", [HELPER, MODULE], ids=["old-module", "old-helper"])
def test_versions_without_a_common_protocol(debian, gateway, paths):
    """Nobody signs in, nothing is sent, and the log says why."""
    debian.ready(gateway)
    debian.stack("sudo")
    from_package(debian, "apart", paths)
    refused(debian.sudo(nothing))
    assert gateway.outbox() == []
    assert re.search(rf'pam_otp\(sudo:auth\):.* result=broken .*'
                     rf'reason="no valid first message from the helper {HELPER[0]}: ', debian.log()), debian.log()

"""A real directory, OpenLDAP through nslcd, and how sign-ins and rules behave while it is down."""
import subprocess
import time

import pytest

from machine import CODE, ENTER, GUARD, PASSWORD, SSHD
from test_life import nothing, refused, signs_in

SLAPD = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=example,dc=org"
directory /var/lib/directory
"""
ENTRIES = """dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: uid=dora,dc=example,dc=org
objectClass: account
objectClass: posixAccount
cn: dora
uid: dora
uidNumber: 7001
gidNumber: 7001
homeDirectory: /tmp

dn: cn=far-robots,dc=example,dc=org
objectClass: posixGroup
cn: far-robots
gidNumber: 7777
memberUid: alice

dn: cn=near-robots,dc=example,dc=org
objectClass: posixGroup
cn: near-robots
gidNumber: 7778
memberUid: bob
"""
NSLCD = "uid nslcd\ngid nslcd\nuri ldap://127.0.0.1:3890/\nbase dc=example,dc=org\nbind_timelimit 1\nreconnect_retrytime 1\n"
RULE = "[exempt robots]\ngroups = {}\nservices = sshd\nreason = they are robots\nuntil = 2099-12-31\n"


class Directory:
    def __init__(self, machine):
        self.machine = machine
        machine.apt("install", "slapd", "nslcd", "libnss-ldapd")
        machine.write("/root/slapd.conf", SLAPD)
        machine.write("/root/entries", ENTRIES)
        machine.run("mkdir", "-p", "/var/lib/directory", "/run/slapd", "/run/nslcd")
        machine.run("slapadd", "-f", "/root/slapd.conf", "-l", "/root/entries")
        machine.run("chown", "nslcd:", "/run/nslcd")
        machine.write("/etc/nslcd.conf", NSLCD, 0o640, "nslcd")
        machine.run("sed", "-Ei", r"s/^(passwd|group):.*/\1: files systemd ldap/", "/etc/nsswitch.conf")

    def begins(self):
        self.machine.run("slapd", "-f", "/root/slapd.conf", "-h", "ldap://127.0.0.1:3890")
        self.machine.run("nslcd")
        end = time.monotonic() + GUARD
        while "7777(far-robots)" not in self.machine.run("id", "alice").stdout:
            assert time.monotonic() < end, "the directory does not answer"
            time.sleep(0.1)

    def ends(self, *programs):
        """Stops a daemon. Without slapd, nslcd runs but gets no answer. Without nslcd, nobody answers."""
        for program in programs:
            subprocess.run(["pkill", "-KILL", "-x", program], check=False)


@pytest.fixture
def directory(debian):
    d = Directory(debian)
    d.begins()
    yield d
    d.ends("slapd", "nslcd")


@pytest.mark.parametrize("program", ["slapd", "nslcd"])
def test_rules_while_a_directory_is_down(debian, directory, gateway, code, program):
    """Members are exempt while the directory answers. While it is down, such a sign-in fails and is neither skipped
    nor asked."""
    debian.ready(gateway)
    debian.stack("sshd")
    debian.write("/etc/group", debian.read("/etc/group") + "near-robots:x:7778:\n")
    debian.write("/etc/pam_otp/pam_otp.conf.d/robots.conf", RULE.format("far-robots"))
    debian.run("otpctl", "config", "check")
    debian.sshd(SSHD)
    signs_in(debian.ssh(nothing), PASSWORD)
    signs_in(debian.ssh(code, "bob"), PASSWORD, ENTER, CODE)
    # A group of this machine's, of which the directory knows a member.
    debian.write("/etc/pam_otp/pam_otp.conf.d/robots.conf", RULE.format("near-robots"))
    signs_in(debian.ssh(nothing, "bob"), PASSWORD)
    signs_in(debian.ssh(code), PASSWORD, ENTER, CODE)

    directory.ends(program)
    for groups in "far-robots", "near-robots":
        debian.write("/etc/pam_otp/pam_otp.conf.d/robots.conf", RULE.format(groups))
        for user in "alice", "bob":
            assert refused(debian.ssh(nothing, user)).asked == [PASSWORD], (groups, user)
    log = debian.log()
    assert 'reason="rules: the name service failed"' in log and "result=broken" in log
    check = debian.run("otpctl", "config", "check").stdout
    assert "users in none of these groups are refused" in check

    # Who is in the group by this machine's own file is known to be; and so is the account for that day.
    debian.write("/etc/group", debian.read("/etc/group").replace("near-robots:x:7778:", "near-robots:x:7778:alice"))
    signs_in(debian.ssh(nothing), PASSWORD)
    debian.write("/etc/pam_otp/pam_otp.conf.d/robots.conf", RULE.format("far-robots").replace("sshd", "cron"))
    signs_in(debian.ssh(code, "bob"), PASSWORD, ENTER, CODE)
    assert '"exists": null' in debian.run("otpctl", "explain", "dora", "--service", "sshd", "--json").stdout


def test_users_of_a_directory(debian, directory, gateway):
    """They are asked as others are. While the directory is down, the result is broken, not unknown."""
    debian.ready(gateway)
    debian.run("otpctl", "contact", "add", "dora", "--phone=+9779800000037")
    explained = debian.run("otpctl", "explain", "dora", "--service", "sudo", "--json").stdout
    assert '"outcome": "asked"' in explained and '"exists": true' in explained
    directory.ends("slapd")
    explained = debian.run("otpctl", "explain", "dora", "--service", "sudo", "--json").stdout
    assert '"outcome": "broken"' in explained and '"reason": "user lookup: the name service failed"' in explained

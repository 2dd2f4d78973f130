"""otpctl as installed: what it makes, keeps, refuses and prints. Nobody can make root follow a planted file (C16)."""
import json
import os
import re
import shutil
import stat
import subprocess

import pytest

from world import CONF, CONTACTS, ETC, HOST_KEY, STATE, STORE

HERE = os.path.dirname(os.path.abspath(__file__))
COMPLETION = f"{HERE}/../../etc/completion/otpctl"
FOLDER = os.path.dirname(STORE)
NOBODY = 65534
OK, FAILED, USAGE, NONE, EXISTS = range(5)


def otpctl(*args, prefix=(), **kwargs):
    return subprocess.run([*prefix, "otpctl", *args], capture_output=True, text=True, timeout=30, **kwargs)


def as_nobody(*args):
    return otpctl(*args, prefix=("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"))


def facts(path):
    s = os.lstat(path)
    return s.st_uid, s.st_gid, stat.S_IMODE(s.st_mode)


def content(path):
    with open(path, "rb") as f:
        return f.read()


def remove(*paths):
    for path in paths:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)


@pytest.fixture
def nothing(fresh):
    """The state before the first init. There is a configuration."""
    remove(HOST_KEY, STATE)
    return fresh


# --- init ---

def test_init_makes_everything_with_its_owner_and_mode(nothing):
    done = otpctl("init")
    assert done.returncode == OK, done.stderr
    assert all(line.startswith("made ") for line in done.stdout.splitlines())
    group = nothing.user.pw_gid
    assert facts(STATE) == (0, group, 0o750)
    assert facts(CONTACTS) == (0, group, 0o640)
    assert facts(HOST_KEY) == (0, group, 0o640)
    assert facts(os.path.dirname(HOST_KEY)) == (0, group, 0o750)
    assert len(content(HOST_KEY)) == 32
    assert facts(FOLDER) == (nothing.user.pw_uid, group, 0o700)
    for name in os.listdir(FOLDER):
        assert facts(f"{FOLDER}/{name}") == (nothing.user.pw_uid, group, 0o600), name


def test_a_second_init_changes_nothing(nothing):
    assert otpctl("init").returncode == OK
    otpctl("contact", "add", "alice", "--phone=+9779800000019")
    before = [(p, content(p), facts(p)) for p in (HOST_KEY, CONTACTS)]
    done = otpctl("init")
    assert done.returncode == OK
    assert all(line.startswith("kept ") for line in done.stdout.splitlines())
    assert before == [(p, content(p), facts(p)) for p in (HOST_KEY, CONTACTS)]


SCHEMA_1 = """
PRAGMA journal_mode = WAL; PRAGMA application_id = 0x6f747073; PRAGMA user_version = 1;
CREATE TABLE send_event (reservation INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, at_ms INTEGER NOT NULL,
 keep_ms INTEGER NOT NULL) STRICT;
CREATE INDEX send_event_window ON send_event (kind, key, at_ms);
CREATE INDEX send_event_reservation ON send_event (reservation);
CREATE INDEX send_event_keep ON send_event (keep_ms);
CREATE TABLE challenge (id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('live', 'used', 'dead')),
 user TEXT NOT NULL, service TEXT NOT NULL, source TEXT NOT NULL, channel TEXT NOT NULL, provider TEXT NOT NULL,
 address TEXT NOT NULL, mac BLOB, captures TEXT, boot_id TEXT NOT NULL, expires_boot_ms INTEGER NOT NULL,
 sent_ms INTEGER NOT NULL, tries INTEGER NOT NULL, reservation INTEGER NOT NULL, keep_ms INTEGER NOT NULL)
 STRICT, WITHOUT ROWID;
CREATE INDEX challenge_owner ON challenge (user, service, source, state);
CREATE INDEX challenge_address ON challenge (provider, address, state);
CREATE INDEX challenge_keep ON challenge (keep_ms);
CREATE TABLE budget (key TEXT NOT NULL PRIMARY KEY, failures INTEGER NOT NULL, last_ms INTEGER NOT NULL,
 keep_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX budget_keep ON budget (keep_ms);
CREATE TABLE known_source (user TEXT NOT NULL, source TEXT NOT NULL, seen_ms INTEGER NOT NULL,
 PRIMARY KEY (user, source)) STRICT, WITHOUT ROWID;
CREATE TABLE provider_credits (provider TEXT NOT NULL, channel TEXT NOT NULL, credits INTEGER NOT NULL,
 said_ms INTEGER NOT NULL, PRIMARY KEY (provider, channel)) STRICT, WITHOUT ROWID;
CREATE TABLE provider_session (key TEXT NOT NULL PRIMARY KEY, sealed BLOB NOT NULL, keep_ms INTEGER NOT NULL)
 STRICT, WITHOUT ROWID;
"""


@pytest.mark.parametrize("by", ["init", "status"])
def test_a_store_of_an_older_version_is_converted(fresh, by):
    """By init, or by the first program that opens it: sign-ins may come between an upgrade and its init."""
    remove(*(f"{FOLDER}/{n}" for n in os.listdir(FOLDER) if n.startswith("store.db")))
    fresh.sql(SCHEMA_1 + "INSERT INTO provider_credits VALUES ('tingting', 'sms', 17, 1781524800000);")
    done = otpctl(by)
    assert done.returncode == OK, done.stderr
    assert json.loads(otpctl("status", "--json").stdout)["credits"][0]["left"] == 17
    for name in os.listdir(FOLDER):
        assert facts(f"{FOLDER}/{name}")[0] == fresh.user.pw_uid, name
    assert otpctl("init").returncode == OK


def test_init_reports_as_json(nothing):
    first, second = json.loads(otpctl("init", "--json").stdout), json.loads(otpctl("--json", "init").stdout)
    assert first["ok"] and second["ok"]
    assert {HOST_KEY, CONTACTS, FOLDER, STORE} <= set(first["made"]) and not first["kept"]
    assert {HOST_KEY, CONTACTS, FOLDER, STORE} == set(second["kept"]) and not second["made"]


def test_init_without_the_helpers_user_says_how_to_make_it(nothing, tmp_path):
    with open("/etc/passwd") as f:
        (tmp_path / "passwd").write_text("".join(x for x in f if not x.startswith("pam_otp:")))
    done = otpctl("init", prefix=("unshare", "-m", "sh", "-c",
                                  f'mount -n --bind {tmp_path}/passwd /etc/passwd && exec "$0" "$@"'))
    assert done.returncode == FAILED and "useradd" in done.stderr
    assert not os.path.exists(STATE)


@pytest.mark.parametrize("kind", ["symlink", "hard link", "fifo"])
@pytest.mark.parametrize("name", ["store.db", "store.db.new", "store.db-wal", "store.db-shm", "reserve",
                                  "store.db.new-journal"])
def test_root_follows_no_file_that_the_helpers_user_planted(fresh, tmp_path, kind, name):
    victim = STATE + "/victim"  # the same file system, for the hard link
    with open(victim, "w") as f:
        f.write("precious\n")
    os.chmod(victim, 0o600)
    if name.startswith("store.db"):
        remove(*(f"{FOLDER}/{n}" for n in os.listdir(FOLDER) if n.startswith("store.db")))
    remove(f"{FOLDER}/{name}")
    if kind == "fifo":
        os.mkfifo(f"{FOLDER}/{name}")
        os.chown(f"{FOLDER}/{name}", fresh.user.pw_uid, fresh.user.pw_gid)
    else:
        (os.symlink if kind == "symlink" else os.link)(victim, f"{FOLDER}/{name}")
    done = otpctl("init")
    # A file that is only in the way is removed. A file that SQLite would open is refused.
    assert done.returncode == (FAILED if name in ("store.db", "store.db-wal", "store.db-shm") else OK)
    assert content(victim) == b"precious\n" and facts(victim) == (0, 0, 0o600)


def test_a_state_folder_that_is_a_link_is_refused(nothing, tmp_path):
    os.mkdir(STATE, 0o755)
    os.symlink(tmp_path, FOLDER)
    done = otpctl("init")
    assert done.returncode == FAILED and FOLDER in done.stderr
    assert not os.listdir(tmp_path)


def test_a_folder_that_others_may_write_to_is_refused(nothing):
    os.mkdir(STATE)
    os.chmod(STATE, 0o777)
    done = otpctl("init")
    assert done.returncode == FAILED and STATE in done.stderr
    assert not os.listdir(STATE)


def spoil_store_owner(world):
    os.chown(STORE, 0, 0)


def spoil_store_empty(world):
    with open(STORE, "w"):
        pass


def spoil_store_foreign(world):
    world.sql("PRAGMA application_id = 1")


def spoil_store_version(world):
    world.sql("PRAGMA user_version = 99")


def spoil_contacts_empty(world):
    with open(CONTACTS, "w"):
        pass


def spoil_contacts_mode(world):
    os.chmod(CONTACTS, 0o660)


def spoil_contacts_group(world):
    os.chown(CONTACTS, 0, 0)


def spoil_state_owner(world):
    os.chown(FOLDER, 0, 0)


def spoil_key_short(world):
    with open(HOST_KEY, "w") as f:
        f.write("short")


def spoil_key_readable(world):
    os.chmod(HOST_KEY, 0o644)


def spoil_key_group(world):
    os.chown(HOST_KEY, 0, 0)


def spoil_key_folder(world):
    os.chown(os.path.dirname(HOST_KEY), 0, 0)


SPOILS = [f for name, f in sorted(globals().items()) if name.startswith("spoil_")]


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda f: f.__name__[6:])
def test_init_neither_accepts_nor_repairs_wrong_files(fresh, spoil):
    spoil(fresh)
    paths = [HOST_KEY, CONTACTS, STORE, FOLDER]
    before = [facts(p) for p in paths] + [content(HOST_KEY), content(CONTACTS)]
    done = otpctl("init")
    assert done.returncode == FAILED
    assert done.stderr.startswith("otpctl")
    assert before == [facts(p) for p in paths] + [content(HOST_KEY), content(CONTACTS)]


def test_a_lost_host_key_is_replaced_with_a_note(fresh):
    old = content(HOST_KEY)
    remove(HOST_KEY)
    done = otpctl("init")
    assert done.returncode == OK and "note: the host key" in done.stderr
    assert len(content(HOST_KEY)) == 32 and content(HOST_KEY) != old


def test_init_with_a_wrong_configuration_makes_nothing(nothing):
    nothing.write(CONF, "[otp]\nchanels = sms\n")
    done = otpctl("init")
    assert done.returncode == FAILED and "chanels" in done.stderr
    assert not os.path.exists(STATE) and not os.path.exists(HOST_KEY)


def test_init_before_there_is_a_configuration(nothing):
    remove(ETC)
    assert otpctl("init").returncode == OK
    assert os.path.exists(STORE) and os.path.exists(HOST_KEY)


def test_without_root_init_makes_nothing(nothing):
    done = as_nobody("init")
    assert done.returncode == FAILED and "as root" in done.stderr
    assert not os.path.exists(STATE)


@pytest.fixture
def own(fresh):
    """A developer's folder of an unprivileged user, with a configuration whose [paths] are in it."""
    folder = "/var/tmp/otpctl-own"
    remove(folder)
    os.mkdir(folder, 0o755)
    with open(CONF) as f:
        text = f.read()
    fresh.write(f"{folder}/conf", text + f"\n[paths]\ncontacts = {folder}/db/contacts.db\n"
                f"state = {folder}/state\nhost_key = {folder}/secrets/key\n", 0o600)
    for path in (folder, f"{folder}/conf"):
        os.chown(path, NOBODY, NOBODY)
    yield folder
    remove(folder)


def test_a_developer_owns_what_init_makes(own):
    done = as_nobody("init", "--config", f"{own}/conf")
    assert done.returncode == OK, done.stderr
    for name in ("db/contacts.db", "state/store.db", "secrets/key"):
        assert facts(f"{own}/{name}")[0] == NOBODY
    assert as_nobody("--config", f"{own}/conf", "contact", "add", "root", "--email=a@example.com").returncode == OK
    assert "a***@e***.com" in as_nobody("contact", "list", "--config", f"{own}/conf").stdout


# --- contact ---

def rows(*args):
    return json.loads(otpctl("contact", "list", "--json", *args).stdout)


def test_contacts_are_added_listed_masked_and_removed(fresh):
    done = otpctl("contact", "add", "alice", "--email", "alice@example.com", "--label", "at work",
                  "--preferred", "--verified")
    assert done.returncode == OK and "alice@" not in done.stdout
    first, second = rows("alice")
    assert first["kind"] == "email" and first["label"] == "at work" and first["preferred"]
    assert first["verified_at"] > 1700000000 and not second["preferred"] and second["verified_at"] == 0
    assert first["address"] == "a***@e***.com" and second["address"] == "+977 ******** 19"
    assert [r["address"] for r in rows("alice", "--full")] == ["alice@example.com", "+9779800000019"]
    table = otpctl("contact", "list", "alice").stdout
    assert "9800000019" not in table and "******** 19" in table and "at work" in table
    assert otpctl("contact", "remove", "alice", "ALICE@example.com").returncode == OK
    assert [r["kind"] for r in rows("alice")] == ["phone"]
    done = otpctl("contact", "remove", "alice", "--all", "--json")
    report = json.loads(done.stdout)
    assert {k: report[k] for k in ("user", "removed", "left")} == {"user": "alice", "removed": 1, "left": 0}
    assert "no contact now" in done.stderr
    assert facts(CONTACTS) == (0, fresh.user.pw_gid, 0o640)


def test_exit_codes_tell_missing_contacts_from_existing_ones(fresh):
    add = ("contact", "add", "alice", "--phone=+9779800000019")
    assert otpctl(*add).returncode == EXISTS
    assert otpctl("contact", "remove", "alice", "+9779800000099").returncode == NONE
    assert otpctl("contact", "list", "daemon").returncode == NONE
    done = otpctl("contact", "add", "no-such-user", "--phone=+9779800000019")
    assert done.returncode == NONE and "--force" in done.stderr
    assert otpctl("contact", "add", "no-such-user", "--phone=+9779800000019", "--force").returncode == OK
    assert otpctl("contact", "remove", "no-such-user", "--all").returncode == OK


def test_numbers_outside_of_the_prefixes_are_refused_and_existing_ones_reported(fresh):
    """C30, toll fraud: one option says where messages may go, and every command obeys it."""
    fresh.configure(extra="\n[limits]\nprefixes = +977, +91\n")
    with open(CONF) as f:
        line = f.read().splitlines().index("prefixes = +977, +91") + 1
    before = content(CONTACTS)
    done = otpctl("contact", "add", "alice", "--phone=+12025550123", "--force")
    assert done.returncode == FAILED and not done.stdout
    assert f"+12025550123 is outside of [limits] prefixes = +977, +91 ({CONF}:{line})" in done.stderr
    assert content(CONTACTS) == before
    assert otpctl("contact", "add", "alice", "--phone=+919876543219").returncode == OK
    assert otpctl("contact", "add", "alice", "--email=alice@example.com").returncode == OK
    assert "outside" not in otpctl("config", "check").stderr
    fresh.edit(CONF, r"^prefixes = .*", "prefixes = +91")
    done = otpctl("config", "check")
    assert done.returncode == OK
    warned = [x for x in done.stderr.splitlines() if "outside" in x]
    assert len(warned) == 3 and all(x.startswith(f"{CONF}:{line}: warning: ") for x in warned)
    assert "+977 ******** 19 of alice" in done.stderr and "9800000019" not in done.stderr
    assert len([x for x in json.loads(otpctl("config", "check", "--json").stdout)["warnings"] if "outside" in x]) == 3
    remove(CONTACTS)
    assert "outside" not in otpctl("config", "check").stderr


def test_services_that_pam_does_not_have_cause_a_warning(fresh):
    """What is set for a misspelt service never takes effect. It is no error, because another machine may have it."""
    fresh.configure(extra="\n[service sudo openssh]\ntries = 1\nremember = 5m\n"
                          "[exempt x]\nreason = r\nuntil = 2099-12-31\nservices = sshd, ssh\n")
    with open(CONF) as f:
        lines = f.read().splitlines()
    done = otpctl("config", "check")
    assert done.returncode == OK
    assert [x for x in done.stderr.splitlines() if "no program" in x] == [
        f'{CONF}:{lines.index("tries = 1") + 1}: warning: [service sudo openssh]: no program signs in by the service '
        '"openssh": it has no file in /etc/pam.d',
        f'{CONF}:{lines.index("services = sshd, ssh") + 1}: warning: [exempt x] services: no program signs in by the '
        'service "ssh": it has no file in /etc/pam.d']
    fresh.edit(CONF, r"sudo openssh", "sudo sudo-i")
    fresh.edit(CONF, r"sshd, ssh$", "sshd")
    assert "no program" not in otpctl("config", "check").stderr


def test_only_root_changes_contacts_and_each_change_is_logged(fresh):
    before = content(CONTACTS)
    done = as_nobody("contact", "add", "alice", "--phone=+9779800000099")
    assert done.returncode == FAILED and "sudo" in done.stderr
    assert as_nobody("contact", "list").returncode == FAILED
    assert content(CONTACTS) == before
    assert otpctl("contact", "add", "alice", "--phone=+9779800000099").returncode == OK
    log = fresh.log()
    assert 'event=contact_add by=0 user="alice" kind=phone to="+977 ******** 99" verified=no' in log
    assert "9800000099" not in log


@pytest.mark.parametrize("args", [
    (), ("contact",), ("contact", "add"), ("contact", "add", "alice"), ("contact", "add", "--phone=+9779800000019"),
    ("contact", "add", "alice", "--phone=9800000019"), ("contact", "add", "alice", "--phone=+977 98000000x1"),
    ("contact", "add", "alice", "--email=alice"), ("contact", "add", "alice", "--phone"),
    ("contact", "add", "alice", "bob", "--phone=+9779800000099"),
    ("contact", "add", "alice", "--phone=+9779800000099", "--email=a@example.com"),
    ("contact", "add", "alice", "--phone=+9779800000099", "--label=" + "x" * 65),
    ("contact", "add", "al\nice", "--phone=+9779800000099", "--force"),
    ("contact", "add", "", "--phone=+9779800000099", "--force"),
    ("contact", "remove", "alice"), ("contact", "remove", "alice", "+9779800000019", "--all"),
    ("recovery",), ("recovery", "issue"), ("recovery", "issue", "alice", "bob"), ("recovery", "revoke"),
    ("recovery", "issue", "alice", "--sheet", "--json"), ("recovery", "list", "alice"),
    ("status", "alice", "bob"), ("unlock",), ("unlock", "alice", "bob"), ("unlock", "al\nice"),
    ("contact", "list", "alice", "bob"), ("contact", "lst"), ("contcat",), ("init", "now"), ("--nonsense",),
    ("--config", "relative.conf", "contact", "list"),
], ids=" ".join)
def test_a_wrong_command_line_is_an_error_and_changes_nothing(fresh, args):
    before = content(CONTACTS)
    done = otpctl(*args)
    assert done.returncode == USAGE
    assert done.stderr and not done.stdout
    assert content(CONTACTS) == before


def test_output_that_cannot_be_written_is_a_failure(fresh):
    with open("/dev/full", "w") as full:
        done = subprocess.run(["otpctl", "contact", "list"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == FAILED and b"standard output" in done.stderr


@pytest.mark.parametrize("command", [(), ("init",), ("contact",), ("contact", "add"), ("contact", "list"),
                                     ("contact", "remove"), ("contact", "verify"), ("contact", "import"), ("config",),
                                     ("config", "check"), ("config", "show"),
                                     ("attribute",), ("recovery",), ("recovery", "issue"), ("recovery", "revoke"),
                                     ("status",), ("explain",), ("remember",), ("unlock",)],
                         ids=lambda c: " ".join(c) or "otpctl")
def test_help_names_every_command_and_the_global_options(fresh, command):
    done = otpctl(*command, "--help")
    assert done.returncode == OK and not done.stderr
    assert done.stdout.startswith("Usage: " + " ".join(("otpctl", *command)))
    assert "--json" in done.stdout and "--config" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


# --- completion ---

def complete(*words):
    quoted = " ".join(f"'{w}'" for w in ("otpctl", *words))
    script = f". {COMPLETION}; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _otpctl; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert not done.stderr
    return set(done.stdout.split())


def options_of(*command):
    return set(re.findall(r"--[a-z-]+", otpctl(*command, "--help").stdout))


def test_completion_knows_the_commands_and_options_of_help(fresh):
    assert complete("") == complete("help", "") == {"init", "contact", "attribute", "recovery", "status", "explain",
                                                    "remember", "unlock", "config", "help"}
    assert complete("help", "contact", "") == complete("contact", "")
    assert complete("con") == {"contact", "config"}
    assert complete("--json", "contact", "") == {"add", "list", "remove", "verify", "import"}
    assert complete("--config", "=", "/x", "config", "") == {"check", "show"}
    assert complete("recovery", "") == {"issue", "revoke"}
    for command in (("contact", "add"), ("recovery", "issue"), ("recovery", "revoke"), ("status",), ("explain",),
                    ("unlock",)):
        assert "alice" in complete(*command, "al"), command
    assert complete("contact", "add", "alice", "--phone", "") == set()
    for command in (("init",), ("contact", "add"), ("contact", "list"), ("contact", "remove"),
                    ("contact", "verify"), ("contact", "import"), ("attribute", "set"), ("attribute", "list"),
                    ("attribute", "remove"), ("status",), ("explain",), ("remember", "list"), ("remember", "revoke"),
                    ("unlock",), ("recovery", "issue"), ("recovery", "revoke"),
                    ("config", "check"), ("config", "show")):
        assert complete(*command, "--") == options_of(*command), command

"""otpctl contact import takes a file completely or not at all, and names each faulty line."""
import json
import os
import re
import signal
import subprocess

import pexpect
import pytest

from test_otpctl import FAILED, OK, USAGE, as_nobody, content, facts, otpctl, rows
from world import CONTACTS, GUARD, PHONE

HEAD = "user,kind,address,label,preferred,verified_at\n"
NEW = "+9779800000091"
BOM = b"\xef\xbb\xbf"


def put(path, text):
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return str(path)


@pytest.fixture
def take(fresh, tmp_path):
    """Imports a text. `take.path` is the file that held it."""
    def run(text, *args):
        return otpctl("contact", "import", put(run.path, text), *args)
    run.path = tmp_path / "people.csv"
    return run


def known():
    """Returns all contacts in a short form."""
    return {(r["user"], r["address"]): (r["label"], r["preferred"], r["verified_at"]) for r in rows("--full")}


def refused(done, *lines):
    """Checks that nothing was imported, and that these lines name the faults, after the file's name."""
    assert done.returncode == FAILED
    reports = [line.split(".csv:", 1)[1] for line in done.stderr.splitlines() if ".csv:" in line]
    assert len(reports) == len(lines), done.stderr
    for line, expected in zip(reports, lines):
        assert line.startswith(expected), f"{line!r} for {expected!r}"
    assert "nothing was imported" in done.stderr and not done.stdout


# --- what a file may look like ---

TABLE = [["user", "kind", "address", "label", "preferred", "verified_at"],
         ["alice", "phone", NEW, 'at work, in "town"', "no", "2026-01-02"],
         ["bob", "email", "bob@mail.example", "", "", ""],
         ["carol", "phone", "+9779800000092", "Büro", "yes", "1700000001"]]
GOOD = {("alice", NEW): ('at work, in "town"', False, 1767312000), ("bob", "bob@mail.example"): ("", False, 0),
        ("carol", "+9779800000092"): ("Büro", True, 1700000001)}


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def as_csv(comma=",", end="\n", quote=lambda text: quoted(text) if "," in text else text):
    return "".join(comma.join(map(quote, row)) + end for row in TABLE)


PLAIN = as_csv()


@pytest.mark.parametrize("text", [
    PLAIN.encode(), BOM + PLAIN.encode(), as_csv(end="\r\n").encode(), as_csv(end="\r").encode(),
    PLAIN.rstrip("\n").encode(), BOM + as_csv(end="\r\n\r\n").encode(), as_csv(comma=" , ").encode(),
    as_csv(quote=quoted).encode(),
], ids=["plain", "bom", "crlf", "cr", "no end of line", "blank lines", "blanks", "quoted"])
def test_valid_files_of_every_form_are_imported(take, text):
    before = known()
    done = take(text, "--no-notice")
    assert done.returncode == OK, done.stderr
    assert done.stdout == "3 lines: 3 added, 0 unchanged, 0 changed, 0 removed\n" and not done.stderr
    assert known() == before | GOOD
    again = take(text)
    assert again.stdout == "3 lines: 0 added, 3 unchanged, 0 changed, 0 removed\n"
    assert known() == before | GOOD


def test_columns_in_any_order_and_only_those_that_are_needed(take):
    assert take(f"Address,USER,kind\n{NEW},alice,phone\n").returncode == OK
    assert known()["alice", NEW] == ("", False, 0)


def test_an_exported_list_imports_as_the_same_contacts(fresh, take):
    """A file can express everything that `contact list --json` prints."""
    take(PLAIN)
    before = content(CONTACTS)
    again = HEAD + "".join(",".join(quoted(str(r[column])) for column in HEAD.strip().split(",")) + "\n"
                           for r in rows("--full"))
    done = otpctl("contact", "import", "-", "--replace", input=again)
    assert done.returncode == OK and " 0 added, 6 unchanged, 0 changed, 0 removed" in done.stdout, done
    assert content(CONTACTS) == before


def test_the_file_keeps_its_owner_and_mode(fresh, take):
    take(PLAIN)
    assert facts(CONTACTS) == (0, fresh.user.pw_gid, 0o640)
    assert "event=contact_import by=0 added=3 changed=0 removed=0 unchanged=0 file=" in fresh.log()


# --- as spreadsheets and people write it ---

def case(name):
    with open(f"{os.path.dirname(__file__)}/../cases/{name}", "rb") as f:
        return f.read()


def test_rows_of_commas_are_no_rows(take):
    """contacts-ghost-rows.csv has one right row, sixty of commas alone, and one whose number is no number."""
    text = case("contacts-ghost-rows.csv")
    refused(take(text), "63: address: ")
    done = take(b"\n".join(line for line in text.splitlines() if b"bob" not in line) + b"\n", "--no-notice")
    assert done.stdout == "1 line: 1 added, 0 unchanged, 0 changed, 0 removed\n"


def test_an_empty_column_at_the_end_is_no_column(take):
    done = take(case("contacts-ghost-column.csv"))
    assert done.returncode == OK and " 1 added" in done.stdout
    assert take("user,kind,address\nbob,phone,+9779800000092,,,\n").returncode == OK
    assert take("user,,kind,address,,\ncarol,,phone,+9779800000093,,\n").returncode == OK
    assert {("bob", "+9779800000092"), ("carol", "+9779800000093")} <= set(known())


@pytest.mark.parametrize("country, typed, number", [
    ("", "+977 980-000.0091", NEW), ("", "+977 (980) 000 0091", NEW), ("", "\u202a+977\u00a09800000091\u202c", NEW),
    ("", "+977\u20119800\u2011000091", NEW), ("", "\uff0b9779800000091", NEW),
    ("", "+44 (0)20 7946 0958", "+442079460958"), ("", "+39 (0)6 1234567", "+39061234567"),
    ("977", "9800000091", NEW), ("+977", "09800000091", NEW), ("977", "00977 9800000091", NEW), ("977", NEW, NEW),
    ("977", "+44 20 7946 0958", "+442079460958"), ("44", "(020) 7946/0958", "+442079460958"),
    ("39", "06 1234567", "+39061234567"), ("1", "1 (202) 555-0123", "+12025550123"), ("1", "202.555.0123", "+12025550123"),
])
def test_numbers_as_people_write_them(take, country, typed, number):
    args = ["--country", country] if country else []
    done = take(f'user,kind,address\nalice,Phone,"{typed}"\n', *args)
    assert done.returncode == OK, done.stderr
    assert ("alice", number) in known()


@pytest.mark.parametrize("country, typed, why", [
    ("977", "9779800000091", "begins with the calling code"), ("977", "980000009+1", "a phone number has digits"),
    ("977", "9.77E+12", "rounded"), ("977", "98000000911234567", "8 to 15 digits"), ("977", "0", "8 to 15 digits"),
    ("", "00977 9800000091", "starts with '+'"), ("977", "9800000091 x12", "a phone number has digits")])
def test_no_number_is_guessed(take, country, typed, why):
    args = ["--country", country] if country else []
    done = take(f'user,kind,address\nalice,phone,"{typed}"\n', *args)
    refused(done, "2: address: ")
    assert why in done.stderr


@pytest.mark.parametrize("country", ["", "0", "97", "9779", "np", "+"])
def test_a_country_is_a_calling_code(take, country):
    assert take(f"user,kind,address\nalice,phone,{NEW}\n", "--country", country).returncode == USAGE


STAFF = ("No,Login,Full name,Mobile,Mail\n1,alice,\"A, Asha\",9800000091,a@mail.example\n2,bob,B,,b@mail.example\n"
         "3,carol,C,098-00000092,\n")


def test_columns_have_the_names_of_the_file(take):
    before = known()
    done = take(STAFF, "--column", "user=login", "--column=address=Mobile", "--column", "label=Full name", "--kind=phone",
                "--country=977", "--no-notice")
    assert done.returncode == OK, done.stderr
    assert done.stdout == ("3 lines: 2 added, 0 unchanged, 0 changed, 0 removed\n"
                           "1 line without an address left out\n")
    done = take(STAFF, "--column", "user=Login", "--column=address=Mail", "--kind=email", "--no-notice")
    assert done.returncode == OK, done.stderr
    assert known() == before | {
        ("alice", NEW): ("A, Asha", False, 0), ("carol", "+9779800000092"): ("C", False, 0),
        ("alice", "a@mail.example"): ("", False, 0), ("bob", "b@mail.example"): ("", False, 0)}


@pytest.mark.parametrize("args, expected", [
    (["--column", "user=Name"], "1: the first line has no column 'Name', which --column names"),
    (["--column", "user=Login"], "1: the first line names the columns, and kind is missing; if it has another name there, "
                                 "use: --column kind=NAME, or --kind phone"),
    ([], "1: field 1 of this line names no column")])
def test_a_map_that_does_not_fit(take, args, expected):
    done = take(STAFF, *args)
    assert done.returncode == FAILED and f".csv:{expected}" in done.stderr, done.stderr
    refused(take(f"user,kind,address\nalice,phone,{NEW}\n", "--kind", "phone"), "1: kind: the file has this column")


@pytest.mark.parametrize("args", [["--column", "user"], ["--column", "user="], ["--column", "nosuch=x"], ["--kind", "pager"],
                                  ["--column", "user=a", "--column", "user=b"]])
def test_a_wrong_map(take, args):
    assert take(STAFF, *args).returncode == USAGE


# --- what it may not ---

def test_a_header_is_text(take):
    refused(take(b"user\0x,kind,address\nalice,phone," + NEW.encode() + b"\n"), "1: the value contains a NUL byte")


@pytest.mark.parametrize("line, expected", [
    ("alice,phone,9800000091,,,", "2: address: a phone number starts with '+' and the country's calling code; --country"),
    ("alice,phone,+977 98000000x1,,,", "2: address: a phone number has digits, and perhaps blanks"),
    ("alice,phone,9.7798E+12,,,", "2: address: a spreadsheet has rounded this number"),
    ("alice,phone,,,,", "2: address: a phone number starts with"),
    ("alice,email,alice,,,", "2: address: an e-mail address has one '@'"),
    ("alice,pager,+9779800000091,,,", "2: kind: expected phone or email"),
    ("nobody-there,phone,+9779800000091,,,", "2: user: this machine does not know this user"),
    (",phone,+9779800000091,,,", "2: user: expected a user's name"),
    ("ns-unavail,phone,+9779800000091,,,", "2: user: the user could not be looked up"),
    ("alice,phone,+9779800000091," + "x" * 65 + ",,", "2: label: a label has at most 64 bytes"),
    ('alice,phone,+9779800000091,"a\nb",,', "2: label: a label has at most 64 bytes and no control"),
    ("alice,phone,+9779800000091,,maybe,", "2: preferred: expected yes or no"),
    ("alice,phone,+9779800000091,,,yesterday", "2: verified_at: expected a day like 2026-11-22"),
    ("alice,phone,+9779800000091,,,2026-02-30", "2: verified_at: expected a day like 2026-11-22"),
    ("alice,phone,+9779800000091,,,2026-1-2", "2: verified_at: expected a day like 2026-11-22"),
    ("alice,phone,+9779800000091,,,2999-01-01", "2: verified_at: expected no time in the future"),
    ("alice,phone,+9779800000091,,,-5", "2: verified_at: expected a day like 2026-11-22"),
    ("alice,phone,+9779800000091,,,9999999999999", "2: verified_at: expected a day like 2026-11-22"),
    ("alice,phone,+9779800000091", "2: this line has 3 fields, but the first line has 6"),
    ("alice,phone,+9779800000091,,,,,,,,,,,,,,,,,x", "2: this line has 20 fields, but the first line has 6"),
    ("alice,phone,+9779800000091,a\0b,,", "2: label: the value contains a NUL byte"),
    (b"alice,phone,+9779800000091,caf\xe9,,", "2: label: the value is not UTF-8"),
    (b"al\xff,phone,+9779800000091,,,", "2: user: the value is not UTF-8"),
    ("alice,phone,+9779800000091," + "x" * 600 + ",,", "2: label: the value is too long"),
    ("alice,phone,+9779800000091," + "x" * 100000 + ",,", "2: a field of more than 64 KiB; the rest of the file"),
    ('alice,phone,+9779800000091,"a\n' + "x" * 100000, "2: a field of more than 64 KiB"),
    ('alice,phone,+9779800000091,a"b,,', "2: a misplaced quotation mark"),
    ('alice,phone,+9779800000091,"a"b,,', "2: a misplaced quotation mark"),
    ('alice,phone,+9779800000091,"a', "2: a quoted field that begins here does not end"),
    ("alice,phone,\x1b[31m+9779800000091,,,", "2: address: a phone number has digits"),
], ids=range(30))
def test_bad_lines_are_named_and_nothing_is_written(take, line, expected):
    before = content(CONTACTS)
    good = b"bob,email,bob@mail.example,,,\n"
    refused(take(HEAD.encode() + (line if isinstance(line, bytes) else line.encode()) + b"\n"), expected)
    # A valid line before it is not imported either.
    refused(take(HEAD.encode() + good + (line if isinstance(line, bytes) else line.encode()) + b"\n"),
            expected.replace("2", "3", 1))
    assert content(CONTACTS) == before


@pytest.mark.parametrize("text, expected", [
    ("", "1: the file is empty"), (BOM, "1: the file is empty"), ("\n\r\n\n", "1: the file is empty"),
    ("user,kind,adress\n", "1: field 3 of this line names no column, did you mean 'address'?"),
    (",user,kind,address\nx,alice,phone," + NEW + "\n", "2: field 1 has text, but the first line gives it no name"),
    ("user,kind\n", "1: the first line names the columns, and address is missing"),
    ("user,kind,address,kind\n", "1: kind: this column appears twice"),
    ("user;kind;address\n", "1: columns must be separated by commas, not by ';'\n"),
    ("user\tkind\taddress\n", "1: columns must be separated by commas, not by a tab\n"),
    (HEAD.encode("utf-16"), "1: this is UTF-16"),
    (HEAD.encode("utf-16-be"), "1: the value contains a NUL byte; save the file as CSV in UTF-8"),
    ("\n\nuser,kind,address,x\n", "3: field 4 of this line names no column;"),
    (",".join("abcdefghijklmnopqrst") + "\n", "1: field 1 of this line names no column"),
], ids=range(13))
def test_a_header_that_names_no_columns_ends_the_import(take, text, expected):
    before = content(CONTACTS)
    done = take(text)
    assert done.returncode == FAILED and expected in done.stderr, done.stderr
    assert content(CONTACTS) == before


def test_lines_are_counted_as_an_editor_does(take):
    done = take(HEAD.replace("\n", "\r\n") + '\r\nalice,phone,1,"two\r\nlines",,\r\n\r\n\nbob,phone,2,,,\r\n')
    refused(done, "3: address: ", "3: label: ", "7: address: ")


def test_each_fault_of_each_line_is_reported(take):
    done = take(HEAD + "nobody-there,pager,x,,maybe,\nalice,phone,+9779800000091,,,\nbob,phone,5,,,never\n")
    refused(done, "2: user: ", "2: kind: ", "2: preferred: ", "4: address: ", "4: verified_at: ")
    assert "5 errors in" in done.stderr


def test_every_fault_is_reported(take):
    text = HEAD + "".join(f"alice,phone,{n},,,\n" for n in range(130))
    done = take(text)
    assert done.stderr.count(".csv:") == 130 and "130 errors in" in done.stderr
    assert ".csv:131: address: a phone number starts" in done.stderr
    report = json.loads(take(text, "--json").stdout)
    assert not report["imported"] and len(report["errors"]) == 130 and report["more_errors"] == 0
    assert report["errors"][0] | {"error": ""} == {"line": 2, "column": "address", "error": ""}


def test_what_a_refused_file_contains_is_not_repeated(take):
    """Who may run this command as root could read any file by its errors."""
    for text in ("root:$6$secret$hash:19000:0:99999:7:::\nalice:$6$secret$hash:1::::::\n", "secret\n", "secret,secret\n",
                 HEAD + "secret,secret,secret,secret,secret,secret\n" + "alice,phone,secret,,,\n"
                 + "alice,email,secret,,,\n" + '"secret\n'):
        done = take(text)
        shown = take(text, "--json")
        assert done.returncode == FAILED and "secret" not in done.stderr + shown.stderr + shown.stdout


def test_lines_that_contradict_each_other_are_named(take):
    done = take(HEAD + "alice,phone,+9779800000091,,yes,\nbob,phone,+9779800000091,,,\nalice,phone,+9779800000091,,,\n"
                "alice,phone,+9779800000092,,yes,\nalice,email,a@mail.example,,yes,\nALICE,email,A@mail.example,,,\n")
    refused(done, "4: address: the user has this address in line 2 already",
            "5: preferred: line 2 has the preferred phone of this user already",
            "7: address: the user has this address in line 6 already")


def test_numbers_outside_of_the_prefixes_are_faults(fresh, take):
    """C30: a file gives no way to toll fraud."""
    fresh.configure(extra="\n[limits]\nprefixes = +977\n")
    refused(take(HEAD + "alice,phone,+919800000091,,,\nalice,phone,+9779800000091,,,\n"),
            "2: address: the number is outside of [limits] prefixes = +977 (/etc/pam_otp/pam_otp.conf:")


def test_unknown_users_are_imported_only_with_force(take):
    text = HEAD + "nobody-there,phone,+9779800000091,,,\n"
    assert take(text).returncode == FAILED
    assert take(text, "--force").returncode == OK
    assert known()["nobody-there", NEW] == ("", False, 0)
    # --force does not help if the name service fails.
    assert take(HEAD + "ns-tryagain,phone,+9779800000091,,,\n", "--force").returncode == FAILED


def test_aliases_of_a_user_are_that_user(take):
    assert take(HEAD + "ALICE,phone,+9779800000091,,,\nAlice,email,a@mail.example,,,\n").returncode == OK
    assert {user for user, _ in known()} == {"alice", "bob", "robot"}
    assert ("alice", NEW) in known() and ("alice", "a@mail.example") in known()


# --- modes ---

def test_an_import_keeps_existing_contacts(fresh, take):
    done = take(HEAD + f"alice,phone,{PHONE['alice']},new label,yes,2026-01-02\n")
    assert "1 unchanged" in done.stdout
    assert known()["alice", PHONE["alice"]] == ("", False, 0)


def test_replace_removes_other_contacts_of_the_users_it_names(fresh, take):
    otpctl("contact", "add", "alice", f"--phone={NEW}", "--verified", "--label=old")
    before = known()
    done = take(f"user,kind,address,label\nalice,phone,{NEW},new\nalice,email,a@mail.example,\n", "--replace",
                "--no-notice")
    assert done.stdout == "2 lines: 1 added, 0 unchanged, 1 changed, 1 removed\n"
    at = before["alice", NEW][2]
    assert at and known() == {("alice", NEW): ("new", False, at), ("alice", "a@mail.example"): ("", False, 0)} | {
        k: v for k, v in before.items() if k[0] != "alice"}, "no column, no change; other users are nobody's business"


def test_replace_sends_a_notice_to_the_old_number(fresh, take):
    done = take(f"user,kind,address\nalice,phone,{NEW}\nbob,phone,{PHONE['bob']}\n", "--replace")
    assert done.returncode == OK
    message, = fresh.messages()
    assert message["number"] == PHONE["alice"][-10:] and "was changed" in message["text"]
    assert "notice sent: alice at +977 ******** 19, by sms through tingting, reference" in done.stdout


def people(n, digit):
    return "user,kind,address\n" + "".join(f"user{i:03d},phone,+97798000{digit}{i:04d}\n" for i in range(n))


@pytest.mark.parametrize("n", [20, 21])
def test_many_notices_need_the_option_notice(fresh, take, n):
    take(people(n, 1), "--force")
    before = content(CONTACTS)
    dry = take(people(n, 2), "--force", "--replace", "--dry-run")
    assert dry.returncode == OK and f"{n} old addresses would get a notice" in dry.stdout
    done = take(people(n, 2), "--force", "--replace")
    if n == 20:
        assert done.returncode == OK and len(fresh.messages()) == 20
        return
    assert "for so many, give --notice or --no-notice" in dry.stdout
    assert done.returncode == FAILED and "21 old addresses" in done.stderr
    assert content(CONTACTS) == before and not fresh.messages()
    done = take(people(n, 2), "--force", "--replace", "--notice", "--json")
    assert done.returncode == OK and len(fresh.messages()) == n
    report = json.loads(done.stdout)
    assert report["imported"] and report["old_addresses"] == n == len([x for x in report["notices"] if x["told"]])
    take(people(n, 3), "--force", "--replace", "--no-notice")
    assert len(fresh.messages()) == n


def test_a_dry_run_writes_and_sends_nothing(fresh, take):
    before = content(CONTACTS)
    done = take(f"user,kind,address\nalice,phone,{NEW}\n", "--replace", "--dry-run")
    assert done.stdout == ("1 line: 1 would be added, 0 unchanged, 0 would be changed, 1 would be removed\n"
                           "1 old address would get a notice\n")
    said = json.loads(take(f"user,kind,address\nalice,phone,{NEW}\n", "--replace", "--dry-run", "--json").stdout)
    assert said == {"imported": False, "dry_run": True, "lines": 1, "added": 1, "unchanged": 0, "changed": 0,
                    "removed": 1, "without_address": 0, "old_addresses": 1, "errors": [], "more_errors": 0, "notices": []}
    assert content(CONTACTS) == before and not fresh.messages()
    assert take(HEAD + "alice,phone,1,,,\n", "--dry-run").returncode == FAILED


# --- one at a time, whole or not at all ---

def begin(*args):
    return subprocess.Popen(["otpctl", "contact", "import", "-", *args], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def locked_by(process):
    """Returns whether the process holds the lock of the contacts. It does once it has read a part of its input."""
    end = pexpect.spawn("flock", ["-n", CONTACTS + ".lock", "true"], timeout=GUARD)
    end.expect(pexpect.EOF)
    end.close()
    return end.exitstatus == 1 and process.poll() is None


def wait_locked(process):
    for _ in range(500):
        if locked_by(process):
            return
    raise AssertionError("it never took the lock")


def test_a_killed_import_leaves_the_old_file(fresh):
    before = content(CONTACTS)
    with begin("--force") as p:
        p.stdin.write(people(5000, 1))
        p.stdin.flush()
        wait_locked(p)
        p.send_signal(signal.SIGKILL)
        p.wait()
    assert content(CONTACTS) == before
    # The lock has ended with its process.
    assert otpctl("contact", "add", "alice", f"--phone={NEW}").returncode == OK


def test_two_imports_at_once_both_take_effect(fresh):
    with begin() as first:
        first.stdin.write("user,kind,address\n")
        first.stdin.flush()
        wait_locked(first)
        with begin() as second:
            second.stdin.write(f"user,kind,address\nbob,phone,{NEW}\n")
            second.stdin.close()
            assert second.stderr.readline().endswith("waiting for another otpctl\n")
            first.stdin.write(f"alice,phone,{NEW}\n")
            first.stdin.close()
            assert first.wait(GUARD) == OK and second.wait(GUARD) == OK
    assert {("alice", NEW), ("bob", NEW)} <= set(known())


def test_a_full_disk_leaves_the_old_file(fresh, tmp_path):
    before = content(CONTACTS)
    done = subprocess.run(["bash", "-c", "ulimit -f 8; trap '' XFSZ; exec otpctl contact import --force -"],
                          input=people(2000, 1), capture_output=True, text=True, check=False)
    assert done.returncode == FAILED and "nothing was imported" in done.stderr
    assert content(CONTACTS) == before and not os.path.exists(CONTACTS + ".new")


def test_progress_is_shown_at_a_terminal_only(fresh, tmp_path):
    path = put(tmp_path / "people.csv", people(5000, 1))
    t = pexpect.spawn("otpctl", ["contact", "import", "--force", "--dry-run", path], timeout=60, encoding="utf-8")
    t.expect(pexpect.EOF)
    shown = t.before
    assert f"reading {path}: " in shown and "100 %" in shown
    assert shown.rstrip().endswith("5000 would be added, 0 unchanged, 0 would be changed, 0 would be removed")
    done = otpctl("contact", "import", "--force", "--dry-run", path)
    assert not done.stderr
    # The size of input from a pipe is not known.
    put(path, people(50000, 1))
    t = pexpect.spawn("sh", ["-c", f"cat {path} | otpctl contact import --force --dry-run -"], timeout=60,
                      encoding="utf-8")
    t.expect(pexpect.EOF)
    assert re.search(r"reading [^\r]+: 0 MiB\rreading [^\r]+: 1 MiB", t.before)
    assert t.before.rstrip().endswith("50000 would be added, 0 unchanged, 0 would be changed, 0 would be removed")


# --- the command line ---

@pytest.mark.parametrize("args", [(), ("/a", "/b"), ("/a", "--notice", "--no-notice"), ("/a", "--nonsense")],
                         ids=" ".join)
def test_a_wrong_command_line_is_reported(fresh, args):
    assert otpctl("contact", "import", *args).returncode == USAGE


def test_a_file_that_cannot_be_read_is_reported(fresh, tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path, why in ((f"{tmp_path}/none", "No such file or directory"), (str(tmp_path), "Is a directory"),
                      (str(loop), "Too many levels of symbolic links"), (f"{__file__}/x", "Not a directory")):
        done = otpctl("contact", "import", path)
        assert (done.returncode, done.stderr) == (FAILED, f"otpctl: {path}: {why}\n")
    assert as_nobody("contact", "import", "-").returncode == FAILED

"""The log for programs: the grammar of its lines, the request ID, fail2ban, and bursts (U51)."""
import re
import subprocess

import pytest

from world import AUTH_ERR, PERM_DENIED, REMOTE, SERVICE, SUCCESS

NAMED = ["--item=rhost=home.example", "--pamenv=SSH_CONNECTION=192.0.2.7 50000 10.0.0.1 22"]  # UseDNS

FILTER = "/etc/fail2ban/filter.d/pam_otp.conf"  # as it is installed
PAIR = r'[a-z_0-9]+=(?:"[^"]*"|[^\s"]*)'
OUTCOME = re.compile(r'<(\d+)>.*?: pam_otp\((\S+):auth\): (rhost=.*)')
HELPER = re.compile(r'<(\d+)>.*? otp-helper\[\d+\]: (.*)')
LOG_AUTHPRIV = 10


def pairs(text):
    return {k: v.strip('"') for k, v in (one.split("=", 1) for one in re.findall(PAIR, text))}


def sign_in(world, user, right=True, where=REMOTE):
    with world.sign_in(user, SERVICE, *where) as d:
        d.enter()
        for _ in range(3):
            d.answer(world.code() if right else world.wrong())
            if right:
                break
            if d.events[-1]["event"] == "result":
                break
            d.until("prompt", "result")
        return d.events[-1]["code"] if d.events[-1]["event"] == "result" else d.result()


def module_lines(world):
    return [m for m in map(OUTCOME.match, world.log().splitlines()) if m]


def test_module_and_helper_log_each_outcome_in_one_line_of_pairs(world):
    assert sign_in(world, "alice") == SUCCESS
    assert sign_in(world, "bob", right=False) == AUTH_ERR
    module = module_lines(world)
    helper = [m for m in map(HELPER.match, world.log().splitlines()) if m]
    assert len(module) == 2
    outcomes = [m for m in helper if "event=signin " in m[2]]
    assert len(outcomes) == 2
    for m in module:
        assert re.fullmatch(f"{PAIR}(?: {PAIR})*", m[3]), m[3]
        assert m[3].startswith("rhost="), "fail2ban and people look for it first"
    for m in helper:
        if "event=" in m[2]:
            assert re.fullmatch(f"{PAIR}(?: {PAIR})*", m[2]), m[2]
    for m in module + helper:
        assert int(m[1]) >> 3 == LOG_AUTHPRIV, m[0]
    # The module's line and the helper's have the same ID.
    for ours, theirs in zip(module, outcomes):
        signin = pairs(ours[3])
        assert signin["request"] == pairs(theirs[2])["id"]
        assert signin["result"] == pairs(theirs[2])["result"]


def test_the_request_to_the_provider_has_the_request_id(world):
    assert sign_in(world, "alice") == SUCCESS
    signin = pairs(module_lines(world)[-1][3])
    headers = world.gateway.requests("/send/otp")[-1]["headers"]
    sent = {k.lower(): v for k, v in headers.items()}
    assert sent["x-request-id"] == signin["request"]


def as_syslog_writes_it(line):
    """Formats a line as a syslog daemon does: <85>Nov 22 10:00:00 sshd[1]: … gets the host and loses the priority."""
    return re.sub(r"^<\d+>(\w{3} [ \d]\d [\d:]{8}) ", r"\1 sandbox ", line)


def fail2ban(path):
    done = subprocess.run(["fail2ban-regex", "--print-all-matched", path, FILTER],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"Lines: (\d+) lines, \d+ ignored, (\d+) matched", done.stdout)
    return int(found[2]), done.stdout


def test_fail2ban_counts_refused_sign_ins_and_no_others(world, tmp_path):
    assert sign_in(world, "alice") == SUCCESS
    assert sign_in(world, "bob", right=False) == AUTH_ERR
    assert sign_in(world, "nobody-of-that-name", right=False) == AUTH_ERR
    assert sign_in(world, "carol", right=False, where=NAMED) == AUTH_ERR
    with world.sign_in("alice", SERVICE, *REMOTE) as d:
        d.prompt()  # leaves
    with world.sign_in("alice", SERVICE, *REMOTE) as d:
        d.enter()
        d.answer(world.wrong()).prompt()  # leaves before the last try
    assert world.helpers_gone()
    lines = [as_syslog_writes_it(line) for line in world.log().splitlines()]
    path = tmp_path / "auth.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    matched, output = fail2ban(path)
    assert matched == 4, output
    assert output.count("192.0.2.7") >= 4
    # A line of another program does not count, even if it looks like the helper's.
    path.write_text("\n".join(line.replace(" otp-helper[", " sshd[") for line in lines) + "\n", encoding="utf-8")
    assert fail2ban(path)[0] == 0


def test_fail2ban_counts_by_the_result_of_the_sign_in(world, tmp_path):
    """fail2ban counts a sign-in that was refused, and only if a code was wrong. The owner of a locked account who comes
    back, or a user who meets a limit that others behind the same address used up, is not banned."""
    assert sign_in(world, "bob", right=False) == AUTH_ERR
    line = next(as_syslog_writes_it(line) for line in world.log().splitlines() if "event=signin result=denied" in line)
    assert " wrong=3 " in line
    path = tmp_path / "auth.log"
    counted = {}
    for word in ("denied", "locked", "gone", "ok", "skip", "unavail", "broken"):
        for wrong in (0, 3, 10):
            path.write_text(line.replace("result=denied", f"result={word}").replace("wrong=3", f"wrong={wrong}") + "\n",
                            encoding="utf-8")
            counted[word, wrong] = fail2ban(path)[0]
    assert {of for of, n in counted.items() if n} == {
        (word, wrong) for word in ("denied", "locked", "gone") for wrong in (3, 10)}
    # A client cannot forge the count.
    for word in ("denied", "locked", "gone"):
        path.write_text(line.replace("result=denied", f"result={word}").replace("wrong=3", "wrong=0")
                        .replace('rhost="', 'rhost="x wrong=3 y') + "\n", encoding="utf-8")
        assert fail2ban(path)[0] == 0


def test_no_name_that_a_client_chooses_bans_another_address(world, tmp_path):
    """A client can choose its reverse name and the user name. Neither looks like an address."""
    evil = 'x" user="?" result=denied request="" reason="" pam_otp(sshd:auth): rhost="198.51.100.1'
    with world.sign_in("bob", SERVICE, f"--item=rhost={evil}") as d:
        d.enter()
        d.answer(world.wrong()).prompt()
        d.answer(world.wrong()).prompt()
        assert d.answer(world.wrong()).result() == AUTH_ERR
    path = tmp_path / "auth.log"
    path.write_text("\n".join(map(as_syslog_writes_it, world.log().splitlines())) + "\n",
                    encoding="utf-8")
    assert "198.51.100.1" in path.read_text(encoding="utf-8")
    assert fail2ban(path)[0] == 0


def test_a_burst_is_logged_completely_and_without_repetition(world):
    """Forty sign-ins at once: module and helper log one line each, and few lines besides."""
    many = [world.sign_in("carol", SERVICE, *REMOTE) for _ in range(40)]
    for d in many:
        d.__enter__()
    for d in many:
        while d.until("prompt", "result")["event"] == "prompt":  # the later ones reach a limit
            d.answer("000000")
        d.__exit__()
    lines = world.log().splitlines()
    assert len([m for m in map(OUTCOME.match, lines) if m]) == 40
    assert sum("event=signin " in line for line in lines) == 40
    assert len(lines) <= 40 * 3, "one of them is the test's own host"


@pytest.mark.parametrize("how", ["k", "q"], ids=["killed", "ended"])
def test_every_user_who_leaves_is_logged(world, how):
    """Many users leave at each step. In some cases the host is killed, and the supervisor of the helper with it."""
    world.configure(ask_first="never")
    for n in range(12):
        with world.sign_in(("alice", "bob", "carol")[n % 3], SERVICE, *REMOTE) as d:
            d.prompt()
            if n % 2:
                d.answer("000000").prompt()
            d.say(how)
            d.process.wait(5)
        assert world.helpers_gone()
    ends = [pairs(m[2]) for m in map(HELPER.match, world.log().splitlines()) if m and "event=signin " in m[2]]
    assert [one["result"] for one in ends] == 12 * ["gone"], world.log()
    assert [one["wrong"] for one in ends] == 6 * ["0", "1"]


def test_a_wrong_configuration_does_not_flood_the_log(world):
    with open("/etc/pam_otp/pam_otp.conf", "a", encoding="utf-8") as f:
        f.write("\n".join(f"wrong_{n} = 1" for n in range(100)) + "\n")
    with world.sign_in("alice", SERVICE, *REMOTE) as d:
        d.rest()
    ours = [line for line in world.log().splitlines() if "otp-helper" in line]
    assert any("otpctl config check" in line for line in ours)
    assert len(ours) <= 12, "\n".join(ours)


def test_a_failure_before_the_user_lookup_logs_the_service_but_no_user(world):
    with open("/etc/pam_otp/pam_otp.conf", "a", encoding="utf-8") as f:
        f.write("[nonsense]\n")
    assert world.finish("alice") == PERM_DENIED
    told = [pairs(m[2]) for m in map(HELPER.match, world.log().splitlines()) if m and "event=signin " in m[2]]
    assert [(one["result"], one["user"], one["service"]) for one in told] == [("broken", "?", SERVICE)]
    assert told[0]["reason"] == "the configuration is wrong; run: otpctl config check"


def test_nothing_secret_is_in_the_log(world):
    assert sign_in(world, "alice") == SUCCESS
    code = world.code()
    assert code not in world.log()
    assert SERVICE in world.log()

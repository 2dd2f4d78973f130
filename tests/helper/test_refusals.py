"""Everything for which a sign-in refuses its configuration is an error of `otpctl config check`, at its file, line and
key; and what config check accepts, a sign-in can use (C1)."""

import json
import os
import re
import subprocess

import pytest

from conftest import NOBODY, SOURCE, program

CASES = f"{SOURCE}/tests/cases"
MAIL = "[channel email]\nproviders = post\n[provider post]\nprofile = smtp\n"


def check(world):
    done = subprocess.run([program("otpctl"), "--config", world.conf, "config", "check"], capture_output=True,
                          text=True, user=NOBODY, group=NOBODY, extra_groups=[] if NOBODY else None, check=False)
    return done.returncode, done.stderr


def line_of(world, text):
    with open(world.conf, encoding="utf-8") as f:
        found = [n for n, line in enumerate(f, 1) if line.startswith(text)]
    assert found, text
    return found[-1]


def refused(world, where, what):
    """Both refuse it. where: how the line of the configuration begins, or a path; what: a part of the message."""
    code, shown = check(world)
    place = where if where.startswith("/") else f"{world.conf}:{line_of(world, where)}"
    assert code == 1, shown
    rows = [row for row in shown.splitlines() if row.startswith(f"{place}: ") and what in row]
    assert [row for row in rows if not row.startswith(f"{place}: warning:")], shown
    with world.sign_in() as h:
        assert h.result() == "broken"
    assert what in h.log
    assert not world.gateway.requests()
    return shown


def accepted(world):
    code, shown = check(world)
    assert code == 0, shown
    with world.sign_in() as h:
        h.prompt()
    return shown


def nothing_else_is_shown(shown):
    """config check warns of each provider that shares codes or drops countries. It warns of nothing else."""
    rows = [row for row in shown.splitlines() if ": warning: [provider " not in row or not (
        "it is told numbers without their country" in row or "it ties a code to the address alone" in row)]
    assert not rows


def patch(world, name, change):
    path = f"{world.dir}/providers/{name}.json"
    with open(path, encoding="utf-8") as f:
        profile = json.load(f)
    change(profile)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(profile, f)
    return path


def test_what_is_right_is_accepted_by_both(world):
    nothing_else_is_shown(accepted(world))


def test_what_is_right_is_accepted_of_each_provider(remote):
    nothing_else_is_shown(accepted(remote))


def bases():
    with open(f"{CASES}/base-url.conf", encoding="utf-8") as f:
        return [line.partition("=")[2].strip() for line in f if line.startswith("base")]


@pytest.mark.parametrize("base", bases() + [
    "", "https://", "https://:443", "https://api.example.com:0", "https://api.example.com:", "https://[::1",
    "https://[fe80::1%25]", "https://api.example.com\\@evil", "https://api example.com", "ftp://api.example.com",
    "http://127.1:80", "http://[::2]", "https://api.exämple.com", "https://.example.com", "smtp://127.0.0.1",
    "https://${user}.example.com", "https://a${attr.x}.example.com", "//api.example.com"])
def test_a_base_to_which_no_request_can_go(world, base):
    world.configure(base="BASE")
    with open(world.conf, encoding="utf-8") as f:
        text = f.read()
    world.write("otp.conf", text.replace("base = BASE", f"base = {base}"))
    shown = refused(world, "base = ", "[provider tingting] base: ")
    assert "pw@" not in shown


@pytest.mark.parametrize("base", ["https://api.example.com", "HTTPS://api.example.com:8443/v2", "http://127.0.0.9:80",
                                  "http://[::1]:8080/x", "https://[2001:db8::7]", "https://[fe80::1%25eth0]:443",
                                  "https://host_1.example"])
def test_a_base_that_can_be_used(world, base):
    world.configure(base=base)
    code, shown = check(world)
    assert code == 0, shown
    nothing_else_is_shown(shown)


@pytest.mark.parametrize("name", ["user", "attr.x"])
def test_no_user_chooses_the_server(world, name):
    world.configure(base=f"https://${{{name}}}.example.com")
    refused(world, "base = ", "no variable but ${host} may choose the server to which codes go")


def test_plain_http_through_a_proxy(world):
    world.configure(base="http://127.0.0.1:80", provider="proxy = http://127.0.0.1:3128")
    refused(world, "base = ", "a proxy would see the code")


@pytest.mark.parametrize("name,what", [
    ("ca.p7b", "expected a file in PEM format"), ("ca-empty.pem", "expected a file in PEM format"),
    ("folder", "no certificate can be found in the folder"), ("a:b", "a folder of certificates must not have a ':'"),
    ("missing", " cannot be read: ")])
def test_a_ca_without_a_certificate(world, name, what):
    if name in ("folder", "a:b"):
        os.mkdir(f"{world.dir}/{name}", 0o755)
        world.write(f"{name}/ca.pem", "no hash\n")
    elif name != "missing":
        with open(f"{CASES}/{name}", encoding="utf-8") as f:
            world.write(name, f.read())
    world.configure(ca=f"{world.dir}/{name}")
    refused(world, "ca = ", "[provider tingting] ca: ")
    refused(world, "ca = ", what)


def test_a_ca_whose_second_certificate_is_cut(world):
    with open(world.gateway.ca_file, encoding="utf-8") as f:
        good = f.read()
    world.configure(ca=world.write("two.pem", good + good[:200]))
    refused(world, "ca = ", "a malformed one")
    world.configure(ca=world.write("two.pem", good + "a remark\n" + good))
    accepted(world)


def with_bytes(world, data):
    path = world.write("token", "")
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, 0o600)


@pytest.mark.parametrize("data", ["case", b"tok123\xc2\xa0\n", b" tok123", b"tok123 \n", b"tok\n123\n", b"", b"\n",
                                  b"tok123\xe2\x80\x8b", b"tok123\r\n"])
def test_a_token_that_an_editor_has_changed(world, data):
    if data == "case":
        with open(f"{CASES}/token-bom.bin", "rb") as f:
            data = f.read()
    with_bytes(world, data)
    refused(world, "token = ", "[provider tingting] token: expected a file ")


def test_a_token_of_a_wrong_mode_or_missing(world):
    os.chmod(f"{world.dir}/token", 0o644)
    refused(world, "token = ", "[provider tingting] token: ")
    os.unlink(f"{world.dir}/token")
    refused(world, "token = ", "[provider tingting] token: ")


@pytest.mark.parametrize("settings,key,what", [
    ("server = 127.0.0.1", "server", "expected smtp://HOST"),
    ("server = https://mail.example.org", "server", "expected smtp://HOST"),
    ("server = smtp://mail.example.org:0", "server", "port"),
    ("server =", "server", "expected smtp://HOST"),
    ("from = Example", "from", "an e-mail address has one '@'"),
    ("from = a@b c", "from", "not a host name"),
    ("from =", "from", "an e-mail address has one '@'"),
    ("login = me", "password", "login is set"),
    ("password = file:DIR/token", "login", "password is set"),
    ("proxy = http://127.0.0.1:3128", "proxy", "a mail cannot be sent through a proxy"),
    ("subject = " + 300 * "x", "subject", "expected one line"),
])
def test_settings_of_mail(world, settings, key, what):
    world.configure()
    with open(world.conf, encoding="utf-8") as f:
        text = f.read().partition("[channel")[0].replace("channels = sms", "channels = email")
    world.write("otp.conf", text + MAIL + settings.replace("DIR", world.dir) + "\n")
    where = key if settings.startswith(key) else "[provider post]"
    refused(world, where, f"[provider post] {key}: ")
    refused(world, where, what)


def test_a_login_without_a_password(world):
    world.configure()
    with open(world.conf, encoding="utf-8") as f:
        text = f.read().partition("[channel")[0].replace("channels = sms", "channels = email")
    world.write("otp.conf", f"{text}{MAIL}login = me\n")
    refused(world, "[provider post]", "is set; expected both, or neither for no login")


def test_a_value_that_is_no_boolean(bridgekeeper):
    bridgekeeper.configure(provider="always_send = yes")
    refused(bridgekeeper, "always_send", "[provider bridgekeeper] always_send: expected ")
    refused(bridgekeeper, "always_send", "true or false")
    bridgekeeper.configure(provider="always_send = true")
    accepted(bridgekeeper)


def test_a_default_that_is_a_test_host(crego, kgen):
    for world, name in (crego, "crego"), (kgen, "kgen"):
        world.configure(base="BASE")
        with open(world.conf, encoding="utf-8") as f:
            text = f.read()
        world.write("otp.conf", text.replace("base = BASE\n", ""))
        refused(world, f"[provider {name}]", "base: the profile")


CHANNEL_SET = "the channel voice does not set ${mode}; add it to /channels/voice/set"


@pytest.mark.parametrize("change,what", [
    (lambda p: p["channels"]["voice"]["set"].pop("mode"), "/send/json/sms_send_options: " + CHANNEL_SET),
    (lambda p: p["channels"].update(SMS=p["channels"]["voice"]), "/channels/SMS: the configuration cannot use"),
    (lambda p: p["vars"].update(Foo="x"), "/vars/Foo: the configuration cannot use"),
    (lambda p: p["vars"].update(ca="x"), "/vars/ca: \"ca\" is a key of every provider"),
    (lambda p: p["send"]["headers"].update({"X-A": "a\r\nX-B: c"}), "/send/headers/X-A: expected one line"),
    (lambda p: p["send"]["headers"].update({"X-A\r\nX-B": "a"}), "expected the name of a header"),
    (lambda p: p["send"]["headers"].update({"X A": "a"}), "/send/headers/X A: expected the name of a header"),
    (lambda p: p["send"]["headers"].update({"X-A:": "a"}), "/send/headers/X-A:: expected the name of a header"),
    (lambda p: p["send"]["headers"].update({"authorization": "x"}), "/send/headers/authorization: this header stands"),
    (lambda p: p["send"]["headers"].update({"Content-Length": "7"}), "/send/headers/Content-Length: pam_otp sets"),
    (lambda p: p["send"].update(auth={"basic": ["a", "b"]}), "/send/headers/Authorization: auth sets this header"),
    (lambda p: p["send"].update(query={"a b": "c"}), "/send/query/a b: expected a name of ASCII"),
    (lambda p: p["send"].update(query={"a&b": "c"}), "/send/query/a&b: expected a name of ASCII"),
    (lambda p: p["send"].update(url="https://api.example.com:99999/x"), "/send/url: expected a port"),
    (lambda p: p["send"].update(url="https://u:p@api.example.com/x"), "/send/url: expected no user"),
    (lambda p: p["send"].update(url="${base}/a b"), "/send: with [provider tingting], this request cannot be made"),
    (lambda p: p["send"]["headers"].update({f"X-{n}": "a" for n in range(40)}), "/send: with [provider tingting]"),
    (lambda p: p["send"].update(url="${base}/${voice}/x"), "/send: with [provider tingting]"),
])
def test_a_profile_whose_request_cannot_be_made(world, change, what):
    path = patch(world, "tingting", change)
    refused(world, path, what)


def test_a_content_type_of_the_profile_is_sent_once(world):
    """The case says what a request needs; the profile's own type wins over the one of its body."""
    with open(f"{CASES}/content-type-twice.json", encoding="utf-8") as f:
        send = json.load(f)["send"]
    patch(world, "tingting", lambda p: (p["code"].pop("echo"), p.update(send=send)))
    accepted(world)
    with world.sign_in() as h:
        h.prompt()
        h.answer("")
        h.recv()
    request, = world.gateway.requests("/send")
    types = [v for k, v in request["headers"].items() if k.lower() == "content-type"] \
        if isinstance(request["headers"], dict) else [v for k, v in request["headers"] if k.lower() == "content-type"]
    assert types == ["application/vnd.api+json"]


@pytest.mark.parametrize("extra,where,what", [
    ("profile = nosuch", "profile = nosuch", ".json in any folder of [paths] profiles"),
    ("profile = tingtin", "profile = tingtin", "did you mean profile = tingting?"),
    ("nosuch = 1", "nosuch = 1", "the profile tingting has no such setting"),
    ("variant = generate", "/", "there is no variant \"generate\"; did you mean \"generated\"?"),
    ("voice_input = ${token}", "voice_input", "only built-in variables"),
    ("voice_input = ${user", "voice_input", "} is missing"),
])
def test_settings_of_a_provider(world, extra, where, what):
    world.configure(provider=extra)
    refused(world, where if where != "/" else f"{world.dir}/providers/tingting.json", what)


@pytest.mark.parametrize("message,what", [
    ("Sign-in", "expected ${code} in it"),
    ("${code} ${nosuch}", "} is not a variable of messages"),
    ("${code} ${x", "} is missing"),
])
def test_messages(world, message, what):
    with open(world.conf, encoding="utf-8") as f:
        text = f.read()
    world.write("otp.conf", re.sub(r"(?m)^message = .*", lambda _: f"message = {message}", text))
    refused(world, "message = ", "[channel sms] message: ")
    refused(world, "message = ", what)


def test_channels(world, crego):
    """Providers that write their own text, a channel that a profile lacks, two kinds of contact in one channel."""
    crego.write("otp.conf", open(crego.conf, encoding="utf-8").read().replace(
        "[provider crego]", "message = ${code}\n[provider crego]"))
    refused(crego, "message = ", "all its providers write their own text")
    world.configure(channel="fax")
    refused(world, "providers = ", "has no channel fax; it has: sms, voice")
    profile = json.load(open(f"{SOURCE}/etc/providers/smtp.json", encoding="utf-8"))
    profile["channels"] = {"sms": {"needs": "email"}}
    world.write("providers/other.json", json.dumps(profile))
    world.configure(extra="[provider other]\n")
    world.write("otp.conf", open(world.conf, encoding="utf-8").read().replace(
        "providers = tingting", "providers = tingting, other"))
    refused(world, "providers = ", "need different kinds of contact")


def test_a_channel_without_a_section(world):
    with open(world.conf, encoding="utf-8") as f:
        text = f.read()
    world.write("otp.conf", text.replace("channels = sms", "channels = sms, pager"))
    refused(world, "channels = ", "there is no [channel ")


def test_settings_that_are_too_long_together(world):
    world.configure(provider=f"voice_input = {'${channel}' * 6000}")
    refused(world, "[provider tingting]", "the text of its message are too long")


@pytest.mark.parametrize("key,spoil", [
    ("host_key", lambda d: os.unlink(f"{d}/host.key")),
    ("host_key", lambda d: os.chmod(f"{d}/host.key", 0o644)),
    ("host_key", lambda d: os.truncate(f"{d}/host.key", 8)),
    ("contacts", lambda d: os.unlink(f"{d}/contacts.db")),
    ("contacts", lambda d: os.chmod(f"{d}/contacts.db", 0o666)),
    ("contacts", lambda d: os.truncate(f"{d}/contacts.db", 0)),
    ("state", lambda d: os.unlink(f"{d}/state/store.db")),
    ("state", lambda d: os.chmod(f"{d}/state", 0o777)),
    ("state", lambda d: os.truncate(f"{d}/state/store.db", 0)),
    ("state", lambda d: os.rename(f"{d}/state", f"{d}/elsewhere")),
])
def test_host_key_contacts_and_store(world, key, spoil):
    spoil(world.dir)
    refused(world, f"{key} = ", "")
    _, shown = check(world)
    assert f"[paths] {key}: " in shown


def test_all_three_files_are_reported_at_once(world):
    for name in "host.key", "contacts.db", "state/store.db":
        os.unlink(f"{world.dir}/{name}")
    _, shown = check(world)
    assert re.findall(r"\[paths\] (\w+): ", shown) == ["host_key", "contacts", "state"]


def test_every_error_of_both_providers_is_reported(world):
    world.configure(base="api.example.com", ca="/nosuch/ca", provider="nosuch = 1")
    os.unlink(f"{world.dir}/token")
    _, shown = check(world)
    assert {"ca", "nosuch", "token"} <= set(re.findall(r"\[provider tingting\] (\w+): ", shown)), shown


def test_sections_that_no_sign_in_uses_are_no_errors(world):
    world.configure(extra="[channel voice]\nproviders = spare\n[provider spare]\nprofile = tingting\nbase = nonsense\n"
                          "token = file:/nosuch\n[provider idle]\nprofile = nosuch\n")
    shown = accepted(world)
    assert "warning: [otp] channels: no sign-in uses [channel voice]" in shown
    assert f"{world.conf}:{line_of(world, 'token = file:/nosuch')}: warning: [provider spare] token: " in shown
    assert "warning: [provider idle]: no channel uses it" in shown


def reasons():
    """The text of each error that loading a provider reports, as it stands in the source, conversions included."""
    folder = f"{SOURCE}/helpers/provider"
    for name in sorted(os.listdir(folder)):
        with open(f"{folder}/{name}", encoding="utf-8") as f:
            text = f.read() if name.endswith(".c") else ""
        for call in re.findall(r"(?:provider_fault|conf_error_at)\((.*?)\);", text, re.S):
            what = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', call))
            if len(re.sub(r"%\w+", "", what)) > 20:
                yield what


def test_every_reason_of_the_source_has_a_test():
    """A part of each error that loading a provider reports, of ten characters at least, is expected somewhere above."""
    with open(__file__, encoding="utf-8") as f:
        own = re.findall(r'"((?:[^"\\]|\\.)*)"', f.read().partition("def reasons")[0])
    expected = [part for text in own for part in text.split(": ") if len(part) >= 10]
    found = list(reasons())
    assert len(found) > 15
    assert not [what for what in found if not any(part in what for part in expected)]

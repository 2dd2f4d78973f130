"""Names, contacts, codes and captured values reach the provider only as data, in every place of a template."""

import json
import urllib.parse

import pytest

PROFILE = {
    "profile": 1, "name": "probe", "vars": {"base": {"required": True}},
    "channels": {"sms": {"needs": "phone"}},
    "code": {"by": "module"}, "bound_to": "challenge", "message": "${code} for ${service}",
    "send": {
        "method": "POST", "url": "${base}/probe/${service}/end?q=${service}&r=1",
        "query": {"s": "${service}"}, "headers": {"X-Probe": "a ${service} z"},
        "json": {"plain": "${service}", "nested": [{"${service}": "x${service}y"}],
                 "text": "${message}"},
        "expect": {"status": [200]},
    },
}
DATA = ['"', '"}', "\\", "{}", "${code}", "${user}", "{otp}", "$${", "a&b=c", "a#b", "a?b", "%0d%0a",
        "../..", "a/../b", ";", "é€😀", " ", "a b", "'; DROP TABLE x; --", "<script>", "$(id)", "`id`"]
NOT_IN_A_PATH = [".", ".."]
NOT_IN_A_HEADER = ["a\nb", "a\rb", "a\r\nX-Evil: 1", "a\x7f", "\x1b[2J"]


@pytest.fixture
def probe(world):
    def configure(profile):
        world.write("providers/tingting.json", json.dumps(profile | {"name": "tingting"}))
        world.configure(otp="ask_first = never")
        with open(world.conf, encoding="utf-8") as f:
            text = f.read()
        for line in ("token = ", "company_name = "):
            text = "\n".join(one for one in text.split("\n") if not one.startswith(line))
        world.write("otp.conf", text)
        return world
    return configure


def send(world, service):
    with world.sign_in(service=service) as h:
        h.recv()
    return world.gateway.requests()


@pytest.mark.parametrize("value", DATA)
def test_data_stays_data(probe, value):
    world = probe(PROFILE)
    request, = send(world, value)
    path, _, query = request["target"].partition("?")
    assert [urllib.parse.unquote(p) for p in path.split("/")] == ["", "probe", value, "end"]
    assert urllib.parse.parse_qs(query, keep_blank_values=True) == {
        "q": [value], "r": ["1"], "s": [value]}
    assert request["headers"]["x-probe"] in (
        f"a {value} z", f"a {value} z".encode().decode("latin-1"))
    body = json.loads(request["body"]) if request["json"] is None else request["json"]
    assert body["plain"] == value
    assert body["nested"] == [{"${service}": f"x{value}y"}], "a member's name is no template"
    assert f"({value})" in body["text"]


@pytest.mark.parametrize("value", NOT_IN_A_PATH + NOT_IN_A_HEADER)
def test_a_value_that_its_place_cannot_hold_is_not_sent(probe, value):
    assert not send(probe(PROFILE), value)


@pytest.mark.parametrize("value", DATA)
def test_form_bodies_encode_values(probe, value):
    profile = PROFILE | {"send": PROFILE["send"] | {"form": {"to": "${service}", "x": "1"}}}
    del profile["send"]["json"]
    request, = send(probe(profile), value)
    assert request["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert urllib.parse.parse_qs(request["body"], keep_blank_values=True) == {
        "to": [value], "x": ["1"]}


@pytest.mark.parametrize("value", ['"', "${code}", '","otp":"1', "a\nb", "\\u0000", "{\"a\":1}"])
def test_captures_are_data(kgen, value):
    """A value captured from a provider's answer is not used as a template later."""
    kgen.configure(provider="variant = string")
    kgen.gateway.fault("merge", path="/register", patch={"authCode": value})
    with kgen.sign_in() as h:
        h.prompt()
        h.answer("")
        h.prompt()
        h.answer("123456")
        h.prompt()
    check, = kgen.gateway.requests("/otp/verify")
    assert check["json"]["authCode"] == value
    assert set(check["json"]) == {"phone_number", "countryCode", "authCode", "otp"}

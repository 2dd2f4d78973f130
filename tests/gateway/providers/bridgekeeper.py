"""Quintype's Bridgekeeper, to the letter of its documents. All below /api/auth/v1:

    POST /users/send-otp    {"phone-number": "+91..."} or {"email"}, perhaps "always-send"; with a
                            qt-auth or tfa-auth cookie nothing (the code goes to the account's
                            e-mail address) or {"mediums": ["phone-number"]}
    POST /login             {"phone-number" or "email", "otp": text, perhaps "auto-signup"}: a user
                            and the cookie qt-auth; for an account with a second factor 200, a code
                            "tfa-...-is-required" and the cookie tfa-auth instead
    GET  /users/me, /sessions/validate, /logout    x-qt-auth, or the cookie

The realm is chosen by the name in Host. There is no call that only verifies. The documents say
neither how a refusal looks nor what an unknown user gets: switches. Where they are silent: either
an address or a cookie, JSON named as such wherever there is a body (the samples of send-otp do not
name it, and curl without data sends no length: both are refused), and no other member.

Everybody has an account, with the one address that is asked for, unless the switch `accounts` names
them all: [{"phone-number", "email", "tfa": "setup" or "validation", "qt-auth", "tfa-auth"}, ...],
each member optional; the last two are cookies that are good from the beginning.
"""

import re
import zlib

from providers import E164, EMAIL, Bad, Member, Provider, flat
from sim import codes
from sim.codes import EXPIRED, RIGHT, Codes
from sim.switches import Switch, count
from sim.tokens import fake_jwt
from sim.wire import Response

BASE = "/api/auth/v1"
MEDIUMS = {"phone-number": "sms", "email": "email"}
ADDRESS = {"phone-number": Member(fits=E164, required=False),
           "email": Member(fits=EMAIL, required=False)}
COOKIES = ("qt-auth", "tfa-auth")
TFA = {"setup": "tfa-setup-is-required", "validation": "tfa-validation-is-required"}
NOBODY = "Could not find qt-auth cookie or X-QT-AUTH header, please Login."
SAID = {"wrong": "Invalid OTP", EXPIRED: "OTP has expired"}
SESSION_SECONDS = 30 * 86400


def _accounts(value):
    """null, or a list of accounts"""
    known = set(MEDIUMS) | set(COOKIES) | {"tfa"}
    return value is None or isinstance(value, list) and all(
        isinstance(one, dict) and set(one) <= known and set(one) & set(MEDIUMS)
        and one.get("tfa", "setup") in TFA and all(isinstance(text, str) for text in one.values())
        for one in value)


def _key(account):
    """What an account is called in the journal of sessions: its first address."""
    return account.get("phone-number") or account["email"]


class Bridgekeeper(Provider):
    name = "bridgekeeper"
    switches = {
        "accounts": Switch(None, _accounts, "who has an account; null: everybody"),
        "unknown_user": Switch("error", ("error", "silent"),
                               "send to who has none: 400, or 200 and no message"),
        "tfa": Switch(None, (None, "setup", "validation"), "every account has a second factor"),
        "wrong": Switch(401, (400, 401, 403, 422, 200), "status for a wrong code"),
        "expired": Switch(None, (None, 400, 401, 403, 404, 410, 200),
                          "status for a right code that came late; null: as for a wrong one"),
        "wrong_shape": Switch(None, (None, "error", "message"),
                              '{"error": {"message"}} or {"message"}; null: the second with 200'),
        "session_limit": Switch(0, count, "sessions an account may have; 0: any"),
        "over_limit": Switch("refuse", ("refuse", "tell"),
                             "login beyond it: 403, or a session and a message"),
    } | codes.switches(5)
    patches = {
        "send-otp": {
            "success_false": lambda: {"error": {"message": "OTP could not be sent"}},
            "wrong_types": lambda: {"message": [1], "error": "none"},
        },
        "login": {
            "success_false": lambda: {"user": None, "error": {"message": "Invalid OTP"}},
            "wrong_types": lambda: {"user": "9876543210"},
        },
    }

    def __init__(self, folder, options):
        super().__init__(folder, options)
        own = ["localhost", "127.0.0.1", "[::1]", options.bind, f"[{options.bind}]"]
        self.realm = {name.lower() for name in options.realm or own + options.san}
        self.routes = {f"{BASE}/users/send-otp": {"POST": self.send},
                       f"{BASE}/login": {"POST": self.login},
                       f"{BASE}/logout": {"GET": self.logout},
                       f"{BASE}/users/me": {"GET": self.me},
                       f"{BASE}/sessions/validate": {"GET": self.validate}}

    @staticmethod
    def add_arguments(parser):
        parser.add_argument("--realm", action="append", metavar="HOST",
                            help="a host name of Bridgekeeper's realm; may be repeated "
                            "(default: those of the right certificate)")

    def ready(self):
        return {"realm": sorted(self.realm)}

    def forget(self):
        self.codes, self.signed_up = Codes(), []
        self.cookies = {name: {} for name in COOKIES}

    def patches_for(self, request):
        return self.patches.get(request.path.rpartition("/")[2], {})

    def refuse(self, status, why, headers=()):
        return Response.of(status, {"error": {"message": flat(why)}}, headers)

    def authenticate(self, request):
        host = re.sub(r":[0-9]+$", "", request.header("host")).lower()
        if host not in self.realm:
            raise Bad(404, "Could not find a realm for this host.")

    # Who it is

    def _account(self, medium, address):
        """The account with this address, or None."""
        known = (self.now.accounts or []) + self.signed_up
        found = [one for one in known if one.get(medium) == address]
        return found[0] if found else {medium: address} if self.now.accounts is None else None

    def _cookie_account(self, name, value):
        given = [one for one in self.now.accounts or [] if one.get(name) == value]
        return given[0] if given else self.cookies[name].get(value)

    def _credentials(self, request):
        """What proves who asks: (cookie name, value) pairs. Bad."""
        header = request.header("cookie")
        pairs = [] if header is None else [
            re.fullmatch(r"([!#-+.\w^`|~-]+)=([!#-+.-:<-\[\]-~-]*)", one)
            for one in header.split("; ")]
        if not all(pairs):
            raise Bad(400, "Bad Cookie header.")
        found = [(name, value) for name, value in (one.groups() for one in pairs)
                 if name in COOKIES]
        given = request.header("x-qt-auth")
        return found + ([] if given is None else [("qt-auth", given)])

    def _logged_in(self, request, allowed=COOKIES):
        """The account of who asks, with its credential, or None for nobody. Bad."""
        given = [one for one in self._credentials(request) if one[0] in allowed]
        accounts = [self._cookie_account(*one) for one in given]
        if not given:
            return None, None
        if not all(accounts) or len({_key(one) for one in accounts}) > 1:
            raise Bad(401, NOBODY)
        return accounts[0], given[0][1]

    def _address(self, fields):
        """The one (medium, address) that stands in a body. Bad."""
        given = [(name, fields[name]) for name in MEDIUMS if name in fields]
        if len(given) != 1:
            raise Bad(400, "Exactly one of phone-number and email is required.")
        return given[0]

    # Codes

    def send(self, request, deliver):
        known = ADDRESS | {"always-send": Member(bool, required=False),
                           "mediums": Member(list, required=False)}
        fields = self.fields(request, known) if request.body else {}
        account, _ = self._logged_in(request)
        if account:
            targets = self._mediums(account, fields)
        elif "mediums" in fields:
            raise Bad(400, "mediums: Please Login.")
        else:
            medium, address = self._address(fields)
            account, targets = self._account(medium, address), [medium]
            if not account and fields.get("always-send"):
                account = {medium: address}
        if account:
            self._send(account, targets, deliver)
        elif self.now.unknown_user == "error":
            raise Bad(400, "User not found")
        return Response.of(200, {"message": "OTP sent successfully"})

    def _mediums(self, account, fields):
        """Where a code for somebody who is logged in goes. Bad."""
        if set(fields) - {"mediums"}:
            raise Bad(400, "Only mediums is expected of who is logged in.")
        mediums = fields.get("mediums", ["email"])
        if not mediums or any(one not in list(MEDIUMS) for one in mediums) or \
                any(mediums.count(one) > 1 for one in mediums):
            raise Bad(400, "mediums: Enter valid values.")
        if any(one not in account for one in mediums):
            raise Bad(400, "The account has no such medium.")
        return mediums

    def _send(self, account, mediums, deliver):
        now = self.now
        with self.lock:
            code = codes.digits(now.code_length, now.leading_zero, now.code)
            text = f"{code} is your one time password. It is valid for a few minutes."
            done = []
            for medium in mediums:
                mail = f"Subject: Your one time password\n\n{text}"
                if deliver(account[medium], mail if medium == "email" else text,
                           MEDIUMS[medium], code):
                    done.append(medium)
            if done:
                self.codes.put(_key(account), code, mediums=done)

    def login(self, request, deliver):
        fields = self.fields(request, ADDRESS | {
            "otp": Member(), "auto-signup": Member(bool, required=False)})
        medium, address = self._address(fields)
        account = self._account(medium, address)
        new = account is None
        account = account or {medium: address}
        with self.lock:
            found = self.codes.check(
                _key(account), lambda live: live.code == fields["otp"]
                and medium in live.more["mediums"], self.now.code_seconds, deliver.acts)
            if found == RIGHT and new and not fields.get("auto-signup"):
                raise Bad(400, "User not found")
            if found == RIGHT:
                if new and deliver.acts:
                    self.signed_up.append(account)
                return self._log_in(account, deliver)
        status = (self.now.expired if found == EXPIRED else None) or self.now.wrong
        shape = self.now.wrong_shape or ("message" if status == 200 else "error")
        if shape == "message":
            return Response.of(status, {"message": SAID[found]})
        return Response.of(status, {"error": {"message": SAID[found]}})

    # Sessions

    def _live(self, account):
        return sum(1 for one in self.cookies["qt-auth"].values() if _key(one) == _key(account))

    def _user(self, account):
        own = {name: account[name] for name in MEDIUMS if name in account}
        return {"id": zlib.crc32(_key(account).encode()), "name": "Simulated User",
                "username": None, "verification-status": None} | own

    def _log_in(self, account, deliver):
        """The answer to who has shown the right code."""
        tfa = account.get("tfa") or self.now.tfa
        if tfa:
            cookie = self._set_cookie("tfa-auth", account, deliver)
            return Response.of(200, {"code": TFA[tfa], "message":
                                     "Two factor authentication is required."}, [cookie])
        answer = {"user": self._user(account)}
        if self.now.session_limit and self._live(account) >= self.now.session_limit:
            if self.now.over_limit == "refuse":
                self.note("refused", _key(account), None)
                raise Bad(403, "Session Exceeded")
            answer["message"] = "Session Exceeded"
        return Response.of(200, answer, [self._set_cookie("qt-auth", account, deliver)])

    def _set_cookie(self, name, account, deliver):
        value = fake_jwt(SESSION_SECONDS, sub=_key(account), use=name)
        if deliver.acts:
            self.cookies[name][value] = account
            if name == "qt-auth":
                self.note("made", _key(account), value)
        return "Set-Cookie", f"{name}={value}; Path=/; HttpOnly; Secure; SameSite=Lax"

    def _must_be_logged_in(self, request):
        account, value = self._logged_in(request, ("qt-auth",))
        if not account:
            raise Bad(401, NOBODY)
        return account, value

    def me(self, request, _deliver):
        account, _ = self._must_be_logged_in(request)
        return Response.of(200, {"user": self._user(account),
                                 "active-sessions-count": self._live(account)})

    def validate(self, request, _deliver):
        self._must_be_logged_in(request)
        return Response.of(200, {"valid": True})

    def logout(self, request, deliver):
        account, value = self._must_be_logged_in(request)
        with self.lock:
            if deliver.acts and self.cookies["qt-auth"].pop(value, None):
                self.note("ended", _key(account), value)
        return Response(204, b"", [("Set-Cookie", "qt-auth=; Path=/; Max-Age=0")])


PROVIDER = Bridgekeeper

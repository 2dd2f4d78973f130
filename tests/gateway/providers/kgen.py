"""KGeN's one-time codes, to the letter of its documents.

    POST /s2s/session                  x-client-id, x-client-secret; {"user_id"}; also with a slash
    POST /fe/users/auth/otp/register   user-jwt-token; {"phone_number", "countryCode"}
    POST /fe/users/auth/otp/resend     the same; a new authCode, the one before is dead
    POST /fe/users/auth/otp/verify     and "authCode", "otp": texts in the answer, numbers here

A token is one user's, and so are the codes asked for with it. All that the documents know to fail
with is 401 "UN_AUTHORIZED", for a bad or late token and for a wrong code alike, and 500 for the
session. The two versions of the protocol say success in different words. Where they are silent:
a member nobody knows is refused, and a resend without a register is a record not found.
"""

import hmac
import re
import secrets
import time
from datetime import datetime, timezone

from providers import NATIONAL, Bad, Member, Provider, flat
from sim import codes
from sim.codes import EXPIRED, RIGHT, Codes
from sim.switches import Switch, count, seconds
from sim.tokens import fake_jwt, read_secret, secret_file
from sim.wire import Response

UNAUTHORIZED = "UN_AUTHORIZED"
MESSAGES = {"loyalty": "Users linked successfully",
            "esports": "Phone number verified successfully"}
WHERE = {"phone_number": Member(fits=NATIONAL), "countryCode": Member(fits=r"\+[1-9][0-9]{0,2}")}
ABOUT_USER = re.compile(r"name|username|email|phonenumber|(device|os)_[a-z_]+")


class KGeN(Provider):
    name = "kgen"
    switches = {
        "types": Switch("number", ("number", "string", "either"),
                        "what authCode and otp must be in verify"),
        "compare": Switch("number", ("number", "text"),
                          "how they are compared; as texts, a zero that was lost is missed"),
        "auth_code": Switch(None, codes.forced, "the next authCodes are this one"),
        "resend_code": Switch("new", ("new", "same"), "the code that a resend delivers"),
        "message": Switch("loyalty", tuple(MESSAGES), "the words of success"),
        "wrong": Switch(401, (401, 400, 403, 422, 500, 200), "status for a wrong code"),
        "expired": Switch(None, (None, 400, 401, 403, 404, 410, 500, 200),
                          "status for a right code that came late; null: as for a wrong one"),
        "unauthorized": Switch("text", ("text", "object"),
                               "whether UN_AUTHORIZED comes as a JSON text or as a message"),
        "bad_client": Switch(500, (500, 401, 403), "status for wrong client credentials"),
        "token_seconds": Switch(86400, seconds, "how long a token may be used; 0: none may"),
        "token_epoch": Switch(0, count, "tokens made under another value are late"),
    } | codes.switches(6)
    patches = {
        "session": {
            "success_false": lambda: {"access_token": None, "refresh_token": None},
            "wrong_types": lambda: {"access_token": ["a"], "session_id": 1},
        },
        "send": {
            "success_false": lambda: {"authCode": None, "message": "OTP could not be sent"},
            "wrong_types": lambda: {"authCode": {"code": "2735"}, "isNewUser": "true"},
        },
        "verify": {
            "success_false": lambda: {"message": "Invalid OTP"},
            "wrong_types": lambda: {"message": list(MESSAGES.values())},
        },
    }

    def __init__(self, folder, options):
        super().__init__(folder, options)
        self.id_file = secret_file(folder, "kgen-client-id", options.kgen_id_file)
        self.secret_file = secret_file(folder, "kgen-client-secret", options.kgen_secret_file)
        self.client_id, self.client_secret = map(read_secret, (self.id_file, self.secret_file))
        otp = "/fe/users/auth/otp"
        self.routes = {"/s2s/session": {"POST": self.session},
                       "/s2s/session/": {"POST": self.session},
                       f"{otp}/register": {"POST": self.register},
                       f"{otp}/resend": {"POST": self.resend},
                       f"{otp}/verify": {"POST": self.verify}}

    @staticmethod
    def add_arguments(parser):
        for what in ("id", "secret"):
            parser.add_argument(f"--kgen-{what}-file", metavar="FILE",
                                help=f"the client {what} of KGeN (default: one is made)")

    def ready(self):
        return {"client_id_file": self.id_file, "client_secret_file": self.secret_file}

    def forget(self):
        self.codes, self.tokens, self.users, self.linked = Codes(), {}, set(), {}

    def patches_for(self, request):
        if "session" in request.path:
            return self.patches["session"]
        return self.patches["verify" if request.path.endswith("verify") else "send"]

    def refuse(self, status, why, headers=()):
        if status == 401 and self.now.unauthorized == "text":
            return Response.of(401, UNAUTHORIZED, headers)
        return Response.of(status, {"message": UNAUTHORIZED if status == 401 else flat(why)},
                           headers)

    # Sessions

    def session(self, request, deliver):
        given = [(request.header(name) or "").encode("latin-1")
                 for name in ("x-client-id", "x-client-secret")]
        right = [one.encode("ascii") for one in (self.client_id, self.client_secret)]
        if not all([hmac.compare_digest(*pair) for pair in zip(given, right)]):
            raise Bad(self.now.bad_client, "INVALID_CLIENT")
        more = {name: Member(required=False) for name in self.members(request)
                if ABOUT_USER.fullmatch(name)}
        user = self.fields(request, {"user_id": Member(fits=r"\S{1,128}")} | more)["user_id"]
        lifetime = self.now.token_seconds
        session, full_id = secrets.token_hex(12), f"{self.client_id}.{user}"
        access, refresh = (fake_jwt(lifetime, iss=self.client_id, sub=user, use=use)
                           for use in ("access", "refresh"))
        with self.lock:
            new = user not in self.users
            if deliver.acts:
                self.users.add(user)
                self.tokens[access] = (user, time.monotonic(), self.now.token_epoch)
                self.note("made", user, session)
            phone = self.linked.get(user, "")
        return Response.of(200, {
            "session_id": session, "user_id": f"simulated-{user}",
            "third_party_client_id": self.client_id, "namespaced_third_party_user_id": full_id,
            "wallet_address": "0x" + "0" * 40, "is_new_user": new, "access_token": access,
            "refresh_token": refresh, "linked_phone": phone,
            "session_start_time":
                datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " +0000 UTC"})

    def _user(self, request):
        """Whose token it is. Bad."""
        user, born, epoch = self.tokens.get(request.header("user-jwt-token"), (None, 0.0, None))
        late = epoch != self.now.token_epoch or \
            time.monotonic() - born >= self.now.token_seconds
        if user is None or late:
            raise Bad(401, UNAUTHORIZED)
        return user

    # Codes

    def _asked(self, request, **more):
        """The user with the number as a key, and the members of a body. Bad."""
        user = self._user(request)
        fields = self.fields(request, WHERE | more)
        return (user, fields["countryCode"], fields["phone_number"]), fields

    def register(self, request, deliver):
        key, _ = self._asked(request)
        return self._send(key, deliver)

    def resend(self, request, deliver):
        key, _ = self._asked(request)
        if not self.codes.get(key):
            raise Bad(500, "RECORD_NOT_FOUND")
        return self._send(key, deliver, again=True)

    def _send(self, key, deliver, again=False):
        now = self.now
        user, country, number = key
        with self.lock:
            last = self.codes.get(key)
            code = codes.digits(now.code_length, now.leading_zero, now.code)
            if again and last and now.resend_code == "same":
                code = last.code
            auth = codes.digits(4, now.leading_zero, now.auth_code,
                                last and last.more["auth"])
            if deliver(country + number, f"{code} is your KGeN verification code.", "sms", code):
                self.codes.put(key, code, auth=auth)
            new = self.linked.get(user) != country + number
        return Response.of(200, {"authCode": auth, "isNewUser": new})

    def _digits(self, value):
        """What a number of verify is, as it will be compared; Bad if its type is another."""
        types = {"number": (int,), "string": (str,), "either": (int, str)}[self.now.types]
        if type(value) not in types or not re.fullmatch(r"[0-9]{1,16}", str(value)):
            raise Bad(400, f"A {self.now.types} is expected.")
        return str(value) if self.now.compare == "text" else str(int(value))

    def _fits(self, live, auth, code):
        pairs = [(live.more["auth"], auth), (live.code, code)]
        if self.now.compare == "number":
            pairs = [(str(int(made)), given) for made, given in pairs]
        return all(made == given for made, given in pairs)

    def verify(self, request, deliver):
        key, fields = self._asked(request, authCode=Member(None), otp=Member(None))
        auth, code = (self._digits(fields[name]) for name in ("authCode", "otp"))
        user, country, number = key
        with self.lock:
            found = self.codes.check(key, lambda live: self._fits(live, auth, code),
                                     self.now.code_seconds, deliver.acts)
            if found == RIGHT and deliver.acts:
                self.linked[user] = country + number
        if found == RIGHT:
            return Response.of(200, {"message": MESSAGES[self.now.message]})
        late = self.now.expired if found == EXPIRED else None
        return self.refuse(late or self.now.wrong, "Invalid OTP")


PROVIDER = KGeN

"""Crego's customer sign-in, to the letter of its documents.

    POST /v1/identity/auth/TENANT/otp/send/      {"mode": "sms"|"email", "username"|"value"}
    POST /v1/identity/auth/TENANT/otp/verify/    the same, and "otp" as a text

The documents of 2024 and 2025 contradict each other in the name of the address (the schema of 2024
says `value`, everything else `username`) and in both answers; none says what a wrong code looks
like, and whether a bearer token is asked for is written both ways. Each is a switch. Where they are
silent: numbers are national with ten digits as in every sample, the server knows no other member,
and a path without its last slash is answered as Django does it. One code is live for a mode and an
address; a new one ends the one before.
"""

import hmac
import uuid

from providers import EMAIL, NATIONAL, Bad, Member, Provider
from sim import codes
from sim.codes import EXPIRED, RIGHT, Codes
from sim.switches import Switch
from sim.tokens import fake_jwt, read_secret, secret_file
from sim.wire import Response

TOKEN_SECONDS = 23400
ADDRESSES = ("username", "value")
YEARS = ("2024", "2025")
SAID = {"wrong": "Invalid OTP", EXPIRED: "OTP expired"}


class Crego(Provider):
    name = "crego"
    switches = {
        "requires": Switch("username", ADDRESSES + ("both", "either"),
                           "the member that holds the address"),
        "unknown": Switch("refuse", ("refuse", "ignore"), "members the server does not know"),
        "send_answer": Switch("2025", YEARS, "the documents that the answer to send is from"),
        "verify_answer": Switch("2025", YEARS, "the documents that the answer to verify is from"),
        "wrong": Switch(400, (400, 401, 403, 200), "status for a wrong code, with a message"),
        "expired": Switch(None, (None, 400, 401, 403, 404, 410, 200),
                          "status for a right code that came late; null: as for a wrong one"),
        "bearer": Switch(False, (False, True), "whether a bearer token is asked for"),
        "slashless": Switch(301, (301, 500), "answer to a path without its last slash"),
    } | codes.switches(6)
    patches = {
        "send": {
            "success_false": lambda: {"status": False, "message": {"status": False}},
            "wrong_types": lambda: {"status": "true", "message": ["OTP sent successfully"]},
        },
        "verify": {
            "success_false": lambda: {"access": None, "refresh": None, "message": "Invalid OTP"},
            "wrong_types": lambda: {"access": ["a", "b"], "refresh": 1, "message": {"a": "b"}},
        },
    }

    def __init__(self, folder, options):
        super().__init__(folder, options)
        self.token_file = secret_file(folder, "crego-token", options.crego_token_file)
        self.token = read_secret(self.token_file)
        base = f"/v1/identity/auth/{options.tenant}/otp"
        self.routes = {f"{base}/send/": {"POST": self.send},
                       f"{base}/verify/": {"POST": self.verify}}

    @staticmethod
    def add_arguments(parser):
        parser.add_argument("--tenant", default="rego", metavar="NAME",
                            help="the tenant in Crego's paths (default: rego)")
        parser.add_argument("--crego-token-file", metavar="FILE",
                            help="the bearer token of Crego (default: one is made)")

    def ready(self):
        return {"tenant": self.options.tenant, "token_file": self.token_file}

    def forget(self):
        self.codes = Codes()

    def patches_for(self, request):
        return self.patches[request.path.split("/")[-2]]

    def answer(self, request, deliver):
        if request.path + "/" not in self.routes:
            return super().answer(request, deliver)
        if self.now.slashless == 500:
            return Response(500, b"<h1>Server Error (500)</h1>", content_type="text/html")
        return Response(301, b"", [("Location", request.path + "/")], "text/html")

    def authenticate(self, request):
        given = request.header("authorization")
        if given is None and not self.now.bearer:
            return
        right = f"Bearer {self.token}".encode("ascii")
        if not hmac.compare_digest((given or "").encode("latin-1"), right):
            raise Bad(401, "Given token not valid for any token type" if given else
                      "Authentication credentials were not provided.",
                      [("WWW-Authenticate", 'Bearer realm="api"')])

    def _asked(self, request, **more):
        """Mode, address and the members of a body. Bad."""
        requires = self.now.requires
        known = {"mode": Member(fits=("sms", "email"))} | more
        known |= {name: Member(required=requires in (name, "both")) for name in ADDRESSES
                  if requires in (name, "both", "either")}
        fields = self.fields(request, known, self.now.unknown == "ignore")
        given = [name for name in ADDRESSES if name in known and name in fields]
        if not given:
            raise Bad(400, {"username": ["This field is required."]})
        if len({fields[name] for name in given}) > 1:
            raise Bad(400, {"value": ["It differs from username."]})
        address, mode = fields[given[0]], fields["mode"]
        error = Member(fits=NATIONAL if mode == "sms" else EMAIL).error(address)
        if error:
            raise Bad(400, {given[0]: [error]})
        return mode, address, fields

    def send(self, request, deliver):
        mode, address, _ = self._asked(request)
        now = self.now
        with self.lock:
            code = codes.digits(now.code_length, now.leading_zero, now.code)
            text = f"{code} is your OTP to sign in to Crego. Do not share it with anyone."
            if mode == "email":
                text = f"Subject: Your Crego OTP\n\nHello,\n\n{text}"
            if deliver(address, text, mode, code):
                self.codes.put((mode, address), code)
        if now.send_answer == "2024":
            return Response.of(200, {"message": "OTP sent successfully"})
        return Response.of(200, {"status": True, "message": {
            "status": True, "message_id": f"{uuid.uuid4()}:1", "status_code": 202}})

    def verify(self, request, deliver):
        mode, address, fields = self._asked(request, otp=Member())
        now = self.now
        with self.lock:
            found = self.codes.check((mode, address), lambda live: live.code == fields["otp"],
                                     now.code_seconds, deliver.acts)
        if found != RIGHT:
            late = now.expired if found == EXPIRED else None
            return Response.of(late or now.wrong, {"message": SAID[found]})
        if now.verify_answer == "2024":
            return Response.of(200, {"message": "OTP verified successfully"})
        token = fake_jwt(TOKEN_SECONDS, iss="identity", type="customer", roles=["customer"],
                         user_id=address)
        return Response.of(200, {"access": token, "refresh": token})


PROVIDER = Crego

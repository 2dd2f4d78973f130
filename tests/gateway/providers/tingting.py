"""TingTing, to the letter of its documents.

Four generations of documents contradict each other; `--generation` picks one:

  g0  tingting.readthedocs.io: POST /api/system/send/otp/, otp_length a text, no credits shown
  g1  tingting-api.readthedocs.io until 2026-04: POST /api/v1/auths/send/otp/, no company_name
  g2  the same since 2026-04-22: company_name is required
  g3  apidocs.tingting.com.np: no company_name, otp_length an integer, the voices are named

Where the documents are silent this is the strictest reading: numbers are national with ten digits
as in every sample, a member no generation knows is refused, so are `otp` with `generated` and
`otp_length` with `personnel`. company_name may come in all of them, for one profile serves all.
Refusals have the style seen by its clients: {"member": ["text"]} with 400.
There is no verify call in any generation. A message that is delivered costs one credit of its
channel; without one there is 402.
"""

import hmac
import re
from datetime import datetime, timezone
from urllib.parse import parse_qsl

from providers import REQUIRED, UNEXPECTED, Bad, Provider
from sim import codes
from sim.switches import Switch, perhaps_count
from sim.tokens import read_secret, secret_file
from sim.wire import Response

TEXTS = ("number", "message", "sms_send_options", "otp_options", "otp", "voice_input",
         "company_name")
KNOWN = TEXTS + ("otp_length",)
CHANNELS = {"text": "sms", "voice": "voice"}
VOICES = {
    "g0": ("np_rija", "np_prasanna", "np_binod"),
    "g3": ("np_rija", "np_prashanna", "np_shreegya", "np_binod"),
}


def _choice(errors, fields, name, allowed):
    if name in fields and name not in errors and fields[name] not in allowed:
        errors[name] = [f'"{fields[name]}" is not a valid choice.']


class TingTing(Provider):
    name = "tingting"
    switches = {
        "credits": Switch(None, perhaps_count,
                          "messages each channel has from now on; null: as it was started with"),
        "code": Switch(None, codes.forced, "the next generated codes are this one"),
    }
    patches = {
        "echo": lambda code="987654": {"data": {"details": {"otp": code}}},
        "success_false": lambda: {"success": False, "message": "OTP could not be sent.",
                                  "errors": ["OTP could not be sent."], "data": {}},
        "wrong_types": lambda: {"status": "200", "success": "true", "message": ["OTP Sent."],
                                "errors": {}, "data": {"details": []}},
    }

    def __init__(self, folder, options):
        super().__init__(folder, options)
        self.generation = options.generation
        self.token_file = secret_file(folder, "token", options.token_file)
        self.token = read_secret(self.token_file)
        if self.generation == "g0":
            self.routes = {"/api/system/send/otp/": {"POST": self.send}}
        else:
            self.routes = {"/api/v1/auths/send/otp/": {"POST": self.send},
                           "/api/v1/auths/list/send-otps/": {"GET": self.list_sent}}

    def switch(self, values):
        before = getattr(self.now, "credits", None)
        super().switch(values)
        if self.now.credits != before:
            self._fill()

    def forget(self):
        self.sent = []
        self._fill()

    def _fill(self):
        count = self.options.credits if self.now.credits is None else self.now.credits
        self.credits = {"sms": count, "voice": count}

    @staticmethod
    def add_arguments(parser):
        parser.add_argument("--generation", choices=("g0", "g1", "g2", "g3"), default="g2",
                            help="generation of TingTing's documents (default: g2)")
        parser.add_argument("--token-file", metavar="FILE",
                            help="the API token TingTing accepts (default: one is made, DIR/token)")
        parser.add_argument("--credits", type=int, default=127, metavar="N",
                            help="messages TingTing sends on each channel (default: 127)")

    def ready(self):
        return {"generation": self.generation, "token_file": self.token_file}

    def authenticate(self, request):
        given = (request.header("authorization") or "").encode("latin-1")
        if hmac.compare_digest(given, b"Bearer " + self.token.encode("ascii")):
            return
        text = "Invalid token." if given else "Authentication credentials were not provided."
        raise Bad(401, text, [("WWW-Authenticate", 'Bearer realm="api"')])

    # What a request must look like

    def _fields(self, request):
        """The members of the body. Bad."""
        fields = self.members(request)
        errors = self._errors(fields)
        if errors:
            raise Bad(400, errors)
        return fields

    def _errors(self, fields):
        errors = {name: [UNEXPECTED] for name in fields if name not in KNOWN}
        for name in TEXTS:
            if name not in fields:
                continue
            if not isinstance(fields[name], str):
                errors[name] = ["Not a valid string."]
            elif not fields[name].strip():
                errors[name] = ["This field may not be blank."]
        required = ["number", "message", "sms_send_options"]
        required += ["company_name"] if self.generation == "g2" else []
        required += ["otp"] if fields.get("otp_options") == "personnel" else []
        if fields.get("sms_send_options") == "voice" and self.generation != "g0":
            required.append("voice_input")
        errors.update({name: [REQUIRED] for name in required if name not in fields})
        _choice(errors, fields, "sms_send_options", CHANNELS)
        _choice(errors, fields, "otp_options", ("personnel", "generated"))
        if self.generation in VOICES:
            _choice(errors, fields, "voice_input", VOICES[self.generation])
        self._meanings(errors, fields)
        return errors

    def _meanings(self, errors, fields):
        if "number" not in errors and not re.fullmatch(r"[0-9]{10}", fields["number"]):
            errors["number"] = ["Enter a valid phone number."]
        if "message" not in errors and "{otp}" not in fields["message"]:
            errors["message"] = ["The message must contain {otp}."]
        if "otp_length" in fields and self._length(fields["otp_length"]) is None:
            errors["otp_length"] = ["A valid length is required."]
        if "otp_options" in errors:
            return
        generated = fields.get("otp_options", "generated") == "generated"
        needless = "otp" if generated else "otp_length"
        if needless in fields:
            errors.setdefault(needless, ["Not expected with this value of otp_options."])

    def _length(self, value):
        """The wanted length of a generated code, or None. The type is the generation's."""
        types = {"g0": (str,), "g3": (int,)}.get(self.generation, (str, int))
        if type(value) not in types or not re.fullmatch(r"[0-9]{1,2}", str(value)):
            return None
        return int(value) if 4 <= int(value) <= 10 else None

    # What it does

    def send(self, request, deliver):
        fields = self._fields(request)
        channel = CHANNELS[fields["sms_send_options"]]
        with self.lock:
            if self.credits[channel] < 1:
                return Response.of(402, {"status": 402, "success": False, "errors": [],
                                         "message": "Insufficient credits.", "data": {}})
            code = fields.get("otp")
            if code is None:
                length = self._length(fields["otp_length"]) if "otp_length" in fields else 6
                code = codes.digits(length, given=self.now.code)
            shown = " ".join(code) if channel == "voice" else code
            text = fields["message"].replace("{otp}", shown)
            if deliver(fields["number"], text, channel, code):
                self.credits[channel] -= 1
                self._remember(fields, text, code)
            return self._sent(fields, channel, text, code)

    def _remember(self, fields, text, code):
        self.sent.append({
            "id": len(self.sent) + 1, "phone_number": fields["number"], "message": text,
            "otp": code, "otp_options": fields.get("otp_options", "generated"),
            "sms_send_options": fields["sms_send_options"],
            "created_at": datetime.now(timezone.utc).isoformat()})

    def _sent(self, fields, channel, text, code):
        if self.generation == "g0":
            text = fields["message"].replace("{otp}", " ".join(code))
        details = {"number": fields["number"],
                   "otp_options": fields.get("otp_options", "generated"), "message": text,
                   "otp": code, "sms_send_options": fields["sms_send_options"]}
        if self.generation == "g1":
            details |= {"credits_used": 1, "remaining_credits": sum(self.credits.values())}
        elif self.generation != "g0":
            details |= {"credits_used": 1, "remaining_sms_credits": self.credits["sms"],
                        "remaining_phone_credits": self.credits["voice"]}
        if channel == "voice":
            details |= {"voice_input": fields.get("voice_input", "np_rija"), "length_factor": 1.0}
        if self.generation == "g2":
            details["company_name"] = fields["company_name"]
        done = "OTP Sent Successfully." if channel == "sms" else "OTP Call Initiated Successfully."
        return Response.of(200, {"status": 200, "success": True, "message": done, "errors": [],
                                 "data": {"details": details}})

    def list_sent(self, request, _deliver):
        """The plain codes of the whole account: a client of ours must never ask for them."""
        asked = dict(parse_qsl(request.query))
        try:
            limit, offset = int(asked.get("limit", 10)), int(asked.get("offset", 0))
        except ValueError:
            limit = 0
        if limit < 1 or offset < 0:
            raise Bad(400, "Bad limit or offset.")
        with self.lock:
            count, page = len(self.sent), self.sent[::-1][offset:offset + limit]
        return Response.of(200, {
            "count": count, "total_pages": -(-count // limit), "next": None, "previous": None,
            "results": {"status": 200, "success": True, "errors": [], "data": page}})


PROVIDER = TingTing

"""The providers that can be simulated: one file each, found by being here.

A file `NAME.py` holds a class `PROVIDER`, a subclass of Provider. Nothing else has to be changed.
"""

import importlib
import pkgutil
import re
import threading
from dataclasses import dataclass
from types import SimpleNamespace

from sim.wire import Response, strict_json

REQUIRED = "This field is required."
UNEXPECTED = "Unexpected field."
TYPES = {str: "string", int: "number", bool: "boolean", list: "list"}
CONTENT_TYPE = re.compile(r"application/json(; ?charset=utf-8)?", re.IGNORECASE)
NATIONAL = r"[0-9]{10}"
E164 = r"\+[1-9][0-9]{7,14}"
EMAIL = r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+"


class Bad(Exception):
    """A request is refused. args: status, why (a text, or {member: [text]}), perhaps headers."""


@dataclass(frozen=True)
class Member:
    """What a member of a body must be. fits: a pattern for the whole text, or allowed values.

    kind None: of any type, its provider will judge.
    """
    kind: type = str
    fits: object = None
    required: bool = True

    def error(self, value):
        if self.kind is not None and type(value) is not self.kind:
            return f"Not a valid {TYPES[self.kind]}."
        if value == "":
            return "This field may not be blank."
        if isinstance(self.fits, str) and not re.fullmatch(self.fits, value):
            return "Enter a valid value."
        if isinstance(self.fits, tuple) and value not in self.fits:
            return f'"{value}" is not a valid choice.'
        return None


class Provider:
    """One provider. A subclass sets `name` and fills `routes`: {path: {method: function}}, where
    function(request, deliver) gives a Response or raises Bad. deliver(number, text, channel, code)
    hands a message to the phone and says whether it did: not where a fault says that nothing is
    delivered. Then nothing else may come of the request either, and `deliver.acts` is False: no
    code is used up, no session made.

    switches: {name: Switch}, what can be chosen while it runs; their values are in `now`.
    patches: what faults with a name common to all providers mean here; each a function that gives
    an RFC 7396 merge patch over the JSON of an answer (`echo`, `success_false`, `wrong_types`).
    """

    name = ""
    switches = {}
    patches = {}

    def __init__(self, folder, options):
        self.folder, self.options = folder, options
        self.routes = {}
        self.sessions = None        # the journal; the server gives it
        self.lock = threading.Lock()
        self.now = SimpleNamespace()
        self.switch({})
        self.forget()

    @staticmethod
    def add_arguments(parser):
        """Adds the provider's own command line options."""

    def open(self, server, bind, listeners):
        """Opens listeners of its own, for what is not HTTP. listeners: server.LISTENERS."""

    def ready(self):
        """What a test must know of this provider: goes into ready.json."""
        return {}

    def switch(self, values):
        """Takes these values of switches, and the default of each other."""
        self.now = SimpleNamespace(
            **{name: one.default for name, one in self.switches.items()} | values)

    def forget(self):
        """Forgets all that requests have brought about."""

    def note(self, event, user, session):
        """Writes down what happened to a session of a user: made, ended, refused."""
        self.sessions.add(provider=self.name, event=event, user=user, session=session)

    def authenticate(self, request):
        """Bad for a request that may not come in."""

    def patches_for(self, request):
        """What of `patches` goes for the answer to this request."""
        return self.patches

    def refuse(self, status, why, headers=()):
        """The Response that refuses, in this provider's own way."""
        return Response.of(status, why if isinstance(why, dict) else {"detail": why}, headers)

    def answer(self, request, deliver):
        """The Response, or None if the path is not this provider's."""
        methods = self.routes.get(request.path)
        if methods is None:
            return None
        try:
            self.authenticate(request)
            if request.method not in methods:
                raise Bad(405, f'Method "{request.method}" not allowed.',
                          [("Allow", ", ".join(sorted(methods)))])
            answer = methods[request.method](request, deliver)
        except Bad as bad:
            answer = self.refuse(*bad.args)
        answer.patches = self.patches_for(request)
        return answer

    # What a request must look like

    @staticmethod
    def members(request):
        """The members of a body that is a JSON object. Bad."""
        kind = request.header("content-type") or ""
        if not CONTENT_TYPE.fullmatch(kind):
            raise Bad(415, f'Unsupported media type "{kind}" in request.')
        if request.query:
            raise Bad(400, "No query is expected.")
        try:
            fields = strict_json(request.body)
        except (ValueError, RecursionError) as error:
            raise Bad(400, f"JSON parse error - {error}") from None
        if not isinstance(fields, dict):
            raise Bad(400, {"non_field_errors": [
                f"Invalid data. Expected a dictionary, but got {type(fields).__name__}."]})
        return fields

    def fields(self, request, known, ignore_unknown=False):
        """The same, where each member is as `known` says: {name: Member}. Bad."""
        fields = self.members(request)
        errors = {} if ignore_unknown else {
            name: [UNEXPECTED] for name in fields if name not in known}
        for name, member in known.items():
            if name in fields:
                error = member.error(fields[name])
            else:
                error = REQUIRED if member.required else None
            if error:
                errors[name] = [error]
        if errors:
            raise Bad(400, errors)
        return fields


def flat(why):
    """The reason of a Bad as one text, for providers that name no members."""
    if isinstance(why, dict):
        return " ".join(f"{name}: {texts[0]}" for name, texts in why.items())
    return why


def registry():
    """All providers: {name: class}."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        provider = importlib.import_module(f"{__name__}.{module.name}").PROVIDER
        found[provider.name] = provider
    return found

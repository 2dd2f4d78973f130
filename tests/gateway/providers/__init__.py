"""The providers that can be simulated: one file each, found by being here.

A file `NAME.py` holds a class `PROVIDER`, a subclass of Provider. Nothing else needs to be told.
"""

import importlib
import pkgutil

from sim.wire import Response


class Provider:
    """One provider. A subclass sets `name` and fills `routes`: {path: {method: function}}, where
    function(request, deliver) gives a Response. deliver(number, text, channel, code) hands a
    message to the phone and says whether it did: not where a fault says that nothing is delivered.

    patches: what faults with a name common to all providers mean here; each a function that gives
    an RFC 7396 merge patch over the JSON of an answer (`echo`, `success_false`, `wrong_types`).
    """

    name = ""
    patches = {}

    def __init__(self, folder, options):
        self.folder = folder
        self.routes = {}

    @staticmethod
    def add_arguments(parser):
        """Adds the provider's own command line options."""

    def ready(self):
        """What a test must know of this provider: goes into ready.json."""
        return {}

    def authenticate(self, request):
        """None, or the Response for a request that may not come in."""
        return None

    def answer(self, request, deliver):
        """The Response, or None if the path is not this provider's."""
        methods = self.routes.get(request.path)
        if methods is None:
            return None
        refused = self.authenticate(request)
        if refused:
            return refused
        if request.method not in methods:
            return Response.of(405, {"detail": f'Method "{request.method}" not allowed.'},
                               [("Allow", ", ".join(sorted(methods)))])
        answer = methods[request.method](request, deliver)
        answer.patches = self.patches
        return answer


def registry():
    """All providers: {name: class}."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        provider = importlib.import_module(f"{__name__}.{module.name}").PROVIDER
        found[provider.name] = provider
    return found

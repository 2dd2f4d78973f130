"""What a provider does where its documents contradict each other or say nothing, switchable live.

`options.json` in the gateway's folder: {"PROVIDER": {"SWITCH": value, ...}, ..., "reset": N}. It is
read again for every request; replace it by rename. A switch that is not in it has its default. A
new value of `reset` makes every provider forget what requests have brought about: codes, sessions,
links. What does not exist is an error, shown as one in fault.json is (faults.py).
"""

import json
import threading
from dataclasses import dataclass

from sim.kinds import FaultError


@dataclass(frozen=True)
class Switch:
    """One thing that can be chosen. allowed: its values, or a function that knows them."""
    default: object
    allowed: object
    about: str

    def takes(self, value):
        if callable(self.allowed):
            return bool(self.allowed(value))
        return any(type(one) is type(value) and one == value for one in self.allowed)

    def values(self):
        if callable(self.allowed):
            return self.allowed.__doc__ or ""
        return ", ".join(json.dumps(one) for one in self.allowed)


def seconds(value):
    """seconds"""
    return type(value) in (int, float) and value >= 0


def count(value):
    """a number"""
    return type(value) is int and value >= 0


def perhaps_count(value):
    """null, or a number"""
    return value is None or count(value)


def parse(text, known):
    """What the text of an options.json says; known: {provider: {name: Switch}}. FaultError."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise FaultError(f"options.json is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise FaultError("options.json holds no object")
    for provider, values in given.items():
        if provider == "reset":
            continue
        if provider not in known or not isinstance(values, dict):
            raise FaultError(f"options.json: no such provider: {provider}")
        for name, value in values.items():
            switch = known[provider].get(name)
            if not switch:
                raise FaultError(f"{provider} has no switch {name}")
            if not switch.takes(value):
                raise FaultError(f"{provider}: {name} takes {switch.values()}, not {value!r}")
    return given


def describe(providers):
    """All switches as a text for --help. providers: classes."""
    lines = []
    for provider in providers:
        for name, switch in provider.switches.items():
            lines += [f"  {provider.name}.{name} = {json.dumps(switch.default)}",
                      f"      {switch.about} ({switch.values()})"]
    return "\n".join(lines)


class Switches:
    """The switches of the providers of one gateway, as its options.json says at this moment."""

    def __init__(self, path, providers):
        self.path, self.providers = path, providers
        self.seen, self.reset = "{}", None
        self.lock = threading.Lock()

    def apply(self):
        """Makes the providers obey what it says now; FaultError."""
        with self.lock:
            try:
                with open(self.path, encoding="utf-8") as source:
                    text = source.read()
            except FileNotFoundError:
                text = "{}"
            if text == self.seen:
                return
            given = parse(text, {one.name: one.switches for one in self.providers})
            for provider in self.providers:
                provider.switch(given.get(provider.name, {}))
                if given.get("reset") != self.reset:
                    provider.forget()
            self.seen, self.reset = text, given.get("reset")

#!/usr/bin/python3
"""The phone of the simulated provider: shows the messages that a gateway delivered.

    phone.py DIR [--number N] [--last | --follow | --wait SECONDS | --count] [--after COUNT]
             [--code] [--plain]

Without an option it shows all messages. --wait shows the newest message as soon as there are more than
COUNT (to that number), and exits with status 1 if none comes. Control characters of a message are
replaced.
"""

import argparse
import json
import os
import sys
import textwrap
import time
import unicodedata

WIDTH = 44
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
TITLES = {"sms": "Text message", "voice": "Voice call", "email": "E-mail"}


def messages(folder, number=None):
    """Returns the messages in a gateway's folder, oldest first."""
    try:
        with open(f"{folder}/outbox.jsonl", encoding="ascii") as source:
            lines = source.read().split("\n")[:-1]
    except FileNotFoundError:
        return []
    found = [json.loads(line) for line in lines]
    return [one for one in found if number in (None, one["number"])]


def newest(folder, number=None, after=0, seconds=0.0):
    """Returns the newest message once there are more than `after`, or None after this many seconds."""
    end = time.monotonic() + seconds
    while True:
        found = messages(folder, number)
        if len(found) > after:
            return found[-1]
        if time.monotonic() >= end:
            return None
        time.sleep(0.02)


def clean(text):
    """Replaces the characters that could control a terminal or deceive a reader."""
    return "".join(REPLACEMENT if c != "\n" and unicodedata.category(c)[0] == "C" else c
                   for c in text)


def columns(text):
    """Returns how many columns of a terminal the text needs."""
    return sum(0 if unicodedata.category(c) in ("Mn", "Me") else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def render(message, color=False):
    """Draws a message as the screen of a phone."""
    def paint(style, text):
        return f"\x1b[{style}m{text}\x1b[0m" if color else text

    clock = time.strftime("%H:%M", time.localtime(message["time"]))
    title = clean(f"{TITLES.get(message['channel'], message['channel'])} to {message['number']}")
    while columns(title) > WIDTH - len(clock) - 5:
        title = title.rstrip("…")[:-1] + "…"
    text = "\n".join(filter(None, [message.get("subject"), message["text"]]))
    rows = [row for line in clean(text).split("\n")
            for row in textwrap.wrap(line, WIDTH) or [""]]
    dim = "2"
    head = f"╭─ {title} {'─' * (WIDTH - columns(title) - len(clock) - 4)} {clock} ─╮"
    body = [f"{paint(dim, '│')} {paint('1', row)}{' ' * (WIDTH - columns(row))} {paint(dim, '│')}"
            for row in rows]
    return "\n".join([paint(dim, head), *body, paint(dim, f"╰{'─' * (WIDTH + 2)}╯")])


def wants_color():
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _show(message, options):
    if options.code:
        print(message["code"], flush=True)
    elif options.plain:
        number, text = clean(message["number"]), clean(message["text"])
        print(f"{message['channel']} {number}: {text}", flush=True)
    else:
        print(render(message, wants_color()), flush=True)


def _follow(options):
    seen = options.after
    while True:
        found = messages(options.folder, options.number)
        seen = min(seen, len(found))     # the outbox was cleared
        for message in found[seen:]:
            _show(message, options)
        seen = len(found)
        time.sleep(0.1)


def main():
    sys.stdout.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(description="Shows the messages that a gateway delivered.")
    parser.add_argument("folder", metavar="DIR", help="the gateway's folder")
    parser.add_argument("--number", help="only messages to this number or address")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--last", action="store_true", help="only the newest message")
    how.add_argument("--follow", action="store_true", help="then show each new message")
    how.add_argument("--wait", type=float, metavar="SECONDS", help="wait for a message and show it")
    how.add_argument("--count", action="store_true", help="print the number of messages")
    parser.add_argument("--after", type=int, default=0, metavar="COUNT",
                        help="skip the first COUNT messages")
    parser.add_argument("--code", action="store_true", help="only the code")
    parser.add_argument("--plain", action="store_true", help="one line for each message, without a frame")
    options = parser.parse_args()
    if options.count:
        print(len(messages(options.folder, options.number)))
        return 0
    if options.follow:
        try:
            _follow(options)
        except KeyboardInterrupt:
            return 0
    if options.last or options.wait is not None:
        found = [newest(options.folder, options.number, options.after, options.wait or 0)]
    else:
        found = messages(options.folder, options.number)[options.after:] or [None]
    if found == [None]:
        print("phone: no message", file=sys.stderr)
        return 1
    for message in found:
        _show(message, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())

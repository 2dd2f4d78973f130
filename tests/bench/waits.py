#!/usr/bin/python3
"""Measures how long registered, unregistered and unknown users wait, and how much these waits differ.

    OTP_BUILD=BUILD waits.py [--count N] [--json]

The simulated provider takes a random time from 20 to 120 ms. D is the statistic of Kolmogorov and
Smirnov between a row and the row of registered users. Equal distributions exceed the last column once
in a hundred runs.
"""

import argparse
import math
import os
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "helper")]

import figures  # noqa: E402
import waiting  # noqa: E402
from conftest import PROVIDERS, Gateway, World, a_world  # noqa: E402

COLUMNS = ["wait, ms", "n", "median", "p10", "p90", "D", "by chance"]
MOMENTS = {"start": "to the first question", "send": "from Enter on", "check": "from a wrong code on"}
CHECKED = {"tingting": "checked here", "crego": "checked there"}


def rows_of(provider, found):
    for moment, waits in found.items():
        real = waits["registered"]
        for kind, values in waits.items():
            row = {"wait, ms": f"{CHECKED[provider]}, {MOMENTS[moment]}: {kind}"}
            row |= figures.summary(values)
            if kind != "registered":
                row["D"] = waiting.difference(real, values)
                row["by chance"] = 1.63 * math.sqrt(1 / len(real) + 1 / len(values))
            yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=200, help="samples of each (default: 200)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if options.count < 10:
        parser.error("--count must be at least 10")

    def progress(done):
        if sys.stderr.isatty():
            print(f"\r{done} of {options.count}  ", end="", file=sys.stderr, flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as World.made, \
            Gateway(provider=sorted(PROVIDERS)) as gateway:
        for provider in CHECKED:
            with a_world(gateway, provider) as world, open(os.devnull, "w", encoding="ascii") as log:
                screen, sys.stdout = sys.stdout, log        # the helpers' output goes there
                try:
                    found = waiting.measure(world, options.count, 1, progress)
                finally:
                    sys.stdout = screen
                rows += rows_of(provider, found)
    figures.show(options.json, COLUMNS, rows)


if __name__ == "__main__":
    main()

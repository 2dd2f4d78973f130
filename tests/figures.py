#!/usr/bin/python3
"""How long the functions and files of common/, pam_otp/ and helpers/ are: figures.py [SOURCE]."""

import math
import pathlib
import re
import statistics
import sys

FOLDERS = ("common", "pam_otp", "helpers")
FUNCTION_MAX, FILE_MAX, SHOWN = 60, 500, 10

# clang-format puts the name and the last brace of a function at the beginning of a line.
NAME = re.compile(r"([A-Za-z_]\w*)\(")


def functions(text):
    """(lines, name, number of the first line) of each function, from its name to its last brace."""
    name = start = None
    for number, line in enumerate(text.split("\n"), 1):
        m = NAME.match(line)
        if m and not line.endswith(";"):
            name, start = m[1], number
        elif line == "}" and name:
            yield number - start + 1, name, start
            name = None


def sources(top):
    """(path below top, text) of each source file."""
    for folder in FOLDERS:
        for path in sorted((top / folder).rglob("*.[ch]")):
            yield path.relative_to(top), path.read_text(encoding="utf-8")


def longest(title, rows):
    print(f"\n{title}")
    for lines, what in sorted(rows, key=lambda row: (-row[0], row[1]))[:SHOWN]:
        print(f"{lines:6} {what}")


def main():
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    files, found = [], []
    for path, text in sources(top):
        files.append((text.count("\n"), str(path)))
        found += [(lines, f"{path}:{start}: {name}") for lines, name, start in functions(text)]
    lengths = sorted(lines for lines, _ in found)
    if not lengths:
        sys.exit(f"figures.py: no function was found below {top}")
    print(f"files      {len(files)}, {sum(1 for lines, _ in files if lines > FILE_MAX)} of them over {FILE_MAX} lines")
    print(f"functions  {len(lengths)}, {sum(1 for n in lengths if n > FUNCTION_MAX)} of them over {FUNCTION_MAX} lines")
    print(f"           median {statistics.median(lengths):g} lines, "
          f"90th percentile {lengths[math.ceil(0.9 * len(lengths)) - 1]}")
    longest("The longest functions", found)
    longest("The longest files", files)


main()

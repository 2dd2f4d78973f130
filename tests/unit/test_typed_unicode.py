#!/usr/bin/python3
"""The tables of helpers/base/typed.c say of every code point what Unicode says of it.

Python's Unicode may be older or newer than that of the tables. The digits that an older one lacks
stand below; what only a newer one knows is reported. All else must agree.
"""

import subprocess
import sys
import unicodedata

PRINT = "./tests/unit/print_typed"
TABLES = (15, 0, 0)
PYTHON = tuple(map(int, unicodedata.unidata_version.split(".")))

# What unicodedata does not have of Unicode's files.
CONTROL_BLANKS = {*range(0x09, 0x0e), 0x85}  # White_Space that is in no category of blanks
MORE_DASHES = {0x2053, 0x207b, 0x208b, 0x2212}  # Dash that is not Pd
SOUND_MARKS = {0x30fc, 0xff70}  # the dash key of a Japanese keyboard
SEEN = {  # Cf that is not Default_Ignorable_Code_Point
    *range(0x600, 0x606), 0x6dd, 0x70f, 0x890, 0x891, 0x8e2, *range(0xfff9, 0xfffc), 0x110bd, 0x110cd,
    *range(0x13430, 0x13440)}
MORE_UNSEEN = {  # Other_Default_Ignorable_Code_Point
    0x34f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x2065, 0x3164, 0xffa0, *range(0xfff0, 0xfff9), 0xe0000,
    *range(0xe0002, 0xe0020), *range(0xe0080, 0xe0100), *range(0xe01f0, 0xe1000)}
# Decimal digits since Unicode 15.0: Kawi and Nag Mundari.
NEW_DIGITS = {first + n: str(n) for first in (0x11f50, 0x1e4f0) for n in range(10)} if PYTHON < (15,) else {}


def is_unseen(c, category):
    return (category == "Cf" and c not in SEEN or c in MORE_UNSEEN
            or "VARIATION SELECTOR" in unicodedata.name(chr(c), ""))


def plain(c):
    """What Unicode calls this code point, in plain text."""
    if 0xff01 <= c <= 0xff5e:
        c -= 0xff01 - ord("!")
    category = unicodedata.category(chr(c))
    if category in ("Zs", "Zl", "Zp") or c in CONTROL_BLANKS:
        return " "
    if category == "Pd" or c in MORE_DASHES | SOUND_MARKS:
        return "-"
    if is_unseen(c, category):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(chr(c)))
    if 0x20 < c < 0x7f:
        return chr(c).lower()
    return NEW_DIGITS.get(c, "?")


def read_tables(lines):
    """{code point: plain text} of what the program printed."""
    fields = (line.split(" ", 1) for line in lines.split("\n") if line)
    return {int(code, 16): text for code, text in fields}


def compare(tables, points):
    """The differences as lines, and the code points of which only a newer Unicode says something."""
    wrong, newer = [], []
    for c in points:
        ours, theirs = tables.get(c, "?"), plain(c)
        if ours == theirs:
            continue
        if ours == "?" and PYTHON > TABLES:
            newer.append(c)
        else:
            wrong.append(f"U+{c:04X} is {ours!r}, and Unicode says {theirs!r}")
    return wrong, newer


def sees(tables, c, text):
    """Whether the comparison finds an entry that was changed."""
    return compare({**tables, c: text}, [c])[0] != []


def main():
    if PYTHON < (14,):
        print(f"skipped: Python knows Unicode {unicodedata.unidata_version}, and 14.0 is needed")
        sys.exit(77)
    printed = subprocess.run([PRINT], check=True, capture_output=True, text=True, encoding="ascii")
    tables = read_tables(printed.stdout)
    for c, text in (0x966, "1"), (0x2014, " "), (0x200e, "-"), (0x4e00, "1"), (0xe000, ""), (0xff32, "R"):
        if not sees(tables, c, text):
            sys.exit(f"this test does not see that U+{c:04X} is not {text!r}")
    wrong, newer = compare(tables, [c for c in range(1, 0x110000) if not 0xd800 <= c <= 0xdfff])
    print(*wrong, sep="\n", end="\n" if wrong else "")
    if newer:
        print(f"the tables are older: they lack {len(newer)} code points, the first is U+{newer[0]:04X}")
    print(f"{len(tables)} code points of typed.c, compared with Unicode {unicodedata.unidata_version}")
    sys.exit(1 if wrong else 0)


main()

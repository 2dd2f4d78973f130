#!/usr/bin/python3
"""What a function returns stands in the comment before its prototype: returns.py [SOURCE].

Each prototype, member and type of a function in a header that returns int has a comment directly before it,
or shares that of the prototype before it. The comment names 0 and each -OTP_E... that may be returned, or it
says what the number is: "Returns the ...", "True if ...", "Always 0", "The exit status". What the function
itself returns as -OTP_E... in its source must be named. Instead of naming errors again, a comment may refer
to another one that names them: "0 or the errors of f()", "as f()", "as the operation of its name in store.h".
"""

import os
import pathlib
import re
import sys
import tempfile

TOPS = ("common", "pam_otp", "helpers")
FUNCTION = re.compile(r"(?:extern |static |inline )*int\s+(\w+)\s*\(")
MEMBER = re.compile(r"(?:typedef )?int\s*\(\*(\w+)\)\s*\(")
TYPE = re.compile(r"typedef int\s+(\w+)\s*\(")
DEFINED = re.compile(r"^int\n([A-Za-z_]\w*)\((.*?)^\}$", re.M | re.S)
COMPARED = re.compile(r"[=!]=\s*-OTP_E\w+")
STATEMENT = re.compile(r"\breturn\b[^;]*;|[^=!<>]=\s[^;]*;")
REFERENCE = re.compile(r"\b(?:errors of|as) (\w+)\(\)")
OPERATION = re.compile(r"\bas the operation of its name in (\w+\.h)\b")
NO_ERROR = re.compile(r"\breturns (?!0\b)|\btrue if\b|\balways 0\b|\bexit status\b", re.I)


class Header:
    """The declarations of a header, each with its comment."""

    def __init__(self, text):
        self.text, self.at, self.comment, self.found = text, 0, "", []
        self.start, self.ended = None, -1  # of the declaration that is read, and of the one before it
        while self.at < len(text):
            self.step()

    def line(self, at):
        return self.text.count("\n", 0, at) + 1

    def step(self):
        text, at = self.text, self.at
        if text.startswith("/*", at):
            self.at = text.index("*/", at) + 2
            self.take_comment(text[at:self.at], at)
        elif text[at] == "#" and self.start is None:
            self.at = re.compile(r"(?:[^\n\\]|\\.)*", re.S).match(text, at).end()
            self.comment = ""
        elif text[at] in ";{}":
            self.at = at + 1
            self.end_declaration(at)
        else:
            if text.startswith("\n\n", at) and self.start is None:
                self.comment = ""
            if not text[at].isspace() and self.start is None:
                self.start = at
            self.at = at + 1

    def take_comment(self, comment, at):
        comment = re.sub(r"\s*\n\s*\*?\s*", " ", comment)
        if self.start is not None:
            return
        if self.found and self.ended >= 0 and "\n" not in self.text[self.ended:at]:
            number, name, before = self.found[-1]
            self.found[-1] = number, name, before + comment
        else:
            self.comment = comment

    def end_declaration(self, at):
        declared = self.text[at if self.start is None else self.start:at]
        m = FUNCTION.match(declared) or MEMBER.match(declared) or TYPE.match(declared)
        self.ended = at if m else -1
        if m:
            self.found.append((self.line(self.start), m[1], self.comment))
        if self.text[at] == "{":
            self.comment = ""
            if m:  # an inline function: its body is none of a header's
                self.at = self.text.index("\n}", at) + 2
        self.start = None


def returned_errors(source):
    """{function: {errors}} of what functions return themselves."""
    errors = {}
    for path in (p for top in TOPS for p in (source / top).rglob("*.c")):
        for name, body in DEFINED.findall(path.read_text(encoding="utf-8")):
            statements = STATEMENT.findall(COMPARED.sub("", body))
            errors.setdefault(name, set()).update(*(re.findall(r"-(OTP_E\w+)", s) for s in statements))
    return errors


def referred(name, comment, headers):
    """The comments to which a comment refers; headers is {file name: declarations}."""
    for header in OPERATION.findall(comment):
        yield from (c for _, member, c in headers.get(header, ()) if name.endswith("_" + member))
    for other in REFERENCE.findall(comment):
        yield from (c for found in headers.values() for _, declared, c in found if declared == other)


def complain(comment, others, errors):
    """What a comment lacks, or None. It may refer to the others."""
    if not comment:
        return "there is no comment"
    whole = " ".join([comment, *others])
    if not re.search(r"-OTP_E", whole):
        if not errors and NO_ERROR.search(comment):
            return None
        return "the comment names no -OTP_E..., and does not say what else is returned"
    if not re.search(r"\b0\b", whole if OPERATION.search(comment) else comment):
        return "the comment does not name 0"
    missing = sorted(e for e in errors if not re.search(rf"-{e}\b", whole))
    return f"the comment does not name -{', -'.join(missing)}" if missing else None


def judge(source):
    """What is wrong, a line each, and how many declarations were looked at."""
    errors, wrong, headers = returned_errors(source), [], {}
    paths = sorted(p for top in TOPS for p in (source / top).rglob("*.h"))
    for path in paths:
        headers[path.name] = headers.get(path.name, []) + Header(path.read_text(encoding="utf-8")).found
    for path in paths:
        for number, name, comment in Header(path.read_text(encoding="utf-8")).found:
            complaint = complain(comment, referred(name, comment, headers), errors.get(name, ()))
            if complaint:
                wrong.append(f"{path.relative_to(source)}:{number}: {name}: {complaint}")
    return wrong, sum(map(len, headers.values()))


# Each declaration whose name begins with "bad" must be found, and no other.
PLANTED = """\
/* Opens. 0 or -OTP_ESYS. */
int good_open(int fd, /* 0 */
    int flags);
int good_group(void);

int bad_alone(void);
/* Opens, or fails. */
int bad_vague(void);
/* -OTP_ESYS. */
int bad_zero(void);
/* 0 or -OTP_ESYS. */

int bad_far(void);
/* 0 or -OTP_ESYS. */
int bad_named(void);
/* 0 or the errors of good_open(). */
int good_reference(void);
/* 0 or the errors of good_number(). */
int bad_reference(void);
/* The errors of good_open(). */
int bad_zero_elsewhere(void);
/* Errors as good_open(), or 0. */
int bad_other(void);
/* As the operation of its name in x.h: as the operation of its name in x.h. */
int good_rig_good_member(void);
/* Does as the operation of its name in x.h. */
int bad_rig_absent(void);
/* Returns the number of bytes. */
int good_number(void);
/* Returns the number of bytes. */
int bad_number(void);
/* Returns 0. */
int bad_returns(void);
int good_behind(void); /* always 0 */
/* 0 or -OTP_ESYS. */
struct ops {
	int (*bad_member)(void);
	/* 0 or
	 * -OTP_ESYS. */
	int (*good_member)(struct ops *o);
	int fd; /* none of these */
};
/* 0 to go on, or any -OTP_E... that ends it. */
typedef int good_fn(void *arg);

/* A macro. 0 or -OTP_ESYS. */
#define MACRO(x) \\
	int f(x);
static inline int
bad_inline(void)
{
	return -OTP_ESYS;
}
void none(void);
"""
PLANTED_SOURCE = """\
int
good_open(int fd)
{
	if (r == -OTP_EGONE)
		return fd < 0 ? -OTP_ESYS : 0;
	return r != -OTP_ETIME;
}

int
bad_named(void)
{
	int r = -OTP_ENOMEM;
	return r;
}

int
bad_number(void)
{
	return -OTP_ESYS;
}

int
bad_other(void)
{
	return fd < 0 ? -OTP_ESYS : -OTP_EPERM;
}
"""


def test_itself():
    with tempfile.TemporaryDirectory(prefix="returns-") as name:
        top = pathlib.Path(name)
        (top / "common").mkdir()
        (top / "common/x.h").write_text(PLANTED, encoding="utf-8")
        (top / "common/x.c").write_text(PLANTED_SOURCE, encoding="utf-8")
        found = [line.split(": ")[1] for line in judge(top)[0]]
    expected = re.findall(r"\bbad_\w+", PLANTED)
    if found != expected:
        sys.exit(f"of what was planted {expected} must be found, and {found} was")


def main():
    test_itself()
    wrong, seen = judge(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("srcdir", ".")))
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{seen} declarations of functions that return int, {len(wrong)} without what they return")
    sys.exit(1 if wrong or not seen else 0)


main()

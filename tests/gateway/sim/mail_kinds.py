"""The faults of a mail server: kinds.py has those of HTTP.

Each strikes in place of a reply, and `path` of fault.json names which: greeting, ehlo, helo,
starttls, auth, mail, rcpt, data (the word to go on), text (the judgement), quit. `deliver` counts at
text alone. They are coroutines: act(talk, line), where talk has write(bytes), cut() and gone(), and
line is the reply's first line as it would have been. What they give is whether the dialog goes on.
"""

import asyncio

from sim.kinds import FaultError, kind

ESCAPES = b"\x1b[2J\x1b]0;owned\x07 000000"


@kind("mail")
async def mail_reply(talk, _line, *, code, lines=1, text="simulated"):
    """Another reply. lines: how many it has."""
    for left in range(lines - 1, -1, -1):
        await talk.write(f"{code}{'-' if left else ' '}{text}\r\n".encode("latin-1"))
    return True


@kind("mail")
async def mail_hang(talk, _line):
    """Never says a word again."""
    await talk.gone()
    return False


@kind("mail")
async def mail_drop(talk, _line):
    talk.cut()
    return False


@kind("mail")
async def mail_half(talk, line):
    """Half of a reply, then the end."""
    await talk.write(line[:len(line) // 2 or 1])
    talk.cut()
    return False


@kind("mail")
async def mail_drip(talk, line, *, interval=1.0):
    """One byte each interval."""
    for byte in line + b"\r\n":
        await talk.write(bytes((byte,)))
        await asyncio.sleep(interval)
    return True


@kind("mail")
async def mail_raw(talk, _line, *, text, then="go on"):
    """Any bytes (latin-1). then: go on, drop or hang."""
    if then not in ("go on", "drop", "hang"):
        raise FaultError(f"mail_raw knows no {then}")
    await talk.write(text.encode("latin-1"))
    if then == "drop":
        talk.cut()
    if then == "hang":
        await talk.gone()
    return then == "go on"


@kind("mail")
async def mail_escapes(talk, _line, *, code=550):
    """A refusal whose text attacks the terminal or the log that shows it."""
    await talk.write(b"%d-%s\r\n%d %s\r\n" % (code, ESCAPES, code, ESCAPES))
    return True


@kind("mail")
async def mail_flood(talk, line, *, what="line", size=8_000_000):
    """line: one that never ends; lines: of one reply without an end; noise: lines of no reply."""
    lead = line[:3]
    pieces = {"line": lead + b" " + b"x" * 4000, "lines": lead + b"-x\r\n", "noise": b"\xff\0zz\r\n"}
    if what not in pieces:
        raise FaultError(f"mail_flood knows no {what}")
    piece = pieces[what] if what == "line" else pieces[what] * 500
    sent = 0
    while sent < size and not talk.is_gone():
        await talk.write(piece)
        piece = b"x" * 4000 if what == "line" else piece
        sent += len(piece)
    await talk.gone()
    return False


@kind("mail", deliver=True)
async def mail_none(talk, line):
    """The reply as it is; for `delay`."""
    await talk.write(line + b"\r\n")
    return True

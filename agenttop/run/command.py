"""The commands that steer a run, the same from a key, a script or the prompt.

    users N|+N|-N [POOL]    rate N [POOL]    hold    resume    pause    next    release [POOL]    stop [now]    status

``pause`` toggles; ``resume`` ends both a hold and a pause.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

#: The words a command begins with and the form of what follows, for help and completion.
GRAMMAR = {
    "users": "N|+N|-N [POOL]",
    "rate": "N [POOL]",
    "hold": "",
    "resume": "",
    "pause": "",
    "next": "",
    "release": "[POOL]",
    "stop": "[now]",
    "status": "",
}


class CommandError(ValueError):
    """The text is no command; the message says what would be."""


class Command(msgspec.Struct, frozen=True):
    """One parsed command. ``value`` is absolute unless ``relative``."""

    op: str
    value: float | None = None
    relative: bool = False
    pool: str | None = None
    now: bool = False


def parse_command(text: str) -> Command:
    """Parse one command line.

    Raises:
        CommandError: it is none; the message says what is allowed.
    """
    words = text.split()
    if not words or words[0] not in GRAMMAR:
        raise CommandError(f"unknown command {text.strip()!r}; there are: {', '.join(GRAMMAR)}")
    op, *rest = words
    if op in ("users", "rate"):
        if not 1 <= len(rest) <= 2:
            raise CommandError(f"say: {op} {GRAMMAR[op]}")
        value, relative = _number(op, rest[0])
        return Command(op, value, relative, rest[1] if len(rest) == 2 else None)
    if op == "release" and len(rest) <= 1:
        return Command(op, pool=rest[0] if rest else None)
    if op == "stop" and rest in ([], ["now"]):
        return Command(op, now=bool(rest))
    if rest:
        raise CommandError(f"{op} takes nothing after it" if op != "stop" else "say: stop, or stop now")
    return Command(op)


def split_run(words: Sequence[str]) -> tuple[str | None, str]:
    """The RUN that may stand before a command, and the command.

    A word that begins a command is no RUN unless such a word follows: ``hold users 5`` is for a run called ``hold``.
    """
    if words and words[0] in GRAMMAR and (len(words) == 1 or words[1] not in GRAMMAR):
        return None, " ".join(words)
    return (words[0] if words else None), " ".join(words[1:])


def _number(op: str, word: str) -> tuple[float, bool]:
    relative = word[0] in "+-"
    try:
        value = float(word)
    except ValueError:
        raise CommandError(f"{word!r} is not a number; say: {op} {GRAMMAR[op]}") from None
    if not math.isfinite(value):
        raise CommandError(f"{word!r} is not a finite number")
    if op == "users":
        if value != int(value):
            raise CommandError(f"users are whole; {word!r} is not")
        if abs(value) > 1_000_000:
            raise CommandError("more than 1 000 000 users are not supported on one box")
    elif relative:
        raise CommandError("rate takes an absolute number")
    return value, relative

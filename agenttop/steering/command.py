"""The commands that steer a run, the same from a key, a script or the prompt.

    users N|+N|-N [POOL]    rate N [POOL]    hold    resume    pause    next    release [POOL]    stop [now]
    start    status
    plan STAGES|profile [POOL]    think DURATION[..DURATION]|profile [POOL]    pacing DURATION [POOL]
    on_429 count|honor|retry|profile [POOL]

``pause`` toggles; ``resume`` ends both a hold and a pause. STAGES are as in :mod:`agenttop.steering.plantext`.
``plan profile``, ``think profile`` and ``on_429 profile`` go back to what the profile says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from agenttop.profile.durations import parse_span
from agenttop.steering.plantext import PlanError, Row, parse_plan

#: The words a command begins with and the form of what follows, for help and completion.
GRAMMAR = {
    "users": "N|+N|-N [POOL]",
    "rate": "N [POOL]",
    "hold": "",
    "resume": "",
    "pause": "",
    "next": "",
    "release": "[POOL]",
    "plan": "STAGES|profile [POOL]",
    "think": "1s..3s|profile [POOL]",
    "pacing": "10s [POOL]",
    "on_429": "count|honor|retry|profile [POOL]",
    "stop": "[now]",
    "start": "",
    "status": "",
}


POLICIES = ("count", "honor", "retry")
#: The word for: as the profile says.
PROFILE = "profile"
MAX_PAUSE_S = 86_400.0
MAX_USERS = 1_000_000


class CommandError(ValueError):
    """The text is no command; the message says what would be."""


class Command(msgspec.Struct, frozen=True):
    """One parsed command. ``value`` is absolute unless ``relative``."""

    op: str
    value: float | None = None
    relative: bool = False
    pool: str | None = None
    now: bool = False
    rows: tuple[Row, ...] = ()
    """Of ``plan``; none: the profile's."""
    span: tuple[float, float] | None = None
    """Of ``think`` and ``pacing``, in seconds; None: the profile's."""
    word: str | None = None
    """Of ``on_429``; None: the profile's."""


def parse_command(text: str) -> Command:
    """Parse one command line.

    Raises:
        CommandError: it is none; the message says what is allowed.
    """
    words = text.split()
    if not words or words[0] not in GRAMMAR:
        raise CommandError(f"unknown command {text.strip()!r}; there are: {', '.join(GRAMMAR)}")
    op, *rest = words
    if op == "plan":
        return _plan(text.strip().removeprefix(op))
    if op in ("users", "rate", "think", "pacing", "on_429"):
        if not 1 <= len(rest) <= 2:
            raise CommandError(f"say: {op} {GRAMMAR[op]}")
        pool = rest[1] if len(rest) == 2 else None
        if op == "on_429":
            return Command(op, pool=pool, word=_policy(rest[0]))
        if op in ("think", "pacing"):
            return Command(op, pool=pool, span=_span(op, rest[0]))
        value, relative = _number(op, rest[0])
        return Command(op, value, relative, pool)
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


def _plan(text: str) -> Command:
    words = text.split()
    if not words:
        raise CommandError("say: plan STAGES [POOL], such as: plan rest, 2m 80, 5m step 80, 1m 0; or: plan profile")
    if words[0] == PROFILE and len(words) <= 2:
        return Command("plan", pool=words[1] if len(words) == 2 else None)
    try:
        rows, pool = parse_plan(text)
    except PlanError as error:
        raise CommandError(f"{error.plain}: plan{error.marked(text)}") from None
    return Command("plan", pool=pool, rows=rows)


def _policy(word: str) -> str | None:
    if word not in (*POLICIES, PROFILE):
        raise CommandError(f"{word!r} is no policy for 429s; say: on_429 {GRAMMAR['on_429']}")
    return None if word == PROFILE else word


def _span(op: str, word: str) -> tuple[float, float] | None:
    if word == PROFILE and op == "think":
        return None
    try:
        low, high = parse_span(word)
    except ValueError as error:
        raise CommandError(f"{error}; say: {op} {GRAMMAR[op]}") from None
    if high > MAX_PAUSE_S:
        raise CommandError("a pause is 24h at most")
    if op == "pacing" and not 0 < low == high:
        raise CommandError("pacing is one duration above 0s, such as 10s; think takes a range")
    return low, high


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
        if abs(value) > MAX_USERS:
            raise CommandError("more than 1 000 000 users are not supported on one box")
    elif relative:
        raise CommandError("rate takes an absolute number")
    return value, relative

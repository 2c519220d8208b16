"""Parses what follows the word of a command: one function for each form in the table (``commands``)."""

from __future__ import annotations

import math

import msgspec

from agenttop.schedule.quantities import MAX_PAUSE_S, MAX_USERS, MAX_WORD, excerpt, parse_span
from agenttop.steering.plantext import PlanError, Row, parse_plan

POLICIES = ("count", "honor", "retry")
#: The word for: as the profile says.
PROFILE = "profile"


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
    """Of ``plan``; empty: the profile's."""
    span: tuple[float, float] | None = None
    """Of ``think`` and ``pacing``, in seconds; None: the profile's."""
    word: str | None = None
    """Of ``on_429``; None: the profile's. Of ``box``: on or off."""
    box: str | None = None


# Each takes the command's word, the form of what follows it (for errors) and the text that does, and returns the
# command or raises CommandError.


def read_nothing(op: str, form: str, text: str) -> Command:
    """Return a command that takes nothing."""
    if text.strip():
        raise CommandError(f"{op} takes nothing after it")
    return Command(op)


def read_pool(op: str, form: str, text: str) -> Command:
    """Return a command for all pools, or for the one that is named."""
    words = text.split()
    if len(words) > 1:
        raise CommandError(f"{op} takes one pool at most; say: {op} {form}")
    return Command(op, pool=words[0] if words else None)


def read_now(op: str, form: str, text: str) -> Command:
    """Return a command that may be followed by ``now``."""
    words = text.split()
    if words not in ([], ["now"]):
        raise CommandError(f"say: {op}, or {op} now")
    return Command(op, now=bool(words))


def read_box(op: str, form: str, text: str) -> Command:
    """Return a command with the name of a box, and on or off."""
    words = text.split()
    if len(words) != 2 or words[1] not in ("off", "on"):
        raise CommandError(f"say: {op} {form}")
    return Command(op, word=words[1], box=words[0])


def read_users(op: str, form: str, text: str) -> Command:
    """Return a command with a whole number, absolute or relative, and a pool."""
    word, pool = _word_and_pool(op, form, text)
    value = _number(op, form, word)
    if value != int(value):
        raise CommandError(f"users are whole; {excerpt(word)} is not")
    if abs(value) > MAX_USERS:
        raise CommandError("more than 1 000 000 users are not supported on one box")
    return Command(op, value, word[0] in "+-", pool)


def read_rate(op: str, form: str, text: str) -> Command:
    """Return a command with an absolute number and a pool."""
    word, pool = _word_and_pool(op, form, text)
    value = _number(op, form, word)
    if word[0] in "+-":
        raise CommandError("rate takes an absolute number")
    return Command(op, value, pool=pool)


def read_think(op: str, form: str, text: str) -> Command:
    """Return a command with a range of durations, or the profile's, and a pool."""
    word, pool = _word_and_pool(op, form, text)
    return Command(op, pool=pool, span=None if word == PROFILE else _span(op, form, word))


def read_pacing(op: str, form: str, text: str) -> Command:
    """Return a command with one duration and a pool."""
    word, pool = _word_and_pool(op, form, text)
    low, high = _span(op, form, word)
    if not 0 < low == high:
        raise CommandError("pacing is one duration above 0s, such as 10s; think takes a range")
    return Command(op, pool=pool, span=(low, high))


def read_policy(op: str, form: str, text: str) -> Command:
    """Return a command with one of :data:`POLICIES`, or the profile's, and a pool."""
    word, pool = _word_and_pool(op, form, text)
    if word not in (*POLICIES, PROFILE):
        raise CommandError(f"{excerpt(word)} is no policy for 429s; say: {op} {form}")
    return Command(op, pool=pool, word=None if word == PROFILE else word)


def read_plan(op: str, form: str, text: str) -> Command:
    """Return a command with stages, or the profile's, and a pool."""
    words = text.split(None, 2)
    if not words:
        raise CommandError(f"say: {op} STAGES [POOL], such as: plan rest, 2m 80, 5m step 80, 1m 0; or: {op} profile")
    if words[0] == PROFILE and len(words) <= 2:
        return Command(op, pool=words[1] if len(words) == 2 else None)
    try:
        rows, pool = parse_plan(text)
    except PlanError as error:
        raise CommandError(f"{error.plain}: {op}{error.marked(text)}") from None
    return Command(op, pool=pool, rows=rows)


def _word_and_pool(op: str, form: str, text: str) -> tuple[str, str | None]:
    words = text.split()
    if not 1 <= len(words) <= 2:
        raise CommandError(f"say: {op} {form}")
    return words[0], words[1] if len(words) == 2 else None


def _number(op: str, form: str, word: str) -> float:
    try:
        value = float(word) if len(word) <= MAX_WORD else None
    except ValueError:
        value = None
    if value is None:
        raise CommandError(f"{excerpt(word)} is not a number; say: {op} {form}")
    if not math.isfinite(value):
        raise CommandError(f"{excerpt(word)} is not a finite number")
    return value


def _span(op: str, form: str, word: str) -> tuple[float, float]:
    try:
        low, high = parse_span(word)
    except ValueError as error:
        raise CommandError(f"{error}; say: {op} {form}") from None
    if high > MAX_PAUSE_S:
        raise CommandError("a pause is 24h at most")
    return low, high

"""Parses and formats quantities, and has the largest of each: durations, ranges of them, numbers, clocks.

The one place that knows how a duration is spelt and how long a name, a word or a command may be. A text's length is
looked at before any pattern sees it, and every pattern is matched at one place and never searched for, so what a text
costs grows with its length and not with the square of it. Standard library alone: profile, commands, command line,
screen and users' own scripts all read quantities.
"""

from __future__ import annotations

import math
import re

MAX_USERS = 1_000_000
"""The most users that one machine can be asked for."""
MAX_RATE = 1_000_000
"""Iterations per second of a pool."""
MAX_NAME = 120
"""Characters of a name: of a stage, a pool, a task, a row."""
MAX_WORD = 120
"""Characters of a number, a duration, a range or a percentage."""
MAX_EXPRESSION = 16_384
"""Characters of a threshold or a check."""
MAX_COMMAND = 32_768
"""Characters of a command: more than the longest plan has (100 stages, every letter of their names escaped)."""
MAX_DURATION_S = 366 * 86_400.0
MAX_PAUSE_S = 86_400.0
"""Of ``think`` and ``pacing``."""

NUMBER_PATTERN = r"[0-9]+(?:\.[0-9]+)?"
#: How a duration and a range are written, for JSON Schema and editors.
DURATION_PATTERN = rf"^((?:{NUMBER_PATTERN})(ms|s|m|h))+$"
SPAN_PATTERN = rf"^((?:{NUMBER_PATTERN})(ms|s|m|h))+(\.\.((?:{NUMBER_PATTERN})(ms|s|m|h))+)?$"

_NUMBER = re.compile(NUMBER_PATTERN)
_PART = re.compile(rf"({NUMBER_PATTERN})(ms|s|m|h)")
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_EXAMPLE = 'expected a duration such as "30s"'
_SHOWN = 60


def excerpt(value: object) -> str:
    """Return a value as an error may quote it: its ``repr``, of a long text the beginning and the length."""
    if isinstance(value, str) and len(value) > _SHOWN:
        return f"{value[:_SHOWN]!r}… ({len(value)} characters)"
    return repr(value)


def parse_number(text: str) -> float | None:
    """Return the number of a text such as ``80`` or ``2.5``: digits, no sign and no exponent; None if it is none."""
    return float(text) if len(text) <= MAX_WORD and _NUMBER.fullmatch(text) else None


def parse_duration(value: object) -> float:
    """Return the seconds of a text such as ``250ms``, ``2s``, ``1m30s`` or ``1h``; the number 0 is one, too.

    Raises:
        ValueError: it is none, is negative, or longer than :data:`MAX_DURATION_S`; the message quotes it.
    """
    if isinstance(value, float | int) and not isinstance(value, bool) and value == 0:
        return 0.0
    if not isinstance(value, str):
        raise ValueError(f"{_EXAMPLE}, not {value!r}")
    milliseconds = _milliseconds(value.strip()) if len(value) <= MAX_WORD else None
    if milliseconds is None:
        raise ValueError(f"{duration_wanted(value)}, not {excerpt(value)}")
    if milliseconds > MAX_DURATION_S * 1000:
        raise ValueError(f"the duration {excerpt(value)} is too long; 366 days are the most")
    return milliseconds / 1000


def parse_span(value: object) -> tuple[float, float]:
    """Return ``"2s..5s"`` or ``"2s"`` as (low, high) seconds.

    Raises:
        ValueError: it is neither, or low is above high; the message quotes it.
    """
    low, dots, high = value.partition("..") if isinstance(value, str) else (value, "", "")
    first = parse_duration(low)
    span = (first, parse_duration(high) if dots else first)
    if span[0] > span[1]:
        raise ValueError(f"the range {excerpt(value)} begins above its end")
    return span


def duration_wanted(value: object, example: str = _EXAMPLE) -> str:
    """Return what was expected instead of a value that is no duration."""
    if isinstance(value, str) and value[:MAX_WORD].lstrip().startswith("-"):
        return "a duration cannot be negative"
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{example}, with its unit"
    return example


def format_duration(seconds: float) -> str:
    """Return a duration to the millisecond: ``90.0`` is ``1m30s``. Only nothing at all is ``0s``."""
    if seconds <= 0:
        return "0s"
    whole, rest = divmod(max(round(seconds * 1000), 1), 1000)
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    pairs = ((hours, "h"), (minutes, "m"), (whole, "s"), (rest, "ms"))
    return "".join(f"{number}{unit}" for number, unit in pairs if number)


def format_span(span: tuple[float, float]) -> str:
    """Return a range of durations: ``2s..5s``, or ``2s`` where both ends are the same."""
    low, high = (format_duration(end) for end in span)
    return low if low == high else f"{low}..{high}"


def format_number(value: float) -> str:
    """Return a number of users or a rate without an exponent, to the millionth."""
    return str(round(value)) if value == round(value) else f"{value:.6f}".rstrip("0").rstrip(".")


def clock(seconds: float) -> str:
    """Return a time of a run: ``02:14``, or ``1:02:14`` from an hour on."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60:02}:{rest % 60:02}"


def _milliseconds(text: str) -> float | None:
    """Return the milliseconds of a duration, None if it is none. Each part is matched where the one before it ends."""
    total, at = 0.0, 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            return None
        total += float(part[1]) * _MILLISECONDS[part[2]]
        at = part.end()
    return total if at and math.isfinite(total) else None

"""What a grader is: a name, what it may be given, and a pure function from an answer to a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.schedule.quantities import parse_duration

#: Characters of a value or an answer that a reason quotes.
MAX_QUOTED = 60


class Verdict(NamedTuple):
    """What a grader found."""

    value: float | None
    """0 to 1; None: it cannot be told."""
    lacking: str = ""
    """Why points were lost, for the reader of a table; or why it cannot be told."""
    holding: str = ""
    """Why the ``not-`` form loses them."""


Check = Callable[[GraderSpec], str]
Grade = Callable[[GraderSpec, Case, Answer], Verdict]


@dataclass(frozen=True, slots=True)
class Grader:
    """A grader. Neither function does I/O, and ``grade`` raises on no answer whatever."""

    name: str
    check: Check
    """Returns what is wrong with what it was given, or nothing."""
    grade: Grade | None = None
    """None: a process does it (a judge, a user's own code)."""
    options: frozenset[str] = frozenset()
    """Keys beside ``type``, ``value``, ``weight`` and ``metric``."""
    tools: bool = False
    """It looks at tool calls: points it takes were lost because one was not made, or not so."""
    package: str = ""
    """A module of the extra that it needs."""


def quoted(value: object) -> str:
    """Return a value as a reason quotes it: in quotation marks, on one line, and short."""
    text = " ".join(plain(value).split())
    return f"“{text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + '…'}”"


def plain(value: object) -> str:
    """Return a value as text: a text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def wanted_text(spec: GraderSpec) -> str:
    """Return what is wrong with a value that has to be a text or a number, or nothing."""
    if isinstance(spec.value, bool) or not isinstance(spec.value, str | int | float) or spec.value == "":
        return f"{spec.type} needs a value that is text"
    return ""


def wanted_texts(spec: GraderSpec) -> str:
    """Return what is wrong with a value that has to be a list of texts, or nothing."""
    values = spec.value
    if not isinstance(values, list) or not values:
        return f'{spec.type} needs a value that is a list of texts, such as ["one", "two"]'
    if not all(
        isinstance(value, str | int | float) and not isinstance(value, bool) and value != "" for value in values
    ):
        return f"{spec.type} needs texts that are not empty in its list"
    return ""


def wanted_nothing(spec: GraderSpec) -> str:
    """Return what is wrong with a value where none is looked at, or nothing."""
    return "" if spec.value is None else f"{spec.type} has no value"


def is_number(value: object, low: float = 0.0, high: float = float("inf")) -> bool:
    """Return whether a value is a finite number of a range."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high and value < 1e15


def milliseconds(value: Any) -> float | None:
    """Return the milliseconds of ``"2s"``, or of a number, which is milliseconds already; None if it is neither."""
    if is_number(value):
        return float(value)
    try:
        return parse_duration(value) * 1000
    except ValueError:
        return None

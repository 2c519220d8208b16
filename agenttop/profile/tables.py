"""Walks through the tables of a normalised profile, in which any value may still be wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from agenttop.profile.normalise import Table
from agenttop.profile.problems import Loc
from agenttop.schedule.quantities import parse_duration


def tables(value: Any) -> list[Table]:
    """Return the tables of a list; what is none is an empty one in its place, so that indexes hold."""
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []


def steps_of(pool: Table, loc: Loc) -> Iterator[tuple[Loc, Table]]:
    """Yield every step of a pool, with its place."""
    for key in ("setup", "teardown"):
        for index, step in enumerate(tables(pool.get(key))):
            yield (*loc, key, index), step
    for number, task in enumerate(tables(pool.get("tasks"))):
        for index, step in enumerate(tables(task.get("steps"))):
            yield (*loc, "tasks", number, "steps", index), step


def number(value: Any) -> float:
    """Return a number; nan for what is none, which makes every comparison false."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def seconds(value: Any) -> float:
    """Return the seconds of a duration; nan for what is none."""
    try:
        return parse_duration(value)
    except ValueError:
        return math.nan

"""Reads graders as they are written in cases and steps: ``{"type": "contains", "value": "refund", "weight": 2}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from agenttop.expressions.nearest import nearest
from agenttop.quality.case import GraderSpec
from agenttop.quality.graders import graders
from agenttop.quality.graders.base import is_number

_COMMON = ("type", "value", "weight", "metric")
Say = Callable[[int, str], None]
"""Told of a problem: the index of the grader, the message."""


def read_graders(value: Any, say: Say) -> tuple[GraderSpec, ...]:
    """Return the graders of a list, without those that cannot be used, of which ``say`` is told.

    A grader that needs no more than its name may be a text: ``["is-json", "not-refusal"]``.
    """
    if not isinstance(value, list):
        say(0, 'graders is a list, such as [{"type": "contains", "value": "refund"}]')
        return ()
    found = (read_grader(item, partial(say, index)) for index, item in enumerate(value))
    return tuple(spec for spec in found if spec is not None)


def read_grader(item: Any, say: Callable[[str], None]) -> GraderSpec | None:
    """Return one grader, or None after ``say`` was told why not."""
    if isinstance(item, str):
        item = {"type": item}
    if not isinstance(item, dict):
        say('a grader is a table such as {"type": "contains", "value": "refund"}')
        return None
    name = item.get("type")
    if not isinstance(name, str) or not name:
        hint = nearest(next(iter(item), ""), ("type",)) if item else ""
        say(f'a grader needs a type, such as "contains"{hint}')
        return None
    return spec_of(name, item, say)


def spec_of(name: str, item: Mapping[str, Any], say: Callable[[str], None]) -> GraderSpec | None:
    """Return the grader of this name with the keys of ``item``, or None after ``say`` was told why not."""
    known = graders()
    base, negated = split_name(name)
    grader = known.get(base)
    if grader is None:
        say(f'unknown grader "{name}"{nearest(name, (*known, *(f"not-{one}" for one in known)))}')
        return None
    sound = True
    for key in item:
        if key not in _COMMON and key not in grader.options:
            say(f'{name} has no "{key}"{nearest(key, (*_COMMON, *grader.options))}')
            sound = False
    weight, metric = item.get("weight", 1.0), item.get("metric", "")
    if not is_number(weight):
        say("the weight of a grader is a number, 0 or more")
        sound = False
    if not isinstance(metric, str):
        say("the metric of a grader is the name of a column")
        sound = False
    options = {key: value for key, value in item.items() if key in grader.options}
    if not sound:
        return None
    spec = GraderSpec(base, item.get("value"), options, negated, float(weight), metric)
    fault = grader.check(spec)
    if fault:
        say(fault)
        return None
    return spec


def split_name(name: str) -> tuple[str, bool]:
    """Return a grader's name without ``not-``, and whether it was there."""
    return (name[4:], True) if name.startswith("not-") else (name, False)

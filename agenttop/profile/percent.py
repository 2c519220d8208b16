"""Parses shares, ``"5%"`` or ``0.05``, to a number from 0 to 1."""

from __future__ import annotations

import contextlib
import math
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from agenttop.schedule.quantities import MAX_WORD, NUMBER_PATTERN, parse_number

_EXAMPLE = 'expected a percentage such as "50%", or a number from 0 to 1'

#: How a percentage is written, for JSON Schema and editors.
PERCENT_PATTERN = rf"^{NUMBER_PATTERN}\s*%$"


def parse_percent(value: Any) -> float:
    """Return the share that a text or a number stands for.

    Raises:
        ValueError: it is none, or not from 0 to 1; the message names no value.
    """
    share = math.nan
    if isinstance(value, str) and len(value) <= MAX_WORD:
        text = value.strip()
        number = parse_number(text.removesuffix("%").rstrip()) if text.endswith("%") else None
        with contextlib.suppress(ValueError):
            share = float(text) if number is None else number / 100
    elif isinstance(value, float | int) and not isinstance(value, bool):
        share = float(value)
    if not 0 <= share <= 1:
        raise ValueError(_EXAMPLE)
    return share


def _percent(value: Any) -> float:
    try:
        return parse_percent(value)
    except ValueError as error:
        raise PydanticCustomError("wanted", "{text}", {"text": str(error)}) from None


def _above_zero(value: Any) -> float:
    share = _percent(value)
    if share == 0:
        raise PydanticCustomError("wanted", "{text}", {"text": "expected a percentage above zero"})
    return share


def _within(value: Any) -> float:
    share = _percent(value)
    if not 0 < share < 1:
        text = "expected a percentage above 0% and below 100%, which no number of requests can show"
        raise PydanticCustomError("wanted", "{text}", {"text": text})
    return share


_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string", "pattern": rf"{PERCENT_PATTERN}|\$\{{"},
            {"type": "number", "minimum": 0, "maximum": 1},
        ]
    }
)
#: More than nothing, up to all.
Percent = Annotated[float, BeforeValidator(_above_zero), _SCHEMA]
#: More than nothing, less than all.
InnerPercent = Annotated[float, BeforeValidator(_within), _SCHEMA]


def _resolution(value: Any) -> float | str:
    if isinstance(value, str) and "%" in value:
        _within(value)
        return value.strip()
    try:
        too_long = isinstance(value, str) and len(value) > MAX_WORD
        number = math.nan if too_long or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < math.inf:
        raise PydanticCustomError(
            "wanted", "{text}", {"text": 'expected a percentage such as "5%", or a number above 0'}
        )
    return number


#: A part of something, or a number of it.
Resolution = Annotated[
    float | str,
    BeforeValidator(_resolution),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": rf"{PERCENT_PATTERN}|\$\{{"},
                {"type": "number", "exclusiveMinimum": 0},
            ]
        }
    ),
]

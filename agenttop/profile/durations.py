"""Durations and ranges of them as keys of a profile: ``schedule.quantities`` as types for pydantic."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from agenttop.schedule.quantities import (
    DURATION_PATTERN,
    MAX_DURATION_S,
    SPAN_PATTERN,
    duration_wanted,
    parse_duration,
    parse_span,
)

_SPAN_EXAMPLE = 'expected a duration such as "2s" or a range such as "2s..5s"'
_TOO_LONG = "a duration is 366 days at most"


def shortened(text: str) -> str:
    """Return a text as a message quotes it: a number of a thousand digits is no help to anybody."""
    return text if len(text) <= 60 else f"{text[:56]}…{text[-1]}"


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and 0 <= value <= MAX_DURATION_S


def _from_file(info: ValidationInfo) -> bool:
    """Return whether values are from a file, where a bare number is an error (its unit would be a guess).

    Elsewhere numbers are seconds already.
    """
    return bool(info.context and info.context.get("file"))


def _duration(value: Any, info: ValidationInfo) -> float:
    if not _from_file(info) and _is_number(value):
        return float(value)
    try:
        return parse_duration(value)
    except ValueError as error:
        # The value is left out here, since it may be a secret; whoever reports the error adds it where it is none.
        text = _TOO_LONG if "too long" in str(error) else duration_wanted(value)
        raise PydanticCustomError("wanted", "{text}", {"text": text}) from None


def _span(value: Any, info: ValidationInfo) -> tuple[float, float]:
    if not _from_file(info) and isinstance(value, tuple | list) and len(value) == 2 and all(map(_is_number, value)):
        return float(value[0]), float(value[1])
    try:
        return parse_span(value)
    except ValueError as error:
        text = duration_wanted(value, _SPAN_EXAMPLE)
        if "begins above" in str(error):
            text = "the range begins above its end"
        elif "too long" in str(error):
            text = _TOO_LONG
        raise PydanticCustomError("wanted", "{text}", {"text": text}) from None


#: Seconds, written as a duration string.
Duration = Annotated[float, BeforeValidator(_duration), WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN})]
#: (low, high) seconds, written as a duration or a range of them.
Span = Annotated[
    tuple[float, float], BeforeValidator(_span), WithJsonSchema({"type": "string", "pattern": SPAN_PATTERN})
]

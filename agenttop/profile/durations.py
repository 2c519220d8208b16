"""``250ms``, ``2s``, ``1m30s``, ``1h`` and ranges of them, as seconds."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

_NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?)"
_PART = re.compile(rf"({_NUMBER})(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
#: As long as anything may last or be waited for: nothing that is computed from it overflows.
MAX_DURATION_S = 366 * 86_400.0
_TOO_LONG = "a duration is at most 8784h"
_EXAMPLE = 'expected a duration such as "30s"'
_SPAN_EXAMPLE = 'expected a duration such as "2s" or a range such as "2s..5s"'

#: How a duration is written, for JSON Schema and editors.
DURATION_PATTERN = rf"^({_NUMBER}(ms|s|m|h))+$"
SPAN_PATTERN = rf"^({_NUMBER}(ms|s|m|h))+(\.\.({_NUMBER}(ms|s|m|h))+)?$"


def parse_duration(value: Any) -> float:
    """Seconds of a duration string.

    Raises:
        ValueError: it is none, or negative; the message names the value.
    """
    if isinstance(value, float | int) and not isinstance(value, bool) and value == 0:
        return 0.0
    if not isinstance(value, str):
        raise ValueError(f"{_EXAMPLE}, not {value!r}")
    text = value.strip()
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{_wanted(value)}, not {value!r}")
    seconds = float(sum(float(number) * _SECONDS[unit] for number, unit in parts))
    if not seconds <= MAX_DURATION_S:
        raise ValueError(f"{_TOO_LONG}, not {shortened(value)!r}")
    return seconds


def parse_span(value: Any) -> tuple[float, float]:
    """``"2s..5s"`` or ``"2s"`` as (low, high) seconds.

    Raises:
        ValueError: it is neither, or low is above high; the message names the value.
    """
    low, dots, high = value.partition("..") if isinstance(value, str) else (value, "", "")
    first = parse_duration(low)
    span = (first, parse_duration(high) if dots else first)
    if span[0] > span[1]:
        raise ValueError(f"the range {value!r} begins above its end")
    return span


def format_duration(seconds: float) -> str:
    """A duration as a profile writes it, to the millisecond: ``90.0`` is ``1m30s``."""
    milliseconds = round(seconds * 1000)
    if milliseconds == 0:
        return "0s"
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    whole, rest = divmod(rest, 1000)
    pairs = ((hours, "h"), (minutes, "m"), (whole, "s"), (rest, "ms"))
    return "".join(f"{number}{unit}" for number, unit in pairs if number)


def format_span(span: tuple[float, float]) -> str:
    """A range as a profile writes it: ``2s..5s``, or ``2s`` where both ends are the same."""
    low, high = (format_duration(end) for end in span)
    return low if low == high else f"{low}..{high}"


def _wanted(value: Any, example: str = _EXAMPLE) -> str:
    if isinstance(value, str) and value.strip().startswith("-"):
        return "a duration cannot be negative"
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{example}, with its unit"
    return example


def shortened(text: str) -> str:
    """A text as a message quotes it: a number of a thousand digits is no help to anybody."""
    return text if len(text) <= 60 else f"{text[:56]}…{text[-1]}"


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and 0 <= value <= MAX_DURATION_S


def _from_file(info: ValidationInfo) -> bool:
    """In a file a bare number is an error, since its unit would be a guess; elsewhere numbers are seconds already."""
    return bool(info.context and info.context.get("file"))


def _duration(value: Any, info: ValidationInfo) -> float:
    if not _from_file(info) and _is_number(value):
        return float(value)
    try:
        return parse_duration(value)
    except ValueError as error:
        # The value is left out here, since it may be a secret; whoever reports the error adds it where it is none.
        text = _TOO_LONG if _TOO_LONG in str(error) else _wanted(value)
        raise PydanticCustomError("wanted", "{text}", {"text": text}) from None


def _span(value: Any, info: ValidationInfo) -> tuple[float, float]:
    if not _from_file(info) and isinstance(value, tuple | list) and len(value) == 2 and all(map(_is_number, value)):
        return float(value[0]), float(value[1])
    try:
        return parse_span(value)
    except ValueError as error:
        said = str(error)
        text = "the range begins above its end" if "above" in said else _wanted(value, _SPAN_EXAMPLE)
        text = _TOO_LONG if _TOO_LONG in said else text
        raise PydanticCustomError("wanted", "{text}", {"text": text}) from None


#: Seconds, written as a duration string.
Duration = Annotated[float, BeforeValidator(_duration), WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN})]
#: (low, high) seconds, written as a duration or a range of them.
Span = Annotated[
    tuple[float, float], BeforeValidator(_span), WithJsonSchema({"type": "string", "pattern": SPAN_PATTERN})
]

"""JSON in the text of an answer: the whole of it, or a piece."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

#: Places of a text that are tried as the beginning of JSON: a text of brackets alone must not take for ever.
MAX_TRIED = 200
_BEGIN = re.compile(r"[{\[]")
_FENCE = re.compile(r"^\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)
_DECODER = json.JSONDecoder()
NOTHING: tuple[bool, Any] = (False, None)


def whole_json(text: str) -> tuple[bool, Any]:
    """Return ``(True, value)`` where the whole text is JSON, else ``(False, None)``."""
    try:
        return True, msgspec.json.decode(text.strip().encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return NOTHING


def unfenced(text: str) -> str:
    """Return what is inside a block of code that is the whole text; else the text."""
    found = _FENCE.match(text)
    return found[1] if found else text


def pieces(text: str) -> list[Any]:
    """Return the tables and lists of JSON that stand in a text, outermost ones, in order."""
    found, value = whole_json(text)
    if found:
        return [value]
    values, at = [], 0
    for _ in range(MAX_TRIED):
        begin = _BEGIN.search(text, at)
        if begin is None:
            break
        try:
            value, at = _DECODER.raw_decode(text, begin.start())
            values.append(value)
        except (ValueError, RecursionError):
            at = begin.end()
    return values


def same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal: 1 is 1.0, and not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def covers(wanted: Any, given: Any) -> bool:
    """Return whether ``given`` has all that is wanted: of a table its keys, of a list its values in order."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        return all(key in given and covers(value, given[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(given, list):
        return len(wanted) == len(given) and all(map(covers, wanted, given))
    if isinstance(wanted, str) and isinstance(given, int | float) and not isinstance(given, bool):
        return wanted == str(given)  # models give "12345" for 12345, and the other way about
    if isinstance(given, str) and isinstance(wanted, int | float) and not isinstance(wanted, bool):
        return str(wanted) == given
    return same(wanted, given)

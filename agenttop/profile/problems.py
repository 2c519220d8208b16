"""Formats what is wrong with a profile so that its author knows what to change: a line each, all of them at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from agenttop.expressions.nearest import nearest
from agenttop.profile.durations import shortened
from agenttop.profile.keys import KNOWN, kind_of

#: Where a value stands: keys and indexes from the top of the file.
Loc = tuple[str | int, ...]

_EXPECTED = {
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_parsing_size": "expected a whole number of fewer digits",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "string_type": "expected text",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "list_type": "expected a list",
}
_HINTS = {
    "pools": "write [[pools]]",
    "stages": "write [[stages]]",
    "tasks": "write [[pools.tasks]]",
    "thresholds": 'write thresholds = ["latency p95 < 2s"]',
    "data": 'write data = { file = "prompts.jsonl" }',
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: ``str()`` is the line to print. ``key`` is "" for the file as a whole."""

    file: str
    key: str
    message: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return printable(": ".join(part for part in (place, self.key, self.message) if part))


class ProfileError(Exception):
    """A profile cannot be run; ``problems`` lists everything that keeps it from that."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem before it has a file: its place, in the words of the file, and the message."""

    loc: Loc
    message: str


def printable(text: str) -> str:
    """Return text of a profile as harmless data: what does not print is spelled out."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def key_text(loc: Loc) -> str:
    """Return a place as people write it: ``pools[0].tasks[1].weight``."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part.replace("_", "").replace("-", "").isalnum() and part.isascii()
            text += ("." if text else "") + (part if bare else json.dumps(part, ensure_ascii=False))
    return text


def value_at(tree: Any, loc: Loc) -> Any:
    """Return the value at a place, or None."""
    for part in loc:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return None
    return tree


def shown(value: Any) -> str:
    """Return a value for the end of a message: short, and on one line."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if hasattr(value, "isoformat"):
        return "a date or time"
    text = printable(json.dumps(value, ensure_ascii=False))
    return shortened(text)


def translate(error: ValidationError, raw: Any, masked: Any) -> list[Fault]:
    """Return pydantic's errors as faults. ``raw`` is the file with its secrets; values are shown from ``masked``,
    without.
    """
    faults = []
    for item in error.errors(include_url=False, include_input=False):
        loc = file_loc(item["loc"], raw)
        value, visible = value_at(raw, loc), value_at(masked, loc)
        message = _message(item["type"], item.get("ctx", {}), item["msg"], loc, secret=value != visible)
        if message.startswith(("expected", "a duration", "the range")) and value is not None:
            message += f", not {shown(visible)}"
        if item["type"] in ("list_type", "model_type", "dict_type") and loc and loc[-1] in _HINTS:
            message += f"; {_HINTS[str(loc[-1])]}"
        faults.append(Fault(loc, message))
    return faults


def _message(kind: str, context: Mapping[str, Any], text: str, loc: Loc, *, secret: bool) -> str:
    if kind == "extra_forbidden":
        return f"unknown key{nearest(str(loc[-1]), KNOWN[kind_of(loc[:-1])])}"
    if kind == "missing":
        return "is required" + ('; write target = "http://…" or give --target' if loc == ("target",) else "")
    if kind == "literal_error":
        return f"expected one of {str(context['expected']).replace(chr(39), chr(34))}"
    if kind == "greater_than_equal":
        return f"expected at least {context['ge']:g}"
    if kind == "greater_than":
        return f"expected more than {context['gt']:g}"
    if kind == "less_than_equal":
        return (
            f"expected at most {context['le']:.16g}" if context["le"] < 10**15 else f"expected at most {context['le']}"
        )
    if kind == "faulty":
        return str(context["plain"] if secret else context["text"])
    return _EXPECTED.get(kind, text)


def file_loc(loc: Loc, raw: Any) -> Loc:
    """Return a place of the model as a place of the file, whose short forms have fewer tables and other keys."""
    out: list[str | int] = []
    node = raw
    parts = list(loc)
    if parts[:1] == ["stages"] and isinstance(raw, dict) and "stages" not in raw:
        parts = parts[2:] or ["users"]
    while parts:
        part = parts.pop(0)
        if part == "[key]":
            continue
        if part == "steps" and parts[:1] == [0] and isinstance(node, dict) and "steps" not in node:
            parts.pop(0)
            continue
        own = value_at(node, ("steps", *parts)) is not None
        if part == "steps" and parts[1:2] == ["checks"] and not own and value_at(node, tuple(parts[1:])) is not None:
            parts.pop(0)  # a check of the task, made in each of its steps
            continue
        if part == "expression" and isinstance(node, str):
            continue
        if part in ("path", "method") and isinstance(node, dict) and part not in node:
            part = next((verb for verb in ("get", "post", "put", "patch", "delete") if verb in node), part)
        if isinstance(node, dict) and part not in node:  # header names are lower-case in the model
            part = next((key for key in node if str(key).lower() == part), part)
        out.append(part)
        node = value_at(node, (part,))
    return tuple(out)

"""Writes tables as TOML text. What tomllib reads back is equal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from agenttop.profile.numbers import LARGEST, SMALLEST

_BARE = re.compile(r"[A-Za-z0-9_-]+")
#: Lists of tables that get a heading each, and tables that get one: the rest is written in a line.
_ARRAYS = frozenset({"stages", "pools", "setup", "tasks", "steps", "teardown"})
_TABLES = frozenset(
    {
        "headers", "tls", "proxy", "measure", "objectives", "rate_limit", "budget", "circuit_breaker", "quality",
        "gate", "fleet", "checks", "data",
    }
)  # fmt: skip


def dumps(table: Mapping[str, Any]) -> str:
    """Return the text of a profile's tables.

    Raises:
        ValueError: a value has no form in TOML, such as None or half of a surrogate pair.
    """
    return "\n".join(_table(table, ())).strip("\n") + "\n"


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    arrays = {key: value for key, value in table.items() if _headed(key, value, _ARRAYS, list)}
    tables = {key: value for key, value in table.items() if _headed(key, value, _TABLES, dict)}
    # What stands after a heading belongs to it, so that plain keys come first.
    for key, value in table.items():
        if key not in arrays and key not in tables:
            yield f"{_indent(path)}{_key(key)} = {_value(value)}"
    for key, value in tables.items():
        yield ""
        yield f"{_indent((*path, key))}[{_name((*path, key))}]"
        yield from _table(value, (*path, key))
    for key, value in arrays.items():
        for item in value:
            yield ""
            yield f"{_indent((*path, key))}[[{_name((*path, key))}]]"
            yield from _table(item, (*path, key))


def _headed(key: str, value: Any, keys: frozenset[str], kind: type[Any]) -> bool:
    if key not in keys or not isinstance(value, kind) or not value:
        return False
    return kind is dict or all(isinstance(item, dict) and item for item in value)


def _indent(path: tuple[str, ...]) -> str:
    return "  " * max(0, len(path) - 1)


def _name(path: tuple[str, ...]) -> str:
    return ".".join(_key(part) for part in path)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if not SMALLEST <= value <= LARGEST:
            raise ValueError("TOML has no form for a whole number of more than 64 bits")
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    raise ValueError(f"TOML has no form for {type(value).__name__}")


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("TOML has no form for half of a surrogate pair") from None
    # JSON escapes what TOML's basic strings do, but for the last control character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")

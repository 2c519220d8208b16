"""Parses the fields ``RateLimit`` and ``RateLimit-Policy`` of all the IETF's drafts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# draft-ietf-httpapi-ratelimit-headers, whose values are structured fields (RFC 9651):
#
#     08 to 10    RateLimit: "default";r=50;t=30                   a list of items: remaining units, seconds
#                 RateLimit-Policy: "default";q=100;w=60           a list of items: quota, window in seconds
#     07          RateLimit: limit=100, remaining=50, reset=5      a dictionary
#     to 06       RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset: see ``quota``
#
# An item is a string; 09 has tokens in some examples. Parameters that are not named here are comments.

#: The name of a limit that has none, as most examples of the drafts have it.
DEFAULT = "default"
#: Characters of a field that are read; the rest is left out.
MAX_TEXT = 4096
_QUOTED = r'"(?:[^"\\]|\\.)*"'
#: One item or parameter with its separator; a quote that never closes reaches to the end.
_PIECE = re.compile(rf'((?:{_QUOTED}|"(?:[^"\\]|\\.)*\\?$|[^",;])*)([,;]|$)', re.DOTALL)
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{0,9})?", re.ASCII)
_ESCAPED = re.compile(r"\\(.)")


class ServiceLimit(NamedTuple):
    """One limit of a ``RateLimit`` field; None for what it does not tell."""

    name: str
    limit: int | None
    remaining: int | None
    reset_s: float | None


def parse_ratelimit(value: str) -> list[ServiceLimit]:
    """Return the limits of a ``RateLimit`` field of any draft. Never raises; what is malformed is left out."""
    found = []
    members: dict[str, str] = {}
    for item, parameters in _items(value):
        name, equals, number = item.partition("=")
        if equals and not item.startswith('"'):
            members.setdefault(name.strip().lower(), number)
        elif item:
            remaining, reset_s = count(parameters.get("r", "")), _seconds(parameters.get("t"))
            found.append(ServiceLimit(_name(item), None, remaining, reset_s))
    if members:
        limit, remaining = count(members.get("limit", "")), count(members.get("remaining", ""))
        found.append(ServiceLimit(DEFAULT, limit, remaining, _seconds(members.get("reset"))))
    return found


def parse_policies(value: str) -> dict[str, int]:
    """Return the quota of each policy of a ``RateLimit-Policy`` field by name; policies of old drafts have none."""
    found: dict[str, int] = {}
    for item, parameters in _items(value):
        quota = count(parameters.get("q", ""))
        if item and quota is not None:
            found.setdefault(_name(item), quota)
    return found


def count(text: str) -> int | None:
    """Return a number that is not below 0, its fraction cut; None if it is none."""
    text = text.strip()
    return int(float(text)) if _NUMBER.fullmatch(text) else None


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and _NUMBER.fullmatch(text.strip()) else None


def _items(value: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield every item of a list and its parameters; of one given twice the last counts (RFC 9651)."""
    value = value[:MAX_TEXT]
    item: str | None = None
    parameters: dict[str, str] = {}
    for text, separator in _PIECE.findall(value):
        if item is None:
            item = text.strip()
        else:
            key, _, number = text.partition("=")
            parameters[key.strip().lower()] = number.strip()
        if separator != ";":
            yield item, parameters
            item, parameters = None, {}


def _name(item: str) -> str:
    return _ESCAPED.sub(r"\1", item[1:].removesuffix('"')) if item.startswith('"') else item

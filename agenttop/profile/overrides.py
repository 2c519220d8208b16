"""Writes ``--set KEY=VALUE`` and other overrides into a file's tables, before anything is checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from agenttop.expressions.nearest import nearest
from agenttop.profile.numbers import TOO_LARGE
from agenttop.profile.problems import Fault, Loc
from agenttop.schedule.quantities import MAX_DURATION_S, MAX_NAME, format_duration

_KEY = re.compile(r'"([^"]*)"|([^."=\s]+)')
#: Held "until told otherwise" where nothing says how long.
OPEN_END_S = 86_400.0
#: Parts of a key: the longest of a profile have seven.
MAX_DEPTH = 32


class OverrideError(ValueError):
    """An override cannot be applied; the message says why."""


def parse_set(text: str) -> tuple[list[str], Any]:
    """Split ``KEY=VALUE`` into the parts of its key and its value: TOML if it is TOML, else text.

    Raises:
        OverrideError: it has no key or no ``=``, or its value holds a number that is too large.
    """
    parts: list[str] = []
    at = 0
    while (match := _KEY.match(text, at, at + MAX_NAME + 2)) and len(parts) < MAX_DEPTH:
        parts.append(match[1] if match[1] is not None else match[2])
        at = match.end()
        if text[at : at + 1] != ".":
            break
        at += 1
    if not parts or text[at : at + 1] != "=":
        raise OverrideError("expected KEY=VALUE, such as pools.chat.think_time=1s")
    return parts, toml_value(text[at + 1 :])


def toml_value(text: str) -> Any:
    """Return the value a text has in TOML, else the text itself.

    Raises:
        OverrideError: it holds a number of more digits than are read.
    """
    try:
        document = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    except ValueError:
        raise OverrideError(TOO_LARGE) from None
    return document["value"] if len(document) == 1 else text


def apply(tree: dict[str, Any], parts: Sequence[str], value: Any) -> Loc:
    """Write a value into the tables of a profile and return where it went. Items of lists go by name or index."""
    node: Any = tree
    loc: list[str | int] = []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        step: Any = _index(node, part, loc) if isinstance(node, list) else part
        loc.append(step)
        if last:
            node[step] = value
        elif isinstance(node, list):
            node = node[step]
        else:
            node = node.setdefault(step, {})
        if not last and not isinstance(node, dict | list):
            raise OverrideError(f"{'.'.join(parts[: index + 1])} is not a table")
    return tuple(loc)


def _index(items: list[Any], part: str, loc: Sequence[str | int]) -> int:
    what = str(loc[-1]) if loc else "list"
    names = [str(item["name"]) for item in items if isinstance(item, dict) and "name" in item]
    for index, item in enumerate(items):
        if isinstance(item, dict) and item.get("name") == part:
            return index
    if part.isascii() and part.isdigit() and len(part) < 10 and int(part) < len(items):
        return int(part)
    there = f"there are {', '.join(names)}" if names else f"there are {len(items)}, counted from 0"
    raise OverrideError(f'none of the {what} is called "{part}"; {there}{nearest(part, names)}')


def deep_update(tree: dict[str, Any], changes: Mapping[str, Any], loc: Loc = ()) -> list[Loc]:
    """Write nested changes into tables and return where each went."""
    places: list[Loc] = []
    for key, value in changes.items():
        below = tree.setdefault(key, {}) if isinstance(value, Mapping) else None
        if isinstance(value, Mapping) and isinstance(below, dict):
            places += deep_update(below, value, (*loc, key))
        else:
            tree[key] = value
            places.append((*loc, key))
    return places


def stages_for(users: int, spawn_rate: float | None, run_for: float | None) -> list[dict[str, Any]]:
    """Return the stages of ``--users``: ``spawn_rate`` users a second up to ``users``, then held.

    As in Locust one begins at once, and each further one 1/``spawn_rate`` later: a slow ramp has a stage of its first
    user (of a fast one that comes within half a second anyway). They are held until ``run_for`` seconds from the start,
    else for a day, which is to say until somebody stops it.
    """
    ramp = users / spawn_rate if spawn_rate else 0.0
    held = OPEN_END_S if run_for is None else max(run_for - ramp, 0.0)
    stages: list[dict[str, Any]] = []
    if spawn_rate and spawn_rate < 1:
        # Whole users are the line's value with halves rounded up, so that it begins where half of the wait is over.
        alone, ramp = 0.5 / spawn_rate, (users - 1) / spawn_rate
        held = OPEN_END_S if run_for is None else max(run_for - alone - ramp, 0.0)
        stages.append({"duration": format_duration(alone), "users": 1, "ramp": "step", "name": "first user"})
    if ramp:
        stages.append({"duration": format_duration(ramp), "users": users, "name": "spawn"})
    if held or not ramp:
        stages.append({"duration": format_duration(held), "users": users, "ramp": "step", "name": "hold"})
    return stages


def check_users(users: int | None, spawn_rate: float | None) -> list[Fault]:
    """Return what is wrong with ``--users`` and ``--spawn-rate`` together."""
    if users is None:
        return [Fault(("--spawn-rate",), "needs --users as well")] if spawn_rate is not None else []
    faults = []
    if users < 1:
        faults.append(Fault(("--users",), "expected at least 1"))
    if spawn_rate is not None and not 0 < spawn_rate < float("inf"):
        faults.append(Fault(("--spawn-rate",), "expected a number of users per second above 0"))
    elif spawn_rate is not None and users / spawn_rate > MAX_DURATION_S:
        faults.append(Fault(("--spawn-rate",), "so many users would take more than 366 days to begin; raise it"))
    return faults

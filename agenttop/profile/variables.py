"""Whether every ``{variable}`` has a value by the time it is sent: built in, saved in setup, or earlier in its task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agenttop.profile.normalise import Table
from agenttop.profile.problems import Fault, Loc, nearest
from agenttop.profile.template import BUILT_IN, TemplateError, Variable, parse

_TEMPLATES = ("path", "connect", "send", "json", "body", "form", "query", "headers")


def check_variables(data: Table) -> Iterator[Fault]:
    """Faults in the templates of a normalised profile."""
    yield from _headers(data, ())
    for index, pool in enumerate(_tables(data.get("pools"))):
        loc: Loc = ("pools", index)
        yield from _headers(pool, loc)
        tasks = _tables(pool.get("tasks"))
        elsewhere = {
            name: str(task.get("name"))
            for task in tasks
            for step in _tables(task.get("steps"))
            for name in _saved(step)
        }
        known = yield from _steps(pool.get("setup"), set(BUILT_IN), (*loc, "setup"), elsewhere)
        for number, task in enumerate(tasks):
            yield from _steps(task.get("steps"), set(known), (*loc, "tasks", number, "steps"), elsewhere)
        yield from _steps(pool.get("teardown"), set(known), (*loc, "teardown"), elsewhere)


def _steps(steps: Any, known: set[str], loc: Loc, elsewhere: dict[str, str]) -> Any:
    """Faults of some steps in their order; returns what is known after them."""
    for index, step in enumerate(_tables(steps)):
        for key in _TEMPLATES:
            for place, text in texts(step.get(key), (*loc, index, key)):
                yield from _text(text, place, known, elsewhere)
        for name in _saved(step):
            if name in BUILT_IN:
                yield Fault((*loc, index, "save", name), f"{{{name}}} is built in; save under another name")
        known |= _saved(step)
    return known


def _headers(table: Table, loc: Loc) -> Iterator[Fault]:
    for place, text in texts(table.get("headers"), (*loc, "headers")):
        for fault in _text(text, place, BUILT_IN, {}):
            hint = "; saved ones can stand in the headers of a step" if "unknown variable" in fault.message else ""
            yield Fault(fault.loc, fault.message + hint)


def _text(text: str, loc: Loc, known: set[str] | frozenset[str], elsewhere: dict[str, str]) -> Iterator[Fault]:
    seen: set[str] = set()
    try:
        for piece in parse(text):
            if isinstance(piece, Variable) and piece not in known and piece not in seen:
                seen.add(piece)
                yield Fault(loc, _unknown(piece, known, elsewhere))
    except TemplateError as error:
        yield Fault(loc, str(error))


def _unknown(name: str, known: set[str] | frozenset[str], elsewhere: dict[str, str]) -> str:
    if name in elsewhere:
        where = f'only the task "{elsewhere[name]}" saves it'
        return f"unknown variable {{{name}}} here: {where}, later or not at all; save it in setup or in an earlier step"
    return f"unknown variable {{{name}}}{nearest(name, known)} (known here: {', '.join(sorted(known))})"


def texts(value: Any, loc: Loc) -> Iterator[tuple[Loc, str]]:
    """Every text of a value with its place, the names of its tables among them."""
    if isinstance(value, str):
        yield loc, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*loc, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield (*loc, key), key
            yield from texts(item, (*loc, key))


def _saved(step: Table) -> set[str]:
    save = step.get("save")
    return set(save) if isinstance(save, dict) else set()


def _tables(value: Any) -> list[Table]:
    """The tables of a list; what is none stays in its place, empty, so that indexes hold."""
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []

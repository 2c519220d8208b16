"""Checks that every ``{variable}`` has a value by the time it is sent.

It is built in, a column of its data, saved in setup, or earlier in its task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agenttop.expressions.nearest import nearest
from agenttop.profile.normalise import Table
from agenttop.profile.problems import Fault, Loc
from agenttop.profile.tables import tables
from agenttop.profile.template import BUILT_IN, TemplateError, Variable, parse

#: Stands for the columns of a file that could not be read: nothing is unknown where they are.
ANY = "*"
_NONE: frozenset[str] = frozenset()
_TEMPLATES = ("path", "connect", "send", "json", "body", "form", "query", "headers")


def check_variables(data: Table, columns: Mapping[Loc, frozenset[str]]) -> Iterator[Fault]:
    """Yield faults in the templates of a normalised profile; ``columns`` are variables, by the place of their
    ``data``.
    """
    yield from _headers(data, (), BUILT_IN)
    for index, pool in enumerate(tables(data.get("pools"))):
        loc: Loc = ("pools", index)
        given = columns.get((*loc, "data"), _NONE)
        yield from _headers(pool, loc, BUILT_IN | given)
        tasks = tables(pool.get("tasks"))
        elsewhere = {
            name: str(task.get("name")) for task in tasks for step in tables(task.get("steps")) for name in _saved(step)
        }
        known = yield from _steps(pool.get("setup"), set(BUILT_IN | given), (*loc, "setup"), elsewhere, given)
        for number, task in enumerate(tasks):
            place: Loc = ("pools", index, "tasks", number)
            own = columns.get((*place, "data"), _NONE)
            yield from _replaced(own & known, (*place, "data"))
            case = columns.get((*place, "graded"), _NONE)
            yield from _saved_as_of_case(case & known, (*place, "graded"))
            own |= case
            results = task.get("tool_results")
            for tool, result in results.items() if isinstance(results, dict) else ():
                for where, text in texts(result, (*place, "tool_results", tool)):
                    yield from _text(text, where, known | own, elsewhere)
            yield from _steps(task.get("steps"), known | own, (*place, "steps"), elsewhere, given | own)
        yield from _steps(pool.get("teardown"), set(known), (*loc, "teardown"), elsewhere, given)


def _replaced(names: set[str] | frozenset[str], loc: Loc) -> Iterator[Fault]:
    """Yield a fault if a row of a task replaces variables that the session still needs. Built-in names are faults of
    the file.
    """
    lost = sorted(names - BUILT_IN - {ANY})
    if lost:
        each = ", ".join(f"{{{name}}}" for name in lost)
        yield Fault(loc, f"its columns would replace {each} of setup or of the pool's data; give them other names")


def _saved_as_of_case(names: set[str] | frozenset[str], loc: Loc) -> Iterator[Fault]:
    """Yield a fault if a column of a case replaces a variable of the session."""
    for name in sorted(names - BUILT_IN - {ANY}):
        yield Fault(loc, f"{{{name}}} of a case would replace that of setup or of the pool's data; rename that")


def _steps(steps: Any, known: set[str], loc: Loc, elsewhere: dict[str, str], columns: frozenset[str]) -> Any:
    """Yield the faults of some steps in their order; return what is known after them."""
    for index, step in enumerate(tables(steps)):
        for key in _TEMPLATES:
            for place, text in texts(step.get(key), (*loc, index, key)):
                yield from _text(text, place, known, elsewhere)
        for name in _saved(step):
            if name in BUILT_IN:
                yield Fault((*loc, index, "save", name), f"{{{name}}} is built in; save under another name")
            elif name in columns:
                yield Fault(
                    (*loc, index, "save", name),
                    f"{{{name}}} is a column of data; save under another name",
                )
        known |= _saved(step)
    return known


def _headers(table: Table, loc: Loc, known: frozenset[str]) -> Iterator[Fault]:
    for place, text in texts(table.get("headers"), (*loc, "headers")):
        for fault in _text(text, place, known, {}):
            hint = "; saved ones can stand in the headers of a step" if "unknown variable" in fault.message else ""
            yield Fault(fault.loc, fault.message + hint)


def _text(text: str, loc: Loc, known: set[str] | frozenset[str], elsewhere: dict[str, str]) -> Iterator[Fault]:
    seen: set[str] = set()
    try:
        for piece in parse(text):
            if isinstance(piece, Variable) and not {piece, ANY} & known and piece not in seen:
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
    """Yield every text of a value with its place, the names of its tables included."""
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

"""Checks tasks with ``history``: the client of their dialect sends the conversation along, and requests say where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agenttop.dialects import DIALECTS
from agenttop.dialects.dialect import SAVE
from agenttop.dialects.transcript import Transcript
from agenttop.profile.normalise import Table
from agenttop.profile.problems import Fault, Loc
from agenttop.profile.tables import tables

_SOCKET = DIALECTS["openai.realtime"].instead_of_history
_KEYS = ("history_turns", "tool_results")


def check_conversations(pool: Table, loc: Loc, data: Table) -> Iterator[Fault]:
    """Yield the faults of a normalised pool's tasks."""
    usual = pool.get("dialect", data.get("dialect", "json"))
    spoken: dict[str, Loc] = {}
    for index, task in enumerate(tables(pool.get("tasks"))):
        place: Loc = (*loc, "tasks", index)
        if not task.get("history"):
            for key in (key for key in _KEYS if key in task):
                yield Fault((*place, key), "goes with history = true")
            continue
        if pool.get("protocol") == "ws":
            yield Fault((*place, "history"), f"the target keeps what was said; {_SOCKET}")
            continue
        dialects = yield from _turns(task, place, usual)
        if task["history"] != "task":
            spoken |= dict.fromkeys(dialects, place)
    if len(spoken) > 1:
        both = " and ".join(spoken)
        text = f'one conversation cannot be in {both}; write history = "task", or use a pool for each'
        yield Fault((*list(spoken.values())[-1], "history"), text)


def _turns(task: Table, loc: Loc, usual: Any) -> Any:
    """Yield the faults of the requests that are turns; return their dialects."""
    found: dict[str, None] = {}
    for index, step in enumerate(tables(task.get("steps"))):
        dialect = step.get("dialect", usual)
        form = _form(dialect)
        if form is not None:
            found[dialect] = None
            yield from _request(step, (*loc, "steps", index, "json"), form, repeats=task["history"] != "task")
        elif dialect == usual:
            yield Fault((*loc, "history"), _refusal(dialect))
            return found
    if not found:
        yield Fault((*loc, "history"), _refusal(usual))
    return found


def _form(dialect: Any) -> type[Transcript] | None:
    """Return the transcript of a dialect; None if its client does not keep the conversation."""
    spoken = DIALECTS.get(dialect) if isinstance(dialect, str) else None
    return None if spoken is None else spoken.transcript


def _refusal(dialect: Any) -> str:
    spoken = DIALECTS.get(dialect) if isinstance(dialect, str) else None
    if spoken is not None and spoken.instead_of_history:
        return f"the target keeps what was said in dialect {dialect}; {spoken.instead_of_history}"
    known = ", ".join(name for name, each in DIALECTS.items() if each.transcript is not None)
    return f"dialect {dialect} has no form for it; write {SAVE}, or one of the dialects {known}"


def _request(step: Table, loc: Loc, form: type[Transcript], *, repeats: bool) -> Iterator[Fault]:
    key = form.key
    body = step.get("json")
    given = body.get(key) if isinstance(body, dict) else None
    if isinstance(given, str) and form.takes_text:
        given = []
    if not isinstance(given, list) or not all(isinstance(turn, dict) for turn in given):
        place = (*loc, key) if isinstance(body, dict) else loc
        turns = f"{key} = [ {{ role = …, content = … }} ]"
        text = f'history goes before the new turns: write them as {turns}; a step that is no turn has dialect = "json"'
        yield Fault(place, text)
        return
    assert isinstance(body, dict)
    for name in form.kept_there:
        if name in body:
            yield Fault((*loc, name), "makes the target keep what was said; leave history or this out")
    for index, turn in enumerate(given if form.numbered and repeats else ()):
        if isinstance(identity := turn.get("id"), str) and "{" not in identity:
            text = "would be the same in every turn; leave it out, and each message gets its own"
            yield Fault((*loc, key, index, "id"), text)

"""Requests that can be sent, and hardly do what was meant: warnings, for what a target makes of them is its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from agenttop.dialects import DIALECTS
from agenttop.profile.checks import compile_check
from agenttop.profile.fields import saved_header
from agenttop.profile.model import Pool, Profile, Step, Task
from agenttop.profile.problems import Loc
from agenttop.profile.template import TemplateError, Variable, parse
from agenttop.profile.variables import texts

#: Names of what holds a conversation together, in a body, a query or a header.
_ID = re.compile(
    r"(?i)(?:^|[^a-z])(?:threads?|sessions?|conversations?|chat|context|dialog)(?:[^a-z]?(?:id|key|uuid))?$"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: New with every request, and with every task.
_PER_REQUEST = frozenset({"uuid", "random", "now"})
_PER_TASK = _PER_REQUEST | {"iteration", "iteration_uuid"}


def step_warnings(profile: Profile) -> Iterator[str]:
    """Warnings about the steps of a resolved profile."""
    for pool in profile.pools:
        for part, steps in (("setup", pool.setup), ("teardown", pool.teardown)):
            for step in steps:
                yield from _of_stream(profile, pool, step, part)
        for task in pool.tasks:
            for step in task.steps:
                yield from _of_stream(profile, pool, step, "tasks")
                yield from _of_conversation(profile, pool, task, step)


def _of_stream(profile: Profile, pool: Pool, step: Step, part: str) -> Iterator[str]:
    if step.method is None:
        return
    row = f"{pool.name}/{step.name}"
    spoken = DIALECTS[step.dialect or pool.dialect or profile.dialect]
    asked = spoken.asks_to_stream and isinstance(step.json_, dict) and step.json_.get("stream") is True
    expected = pool.streams(step, part)
    if (
        expected
        and spoken.asks_to_stream
        and not (step.body or (isinstance(step.json_, dict) and step.json_.get("stream")))
    ):
        yield f"{row} does not ask for a stream: write stream = true into its json"
    says_none = step.stream is False or (step.stream is None and step.protocol == "http")
    if says_none and asked:
        written = "stream = false" if step.stream is False else 'protocol = "http"'
        yield f"{row} asks for a stream, and {written} says that its answer is none"
    if not expected and (not asked or says_none):
        return
    remedy = 'write stream = false (or protocol = "http") into the step where its answer is JSON'
    paths = [name for name, text in step.save.items() if saved_header(text) is None]
    if paths:
        yield f"{row} saves {paths[0]} from JSON, and its answer is to be a stream, which has none: {remedy}"
    reading = [name for name, text in step.checks.items() if compile_check(text).needs_json]
    if reading:
        yield f'{row}: the check "{reading[0]}" reads JSON, and its answer is to be a stream, which has none: {remedy}'


def _of_conversation(profile: Profile, pool: Pool, task: Task, step: Step) -> Iterator[str]:
    """A conversation that its client keeps (``history``), under another id with every turn: many, to the target."""
    form = DIALECTS[step.dialect or pool.dialect or profile.dialect].transcript
    if not task.history or form is None:
        return
    changing = _PER_REQUEST if task.history == "task" else _PER_TASK
    for loc, text in _ids(profile, pool, step, (form.key, *form.fixed)):
        found = next((name for name in _variables(text) if name in changing), None)
        if found is not None:
            instead = "iteration_uuid" if task.history == "task" else "session_uuid"
            where = ".".join(map(str, loc))
            yield (
                f"{pool.name}/{step.name}: {where} is another one with every turn of its conversation, for {{{found}}} "
                f"is new each time; write {{{instead}}}"
            )
            return


def _ids(profile: Profile, pool: Pool, step: Step, fixed: tuple[str, ...]) -> Iterator[tuple[Loc, str]]:
    """What names the conversation: the path, and whatever is called like an id of one."""
    yield ("path",), step.path
    body = {key: value for key, value in step.json_.items() if key not in fixed} if isinstance(step.json_, dict) else {}
    headers = profile.headers | pool.headers | step.headers
    for place, value in (("json", body), ("query", step.query), ("form", step.form or {}), ("headers", headers)):
        for loc, text in texts(value, (place,)):
            if _is_id(loc[-1]):
                yield loc, text


def _is_id(name: Any) -> bool:
    return isinstance(name, str) and _ID.search(_CAMEL.sub("_", name)) is not None


def _variables(text: str) -> list[str]:
    try:
        return [str(piece) for piece in parse(text) if isinstance(piece, Variable)]
    except TemplateError:
        return []

"""Compiles graded tasks: the cases they ask, and readers that keep what is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from agenttop.dialects import DIALECTS
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.heard import Heard
from agenttop.dialects.heard_json import Find, JsonHeard, Place
from agenttop.dialects.transcripts import Transcribed
from agenttop.expressions.jsonpath import compile_calls, compile_path
from agenttop.profile.measured import event_and_path
from agenttop.profile.model import Measure, Pool, Profile, Step, Task
from agenttop.profile.quality import cases_of, used_in, variables_of
from agenttop.profile.rows import Rows
from agenttop.users.compiled import CompiledStep, Questions
from agenttop.users.layout import is_request
from agenttop.users.terms import price_of

#: Variables of a case that are JSON.
RAW = ("messages",)


def questions_of(profile: Profile, pool: Pool, task: Task) -> Questions:
    """Return the cases of a graded task."""
    used = used_in([step.model_dump() for step in task.steps] + [task.tool_results])
    cases = cases_of(profile)
    known = [variables_of(case) for case in cases]
    columns = tuple(sorted(used & {name for case in known for name in case}))
    rows = Rows(columns or ("id",))
    for case in known:
        rows.append(case.get(column, "") for column in rows.columns)
    numbers = iter(range(len(task.steps)))
    graded = tuple(next(numbers) if is_graded else -1 for is_graded in _graded(task.steps))
    return Questions(pool.name, task.name, tuple(case.id for case in cases), rows, graded, price_of(profile))


def graded_steps(
    profile: Profile, pool: Pool, task: Task, compiled: Sequence[CompiledStep], plain: Sequence[CompiledStep]
) -> tuple[CompiledStep, ...]:
    """Return the steps of a task with readers that keep what graded ones are answered.

    ``plain`` are the same steps before they became turns of a conversation, whose readers keep it already.
    """
    if not task.graded:
        return tuple(compiled)
    found = []
    for step, before, written, is_graded in zip(compiled, plain, task.steps, _graded(task.steps), strict=True):
        if is_graded and step.turn is None:
            name = written.dialect or pool.dialect or profile.dialect
            made = _collector(task, DIALECTS[name], pool.measure or profile.measure)
            step = replace(step, dialect=Transcribed(before.dialect, made), lean=False, reads_body=True)
        found.append(step)
    return tuple(found)


def _graded(steps: Sequence[Step]) -> list[bool]:
    """Return which steps are graded: those with graders, or the last that is answered."""
    own = [step.graders is not None for step in steps]
    if not any(own):
        last = max(index for index, step in enumerate(steps) if is_request(step) and step.connect is None)
        own[last] = True
    return own


def _collector(task: Task, dialect: type[Dialect], measure: Measure) -> Callable[[], Heard]:
    inner = dialect.collector()
    if inner is not None and task.answer is None:
        return inner
    path = task.answer or measure.first_token
    assert path is not None  # as every profile that was loaded has it
    text = None if path == "body" else _place(path, _every)
    if inner is not None:
        return partial(JsonHeard, text, None, inner)
    calls = _place(measure.tool_calls, _whole) if measure.tool_calls else None
    finish = _place(measure.finish, _every) if measure.finish else None
    return partial(JsonHeard, text, calls, None, finish)


def _place(written: str, find: Callable[[str], Find]) -> Place:
    """Return where a path of ``[measure]`` looks; ``find`` makes of its JSONPath what finds it."""
    event, path = event_and_path(written)
    return Place(find(path or "$"), None if event is None else event.encode(), event is not None and not path)


def _every(path: str) -> Find:
    """Return what finds every match of a path; of a length what has it."""
    return _whole(path) if path.lstrip().startswith("length") else compile_path(path).find


def _whole(path: str) -> Find:
    """Return what finds what a path does, or has the length of, as the only match."""
    first = compile_calls(path)

    def find(value: Any) -> list[Any]:
        found, match = first(value)
        return [match] if found else []

    return find

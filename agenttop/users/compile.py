"""Compiles a profile into what virtual users need (``compiled``): everything that never changes becomes bytes.
here on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import accumulate, count

from agenttop.dialects.transcripts import Transcribed
from agenttop.metrics.layout import Layout
from agenttop.profile.model import Pool, Profile, Step, Task
from agenttop.profile.script import ScriptedPool
from agenttop.schedule.control import Pauses
from agenttop.users.compiled import CompiledPool, CompiledStep, CompiledTask
from agenttop.users.feeder import Feeds
from agenttop.users.history import compile_turn
from agenttop.users.layout import layout_of as layout_of
from agenttop.users.layout import steps_of as steps_of
from agenttop.users.policy import policy_of
from agenttop.users.questions import RAW, graded_steps, questions_of
from agenttop.users.sessions import within_session
from agenttop.users.shared import PoolShared
from agenttop.users.step import MADE_PER_REQUEST, compile_step, per_request
from agenttop.users.tuning import tuned
from agenttop.users.user import VirtualUser
from agenttop.wire.target import parse_target


def compile_pools(profile: Profile, layout: Layout) -> list[CompiledPool]:
    """Compile every pool. The profile has been validated, so nothing here is an error of the user's.

    Raises:
        DataError: a data file has changed since.
    """
    feeds = Feeds()
    rows = {(row.pool, row.name): index for index, row in enumerate(layout.requests)}
    compiled = [_compile_pool(profile, pool, index, rows, feeds) for index, pool in enumerate(profile.pools)]
    return [
        tuned(_scripted(each, pool), Pauses(pool.think_time, pool.pacing), policy_of(profile, pool=pool))
        for each, pool in zip(compiled, profile.pools, strict=True)
    ]


def _scripted(compiled: CompiledPool, pool: Pool) -> CompiledPool:
    """Return the pool with the tasks of its class; unchanged if it has none."""
    if not isinstance(pool, ScriptedPool):
        return compiled
    chosen = [task for task in pool.script.tasks if task.weight > 0]
    return replace(
        compiled,
        tasks=tuple(CompiledTask(task.method, (), (0.0, 0.0)) for task in chosen),
        renews=True,
        own_ids=True,
        scripted=True,
        _weights=list(accumulate(task.weight for task in chosen)),
    )


def makers_of(
    profile: Profile, layout: Layout, compiled: list[CompiledPool]
) -> dict[int, Callable[[PoolShared, int], VirtualUser]]:
    """Return what makes the users of pools whose life is written in Python, by the pool's index.

    Raises:
        ScriptError: a Python file has changed.
    """
    if not any(pool.scripted for pool in compiled):
        return {}
    from agenttop.users.script import maker_of  # which most runs need not import

    rows = {(row.pool, row.name): index for index, row in enumerate(layout.requests)}
    return {pool.index: maker_of(profile, pool, rows) for pool in compiled if pool.scripted}


def _compile_pool(
    profile: Profile, pool: Pool, index: int, rows: dict[tuple[int, str], int], feeds: Feeds
) -> CompiledPool:
    target = parse_target(pool.target or profile.target)

    def compile_steps(steps: list[Step], part: str, raw: Collection[str] = ()) -> tuple[CompiledStep, ...]:
        return tuple(
            compile_step(profile, pool, step, part, target, rows.get((index, step.name), -1), raw) for step in steps
        )

    def compile_task(task: Task) -> tuple[CompiledStep, ...]:
        steps = compile_steps(task.steps, "tasks", RAW if task.graded else ())
        return graded_steps(profile, pool, task, _in_conversation(task, steps), steps)

    chosen = [task for task in pool.tasks if task.weight > 0]
    own_ids = _says(profile, pool, "{session_uuid}", "{iteration_uuid}")
    feed = feeds.add(pool.data)
    questions = [questions_of(profile, pool, task) for task in chosen if task.graded]
    numbers = count()
    tasks = tuple(
        CompiledTask(
            task.name,
            within_session(compile_task(task), pool.setup, own_ids=own_ids),
            task.pause,
            feed=feeds.add(task.data),
            apart=task.history == "task",
            questions=next(numbers) if task.graded else -1,
        )
        for task in chosen
    )
    return CompiledPool(
        index=index,
        name=pool.name,
        protocol=pool.protocol,
        target=target,
        open=pool.open,
        max_users=pool.max_users,
        poisson=pool.arrivals == "poisson",
        setup=compile_steps(pool.setup, "setup"),
        tasks=tasks,
        teardown=compile_steps(pool.teardown, "teardown"),
        renews=_says(profile, pool, "{iteration}", "{iteration_uuid}") or any(task.feed >= 0 for task in tasks),
        own_ids=own_ids,
        feeds=feeds.take(),
        feed=feed,
        questions=tuple(questions),
        cookies=profile.cookies if pool.cookies is None else pool.cookies,
        per_request=per_request(profile, pool),
        traced=profile.traceparent,
        _weights=list(accumulate(task.weight for task in chosen)),
    )


def _in_conversation(task: Task, steps: tuple[CompiledStep, ...]) -> tuple[CompiledStep, ...]:
    """Return the steps with their turns, if the task has a history."""
    if not task.history:
        return steps
    return tuple(
        _as_turn(task, each, step) if each.dialect.transcript is not None else each
        for each, step in zip(steps, task.steps, strict=True)
    )


def _as_turn(task: Task, compiled: CompiledStep, step: Step) -> CompiledStep:
    assert compiled.dialect.transcript is not None
    turn = compile_turn(task, step, compiled.dialect.transcript)
    returned = {name for result in turn.results.values() for name in result.variables}
    made = compiled.made | (returned & MADE_PER_REQUEST)
    return replace(compiled, static=None, dialect=Transcribed(compiled.dialect), turn=turn, made=made)


def _says(profile: Profile, pool: Pool, *variables: str) -> bool:
    """Return whether a pool may send one of some variables, generously: all of its text is searched."""
    said = [step.model_dump() for step in steps_of(pool)], [task.tool_results for task in pool.tasks]
    text = repr((said, pool.headers, profile.headers))
    return any(variable in text for variable in variables)

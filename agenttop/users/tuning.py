"""Compiles a pool's pauses and its policy for refusals: the last thing to be compiled, and again while it runs.

Both are compiled in, so that nobody asks for them per request. The requests themselves stay as they are; their
bytes and what is read of their answers depend on neither.
"""

from __future__ import annotations

from dataclasses import replace

from agenttop.schedule.control import Pauses
from agenttop.users.compiled import CompiledPool, CompiledTask
from agenttop.users.policy import RefusalPolicy


def tuned(compiled: CompiledPool, pauses: Pauses, policy: RefusalPolicy | None) -> CompiledPool:
    """Return the pool with these pauses and this policy."""
    steps = (*compiled.setup, *(step for task in compiled.tasks for step in task.steps), *compiled.teardown)
    patient = policy is not None and (
        policy.on_429 != "count" or any(policy.of(step.on_429) != "count" for step in steps)
    )
    tasks = tuple(replace(task, single=_alone(task) and not patient) for task in compiled.tasks)
    return replace(
        compiled,
        think_time=pauses.think_time,
        pacing=pauses.pacing,
        refusals=policy,
        patient=patient,
        tasks=tasks,
        back_to_back=not compiled.open
        and not compiled.scripted
        and not compiled.per_request
        and pauses.think_time[1] == 0
        and pauses.pacing is None
        and all(task.single and task.steps[0].lean and not task.steps[0].checks for task in tasks),
    )


def _alone(task: CompiledTask) -> bool:
    """Return whether it is one request that is part of no conversation, and nobody grades."""
    return len(task.steps) == 1 and task.steps[0].turn is None and task.questions < 0

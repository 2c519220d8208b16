"""Writes a run's think times, pacing and policy for 429s as a profile can say them: one for the whole run.

Of those that were in force one after the other, the one that was so for longest is written, and it is said that there
were others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, TypeVar

from agenttop.journal.repeat import Left, plan_of
from agenttop.journal.replayed_plan import controls_of
from agenttop.schedule.control import Control
from agenttop.schedule.quantities import format_duration, format_span

T = TypeVar("T", bound=Hashable)


def with_user_policy(table: dict[str, Any], left: Left, end_s: float) -> list[str]:
    """Write the user policy into the tables of a profile; return notes about it.

    Raises:
        NotRepeatable: a command of the run cannot be followed.
    """
    controls = controls_of(plan_of(left.header), left.commands)
    spans = list(_spans(controls, end_s))
    notes = []
    for index, pool in enumerate(table.get("pools", ())):
        pauses, others = _longest([(control.pauses.get(index), seconds) for control, seconds in spans])
        if pauses is not None:
            pool.pop("think_time", None)
            pool.pop("pacing", None)
            if pauses.pacing is not None:
                pool["pacing"] = format_duration(pauses.pacing)
            else:
                pool["think_time"] = format_span(pauses.think_time)
        if others:
            notes.append(f"The pauses of {pool['name']} were changed: those that lasted longest are written down.")
    return notes + _with_policy(table, left, spans)


def _with_policy(table: dict[str, Any], left: Left, spans: Sequence[tuple[Control, float]]) -> list[str]:
    """Write the policy for 429s that was changed while the run went on as one for all pools; return notes about it."""
    pools = left.header.layout.pools
    written = str(table.get("on_429", "count"))
    if not any(control.policies for control, _ in spans):
        return []
    own = [str(pool.get("on_429", written)) for pool in table.get("pools", ())]
    lasted = [
        (control.policies.get(index, own[index]), seconds) for control, seconds in spans for index in range(len(pools))
    ]
    policy, others = _longest(lasted)
    if policy == "retry" != written and any(pool.protocol == "ws" for pool in pools):
        policy, others = written, True  # no profile with a WebSocket can say so
    if policy is not None and (policy != written or set(own) != {written}):
        table["on_429"] = policy
        for pool in table.get("pools", ()):
            pool.pop("on_429", None)
            pool.pop("max_retries", None)
        if policy != "retry":
            table.pop("max_retries", None)
    if not others:
        return []
    return [f'on_429 was changed, or differed by pool: "{policy or written}" is written down for all of the run.']


def _spans(controls: Sequence[tuple[float, Control]], end_s: float) -> Iterator[tuple[Control, float]]:
    """Yield each control and how many seconds it held."""
    for number, (begin, control) in enumerate(controls):
        until = controls[number + 1][0] if number + 1 < len(controls) else end_s
        if min(until, end_s) > begin:
            yield control, min(until, end_s) - begin


def _longest(lasted: Sequence[tuple[T, float]]) -> tuple[T | None, bool]:
    """Return what was in force for longest, and whether anything else was."""
    total: Counter[T] = Counter()
    for what, seconds in lasted:
        total[what] += seconds  # type: ignore[assignment]
    if not total:
        return None, False
    return max(total, key=total.__getitem__), len(total) > 1

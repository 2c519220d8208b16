"""Computes the targets of every pool at one moment from plan and controls, for the screen and the journal."""

from __future__ import annotations

from collections.abc import Iterable

from agenttop.metrics.boxes import BoxState
from agenttop.metrics.run_state import PoolTarget, RunState
from agenttop.metrics.snapshot import Event, ManualChange
from agenttop.schedule.control import Control, wanted_users
from agenttop.steering.effects import wanted_rate
from agenttop.steering.plan import Plan
from agenttop.steering.user_policy import in_force


def situation(
    t_s: float,
    plan: Plan,
    control: Control,
    *,
    state: str,
    ending: bool,
    warmup_s: float,
    events: Iterable[Event],
    workers: int,
    alive: int,
    searching: bool = False,
    marks: tuple[ManualChange, ...] = (),
    boxes: tuple[BoxState, ...] = (),
) -> RunState:
    """Return the state of a run ``t_s`` seconds after it began.

    A run that is ``ending`` wants nothing any more. What a search has set counts as the plan's, and not as manual.
    """
    plan_time = control.plan_time(t_s)
    wanted = wanted_users(plan.pools, plan.ramp, control, t_s)
    planned = wanted_users(plan.pools, plan.ramp, Control(control.shift, control.held_at), t_s)
    if searching:
        planned = wanted
    if ending:
        wanted = planned = [0] * len(wanted)
    pools: list[PoolTarget] = []
    rate = 0.0
    manual: list[str] = []
    for index, info in enumerate(plan.layout.pools):
        pool_manual = not searching and (index in control.pool_users or index in control.pool_rates)
        if info.open:
            now = 0.0 if ending else wanted_rate(index, control, plan, t_s)
            rate += now
            by_plan = now if searching else plan.planned_rate(index, plan_time)
            pools.append(PoolTarget(now, 0.0 if ending else by_plan, pool_manual))
        else:
            shared = not searching and control.users is not None and plan.pools[index].ramp is None
            pools.append(PoolTarget(wanted[index], planned[index], pool_manual or shared))
        if pool_manual:
            manual.append(info.name)
    return RunState(
        t_s=t_s,
        plan_t_s=plan_time,
        state=state,
        warmup=0 < t_s <= warmup_s,
        held=control.held_at is not None,
        paused=control.paused,
        stage=-1 if ending else plan.stage_at(plan_time),
        target_users=sum(wanted),
        planned_users=sum(planned),
        rate=rate,
        manual=("all", *manual) if control.users is not None and not searching else tuple(manual),
        pools=tuple(pools),
        events=tuple(events),
        workers=workers,
        alive=alive,
        changed=in_force(control, plan.layout.pools),
        by_hand=marks,
        boxes=boxes,
    )

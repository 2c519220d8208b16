"""Replaces the remaining stages of a run: what a ``plan`` command does to the plan.

Every row of an edit is a stage of its own with a new index. The stage under way ends where the edit begins, unless the
first row is ``rest``; those that had not begun are dropped. So what was counted stays where it was counted, and no
index ever means another stage.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isclose

from msgspec.structs import replace

from agenttop.metrics.snapshot import StageInfo
from agenttop.schedule.course import RUN, Leg, cut, ramp_of, value
from agenttop.schedule.quantities import clock, format_number
from agenttop.schedule.stages import stage_name
from agenttop.steering.plan import Plan
from agenttop.steering.plantext import Row, format_plan

#: Stages of a run, those of edits included: each has figures of its own.
MAX_STAGES = 1000


class Unplannable(ValueError):
    """The rows cannot follow on the plan as it is; the message says why."""


class SoAlready(Unplannable):
    """The plan is this already."""


@dataclass(frozen=True, slots=True)
class Replanned:
    """The plan that results from the rows."""

    legs: tuple[Leg, ...]
    """The whole course, from the plan's beginning on."""
    stages: tuple[StageInfo, ...]
    """Of the whole run, by index."""
    before: str
    """The rows that were to come, as they would be typed."""
    after: str


def group_of(pool: int | None, plan: Plan) -> int:
    """Return the group whose plan is meant: a pool's index, or ``RUN``.

    Raises:
        Unplannable: it has none of its own, or there are several.
    """
    names = [info.name for info in plan.layout.pools]
    if pool is not None:
        if pool not in plan.courses:
            raise Unplannable(f"{names[pool]} shares the run's stages; say: plan STAGES")
        return pool
    if RUN in plan.courses:
        return RUN
    if len(plan.courses) == 1:
        return next(iter(plan.courses))
    raise Unplannable(f"every pool has stages of its own; name one of: {', '.join(names)}")


def replan(rows: Sequence[Row], plan: Plan, group: int, plan_time: float, begun: Collection[int]) -> Replanned:
    """Return the plan of ``group`` with ``rows`` from ``plan_time`` on, starting at its present target.

    Args:
        rows: the stages to come; none: those of the profile, as they were written.
        plan: the plan as it is, with its layout.
        group: as :func:`group_of` says.
        plan_time: now, on the plan's clock.
        begun: indices of the stages that have been under way.

    Raises:
        Unplannable: they cannot follow.
    """
    stages, legs = plan.layout.stages, plan.courses[group]
    open = group != RUN and plan.pools[group].open
    pool = plan.layout.pools[group].name if group != RUN else None
    as_typed, jump = bool(rows), None
    if not as_typed:
        rows, jump = as_written(plan, group, plan_time)
    if len(stages) + len(rows) > MAX_STAGES:
        raise Unplannable(f"a run has {MAX_STAGES} stages at most, those of edits included; begin another run")
    at = ramp_of(legs).stage_at(plan_time)
    goes_on = rows[0].duration_s is None and rows[0].target is None
    if rows[0].duration_s is None:
        rows = (_rest(rows[0], plan, group, plan_time), *rows[1:])
    kept = legs[: at + 1] if goes_on else cut(legs, plan_time, open=open)
    new = rows[1:] if goes_on else rows
    if as_typed:
        _check_targets(new, open=open)
    made, infos = _follow(new, kept, pool, len(stages), open=open, jump=jump)
    course = (*kept, *made)
    if ramp_of(course).duration <= plan_time:
        raise Unplannable("these stages take no time; write durations above 0s, or say: stop")
    driven = {leg.index for leg in kept if leg.duration > 0}
    whole = [replace(s, dropped=True) if s.pool == pool and s.index not in driven | {*begun} else s for s in stages]
    if at >= 0 and not goes_on:
        index = legs[at].index
        whole[index] = replace(whole[index], end_s=plan_time, target_end=kept[-1].target if kept else 0.0)
    before = to_come(legs, stages, plan_time)
    stages = (*whole, *infos)
    return Replanned(course, stages, format_plan(before), format_plan(to_come(course, stages, plan_time)))


def as_written(plan: Plan, group: int, plan_time: float) -> tuple[list[Row], float | None]:
    """Return the rest of the profile's stages, and the target to jump to at once; None if it is there already.

    Raises:
        Unplannable: nothing of them is left.
        SoAlready: they are what is to come anyway.
    """
    legs, open = plan.written[group], group != RUN and plan.pools[group].open
    rows = to_come(legs, plan.layout.stages, plan_time)
    if not rows:
        whose = "" if group == RUN else f" of {plan.layout.pools[group].name}"
        over = clock(ramp_of(legs).duration)
        raise Unplannable(
            f"the stages{whose} in the profile were over at {over} of the plan; say: plan STAGES, or stop"
        )
    now = value(legs, plan_time, open=open)
    there = isclose(value(plan.courses[group], plan_time, open=open), now)
    if there and format_plan(rows) == format_plan(to_come(plan.courses[group], plan.layout.stages, plan_time)):
        raise SoAlready(f"it is so already: {format_plan(rows)}")
    return rows, None if there or rows[0].step else now


def can_go_back(plan: Plan, groups: Iterable[int], plan_time: float) -> bool:
    """Return whether edited stages could be the profile's again."""
    for group in groups:
        with suppress(Unplannable):
            as_written(plan, group, plan_time)
            return True
    return False


def to_come(legs: Sequence[Leg], stages: Sequence[StageInfo], plan_time: float) -> list[Row]:
    """Return the rows of what is left of the stage under way, and of those after it."""
    ramp = ramp_of(legs)
    at = ramp.stage_at(plan_time)
    if at < 0:
        return []
    rows = []
    for leg, (begin, end) in list(zip(legs, ramp.bounds, strict=True))[at:]:
        info = stages[leg.index]
        duration = leg.duration if begin >= plan_time else end - plan_time
        rows.append(Row(duration, leg.target, leg.step, _own_name(info), info.unit == "rate"))
    return rows


def before(one: StageInfo, other: StageInfo) -> bool:
    """Return whether both are driven one after the other, ``one`` first."""
    same = one.pool == other.pool and not one.dropped
    return same and (one.start_s, one.index) < (other.start_s, other.index)


def _rest(row: Row, plan: Plan, group: int, plan_time: float) -> Row:
    """Return ``rest`` with a target as an ordinary row; without one as it is."""
    ramp = ramp_of(plan.courses[group])
    at = ramp.stage_at(plan_time)
    if at < 0:
        raise Unplannable("no stage is under way; begin with a duration instead of rest")
    info = plan.layout.stages[plan.courses[group][at].index]
    if row.name and row.name != _bare_name(info):
        raise Unplannable(f"{row.name} is not under way, but {_bare_name(info)}; look at the plan again")
    if row.target is None:
        return row
    return Row(ramp.bounds[at][1] - plan_time, row.target, row.step, _own_name(info), row.per_s)


def _check_targets(rows: Sequence[Row], *, open: bool) -> None:
    for row in rows:
        assert row.target is not None
        if not open and row.per_s:
            raise Unplannable(f"these stages are of users; write {format_number(row.target)} without /s")
        if not open and row.target != round(row.target):
            raise Unplannable(f"users are whole; {format_number(row.target)} is not")


def _follow(
    rows: Sequence[Row], kept: Sequence[Leg], pool: str | None, first: int, *, open: bool, jump: float | None
) -> tuple[list[Leg], list[StageInfo]]:
    """Return the rows as legs, and as stages with indices from ``first`` on. The legs begin with a ``jump``, if any."""
    legs: list[Leg] = [] if jump is None else [Leg(0.0, jump, True, first)]
    infos: list[StageInfo] = []
    before = [*kept, *legs]
    start, target = ramp_of(before).duration, before[-1].target if before else 0.0
    for index, row in enumerate(rows, first):
        assert row.duration_s is not None
        assert row.target is not None
        begin = row.target if row.step else target
        name = row.name or stage_name(begin, row.target)
        legs.append(Leg(row.duration_s, row.target, row.step, index))
        infos.append(
            StageInfo(
                index=index,
                name=f"{pool}/{name}" if pool is not None else name,
                start_s=start,
                end_s=start + row.duration_s,
                target_start=begin,
                target_end=row.target,
                unit="rate" if open else "users",
                pool=pool,
                step=row.step,
            )
        )
        start, target = start + row.duration_s, row.target
    return legs, infos


def _bare_name(info: StageInfo) -> str:
    return info.name.removeprefix(f"{info.pool}/") if info.pool is not None else info.name


def _own_name(info: StageInfo) -> str:
    """Return the stage's own name, empty if it has a default one."""
    name = _bare_name(info)
    return "" if name == stage_name(info.target_start, info.target_end) else name

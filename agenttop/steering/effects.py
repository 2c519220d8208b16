"""The effect of each command on the controls, and its description."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from agenttop.metrics.layout import Layout
from agenttop.metrics.snapshot import StageInfo
from agenttop.schedule.control import Control, wanted_users
from agenttop.schedule.course import RUN
from agenttop.schedule.quantities import MAX_RATE, MAX_USERS, clock
from agenttop.steering.plan import Plan
from agenttop.steering.reading import Command
from agenttop.steering.replan import Replanned, SoAlready, Unplannable, can_go_back, group_of, replan
from agenttop.steering.user_policy import Unfit, change_user_policy


class Rejected(Exception):
    """The command cannot be followed; the message says why."""


@dataclass(frozen=True, slots=True)
class Change:
    """The result of a command. ``before`` and ``after`` go into the summary's ``controls``."""

    control: Control
    said: str
    pool: str | None = None
    before: float | str | None = None
    after: float | str | None = None
    stages: tuple[StageInfo, ...] | None = None
    """All stages of the run, if the plan was edited."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a command acts on: controls, plan and time."""

    control: Control
    plan: Plan
    elapsed: float
    """Seconds since the run began."""
    begun: Collection[int] = frozenset()
    """Indices of the stages that have been under way."""

    @property
    def plan_time(self) -> float:
        """Return where the plan's clock is, in seconds."""
        return self.control.plan_time(self.elapsed)


# Each takes a command and the moment, and returns the change or raises Rejected.


def hold(command: Command, now: Moment) -> Change:
    """Stop the plan's clock."""
    if now.control.held_at is not None:
        raise Rejected("the plan's clock is held already")
    held = now.control.hold(now.elapsed)
    return Change(held, f"plan held at {clock(held.plan_time(now.elapsed))}", before="running", after="held")


def resume(command: Command, now: Moment) -> Change:
    """End a hold or a pause."""
    if now.control.held_at is None and not now.control.paused:
        raise Rejected("nothing is held or paused")
    before = "held" if now.control.held_at is not None else "paused"
    return Change(now.control.resume(now.elapsed), "the plan goes on", before=before, after="running")


def pause(command: Command, now: Moment) -> Change:
    """Begin no new work, or begin it again."""
    paused = not now.control.paused
    said = "new work is paused" if paused else "new work goes on"
    names = ("running", "paused") if paused else ("paused", "running")
    return Change(now.control.pause(paused), said, before=names[0], after=names[1])


def go_on(command: Command, now: Moment) -> Change:
    """Go on to the next stage."""
    boundary = now.plan.next_boundary(now.plan_time)
    if boundary is None:
        raise Rejected("this is past the last stage")
    said = f"on to {_at(boundary, now.plan)}"
    before, after = round(now.plan_time, 3), round(boundary, 3)
    return Change(now.control.jump(now.elapsed, boundary), said, before=before, after=after)


def set_user_policy(command: Command, now: Moment) -> Change:
    """Change pauses, pacing or what is done about a 429."""
    layout = now.plan.layout
    pool = index_of(command.pool, layout)
    try:
        changed = change_user_policy(command, now.control, now.plan.policies, layout.pools, pool)
    except Unfit as error:
        raise Rejected(str(error)) from None
    return Change(changed.control, changed.said, command.pool, changed.before, changed.after)


def release(command: Command, now: Moment) -> Change:
    """Give manual users and rates back to the plan."""
    control, plan = now.control, now.plan
    pool = index_of(command.pool, plan.layout)
    groups = control.courses if pool is None else control.courses.keys() & {pool}
    edited = can_go_back(plan, groups, now.plan_time)
    hint = f"plan profile{f' {command.pool}' if pool is not None else ''} gives back the profile's stages"
    if pool is None and not (control.users is not None or control.pool_users or control.pool_rates):
        raise Rejected(f"nothing is set by hand; {hint}" if edited else "nothing is set by hand")
    if pool is not None and pool not in control.pool_users and pool not in control.pool_rates:
        text = f"nothing of {command.pool} is set by hand"
        if control.users is not None or control.pool_users or control.pool_rates:
            text += "; release without a pool gives back all that is"
        raise Rejected(f"{text}; {hint}" if edited else text)
    whose = "the plan's targets" if pool is None else f"{command.pool}: the plan's target"
    said = f"{whose} again" + (f", as it was edited ({hint})" if edited else "")
    return Change(control.release(pool), said, command.pool, before="manual", after="plan")


def _at(boundary: float, plan: Plan) -> str:
    """Return what begins at a boundary of the plan, in words."""
    stage = plan.stage_from(boundary)
    if stage is not None:
        return plan.layout.stages[stage].name
    return "the end of the plan" if boundary >= plan.duration_s else f"{clock(boundary)} of the plan"


def set_users(command: Command, now: Moment) -> Change:
    """Set the users, absolute or relative, until they are released."""
    control, plan, elapsed = now.control, now.plan, now.elapsed
    layout = plan.layout
    pool = index_of(command.pool, layout)
    assert command.value is not None
    wanted = wanted_users(plan.pools, plan.ramp, control, elapsed)
    if pool is not None:
        if layout.pools[pool].open:
            raise Rejected(f"{command.pool} is driven by arrivals; say: rate N {command.pool}")
        before = wanted[pool]
    else:
        sharing = [i for i, each in enumerate(plan.pools) if not each.open and each.ramp is None]
        if not any(plan.pools[i].weight for i in sharing):
            raise Rejected(f"every pool has stages of its own; name one of: {', '.join(p.name for p in layout.pools)}")
        before = sum(wanted[i] for i in sharing)
    after = max(int(command.value) + (before if command.relative else 0), 0)
    if after == before and command.relative:
        raise Rejected("there are no fewer than 0 users" if command.value else f"there are {before} users already")
    if after > MAX_USERS:
        raise Rejected("more than 1 000 000 users are not supported on one box")
    control = control.with_users(after, pool)
    said = moved("users", command.pool, before, after)
    if pool is None:
        said += _kept_manual(control, plan, elapsed, sharing, after)
    return Change(control, said, command.pool, before, after)


def _kept_manual(control: Control, plan: Plan, elapsed: float, sharing: Sequence[int], total: int) -> str:
    """Return a note if manual users of single pools do not allow this total; empty if they do."""
    users = sum(wanted_users(plan.pools, plan.ramp, control, elapsed)[index] for index in sharing)
    if users == total:
        return ""
    names = ", ".join(plan.layout.pools[index].name for index in sharing if index in control.pool_users)
    return f" (there are {users}, for what is set by hand stays until released: {names})"


def set_rate(command: Command, now: Moment) -> Change:
    """Set the iterations per second of an open pool until they are released."""
    control, layout = now.control, now.plan.layout
    assert command.value is not None
    pool = index_of(command.pool, layout)
    if pool is None:
        open_pools = [index for index, info in enumerate(layout.pools) if info.open]
        if len(open_pools) != 1:
            raise Rejected("no pool is driven by arrivals" if not open_pools else "which pool? say: rate N POOL")
        pool = open_pools[0]
    name = layout.pools[pool].name
    if not layout.pools[pool].open:
        raise Rejected(f"{name} is driven by users; say: users N {name}")
    if not 0 <= command.value <= MAX_RATE:
        raise Rejected("a rate is 0 to 1 000 000 iterations per second")
    before = wanted_rate(pool, control, now.plan, now.elapsed)
    said = moved("rate", name, before, command.value)
    return Change(control.with_rate(command.value, pool), said, name, round(before, 3), command.value)


def edit_plan(command: Command, now: Moment) -> Change:
    """Replace the stages to come."""
    control, plan, at = now.control, now.plan, now.plan_time
    pool = index_of(command.pool, plan.layout)
    manual = control.users is not None or control.pool_users or control.pool_rates
    same = "it is so already: no stages were edited"
    done: dict[str | None, Replanned] = {}
    try:
        for group in [group_of(pool, plan)] if command.rows or pool is not None else list(control.courses):
            try:
                made = replan(command.rows, plan, group, at, now.begun)
            except SoAlready as error:
                same = str(error)
                continue
            control = control.with_course(made.legs, group)
            plan = plan.under(control, replace(plan.layout, stages=made.stages))
            done[plan.layout.pools[group].name if group != RUN else None] = made
    except Unplannable as error:
        raise Rejected(str(error)) from None
    if not done:
        raise Rejected(same)
    whose = [f"plan{f' of {name}' if name else ''} from {clock(at)} on: {made.after}" for name, made in done.items()]
    said = "; ".join(whose) + (" (what is set by hand stays until released)" if manual else "")
    before, after = ("; ".join(getattr(made, side) for made in done.values()) for side in ("before", "after"))
    return Change(control, said, next(iter(done)) if len(done) == 1 else None, before, after, plan.layout.stages)


def moved(op: str, pool: str | None, *values: float | str | None) -> str:
    """Return a change of ``users`` or of a ``rate`` in words: its values from the first to the last."""
    if op == "users":
        return f"users{f' in {pool}' if pool else ''} {' → '.join(map(str, values))}"
    return f"rate of {pool} {' → '.join(f'{value:g}' for value in values)}/s"


def wanted_rate(pool: int, control: Control, plan: Plan, elapsed: float) -> float:
    """Return the iterations per second in force for an open pool."""
    if control.paused:
        return 0.0
    return control.pool_rates.get(pool, plan.planned_rate(pool, control.plan_time(elapsed)))


def index_of(name: str | None, layout: Layout) -> int | None:
    """Return the index of the pool of this name; None for all. Raises Rejected if there is none."""
    if name is None or name == "all":
        return None
    for index, info in enumerate(layout.pools):
        if info.name == name:
            return index
    raise Rejected(f"there is no pool {name}; there are: {', '.join(info.name for info in layout.pools)}")

"""The plan of a profile: its ramps by pool, and the stage that a moment belongs to."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from agenttop.metrics.layout import Layout
from agenttop.quality.levels import Levels
from agenttop.schedule.control import Control, PoolPlan, wanted_users
from agenttop.schedule.course import RUN, Leg, ramp_of
from agenttop.schedule.stages import Ramp
from agenttop.steering.user_policy import policies_of

if TYPE_CHECKING:  # as in user_policy
    from agenttop.profile.model import Profile, Stage


def most_of(profile: Profile) -> list[Control]:
    """Return the controls of the highest level of a search for users; none without such a search."""
    search = profile.search
    if search is None or search.to is None or search.unit == "rate":
        return []
    names = [pool.name for pool in profile.pools]
    return [Control().with_users(int(search.to), names.index(search.pool) if search.pool is not None else None)]


def written_stages(profile: Profile) -> list[Stage]:
    """Return the stages of a profile in the order of a layout: those of the run, then those of each pool."""
    return [*profile.stages, *(stage for pool in profile.pools for stage in pool.stages)]


def levels_of(plan: Plan) -> Levels:
    """Return the levels of load of a plan, which answers are counted under."""
    return Levels(plan.pools, plan.courses, {stage.index: stage.name for stage in plan.layout.stages})


class Plan:
    """The plan of a run; times are seconds on the plan's own clock."""

    def __init__(self, profile: Profile, layout: Layout) -> None:
        self.layout = layout
        self.policies = policies_of(profile)
        self._controls = [Control(), *most_of(profile)]
        names = {None: RUN} | {info.name: index for index, info in enumerate(layout.pools)}
        planned: dict[int, list[Leg]] = {}
        for stage, info in zip(written_stages(profile), layout.stages, strict=True):
            # Of a search the layout tells how far it may go; until it says where to, it wants nobody.
            target = float(stage.rate if stage.rate is not None else stage.users or 0)
            leg = Leg(stage.duration, target, info.step, info.index)
            planned.setdefault(names[info.pool], []).append(leg)
        pools = [PoolPlan(pool.weight, None, pool.open) for pool in profile.pools]
        self.courses: dict[int, tuple[Leg, ...]] = {}
        self.ramp: Ramp | None = None
        self.written = {group: tuple(legs) for group, legs in planned.items()}
        """The courses of the profile, whatever has been edited since."""
        self._follow(pools, self.written)

    def under(self, control: Control, layout: Layout | None = None) -> Plan:
        """Return the plan as edited by ``control``; ``layout`` has its stages, if they are needed."""
        edited = copy.copy(self)
        edited.layout = self.layout if layout is None else layout
        edited._follow(self.pools, {**self.written, **control.courses})
        return edited

    def _follow(self, pools: list[PoolPlan], courses: Mapping[int, tuple[Leg, ...]]) -> None:
        ramps = {group: ramp_of(legs) for group, legs in courses.items()}
        self.courses = dict(courses)
        self.ramp = ramps.get(RUN)
        self.pools = [replace(pool, ramp=ramps.get(index)) for index, pool in enumerate(pools)]
        self.duration_s = max((ramp.duration for ramp in ramps.values()), default=0.0)

    def end_s(self, control: Control, limit_s: float | None = None) -> float:
        """Return when the plan ends as things stand, or the run's limit, in seconds of the run; infinite while it is
        held.
        """
        plan_s = math.inf if control.held_at is not None else self.duration_s - control.shift
        return plan_s if limit_s is None else min(limit_s, plan_s)

    def stage_of(self, pool: int, plan_time: float) -> int:
        """Return the stage a request of this pool counts under; after the pool's end the last one."""
        own = self.pools[pool].ramp
        ramp, group = (self.ramp, RUN) if own is None else (own, pool)
        if ramp is None:
            return 0
        return self.courses[group][ramp.stage_at(plan_time)].index

    def stage_at(self, plan_time: float) -> int:
        """Return the stage of the whole run, of the first pool with stages if the run has none; -1 if none is under
        way.
        """
        for index, pool in enumerate(self.pools):
            if self.ramp is not None or pool.ramp is not None:
                ramp = self.ramp or pool.ramp
                assert ramp is not None
                found = ramp.stage_at(plan_time)
                return self.courses[RUN if self.ramp is not None else index][found].index if found >= 0 else -1
        return -1

    def next_boundary(self, plan_time: float) -> float | None:
        """Return when the next stage begins, on the plan's clock; None in the last."""
        ends = sorted({end for ramp in self._leading().values() for _, end in ramp.bounds})
        return next((end for end in ends if end > plan_time + 1e-9), None)

    def stage_from(self, boundary: float) -> int | None:
        """Return the stage that begins at a boundary; None if the plan, or a part of it, ends there."""
        for group, ramp in self._leading().items():
            at = ramp.stage_at(boundary)
            if at >= 0 and ramp.bounds[at][0] == boundary:
                return self.courses[group][at].index
        return None

    def _leading(self) -> dict[int, Ramp]:
        """Return the ramp whose stages are those of the whole run, or those of its pools if it has none."""
        if self.ramp is not None:
            return {RUN: self.ramp}
        return {index: pool.ramp for index, pool in enumerate(self.pools) if pool.ramp is not None}

    def most_users(self, pool: int) -> int:
        """Return the most users that the plan or its search wants of a closed pool; off by one or two: shares are
        rounded.
        """
        return max(
            (
                wanted_users(self.pools, self.ramp, control, t)[pool]
                for control in self._controls
                for t in self._highs()
            ),
            default=0,
        )

    def most_to_come(self, control: Control, elapsed: float) -> int:
        """Return the most users of all closed pools from now on, as things stand; off by one or two: shares are
        rounded.
        """
        now = control.plan_time(elapsed)
        goes_on = replace(control, shift=0.0, held_at=None)
        times = [now, *(time for time in self._highs() if time > now)]
        return max(sum(wanted_users(self.pools, self.ramp, goes_on, time)) for time in times)

    def _highs(self) -> set[float]:
        """Return when a ramp may be at its highest: where a stage begins, or right before it ends."""
        ramps = [ramp for ramp in (self.ramp, *(plan.ramp for plan in self.pools)) if ramp is not None]
        return {time for ramp in ramps for start, end in ramp.bounds for time in (start, end, max(end - 1e-3, start))}

    def planned_rate(self, pool: int, plan_time: float) -> float:
        """Return the iterations per second the plan wants of an open pool."""
        plan = self.pools[pool]
        if not plan.open or plan.ramp is None or plan_time >= plan.ramp.duration:
            return 0.0
        return plan.ramp.at(plan_time)

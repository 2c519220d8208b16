"""What a profile wants when: its ramps, by pool, and which stage a moment belongs to."""

from __future__ import annotations

from agenttop.metrics.layout import Layout
from agenttop.profile import model
from agenttop.profile.model import Profile
from agenttop.schedule.control import Control, PoolPlan, wanted_users
from agenttop.schedule.stages import Ramp, Stage


def _ramp(stages: list[model.Stage]) -> Ramp | None:
    if not stages:
        return None
    return Ramp(
        [
            Stage(
                stage.duration, float(stage.rate if stage.rate is not None else stage.users or 0), stage.ramp == "step"
            )
            for stage in stages
        ]
    )


def most_of(profile: Profile) -> list[Control]:
    """The controls of the highest level of a search for users; nothing without one."""
    search = profile.search
    if search is None or search.to is None or search.unit == "rate":
        return []
    names = [pool.name for pool in profile.pools]
    return [Control().with_users(int(search.to), names.index(search.pool) if search.pool is not None else None)]


class Plan:
    """The plan of a run; times are seconds on the plan's own clock."""

    def __init__(self, profile: Profile, layout: Layout) -> None:
        self.ramp = _ramp(profile.stages)
        self.pools = [PoolPlan(pool.weight, _ramp(pool.stages), pool.open) for pool in profile.pools]
        self.layout = layout
        self._controls = [Control(), *most_of(profile)]
        self.duration_s = max(
            [ramp.duration for ramp in (self.ramp, *(pool.ramp for pool in self.pools)) if ramp is not None],
            default=0.0,
        )
        first: dict[str | None, int] = {}
        for stage in layout.stages:
            first.setdefault(stage.pool, stage.index)
        self._first = [
            first.get(info.name if pool.ramp is not None else None, 0)
            for info, pool in zip(layout.pools, self.pools, strict=True)
        ]

    def stage_of(self, pool: int, plan_time: float) -> int:
        """The stage a request of this pool counts under; after its end the last one."""
        ramp = self.pools[pool].ramp or self.ramp
        if ramp is None:
            return 0
        index = ramp.stage_at(plan_time)
        return self._first[pool] + (index if index >= 0 else len(ramp.bounds) - 1)

    def stage_at(self, plan_time: float) -> int:
        """The stage of the whole run, -1 where there is none; of the first pool with stages where the run has none."""
        for index, pool in enumerate(self.pools):
            if self.ramp is not None or pool.ramp is not None:
                ramp = self.ramp or pool.ramp
                assert ramp is not None
                found = ramp.stage_at(plan_time)
                first = 0 if self.ramp is not None else self._first[index]
                return first + found if found >= 0 else -1
        return -1

    def next_boundary(self, plan_time: float) -> float | None:
        """Where the next stage begins, on the plan's clock; None in the last."""
        ramps = [self.ramp] if self.ramp is not None else [pool.ramp for pool in self.pools]
        ends = sorted({end for ramp in ramps if ramp is not None for _, end in ramp.bounds})
        return next((end for end in ends if end > plan_time + 1e-9), None)

    def most_users(self, pool: int) -> int:
        """Users the plan, or its search, ever wants of a closed pool, to one or two: shares are rounded."""
        ramps = [ramp for ramp in (self.ramp, *(plan.ramp for plan in self.pools)) if ramp is not None]
        # A ramp is at its highest where a stage begins or right before it ends.
        times = {time for ramp in ramps for start, end in ramp.bounds for time in (start, end, max(end - 1e-3, start))}
        return max(
            (wanted_users(self.pools, self.ramp, control, time)[pool] for control in self._controls for time in times),
            default=0,
        )

    def planned_rate(self, pool: int, plan_time: float) -> float:
        """Iterations per second the plan wants of an open pool."""
        plan = self.pools[pool]
        if not plan.open or plan.ramp is None or plan_time >= plan.ramp.duration:
            return 0.0
        return plan.ramp.at(plan_time)

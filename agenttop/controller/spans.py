"""Tracks when each stage of a run really was: ``hold``, ``next`` and edits make that differ from the plan."""

from __future__ import annotations

from collections.abc import Sequence

from agenttop.journal.figures import Span
from agenttop.metrics.snapshot import StageInfo
from agenttop.schedule.control import Control
from agenttop.steering.plan import Plan
from agenttop.steering.replan import before


class Spans:
    """The span of every stage by its index; None if it has not been under way."""

    def __init__(self, stages: int) -> None:
        self.all: list[Span | None] = [None] * stages
        self._now: dict[int, int | None] = {}
        """The stage that is under way, by pool."""
        self._looked_s = 0.0
        self._new: dict[int, Span] = {}

    @property
    def begun(self) -> set[int]:
        """Return the stages that have been under way."""
        return {index for index, span in enumerate(self.all) if span is not None}

    def grow(self, stages: int) -> None:
        """Grow to this number of stages."""
        self.all += [None] * (stages - len(self.all))

    def look(self, elapsed: float, plan: Plan, control: Control) -> list[int]:
        """Note what is under way; return the stages that have begun since the last look."""
        began = []
        for pool in range(len(plan.pools)):
            before, stage = self._now.get(pool), _stage(pool, plan, control, elapsed)
            if stage != before:
                # Nobody looked when it turned, but the plan says when that was.
                turned_s = min(max(_begin_s(pool, stage, plan, control, elapsed), self._looked_s), elapsed)
                if before is not None:
                    self._until(before, turned_s)
                if stage is not None and self.all[stage] is None:
                    began.append(stage)
                    self.all[stage] = (turned_s, turned_s)
                self._now[pool] = stage
            if stage is not None:
                self._until(stage, elapsed)
        self._looked_s = elapsed
        return began

    def take(self) -> dict[int, Span]:
        """Return the spans that have changed since the last call."""
        new, self._new = self._new, {}
        return new

    def _until(self, stage: int, end_s: float) -> None:
        span = self.all[stage]
        assert span is not None
        self.all[stage] = self._new[stage] = (span[0], end_s)


def stage_words(index: int, stages: Sequence[StageInfo]) -> str:
    """Return the event of a stage that begins: its number among those of its pool or run, and its targets."""
    info = stages[index]
    unit = "users" if info.unit == "users" else "iterations/s"
    number = 1 + sum(before(other, info) for other in stages)
    begin = "" if info.target_start == info.target_end else f"{info.target_start:g} → "
    return f"stage {number} {info.name}: {begin}{info.target_end:g} {unit}"


def _stage(pool: int, plan: Plan, control: Control, elapsed: float) -> int | None:
    """Return the stage that requests of a pool count under; None if none are sent: a rate ends with its stages."""
    plan_time, ramp = control.plan_time(elapsed), plan.pools[pool].ramp
    over = plan.pools[pool].open and ramp is not None and plan_time >= ramp.duration
    return None if over and pool not in control.pool_rates else plan.stage_of(pool, plan_time)


def _begin_s(pool: int, stage: int | None, plan: Plan, control: Control, elapsed: float) -> float:
    """Return when a stage began, or if ``stage`` is None when the last was over, as the plan's clock goes now."""
    ramp = plan.pools[pool].ramp
    begin_s = plan.layout.stages[stage].start_s if stage is not None else ramp.duration if ramp is not None else 0.0
    return elapsed if control.held_at is not None else begin_s - control.shift

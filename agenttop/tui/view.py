"""The view that panes draw from: a pane is a function of a view, its width and its height, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from agenttop.metrics.request_trends import Key
from agenttop.metrics.snapshot import ManualChange, PoolRow, RequestRow, RunInfo, Snapshot, StageInfo
from agenttop.tui.history import History
from agenttop.tui.look import Look
from agenttop.tui.text import clean
from agenttop.view.feed import Cursor

#: Orders of the requests table, in the order the key cycles through.
ORDERS = ("rps", "p95", "429", "err", "name")


@dataclass(frozen=True, slots=True)
class View:
    """A run as it stands, and what the user chose to see of it."""

    info: RunInfo
    snap: Snapshot
    history: History
    look: Look
    pool: str | None = None
    """The selected pool; None for all."""
    order: str = ORDERS[0]
    window: str = "5m"
    """How much of the past the trends show, by name (:mod:`agenttop.tui.axis`)."""
    measure: str = "total"
    """Measure of the heat map if there is room for one, by name (:mod:`agenttop.tui.panes.heat`)."""
    log: bool = False
    """Latency over time stands on a logarithmic scale."""
    filter: str = ""
    """The filter of the requests table."""
    row: Key | None = None
    """The row of the enlarged requests table that the cursor is on."""
    request: Key | None = None
    """The request that panes are of, where they can be of one; None for all."""
    scroll: int = 0
    """First line of an enlarged list."""
    enlarged: bool = False
    """One pane stands alone."""
    at_s: float | None = None
    """The second of a frozen picture that is looked at, of the run; None for the one that it was frozen in."""
    frozen_s: float | None = None
    """Seconds since a frozen picture; None when live."""
    stopping: int = 0
    """How often a stop was asked for: 1 is graceful, 2 at once."""
    silent_s: float = 0.0
    """Seconds without news from the run, if that is too long; else 0."""
    cursor: Cursor | None = None
    """Position of a replay; None for a live run."""
    looking: bool = False
    """This viewer cannot change anything of a live run."""
    zone: tzinfo = UTC
    """Of the times of day."""

    @property
    def marks(self) -> Iterable[ManualChange]:
        """Return the manual changes up to now."""
        return self.history.manual_changes.values()

    @property
    def selected(self) -> PoolRow | None:
        return next((pool for pool in self.snap.pools if pool.name == self.pool), None)

    @property
    def stages(self) -> tuple[StageInfo, ...]:
        """Return the stages to draw: the whole run's, else the selected or first pool's own."""
        own = [stage.pool for stage in self.info.stages]
        return self.plan_of(None if None in own else self.pool if self.pool in own else next(iter(own), None))

    def plan_of(self, pool: str | None) -> tuple[StageInfo, ...]:
        """Return the stages of one plan that are driven, in order: a pool's own, or the run's."""
        end_s = self.info.duration_s
        # A run that is cut short never comes to its last stages.
        mine = [
            s for s in self.info.stages if s.pool == pool and not s.dropped and (s.start_s < end_s or not s.start_s)
        ]
        return tuple(sorted(mine, key=lambda s: (s.start_s, s.index)))

    @property
    def stage(self) -> StageInfo | None:
        """Return the stage that the plan's clock is in; None if it is in none."""
        stages = self.stages
        for stage in stages:
            if stage.index == self.snap.stage:
                return stage
        return next((s for s in stages if s.start_s <= self.snap.plan_t_s < s.end_s), None)

    @property
    def open_only(self) -> bool:
        """Return whether no pool has users of its own, so that all targets are iterations per second."""
        pools = self.snap.pools
        return bool(pools) and all(pool.unit == "rate" for pool in pools)


def key_of(row: RequestRow) -> Key:
    """Return the pool and the name of a request."""
    return row.pool, row.name


def named(key: Key) -> str:
    """Return how a request is called: ``chat/answer``, or the pool's name alone where it has the same."""
    pool, name = key
    return clean(name) if pool == name else f"{clean(pool)}/{clean(name)}"


def planned(stages: tuple[StageInfo, ...], plan_t_s: float) -> float | None:
    """Return the plan's target at ``plan_t_s``: users or iterations per second; None outside the plan."""
    for stage in stages:
        if stage.start_s <= plan_t_s <= stage.end_s and stage.end_s > stage.start_s:
            if stage.step:
                return stage.target_end
            share = (plan_t_s - stage.start_s) / (stage.end_s - stage.start_s)
            return stage.target_start + (stage.target_end - stage.target_start) * share
    return None

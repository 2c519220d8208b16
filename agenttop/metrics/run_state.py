"""The state that only a run's controller knows and the aggregate needs to close a second and make a snapshot."""

from __future__ import annotations

import msgspec

from agenttop.metrics.boxes import BoxState
from agenttop.metrics.snapshot import Event, ManualChange


class PoolTarget(msgspec.Struct, frozen=True):
    """The target of one pool in its own unit: users, or iterations per second of an open pool."""

    target: float
    planned: float
    """What the plan alone would want."""
    manual: bool = False


class RunState(msgspec.Struct, frozen=True):
    """The run as its controller sees it at ``t_s`` seconds since it began. Fields as in
    :class:`~agenttop.metrics.snapshot.Snapshot`."""

    t_s: float
    plan_t_s: float = 0.0
    state: str = "running"
    warmup: bool = False
    held: bool = False
    paused: bool = False
    stage: int = -1
    target_users: int = 0
    planned_users: int = 0
    rate: float = 0.0
    manual: tuple[str, ...] = ()
    pools: tuple[PoolTarget, ...] = ()
    """By pool of the layout; shorter if nothing is wanted of the rest."""
    events: tuple[Event, ...] = ()
    workers: int = 1
    alive: int = 1
    changed: tuple[str, ...] = ()
    by_hand: tuple[ManualChange, ...] = ()
    boxes: tuple[BoxState, ...] = ()
    """The boxes of a fleet; none in a run on one machine."""

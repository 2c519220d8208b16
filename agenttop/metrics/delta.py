"""What a worker tells the controller four times a second: only what is new since the last time.

Everything is addressed by small integers: ``request`` is the index of a request in the plan (``run.plan``), ``stage``
the index of a stage in the summary's ``stages``, or :data:`WARMUP` for a request sent before the warm-up ended.
"""

from __future__ import annotations

import msgspec

from agenttop.budget.amount import NOTHING, Amount

#: The stage of requests that were sent during the warm-up: shown live and in the timeline, in no other figure.
WARMUP = -1
#: What the names of counters begin with that count violations of one kind.
VIOLATION = "violation."
#: … and of those that count ok requests which missed one objective.
MISSED = "missed."
#: A timer may fire so much before the whole second.
_EARLY_S = 0.02


class HistDelta(msgspec.Struct, array_like=True, frozen=True):
    """New records of one histogram, sparse: ``counts[k]`` records fell into the HdrHistogram counts index ``index[k]``.

    ``index`` is int32 and ``counts`` int64, both little-endian bytes. ``low``, ``high`` and ``total`` (minimum, maximum
    and sum of the records) are exact, in µs; ``deviations`` is the sum of squared deviations from their mean, in µs².
    """

    index: bytes
    counts: bytes
    count: int
    low: float
    high: float
    total: float
    deviations: float


class LeafDelta(msgspec.Struct, array_like=True, frozen=True):
    """New figures of one request in one stage.

    ``hists`` is keyed by the distributions of :mod:`~agenttop.metrics.catalogue` and ``phase.NAME``, all in µs, and
    ``phase_share.NAME``, in thousandths; ``schedule_lag`` and what differs from ``latency`` in ``response_time`` come
    from arrivals and requests that were sent again. ``sums`` is keyed by the catalogue's counters, ``violation.KIND``
    (of ``rate_limit_violations`` each kind) and ``missed.OBJECTIVE`` (ok requests that did not meet it). Only what is
    not zero is there.
    """

    request: int
    stage: int
    outcomes: dict[str, int]
    status: dict[int, int]
    hists: dict[str, HistDelta]
    sums: dict[str, int]
    mark: int = 0
    """What the requests were sent under (``schedule.control``); figures of two marks are two leaves."""


class PoolDelta(msgspec.Struct, array_like=True, frozen=True):
    """New counts of one pool in one stage."""

    pool: int
    stage: int
    sessions: int
    iterations: int
    dropped_iterations: int
    mark: int = 0
    """As of a leaf."""


class ErrorDelta(msgspec.Struct, array_like=True, frozen=True):
    """The same failure, seen ``count`` times. Times are seconds since the run began; ``message`` is clean text."""

    request: int
    stage: int
    outcome: str
    message: str
    count: int
    first_s: float
    last_s: float


class QuotaState(msgspec.Struct, array_like=True, frozen=True):
    """What remained of one of the target's limits when it was told last. Times are seconds since the run began."""

    name: str
    """As the target calls it: ``requests``, ``tokens`` …"""
    limit: int | None
    remaining: int
    lowest: int | None
    """Least that was told since the end of the warm-up; None before."""
    seen_s: float
    reset_at_s: float | None = None
    """When it is whole again, or more of it is there; None where the target does not say."""


class PoolState(msgspec.Struct, array_like=True, frozen=True):
    """How a pool stands on this worker right now (gauges, not increments)."""

    pool: int
    users: int
    in_flight: int
    used_up: tuple[str, ...] = ()
    """Data files of which this worker has no rows left."""
    over: bool = False
    """It has no users here, and will not have any as things stand: none are planned, or its data is used up."""
    notes: tuple[str, ...] = ()
    """What is to be told of its users, once in the run."""
    quotas: tuple[QuotaState, ...] = ()
    """What remains of the limits its target tells of."""


class SlowRequest(msgspec.Struct, array_like=True, frozen=True):
    """An ok request that is among the slowest of its worker."""

    request: int
    stage: int
    t_s: float
    """When it was sent, in seconds since the run began."""
    latency_ms: float
    ttft_ms: float | None
    status: int | None
    """None of a WebSocket message."""
    trace_id: str


class Network(msgspec.Struct, array_like=True, frozen=True):
    """How the network of the machine is doing. What the system does not say is 0 or empty."""

    ports: int
    """Ephemeral ports there are: as many connections to one address."""
    sockets: int
    """TCP sockets of all programs, those in TIME_WAIT not among them."""
    time_wait: int
    """Closed sockets whose ports are not free again yet."""
    nic: str = ""
    """The interface that is nearest to its speed."""
    nic_percent: float = 0.0
    """Of its speed, in the direction that carries more, since the last time."""
    nic_mbit: int = 0
    """Its speed, Mbit/s."""


class Health(msgspec.Struct, array_like=True, frozen=True):
    """How the worker itself is doing."""

    loop_lag: HistDelta | None
    """Lateness of the worker's own 10 ms timer, µs. A tick that was missed altogether counts with what it was late when
    the loop came back to it, so that percentiles are of time."""
    cpu_percent: float
    """Of one core, since the last delta."""
    rss_mb: float
    open_files: int
    file_limit: int = 0
    """As many as it may have open; 0 where nobody said."""
    arrival_lag: HistDelta | None = None
    """How late arrivals of open pools were let in, µs: unlike ``schedule_lag`` without what connecting took."""
    connections: int = 0
    """Open ones, to the address that has most of them."""
    network: Network | None = None
    """Once a second, and from one worker only: it is the machine's."""


class WorkerBudgetState(msgspec.Struct, array_like=True, frozen=True):
    """How the budget stands on this worker (totals, not increments)."""

    granted: Amount = NOTHING
    """What it may spend, of what is capped."""
    spent: Amount = NOTHING
    """What its requests have used, the warm-up's too."""
    held: Amount = NOTHING
    """What those in flight may use at worst."""
    kept: int = 0
    """Requests that were counted at their worst case, for their answers told no tokens."""
    overran: dict[int, int] = {}
    """By request: the most tokens of one that used more than its worst case."""


class Delta(msgspec.Struct, array_like=True, frozen=True):
    """Everything new on one worker. ``t_s`` is seconds since the run's epoch, when it was folded."""

    worker: int
    seq: int
    t_s: float
    leaves: list[LeafDelta]
    pools: list[PoolDelta]
    errors: list[ErrorDelta]
    checks: dict[str, tuple[int, int]]
    """By check: passed, failed."""
    states: list[PoolState]
    oldest_s: float
    """Age of the oldest request in flight, 0 when there is none."""
    health: Health
    purse: WorkerBudgetState | None = None
    """Where the profile has a budget."""
    slowest: list[SlowRequest] = []
    """Those new among the slowest of this worker; empty where requests carry no trace."""
    open_marks: dict[int, int] = {}
    """Requests in flight under the mark that the controls say is draining; all others are in ``leaves``."""
    from_s: float = -1.0
    """When the one before was folded; below 0 in a journal that does not say."""

    @property
    def second(self) -> int | None:
        """The second of the run in which what it tells has ended, by the worker's clock; None of one that does not say.
        Workers fold at every whole second, and a worker whose loop stood still told nothing in that time: what it tells
        afterwards had ended before.
        """
        return None if self.from_s < 0 else int(self.from_s + _EARLY_S)

"""What a worker tells the controller four times a second: only what is new since the last time.

Everything is addressed by small integers: ``request`` is the index of a request in the layout (``metrics.layout``),
``stage`` the index of a stage in the summary's ``stages``, or :data:`WARMUP` for a request sent before the warm-up
ended.
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
    """The mark the requests were sent under (``schedule.control``); figures of two marks are two leaves."""


class PoolDelta(msgspec.Struct, array_like=True, frozen=True):
    """New counts of one pool in one stage."""

    pool: int
    stage: int
    sessions: int
    iterations: int
    dropped_iterations: int
    mark: int = 0
    """As in :class:`LeafDelta`."""


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
    """The target's name for it: ``requests``, ``tokens`` …"""
    limit: int | None
    remaining: int
    lowest: int | None
    """Least that remained since the end of the warm-up; None before."""
    seen_s: float
    reset_at_s: float | None = None
    """When the limit is whole again, or more of it is there; None if the target does not say."""


class PoolState(msgspec.Struct, array_like=True, frozen=True):
    """State of a pool on this worker right now (gauges, not increments)."""

    pool: int
    users: int
    in_flight: int
    used_up: tuple[str, ...] = ()
    """Data files of which this worker has no rows left."""
    over: bool = False
    """It has no users here and will not get any: none are planned, or its data is used up."""
    notes: tuple[str, ...] = ()
    """Notes about its users, each told once in the run."""
    quotas: tuple[QuotaState, ...] = ()
    """What remains of the limits that its target tells of."""
    matched: tuple[str, ...] = ()
    """Keys of ``[measure]`` that have matched so far."""


class SlowRequest(msgspec.Struct, array_like=True, frozen=True):
    """An ok request that is among the slowest of its worker."""

    request: int
    stage: int
    t_s: float
    """When it was sent, in seconds since the run began."""
    latency_ms: float
    ttft_ms: float | None
    status: int | None
    """None for a WebSocket message."""
    trace_id: str


class Network(msgspec.Struct, array_like=True, frozen=True):
    """State of the machine's network. What the system does not say is 0 or empty."""

    ports: int
    """Ephemeral ports of the system: the most connections to one address."""
    sockets: int
    """TCP sockets of all programs, those in TIME_WAIT not among them."""
    time_wait: int
    """Closed sockets whose ports are not free again yet."""
    nic: str = ""
    """The interface that is nearest to its speed limit."""
    nic_percent: float = 0.0
    """Percent of its speed, in the busier direction, since the last report."""
    nic_mbit: int = 0
    """Its speed, Mbit/s."""


class Health(msgspec.Struct, array_like=True, frozen=True):
    """State of the worker process itself."""

    loop_lag: HistDelta | None
    """Lateness of the worker's own 10 ms timer, µs. A tick that was missed altogether counts with what it was late when
    the loop came back to it, so that percentiles are of time."""
    cpu_percent: float
    """Percent of one core, since the last delta."""
    rss_mb: float
    open_files: int
    file_limit: int = 0
    """The most files it may have open; 0 if unknown."""
    arrival_lag: HistDelta | None = None
    """How late arrivals of open pools were started, µs: ``schedule_lag`` without the time that connecting took."""
    connections: int = 0
    """Open connections, to the address that has most of them."""
    network: Network | None = None
    """Sent once a second, and by one worker only: it is the machine's."""
    longest_turn_ms: float = 0.0
    """Longest turn of its event loop since the last delta, if that was 10 ms or more and its own work."""
    turn_of: str = ""
    """The pool whose answers took most of that turn; empty if it was something else."""


class WorkerBudgetState(msgspec.Struct, array_like=True, frozen=True):
    """State of the budget on this worker (totals, not increments)."""

    granted: Amount = NOTHING
    """What it may spend of the capped amounts."""
    spent: Amount = NOTHING
    """What its requests have used, those of the warm-up too."""
    held: Amount = NOTHING
    """What requests in flight may use at worst."""
    kept: int = 0
    """Requests counted at their worst case because their answers told no tokens."""
    overran: dict[int, int] = {}
    """By request: the most tokens of one that used more than its worst case."""


class Delta(msgspec.Struct, array_like=True, frozen=True):
    """Everything that is new on one worker. ``t_s`` is when it was folded, in seconds since the run's epoch."""

    worker: int
    seq: int
    t_s: float
    leaves: list[LeafDelta]
    pools: list[PoolDelta]
    errors: list[ErrorDelta]
    checks: dict[str, tuple[int, int]]
    """By check: (passed, failed)."""
    states: list[PoolState]
    oldest_s: float
    """Age of the oldest request in flight, 0 if there is none."""
    health: Health
    budget: WorkerBudgetState | None = None
    """None unless the profile has a budget."""
    slowest: list[SlowRequest] = []
    """New ones among the slowest of this worker; empty unless requests carry a trace."""
    open_marks: dict[int, int] = {}
    """Requests in flight under the mark that the controls call draining; all others are in ``leaves``."""
    addresses: dict[str, int] = {}
    """Connections opened, by ``ip:port``."""
    from_s: float = -1.0
    """When the one before was folded; below 0 in a journal that does not say."""

    @property
    def lasted_s(self) -> float:
        """Return the time it is of, in seconds: the weight of its means. Those that do not say weigh the same."""
        return 1.0 if self.from_s < 0 else self.t_s - self.from_s

    @property
    def second(self) -> int | None:
        """Return the second of the run in which what it tells has ended, by the worker's clock; None of one that does
        not say.

        Workers fold at every whole second, and a worker whose loop stood still told nothing in that time: what it tells
        afterwards had ended before.
        """
        return None if self.from_s < 0 else int(self.from_s + _EARLY_S)

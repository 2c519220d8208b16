"""The messages to viewers: once a second a frozen picture of the run, cheap to send and complete enough to draw.

Durations and latencies carry their unit in the name. ``None`` means "no sample", never 0. Longer than most files: it is
the whole of what goes over the control socket, and nearly all of it are fields.
"""

from __future__ import annotations

import msgspec

from agenttop.metrics.assessment import Assessment
from agenttop.metrics.boxes import BoxInfo, BoxRow
from agenttop.metrics.graded import QualityState
from agenttop.metrics.request_trends import Pasts, RequestTick
from agenttop.metrics.searched import SearchState

#: Events of a run that are kept, and of these how many are in every snapshot.
KEPT_EVENTS = 500
#: Marks of manual changes that are kept, and of these how many every snapshot has.
KEPT_MARKS, SENT_MARKS = 500, 20
SENT_EVENTS = 50
#: How the events begin that say that the generator is saturated, and that it is no more.
SATURATED_EVENT = "generator saturated: "
TRUSTED_EVENT = "generator keeps up again"


class Percentiles(msgspec.Struct, frozen=True):
    """Percentiles in milliseconds over the live window."""

    count: int
    p50: float
    p90: float
    p95: float
    p99: float
    max: float


class Tick(msgspec.Struct, frozen=True):
    """One second of the timeline. ``t_s`` is the end of the second, in seconds since the run began; percentiles are of
    the live window (:data:`agenttop.metrics.live.WINDOW_S`) that ends with it, counts by bucket of the second itself.
    """

    t_s: float
    stage: int
    users: int
    target: float
    """Users that the plan or a manual command wants; in a run of open pools only, iterations per second."""
    in_flight: int
    rps: float
    failed_per_s: float
    rate_limited_per_s: float
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    latency_p99_ms: float | None = None
    ttft_p50_ms: float | None = None
    ttft_p95_ms: float | None = None
    ttft_p99_ms: float | None = None
    inter_chunk_p95_ms: float | None = None
    output_tokens_per_s: float = 0.0
    loop_lag_p99_ms: float | None = None
    manual: bool = False
    """Users or a rate were set manually during this second."""
    held: bool = False
    plan_t_s: float | None = None
    """The plan's own clock at its end, in seconds."""
    latency_counts: tuple[int, ...] = ()
    """Latencies by the buckets of :mod:`agenttop.metrics.heat`; zeros at the end left out."""
    ttft_counts: tuple[int, ...] = ()
    """The same of the times to first token."""
    inter_chunk_counts: tuple[int, ...] = ()
    """The same of the gaps between chunks."""


class StageInfo(msgspec.Struct, frozen=True):
    """One stage of the plan, on the plan's own clock."""

    index: int
    name: str
    start_s: float
    end_s: float
    target_start: float
    target_end: float
    unit: str
    """``users`` or ``rate`` (iterations per second)."""
    pool: str | None = None
    """The pool of a stage of its own; None for the stages of the whole run."""
    step: bool = False
    """The target jumps at the start instead of ramping."""
    dropped: bool = False
    """The plan was edited before it began, so it is never driven."""


class Edited(msgspec.Struct, frozen=True):
    """A plan that was edited while the run goes on. Stages keep their indices, and new ones follow."""

    stages: tuple[StageInfo, ...]
    duration_s: float

    def of(self, info: RunInfo) -> RunInfo:
        """Return the run with this plan."""
        return msgspec.structs.replace(info, stages=self.stages, duration_s=self.duration_s)


class PoolRow(msgspec.Struct, frozen=True):
    """One pool, now. ``target`` is the value in force (plan or manual), ``planned`` the plan's alone."""

    name: str
    protocol: str
    dialect: str
    unit: str
    users: int
    target: float
    planned: float
    manual: bool
    in_flight: int
    rps: float
    rate_limited: int
    errors: int
    dropped_iterations: int = 0


class RequestRow(msgspec.Struct, frozen=True):
    """One line of the requests table. Counts are since the run began; rates and percentiles are of the live window."""

    pool: str
    name: str
    protocol: str
    requests: int
    rps: float
    p50_ms: float | None
    p95_ms: float | None
    ttft_p95_ms: float | None
    rate_limited: int
    errors: int
    """Failures other than rate limits."""
    streamed: int = 0
    """Ok event streams that had output."""
    one_burst: int = 0
    """Of these, those whose output came in one burst."""
    samples: int = 0
    """Latencies that the percentiles are of."""
    ttft_samples: int = 0
    """Times to first token that theirs is of."""
    p99_ms: float | None = None
    max_ms: float | None = None
    busy_ms: float = 0.0
    """All latencies of the live window together."""
    output_tokens_per_s: float = 0.0
    p90_ms: float | None = None
    ttft: Percentiles | None = None
    inter_chunk: Percentiles | None = None
    output_tokens: int = 0
    """Since the run began."""
    second: RequestTick | None = None
    """The last second of it."""


class Cause(msgspec.Struct, frozen=True):
    """One cause of failure. ``recent`` is its count per second over the last seconds, oldest first."""

    outcome: str
    count: int
    recent: tuple[int, ...]
    first_s: float
    last_s: float
    example: str


class StagePhases(msgspec.Struct, frozen=True):
    """Phases of the requests sent in one stage so far; what no phase explains is ``(unattributed)``."""

    stage: int
    requests: int
    """Requests that reported phases."""
    mean_ms: dict[str, float]
    share: dict[str, float]
    """Each phase's share of the latency, 0 to 1."""
    counts: dict[str, int] = {}
    """Records of each phase."""
    stddev_ms: dict[str, float] = {}


class StageRow(msgspec.Struct, frozen=True):
    """What one stage was like, or is so far: of the requests sent in it, warm-up excluded. Times are in ms."""

    stage: int
    """Its index in the run's stages; in a summary's, if it was made of one."""
    name: str
    """With the pool before it if the stage is a pool's own."""
    unit: str
    load: str
    """Users or arrivals as they were driven, with their unit: ``12 users``, ``10–40 users``, ``5/s``."""
    requests: int
    rps: float
    rate_limited: int
    errors: int
    """Failures other than rate limits."""
    p50_ms: float | None = None
    p95_ms: float | None = None
    ttft_p95_ms: float | None = None
    samples: int = 0
    """Latencies that the percentiles are of."""
    ttft_samples: int = 0
    times: float | None = None
    """How many times the first stage's p95 its p95 is; None of the first, and without one."""
    grew: str = ""
    """The phase that grew by most ms since the first stage; empty if none did beyond noise."""
    grew_times: float | None = None
    state: str = ""
    """The verdict's state that lasted longest in it; empty if there is none."""
    over: bool = True
    """It has ended: nothing more is sent in it."""


class QuotaGauge(msgspec.Struct, frozen=True):
    """What remains of a limit of a pool's target, as the target told ``age_s`` seconds ago."""

    pool: str
    name: str
    """The target's name for it: ``requests``, ``tokens`` …"""
    limit: int | None
    remaining: int
    age_s: float
    reset_in_s: float | None
    """Seconds until it is whole again, or more of it is there; None if the target does not say."""
    past: bool = False
    """The reset has passed since: there may be more by now."""


class Event(msgspec.Struct, frozen=True):
    """One line of the events pane. ``level`` is ``info``, ``warn`` or ``error``."""

    t_s: float
    level: str
    text: str


class ManualChange(msgspec.Struct, frozen=True):
    """A manual change. Keys pressed in quick succession are one change, which grows until they rest."""

    t_s: float
    """When it began; identifies the change."""
    text: str


class Trust(msgspec.Struct, frozen=True):
    """How far the load generator can be trusted (:mod:`agenttop.metrics.trust`)."""

    grade: str
    """``ok``, ``late`` or ``saturated``."""
    words: str = ""
    """Why, and how much that is: ``lag 6ms, 1 % of p50``; empty while it is ok."""
    late_ms: float | None = None
    share: float | None = None
    """What it is late by, as a part of the middle first token or latency; None without answers."""
    part: str = ""
    """The same in words: ``1 % of p50``."""


class Generator(msgspec.Struct, frozen=True):
    """State of the load generator: whether its figures can be trusted."""

    workers: int
    alive: int
    cpu_percent_max: float
    loop_lag_p99_ms: float | None
    schedule_lag_p99_ms: float | None
    rss_mb: float
    open_files: int
    saturated: bool
    """It is short of something, however little that spoils."""
    reasons: tuple[str, ...] = ()
    trust: Trust | None = None
    """The grade, as it is told; None from a run of an older version."""

    @property
    def grade(self) -> str:
        """Return the grade that is told."""
        return self.trust.grade if self.trust is not None else "saturated" if self.saturated else "ok"

    @property
    def words(self) -> str:
        """Return why it is not ok."""
        return self.trust.words if self.trust is not None else "; ".join(self.reasons)


class Verdict(msgspec.Struct, frozen=True):
    """How a threshold of the profile stands. ``observed`` is in ``unit``."""

    expression: str
    """As written in the profile."""
    verdict: str
    """``pass``, ``fail`` or ``no data``."""
    passed: bool
    """It counts as passed: ``no data`` does if the profile allows it."""
    observed: float | None
    """The value; of a threshold with a window, that of the worst window so far."""
    unit: str
    """``ms``, ``s``, ``%``, ``/s`` …; empty for a plain number."""
    window_s: float | None = None
    aborted_run: bool = False
    excess: float = 0.0
    """How far it is beyond its limit, as a part of that limit; 0 if within."""
    refused: int = 0
    """Rate-limited answers since the run began that its figure leaves out though they are of what it is on."""


class BudgetLine(msgspec.Struct, frozen=True):
    """A cap of the budget and what was used of it: requests, tokens or USD, as ``name`` says."""

    name: str
    """``requests``, ``tokens`` or ``cost_usd``."""
    cap: float | None
    used: float
    held: float
    """What requests in flight may use at worst."""


class BreakerState(msgspec.Struct, frozen=True):
    """State of the circuit breaker. ``share`` and ``limit`` are 0 to 1, of the requests of the last ``over_s``
    seconds.
    """

    share: float
    """Failed requests of those that finished."""
    limit: float
    requests: int
    over_s: float
    open: bool = False
    """The target has fallen over, and the run ends."""


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """The whole picture at ``t_s`` seconds since the run began."""

    seq: int
    t_s: float
    plan_t_s: float
    """The plan's own clock: stands still while held, jumps with ``next``."""
    state: str
    """``starting``, ``armed``, ``running``, ``draining`` or ``done``."""
    warmup: bool
    held: bool
    paused: bool
    stage: int
    """Index into the run's stages; -1 before the first and after the last."""
    users: int
    target_users: int
    planned_users: int
    rate: float
    """Iterations per second wanted of the open pools together."""
    manual: tuple[str, ...]
    """What is set manually: pool names, or ``all``."""
    in_flight: int
    oldest_s: float
    window_s: float
    """Length of the live window that rates and percentiles are of."""
    rps: float
    ttft: Percentiles | None
    latency: Percentiles | None
    inter_chunk: Percentiles | None
    requests: int
    ok: int
    failed: int
    rate_limited: int
    cancelled: int
    dropped_iterations: int
    error_rate: float
    """failed / requests since the run began, 0 to 1."""
    retry_after_s: float | None
    """Median Retry-After of the run's 429s."""
    causes: tuple[Cause, ...]
    pools: tuple[PoolRow, ...]
    table: tuple[RequestRow, ...]
    events: tuple[Event, ...]
    """The newest last; at most 50."""
    generator: Generator
    tick: Tick
    phases_ms: dict[str, float] = {}
    """Mean duration of each phase over the live window."""
    first_phases_ms: dict[str, float] = {}
    """Mean duration of each phase in the first stage that has enough of them; empty until the run has left it."""
    bytes_sent: int = 0
    bytes_received: int = 0
    output_tokens: int = 0
    goodput: float | None = None
    """Share of attempts since the run began that met every objective, 0 to 1; None without objectives or requests."""
    good: int = 0
    """Requests that met every objective."""
    thresholds: tuple[Verdict, ...] = ()
    """In the order of the profile."""
    retries: int = 0
    """Rate-limited answers whose request was sent again: they are no failures, and not in ``rate_limited``."""
    recovered: int = 0
    """Requests that were ok after that."""
    sent_again: int = 0
    """Requests sent once more because the target closed a kept connection as they were sent."""
    sessions_lost: int = 0
    """Sessions whose WebSocket ended between two messages, or that were not known any more."""
    said_nothing: int = 0
    """Ok answers with neither output nor usage."""
    violations: int = 0
    """Answers that are not what rate-limited ones should be."""
    budget: tuple[BudgetLine, ...] = ()
    """One line for each cap."""
    budget_refused: int = 0
    """Requests that were not sent because the budget had no more for them."""
    stage_phases: tuple[StagePhases, ...] = ()
    """One row for each stage with phases, in order; warm-up excluded."""
    stage_rows: tuple[StageRow, ...] = ()
    """One row for each stage that had requests, as in the report."""
    quotas: tuple[QuotaGauge, ...] = ()
    """What remains of the limits that targets tell of."""
    breaker: BreakerState | None = None
    """None if the profile has no circuit breaker."""
    search: SearchState | None = None
    """None if no capacity is searched."""
    quality: QualityState | None = None
    """None if nothing is graded."""
    edited: Edited | None = None
    """The plan, if it is not :class:`RunInfo`'s any more."""
    changed: tuple[str, ...] = ()
    """Other settings that differ from the profile, in words: ``think 1s..3s``, ``on_429 honor chat``."""
    by_hand: tuple[ManualChange, ...] = ()
    """The last manual changes, the newest last; at most 20."""
    verdict: Assessment | None = None
    """Whether the target keeps up, in words; None before the first second."""
    boxes: tuple[BoxRow, ...] = ()
    """The boxes of a fleet; none in a run on one machine."""


class RunInfo(msgspec.Struct, frozen=True, tag="run"):
    """What does not change during a run; the first message to a viewer."""

    run_id: str
    name: str
    profile: str
    """File name of the profile."""
    target: str
    started_at: str
    duration_s: float
    """Length of the plan."""
    warmup_s: float
    stages: tuple[StageInfo, ...]
    pools: tuple[str, ...]
    seed: int
    workers: int
    directory: str
    """Where the run's journal and summary are."""
    history: tuple[Tick, ...] = ()
    """The timeline so far (a viewer may come late): the last minutes by second, older ones more coarsely."""
    interval_s: float = 1.0
    events: tuple[Event, ...] = ()
    """Events so far, the newest last; more than a snapshot has."""
    by_hand: tuple[ManualChange, ...] = ()
    """Manual changes so far, the newest last; more than a snapshot has."""
    pasts: Pasts = Pasts()
    """The past of each request so far."""
    boxes: tuple[BoxInfo, ...] = ()
    """The boxes of a fleet; none in a run on one machine."""


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The last message: the run is over and its summary is written."""

    exit_code: int
    stop_reason: str
    summary: str
    """Path of the summary, empty if none could be written."""
    message: str = ""


class Reply(msgspec.Struct, frozen=True, tag="reply"):
    """The answer to a command. ``message`` says what was done, or why not."""

    id: int
    applied: bool
    message: str


#: What a viewer receives.
Message = RunInfo | Snapshot | Ended | Reply

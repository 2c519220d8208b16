"""The summary ``agenttop.summary/1`` as types: what a report may rely on, and the source of its JSON Schema.

Keys that are not here are allowed: the format is added to, never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from agenttop.metrics.catalogue import CATALOGUE, OWN_COUNTERS, OWN_DISTRIBUTIONS, POOL_COUNTERS, TRAFFIC

SCHEMA = "agenttop.summary/1"

Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1, description="0 to 1.")]
Amount = Annotated[float, Meta(ge=0)]
Column = list[float | None]


class Dist(msgspec.Struct, frozen=True):
    """A distribution, in the unit its key names. Percentiles are HdrHistogram's, clamped to min and max."""

    count: Annotated[int, Meta(ge=1)]
    min: float
    mean: float
    stddev: Annotated[float, Meta(ge=0, description="Of the population.")]
    p50: float
    p75: float
    p90: float
    p95: float
    p99: float
    p99_9: float
    max: float
    hdr: Annotated[str, Meta(description="HdrHistogram V2 encoding, base64, always in microseconds.")]


class Failure(msgspec.Struct, frozen=True):
    """A kind of failure, and how often it occurred."""

    outcome: str
    message: Annotated[str, Meta(description="Cleaned of control characters.")]
    count: Count
    first_s: Annotated[float, Meta(description="Seconds since the run began.")]
    last_s: float


class Tokens(msgspec.Struct, frozen=True):
    """Tokens; null if no answer told any."""

    source: Annotated[
        Literal["server", "chunks", "none"],
        Meta(description="The server's own usage; counted chunks (an estimate) where no server told any."),
    ]
    input: Count | None
    output: Count | None
    cached: Count | None
    reasoning: Count | None
    output_per_s: Amount | None
    per_request_mean: (
        Annotated[float, Meta(description="Output tokens of a request that told them; see source.")] | None
    )
    estimated: Annotated[
        Count | None, Meta(description="Chunks of the answers whose output nobody told; never added to output.")
    ] = None
    told_requests: Annotated[int, Meta(description="Requests whose tokens the server told.")] = 0
    estimated_requests: Annotated[int, Meta(description="Requests whose chunks were counted instead.")] = 0


class Calls(msgspec.Struct, frozen=True):
    """Calls of a kind; null if no answer told of any."""

    total: Count | None
    per_request_mean: Amount | None


class PhaseShare(msgspec.Struct, frozen=True):
    """A phase's share of the latency, of the requests that reported phases."""

    mean: Annotated[
        float, Meta(ge=0, le=1, description="Its total, by that of all phases and of what no phase explains.")
    ]
    p95: Annotated[
        Share | None, Meta(description="Of the shares that single requests had of it; null where not measured.")
    ] = None


class Goodput(msgspec.Struct, frozen=True):
    """Requests that met every objective of the profile."""

    good: Count
    share: Share
    per_s: Amount


class RateLimit(msgspec.Struct, frozen=True):
    """Rate-limited answers, and how well they conform."""

    count: Annotated[int, Meta(ge=0, description="Refusals, those among them whose request was sent again.")]
    share: Annotated[float, Meta(ge=0, le=1, description="Of the requests, each retry counted as one.")]
    conformant: Annotated[
        Count | None, Meta(description="Refusals that are as [rate_limit] wants them; null without it.")
    ]
    violations: Annotated[
        dict[str, int] | None,
        Meta(
            description="Answers by what is wrong with them: refusals that do not conform, and failures (5xx, 4xx, an "
            "error in an answer of status 200) that came under limit, within a second of a refusal of the same request."
        ),
    ]
    retry_after_s: Annotated[Dist | None, Meta(description="In seconds.")]
    recovered: Annotated[
        Count | None, Meta(description='Requests that were ok after a refusal; null without on_429 = "retry".')
    ]
    amplification: Annotated[float, Meta(description="Attempts by request.")] | None


class Streams(msgspec.Struct, frozen=True):
    """Event streams, and what was wrong with them."""

    streamed: Annotated[int, Meta(ge=0, description="Ok answers that streamed output.")]
    one_burst: Annotated[
        int, Meta(ge=0, description="Of these, whose output came in one lump at the end: their TTFT says nothing.")
    ]
    share: Annotated[float, Meta(ge=0, le=1, description="one_burst / streamed.")]
    stalled: Annotated[int, Meta(ge=0, description="Timeouts: nothing more came for as long as idle_timeout.")] = 0
    unterminated: Annotated[
        int, Meta(ge=0, description="Truncated: the answer ended as it should, its stream without its terminal event.")
    ] = 0


class Block(msgspec.Struct, frozen=True):
    """A piece of the measured time, as long as all others: what ended in it."""

    start_s: Annotated[float, Meta(description="Seconds since the run began.")]
    requests: Annotated[int, Meta(ge=0, description="Finished.")]
    failed: Count
    rate_limited: Count
    latency_hdr: Annotated[str | None, Meta(description="Of ok requests, as a DIST's hdr; null without one.")]
    ttft_hdr: Annotated[str | None, Meta(description="Likewise.")]
    attempts: Count = 0
    good: Annotated[int, Meta(ge=0, description="That met every objective.")] = 0
    output_tokens: Count = 0
    token_requests: Annotated[int, Meta(ge=0, description="Whose output tokens are known.")] = 0
    cost_usd: Amount | None = None


def _what(name: str, *, least: int | None = None, most: int | None = None) -> Meta:
    """Return the catalogue's description of a metric with the limits of its value."""
    return Meta(description=CATALOGUE[name].what, ge=least, le=most)


def _counters(names: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    for name in names:
        kind = Annotated[int, _what(name, least=0)] if CATALOGUE[name].what else Count
        yield (name, kind) if name in _FIRST else (name, kind, 0)


def _distributions(names: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    for name in names:
        kind = Annotated[Dist | None, _what(name)]
        yield (f"{name}_ms", kind) if name in _FIRST else (f"{name}_ms", kind, None)


#: Counters and distributions that every summary has; those that came later may be missing in an old one.
_FIRST = frozenset(
    (
        *("latency", "response_time", "ttft", "ttfo", "ttfb", "tpot", "inter_chunk", "connect", "schedule_lag"),
        *("time_to_failure", "unattributed"),
        *("bytes_sent", "bytes_received", "connections_opened", "connections_reused"),
    )
)
if TYPE_CHECKING:
    Metrics = msgspec.Struct
else:
    Metrics = msgspec.defstruct(
        "Metrics",
        [
            ("requests", Annotated[int, _what("requests", least=0)]),
            ("ok", Count),
            ("failed", Annotated[int, _what("failed", least=0)]),
            ("rate_limited", Count),
            ("cancelled", Annotated[int, _what("cancelled", least=0)]),
            ("attempts", Annotated[int, _what("attempts", least=0)]),
            *(
                (name, Annotated[int | None, _what(name)] if row.what else int | None)
                for name, row in POOL_COUNTERS.items()
            ),
            *_counters(OWN_COUNTERS),
            ("rps", Annotated[float, _what("rps", least=0)]),
            ("error_rate", Annotated[float, _what("error_rate", least=0, most=1)]),
            ("status", Annotated[dict[str, int], Meta(description="By HTTP status.")]),
            ("outcomes", dict[str, int]),
            ("errors", Annotated[list[Failure], Meta(max_length=20, description="The most frequent first.")]),
            *_distributions(OWN_DISTRIBUTIONS),
            ("phases_ms", Annotated[dict[str, Dist | None], _what("phases")]),
            *_distributions(["unattributed"]),
            ("phase_shares", Annotated[dict[str, PhaseShare], _what("phase_shares")], {}),
            ("tokens", Tokens),
            ("llm_calls", Calls),
            ("tool_calls", Calls),
            ("cost_usd", Annotated[Amount | None, _what("cost_usd")]),
            ("goodput", Goodput | None),
            ("rate_limit", RateLimit),
            ("streams", Annotated[Streams | None, _what("streams")], None),
            *_counters(TRAFFIC),
            (
                "blocks",
                Annotated[
                    list[Block] | None,
                    Meta(
                        description="The measured time in 30 to 60 equal pieces, one a second of a run of less than "
                        "30; what ended as the run drained is in further ones. Null of a stage."
                    ),
                ],
                None,
            ),
        ],
        namespace={"__doc__": "Everything measured of one thing. Latencies hold ok requests only."},
        module=__name__,
        frozen=True,
        kw_only=True,
    )


class PoolMetrics(Metrics, frozen=True, kw_only=True):
    """METRICS of a pool."""

    protocol: str
    dialect: str
    users_max: Annotated[int, Meta(ge=0, description="Most users at once, the warm-up included.")]


class StageMetrics(Metrics, frozen=True, kw_only=True):
    """METRICS of a stage: of the requests sent in it."""

    index: Count
    name: str
    start_s: Annotated[float, Meta(description="When it really began; as planned where it was never reached.")]
    end_s: float
    target_start: float
    target_end: float
    unit: Literal["users", "rate"]
    pool: Annotated[str | None, Meta(description="Whose stage it is; null for one of the whole run.")] = None
    planned_start_s: float | None = None
    planned_end_s: float | None = None
    measured_s: Annotated[float, Meta(description="What rps divides by: its length without warm-up.")] = 0.0


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """One entry a second in every column, warm-up included. ``t_s`` is the end of the second."""

    interval_s: float
    percentiles_s: Annotated[
        float | None,
        Meta(description="Seconds up to t_s whose records a percentile is of; null: the last one."),
    ] = None
    t_s: list[float]
    stage: Annotated[list[int], Meta(description="Index into stages, -1 outside of all.")]
    users: list[int]
    target: list[float]
    in_flight: list[int]
    rps: list[float]
    failed_per_s: list[float]
    rate_limited_per_s: list[float]
    latency_p50_ms: Column
    latency_p95_ms: Column
    latency_p99_ms: Column
    ttft_p50_ms: Column
    ttft_p95_ms: Column
    output_tokens_per_s: list[float]
    loop_lag_p99_ms: Column
    ttft_p99_ms: Column | None = None
    inter_chunk_p95_ms: Column | None = None
    manual: list[bool] | None = None
    held: list[bool] | None = None
    plan_t_s: Annotated[Column | None, Meta(description="The plan's own clock, which a hold stops.")] = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The identity of the run, and how it ended."""

    id: str
    name: str
    started_at: Annotated[str, Meta(description="RFC 3339.")]
    ended_at: str | None
    duration_s: Amount
    stop_reason: Literal[
        "completed", "stopped_by_user", "threshold_abort", "budget", "circuit_breaker", "target_unreachable", "error"
    ]
    exit_code: int
    agenttop_version: str
    host: str
    seed: int
    target: str = ""
    warmup_s: float = 0.0
    measured_s: Annotated[float, Meta(description="What rates divide by: warm-up's end to the last sending.")] = 0.0
    directory: str = ""
    message: Annotated[str, Meta(description="What went wrong, where something did.")] = ""
    users_max: Annotated[int | None, Meta(description="Most users at once, the warm-up included.")] = None
    incomplete: Annotated[bool, Meta(description="Rebuilt from the journal of a run that was cut off.")] = False


class GeneratorHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The health of the load generator: whether its figures can be trusted."""

    workers: Count
    cpu_count: int | None
    python: str
    loop_lag_ms: Dist | None
    cpu_percent_max: Annotated[float, Meta(description="Of one worker's core, over a second.")]
    max_rss_mb: Annotated[float, Meta(description="Of all workers together.")]
    open_files_max: Annotated[int, Meta(description="Of one worker.")]
    saturated: Annotated[bool, Meta(description="At some time it was: timings are then too long.")]
    warnings: list[str]
    addresses: Annotated[
        dict[str, int], Meta(description="Connections opened, the warm-up's too, by ip:port; of a proxy its own.")
    ] = {}


class Threshold(msgspec.Struct, frozen=True):
    """A threshold of the profile and its verdict."""

    expression: str
    observed: Annotated[float | None, Meta(description="In the expression's own unit; null without a sample.")]
    passed: bool
    aborted_run: bool
    verdict: Annotated[str, Meta(description="pass, fail or no data.")] = ""
    unit: Annotated[str | None, Meta(description="Of observed; null where the expression says it.")] = None
    window_s: Annotated[float | None, Meta(description="observed is of the worst stretch of this length.")] = None


class Check(msgspec.Struct, frozen=True):
    """How often a check held."""

    passed: Count
    failed: Count


class QuotaLine(msgspec.Struct, frozen=True):
    """What remained of a limit that a pool's target tells of in its answers."""

    pool: str
    name: Annotated[str, Meta(description="As the target calls it: requests, tokens, input-tokens …")]
    limit: Annotated[Count | None, Meta(description="As it was told last; null where the target does not say.")]
    lowest_remaining: Annotated[
        Count | None, Meta(description="Least that was seen after the warm-up; null where nothing was.")
    ]
    last_remaining: Count
    last_seen_s: Annotated[float, Meta(description="When that was, in seconds since the run began.")]


class SlowLine(msgspec.Struct, frozen=True):
    """An ok request, and the trace it is found by at the target."""

    request: Annotated[str, Meta(description="POOL/REQUEST.")]
    stage: Annotated[int, Meta(description="Index into stages.")]
    t_s: Annotated[float, Meta(description="When it was sent, in seconds since the run began.")]
    latency_ms: Amount
    ttft_ms: Amount | None
    status: Annotated[int | None, Meta(description="Null of a WebSocket message.")]
    trace_id: Annotated[str, Meta(description="32 hex digits, as in its traceparent; a message has its upgrade's.")]


class SlowestLists(msgspec.Struct, frozen=True):
    """The slowest requests of the run, the slowest first."""

    by_latency: Annotated[list[SlowLine], Meta(max_length=10)]
    by_ttft: Annotated[list[SlowLine], Meta(max_length=10)]


class BudgetLine(msgspec.Struct, frozen=True):
    """A cap and what was used of it, the warm-up included."""

    cap: Annotated[float | None, Meta(description="Null where there is none.")]
    used: Annotated[float, Meta(ge=0, description="As answers told; at worst case where they did not.")]
    lost: Annotated[
        float, Meta(ge=0, description="What workers that died may have used besides; never given out again.")
    ] = 0.0
    at_worst_case_requests: Annotated[
        int, Meta(ge=0, description="Requests whose answers told no tokens: counted at their worst case.")
    ] = 0


class SearchStep(msgspec.Struct, frozen=True, kw_only=True):
    """One level that was tried. Counts are of the requests sent while it was measured, whenever they ended."""

    level: Amount
    start_s: float
    end_s: float
    measured_s: Amount
    requests: Annotated[int, Meta(ge=0, description="Attempts; with arrivals that were dropped, and unanswered ones.")]
    good: Annotated[int, Meta(ge=0, description="That met every objective.")]
    share: Share
    low: Annotated[float, Meta(ge=0, le=1, description="Begin of the Wilson interval of share that is judged by.")]
    high: Share
    verdict: Annotated[
        Literal["pass", "fail", "undecided", "cut"],
        Meta(description="undecided: not with the confidence asked for; cut: it did not come to a judgement."),
    ]
    holds: Annotated[bool, Meta(description="It counts as a level that holds; of undecided ones by share alone.")]
    confidence: Annotated[float, Meta(ge=0, le=1, description="With which holds is known.")]
    latency_p95_ms: float | None
    ttft_p95_ms: float | None
    rps: Amount
    rate_limited: Count
    missed: Annotated[
        dict[str, int], Meta(description="Why requests were not good: objectives, outcomes, dropped, unanswered.")
    ]
    why: Annotated[str, Meta(description="What ended it before its time.")] = ""


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """A search for the most users, or iterations per second, at which requests are good."""

    unit: Literal["users", "rate"]
    pool: Annotated[str | None, Meta(description="Whose; null for the users of all pools that share them.")]
    good: Annotated[float, Meta(ge=0, le=1, description="Share of requests that must be good.")]
    confidence: Share
    capacity: Annotated[float | None, Meta(description="The highest level that holds.")]
    lower: Annotated[float | None, Meta(description="The highest one of which that is known with confidence.")]
    upper: Annotated[float | None, Meta(description="The lowest of which it is known that it does not hold.")]
    stopped: Annotated[
        str,
        Meta(
            description="found, at_max, below_min, generator (it was saturated), users (they never came), no_requests, "
            "stopped_by_user, time (the run's length was capped), or why else the run ended (its stop_reason)."
        ),
    ]
    limited_by: Annotated[
        str | None, Meta(description="Why most requests were not good at the lowest level that does not hold.")
    ]
    steps: list[SearchStep]


class Control(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A command given while the run went on."""

    t_s: float
    command: str
    pool: str | None
    from_: float | str | None
    to: float | str | None
    source: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The summary of one run of agenttop."""

    schema: Literal["agenttop.summary/1"]
    run: Run
    profile: Annotated[dict[str, Any], Meta(description="As resolved, secrets as ***.")]
    profile_sha256: str
    generator: GeneratorHealth
    totals: Metrics
    pools: dict[str, PoolMetrics]
    requests: Annotated[dict[str, Metrics], Meta(description="By POOL/REQUEST.")]
    stages: list[StageMetrics]
    timeline: Timeline
    thresholds: list[Threshold]
    checks: dict[str, Check]
    budget: dict[str, BudgetLine | None]
    quality: Annotated[dict[str, Any] | None, Meta(description="Graded answers; null where nothing was graded.")]
    controls: list[Control]
    slowest: Annotated[SlowestLists | None, Meta(description="Null without traceparent = true.")] = None
    quotas: Annotated[list[QuotaLine], Meta(description="By pool and name; empty where no target tells.")] = []
    search: Annotated[Search | None, Meta(description="Null where no capacity was searched.")] = None

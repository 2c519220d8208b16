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
    stddev: Annotated[float, Meta(ge=0, description="The population standard deviation.")]
    p50: float
    p75: float
    p90: float
    p95: float
    p99: float
    p99_9: float
    max: float
    hdr: Annotated[
        str, Meta(description="The histogram in HdrHistogram V2 encoding, as Base64; its unit is always microseconds.")
    ]


class Failure(msgspec.Struct, frozen=True):
    """A kind of failure, and how often it occurred."""

    outcome: str
    message: Annotated[str, Meta(description="The message, without control characters.")]
    count: Count
    first_s: Annotated[float, Meta(description="When it first occurred, in seconds since the run began.")]
    last_s: float


class Tokens(msgspec.Struct, frozen=True):
    """Tokens; null if no answer told any."""

    source: Annotated[
        Literal["server", "chunks", "none"],
        Meta(
            description="Where the figures come from: server is the usage it reported; chunks is an estimate, the "
            "counted chunks, if no server reported any."
        ),
    ]
    input: Count | None
    output: Count | None
    cached: Count | None
    reasoning: Count | None
    output_per_s: Amount | None
    per_request_mean: (
        Annotated[float, Meta(description="Mean output tokens of the requests that reported them; see source.")] | None
    )
    estimated: Annotated[
        Count | None,
        Meta(
            description="Output chunks of the answers whose server reported no output tokens; they are never added to "
            "output."
        ),
    ] = None
    told_requests: Annotated[int, Meta(description="Requests whose tokens the server reported.")] = 0
    estimated_requests: Annotated[
        int, Meta(description="Requests whose output chunks were counted because the server reported no output tokens.")
    ] = 0


class Calls(msgspec.Struct, frozen=True):
    """Calls of a kind; null if no answer told of any."""

    total: Count | None
    per_request_mean: Amount | None


class PhaseShare(msgspec.Struct, frozen=True):
    """A phase's share of the latency, of the requests that reported phases."""

    mean: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="The phase's total, divided by the total of all phases and of the time that no phase explains.",
        ),
    ]
    p95: Annotated[
        Share | None, Meta(description="95th percentile of the share in single requests; null if it was not measured.")
    ] = None


class Goodput(msgspec.Struct, frozen=True):
    """Requests that met every objective of the profile."""

    good: Count
    share: Share
    per_s: Amount


class RateLimit(msgspec.Struct, frozen=True):
    """Rate-limited answers, and how well they conform."""

    count: Annotated[int, Meta(ge=0, description="Rate-limited responses, including those whose request was retried.")]
    share: Annotated[
        float,
        Meta(
            ge=0, le=1, description="Rate-limited responses as a share of the requests, with each retry counted as one."
        ),
    ]
    conformant: Annotated[
        Count | None,
        Meta(description="Rate-limited responses that meet the rules of [rate_limit]; null without [rate_limit]."),
    ]
    violations: Annotated[
        dict[str, int] | None,
        Meta(
            description="Responses by the rule that they break: rate-limited responses that do not conform, and "
            "failures (5xx, "
            "4xx, an error in a response of status 200) within a second of a rate-limited response to the same request."
        ),
    ]
    retry_after_s: Annotated[
        Dist | None, Meta(description="The time that rate-limited responses asked the client to wait, in seconds.")
    ]
    recovered: Annotated[
        Count | None, Meta(description='Requests that were ok after a retry; null without on_429 = "retry".')
    ]
    amplification: Annotated[float, Meta(description="Attempts per request.")] | None


class Streams(msgspec.Struct, frozen=True):
    """Event streams, and what was wrong with them."""

    streamed: Annotated[int, Meta(ge=0, description="Ok answers that streamed output.")]
    one_burst: Annotated[
        int,
        Meta(
            ge=0, description="Streamed answers whose output came all at once at the end: their TTFT is not meaningful."
        ),
    ]
    share: Annotated[
        float, Meta(ge=0, le=1, description="Share of streamed answers that came all at once: one_burst / streamed.")
    ]
    stalled: Annotated[int, Meta(ge=0, description="Streams that idle_timeout ended because nothing more came.")] = 0
    unterminated: Annotated[
        int,
        Meta(
            ge=0,
            description="Streams that ended without their terminal event, though the response itself was complete.",
        ),
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
            ("status", Annotated[dict[str, int], Meta(description="Responses by HTTP status.")]),
            ("outcomes", dict[str, int]),
            (
                "errors",
                Annotated[
                    list[Failure],
                    Meta(max_length=20, description="Failures by outcome and message, the most frequent first."),
                ],
            ),
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


Ends = Annotated[list[float], Meta(description="Ends of its 95 % interval.")]


class Scaling(msgspec.Struct, frozen=True, kw_only=True):
    """The Universal Scalability Law, fitted to the levels of load."""

    contention: Annotated[float, Meta(description="σ: the part of the work that waits for other work.")]
    contention_interval: Ends
    coherency: Annotated[float, Meta(description="κ: the work that every pair of users makes for each other.")]
    coherency_interval: Ends
    falls: Annotated[bool, Meta(description="Throughput was seen to fall beyond the knee.")]
    peak: Annotated[
        float | None, Meta(description="Load with the highest throughput of the law; null where it has none.")
    ] = None


class Knee(msgspec.Struct, frozen=True, kw_only=True):
    """The load beyond which throughput does not grow: per_s × (response_s + think_s)."""

    unit: Annotated[Literal["users", "rate"], Meta(description="Of users and most: users, or iterations per second.")]
    users: Annotated[float, Meta(description="Where it is, in its unit.")]
    interval: Ends
    per_s: Annotated[float, Meta(description="The highest rate of ok answers.")]
    per_s_interval: Ends
    served: Annotated[float, Meta(description="Requests served at a time: per_s × response_s.")]
    served_interval: Ends
    response_s: Annotated[float, Meta(description="Response time at light load.")]
    response_s_interval: Ends
    think_s: Annotated[float, Meta(description="Time from an answer to the same user's next request; 0 of arrivals.")]
    think_s_interval: Ends
    most: Annotated[float, Meta(description="The highest load that was measured.")]
    refused: Annotated[Share, Meta(description="Share of the requests that was refused (429) beyond it.")] = 0.0
    scaling: Scaling | None = None


class VerdictEvidence(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A figure before and now."""

    what: Annotated[str, Meta(description="What it is, with its unit in the name.")]
    from_: float | None
    to: float | None


class VerdictCause(msgspec.Struct, frozen=True):
    """Something that lies behind the state."""

    kind: Annotated[str, Meta(description="model, queue, tools, phase, quota or outcome.")]
    words: str
    share: Annotated[float, Meta(ge=0, le=1, description="The part of what was lost that is due to it.")]


State = Literal["keeps_up", "slows", "queues", "refuses", "fails", "hangs", "recovers", "unknown"]


class VerdictBrief(msgspec.Struct, frozen=True):
    """A state of the target, and when it began."""

    state: State
    since_s: float
    users: Annotated[float, Meta(description="Users there were, or iterations per second of arrivals alone.")]
    words: str


class RunVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on the target: its worst state in the run, as it was at its worst."""

    state: State
    since_s: Annotated[float, Meta(description="When it was first so.")]
    users: Annotated[float, Meta(description="Users there were then, or iterations per second; see unit.")]
    unit: Literal["users", "rate"]
    words: Annotated[str, Meta(description="One sentence, without the state.")]
    bound: Annotated[
        str, Meta(description="The knee in words, or the load that is held at least; empty where neither is known.")
    ]
    evidence: list[VerdictEvidence]
    causes: list[VerdictCause]
    knee: Annotated[Knee | None, Meta(description="Null of a run that has not passed it.")]
    holds: Annotated[
        float | None,
        Meta(description="The highest load at which it kept up; null if there is none, or a knee."),
    ]
    others: Annotated[list[VerdictBrief], Meta(description="Other states of the run that are not well.")] = []
    changes: Annotated[list[VerdictBrief], Meta(description="Every state, in the order of time.")] = []


class StageVerdict(msgspec.Struct, frozen=True):
    """The verdict in a stage."""

    state: Annotated[State, Meta(description="The one that lasted longest.")]
    seconds: Annotated[dict[str, int], Meta(description="Seconds by state.")]


class PoolMetrics(Metrics, frozen=True, kw_only=True):
    """METRICS of a pool."""

    protocol: str
    dialect: str
    users_max: Annotated[int, Meta(ge=0, description="The most users at any time, including the warm-up.")]


class StageMetrics(Metrics, frozen=True, kw_only=True):
    """METRICS of a stage: of the requests sent in it."""

    index: Count
    name: str
    start_s: Annotated[
        float, Meta(description="When the stage really began; its planned start if it was never reached.")
    ]
    end_s: float
    target_start: float
    target_end: float
    unit: Literal["users", "rate"]
    pool: Annotated[str | None, Meta(description="The pool whose stage it is; null for a stage of the whole run.")] = (
        None
    )
    planned_start_s: float | None = None
    planned_end_s: float | None = None
    measured_s: Annotated[
        float, Meta(description="The seconds that rps divides by: the length of the stage without the warm-up.")
    ] = 0.0
    verdict: Annotated[StageVerdict | None, Meta(description="Null where nothing was judged.")] = None


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """One entry a second in every column, warm-up included. ``t_s`` is the end of the second."""

    interval_s: float
    percentiles_s: Annotated[
        float | None,
        Meta(description="The seconds up to t_s that each percentile covers; null: the last one."),
    ] = None
    t_s: list[float]
    stage: Annotated[list[int], Meta(description="Index into stages; -1 outside all stages.")]
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
    plan_t_s: Annotated[Column | None, Meta(description="The plan's own clock, which hold stops.")] = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The identity of the run, and how it ended."""

    id: str
    name: str
    started_at: Annotated[str, Meta(description="When the load began, as RFC 3339.")]
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
    measured_s: Annotated[
        float, Meta(description="The seconds that rates divide by: from the end of the warm-up to when sending ended.")
    ] = 0.0
    directory: str = ""
    message: Annotated[str, Meta(description="What went wrong; empty if nothing did.")] = ""
    users_max: Annotated[int | None, Meta(description="The most users at any time, including the warm-up.")] = None
    incomplete: Annotated[
        bool, Meta(description="The summary was rebuilt from the journal of a run that was cut off.")
    ] = False
    verdict: Annotated[
        RunVerdict | None, Meta(description="Whether the target kept up; null of a run of an older version.")
    ] = None


class BoxHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One box of a fleet, the warm-up left out."""

    name: Annotated[str, Meta(description="What the run calls it.")]
    host: Annotated[str, Meta(description="What it calls itself.")]
    workers: Count
    cpu_count: Count
    state: Annotated[
        Literal["up", "silent", "off", "lost"],
        Meta(description="How it stood at the end: off was left out by a command, lost is gone for good."),
    ]
    lost_s: Annotated[float | None, Meta(description="When it was lost, in seconds since the run began.")]
    requests: Annotated[Count, Meta(description="Requests of its workers that finished.")]
    users_max: Count
    cpu_percent_max: float
    loop_lag_ms: Dist | None
    latency_ms: Dist | None
    ttft_ms: Dist | None
    clock_error_ms: Annotated[
        float, Meta(description="What the seconds that its figures stand in can be off by at most, in ms.")
    ]


class GeneratorHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The health of the load generator: whether its figures can be trusted."""

    workers: Count
    cpu_count: int | None
    python: str
    loop_lag_ms: Dist | None
    cpu_percent_max: Annotated[
        float, Meta(description="The highest CPU usage of one worker over a second, in percent of a core.")
    ]
    max_rss_mb: Annotated[float, Meta(description="The most memory (RSS) that all workers together used, in MB.")]
    open_files_max: Annotated[int, Meta(description="The most files that one worker had open.")]
    saturated: Annotated[bool, Meta(description="The generator was saturated at some time; timings are then too long.")]
    warnings: list[str]
    grade: Annotated[
        str,
        Meta(
            description="By how much, at worst and after the warm-up: ok, late (no time is off by 5 % or 5 ms) or "
            "saturated; empty of a run of an older version."
        ),
    ] = ""
    grade_words: Annotated[str, Meta(description="Why, and what it is of the times shown: lag 6ms, 1 % of p50.")] = ""
    lag_share: Annotated[
        float | None,
        Meta(description="What it was late by at worst, as a part of the middle first token or latency, 0 to 1."),
    ] = None
    spoilt_s: Annotated[float, Meta(description="For how many seconds its grade was saturated.")] = 0.0
    addresses: Annotated[
        dict[str, int],
        Meta(description="Connections opened, by ip:port, including the warm-up; with a proxy, those to the proxy."),
    ] = {}
    boxes: Annotated[list[BoxHealth], Meta(description="The boxes of a fleet; none in a run on one machine.")] = []


class Threshold(msgspec.Struct, frozen=True):
    """A threshold of the profile and its verdict."""

    expression: str
    observed: Annotated[
        float | None, Meta(description="The observed value, in the unit of the expression; null without a sample.")
    ]
    passed: bool
    aborted_run: bool
    verdict: Annotated[str, Meta(description="The verdict: pass, fail or no data.")] = ""
    unit: Annotated[str | None, Meta(description="The unit of observed; null if the expression names it.")] = None
    window_s: Annotated[
        float | None, Meta(description="The length in seconds of the worst window, which observed is of.")
    ] = None
    refused: Annotated[
        int, Meta(ge=0, description="Rate-limited answers of the run's that observed leaves out; 0 where it does not.")
    ] = 0


class Check(msgspec.Struct, frozen=True):
    """How often a check held."""

    passed: Count
    failed: Count


class QuotaLine(msgspec.Struct, frozen=True):
    """What remained of a limit that a pool's target tells of in its answers."""

    pool: str
    name: Annotated[str, Meta(description="The limit's name, as the target calls it: requests, tokens, input-tokens …")]
    limit: Annotated[
        Count | None, Meta(description="The limit as last reported; null if the target does not report it.")
    ]
    lowest_remaining: Annotated[
        Count | None, Meta(description="The lowest value after the warm-up; null if none was reported.")
    ]
    last_remaining: Count
    last_seen_s: Annotated[float, Meta(description="When it was last reported, in seconds since the run began.")]


class SlowLine(msgspec.Struct, frozen=True):
    """An ok request, and the trace it is found by at the target."""

    request: Annotated[str, Meta(description="The request, as POOL/REQUEST.")]
    stage: Annotated[int, Meta(description="Index into stages.")]
    t_s: Annotated[float, Meta(description="When it was sent, in seconds since the run began.")]
    latency_ms: Amount
    ttft_ms: Amount | None
    status: Annotated[int | None, Meta(description="The HTTP status; null for a WebSocket message.")]
    trace_id: Annotated[
        str,
        Meta(
            description="The trace id of its traceparent, 32 hex digits; a WebSocket message has that of its upgrade."
        ),
    ]


class SlowestLists(msgspec.Struct, frozen=True):
    """The slowest requests of the run, the slowest first."""

    by_latency: Annotated[list[SlowLine], Meta(max_length=10)]
    by_ttft: Annotated[list[SlowLine], Meta(max_length=10)]


class BudgetLine(msgspec.Struct, frozen=True):
    """A cap and what was used of it, the warm-up included."""

    cap: Annotated[float | None, Meta(description="The cap; null if there is none.")]
    used: Annotated[
        float,
        Meta(ge=0, description="What was used, as answers reported it; the worst case of those that reported nothing."),
    ]
    lost: Annotated[
        float, Meta(ge=0, description="What workers that died may have used in addition; it is never given out again.")
    ] = 0.0
    at_worst_case_requests: Annotated[
        int, Meta(ge=0, description="Requests that count at their worst case because their answers reported no tokens.")
    ] = 0


class SearchStep(msgspec.Struct, frozen=True, kw_only=True):
    """One level that was tried. Counts are of the requests sent while it was measured, whenever they ended."""

    level: Amount
    start_s: float
    end_s: float
    measured_s: Amount
    requests: Annotated[
        int, Meta(ge=0, description="Requests sent, together with dropped arrivals and requests without an answer.")
    ]
    good: Annotated[int, Meta(ge=0, description="Requests that met every objective.")]
    share: Share
    low: Annotated[
        float, Meta(ge=0, le=1, description="Lower bound of the Wilson interval of share, which decides the verdict.")
    ]
    high: Share
    verdict: Annotated[
        Literal["pass", "fail", "undecided", "cut"],
        Meta(
            description="undecided: the confidence asked for was not reached; cut: the level ended before it could be "
            "judged."
        ),
    ]
    holds: Annotated[
        bool, Meta(description="The level counts as one that holds; if it is undecided, its share alone decides.")
    ]
    confidence: Annotated[float, Meta(ge=0, le=1, description="The confidence in holds.")]
    latency_p95_ms: float | None
    ttft_p95_ms: float | None
    rps: Amount
    rate_limited: Count
    missed: Annotated[
        dict[str, int],
        Meta(description="Requests that were not good, by reason: objective, outcome, dropped, unanswered."),
    ]
    why: Annotated[str, Meta(description="What ended the level early; empty if nothing did.")] = ""


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """A search for the most users, or iterations per second, at which requests are good."""

    unit: Literal["users", "rate"]
    pool: Annotated[str | None, Meta(description="The pool that is searched; null for all pools that share users.")]
    good: Annotated[float, Meta(ge=0, le=1, description="The share of requests that must be good.")]
    confidence: Share
    capacity: Annotated[float | None, Meta(description="The highest level that holds.")]
    lower: Annotated[
        float | None, Meta(description="The highest level that is known to hold with the confidence asked for.")
    ]
    upper: Annotated[
        float | None, Meta(description="The lowest level that is known not to hold with the confidence asked for.")
    ]
    stopped: Annotated[
        str,
        Meta(
            description="Why the search ended: found, at_max, below_min, generator (it was saturated), users (they "
            "never came), "
            "no_requests, stopped_by_user, time (the run was limited in time), or the stop_reason of the run."
        ),
    ]
    limited_by: Annotated[
        str | None, Meta(description="Why most requests were not good at the lowest level that does not hold.")
    ]
    steps: list[SearchStep]


Interval = Annotated[list[float], Meta(description="Ends of the 95 % interval.")]
Lost = Annotated[dict[str, float], Meta(description="Points lost by cause, as parts of 1.")]


class SliceScore(msgspec.Struct, frozen=True, kw_only=True):
    """The score of the cases that share a tag."""

    score: Share
    interval: Interval
    cases: Count


class StageScore(msgspec.Struct, frozen=True, kw_only=True):
    """The score at one level of load: a stage with one number of users, or a quarter of a ramp (``NAME 2/4``)."""

    stage: str
    users: Count
    score: Share
    interval: Interval
    cases: Count
    answers: Count
    lost: Lost
    slices: Annotated[dict[str, float], Meta(description="Score by slice.")]


class CaseScore(msgspec.Struct, frozen=True, kw_only=True):
    """The score of one case: the mean of its answers."""

    score: Share
    runs: Annotated[int, Meta(ge=1, description="Answers with a score.")]
    reasons: Annotated[list[str], Meta(description="Why points were lost, the most frequent first.")]
    tags: Annotated[list[str], Meta(description="Its slices: tags, and NAME=VALUE.")] = []
    weight: Amount = 1.0
    threshold: Annotated[float | None, Meta(description="Passes with at least this score; null: the profile's.")] = None


class ScoreDrop(msgspec.Struct, frozen=True, kw_only=True):
    """How far the score fell, paired by case; negative where it rose."""

    from_users: Count
    to_users: Count
    drop: float
    interval: Interval
    visible: Annotated[float, Meta(description="The smallest drop that this data could have shown.")]
    cases: Annotated[int, Meta(description="Cases with a score on both sides.")]
    verdict: Literal["ok", "worse", "undecided"]
    lost: Lost


class JudgeUse(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge was asked, and what that took."""

    calls: Count
    cached: Annotated[int, Meta(ge=0, description="Verdicts that were there already.")]
    errors: Annotated[int, Meta(ge=0, description="Verdicts that could not be read or had: of no answer's score.")]
    tokens: Count
    cost_usd: float | None
    agreement: Annotated[dict[str, Any] | None, Meta(description="With the labels of people; null without any.")]
    rate_limited: Annotated[int, Meta(ge=0, description="Its 429s, which are not among the calls.")] = 0
    given_up: Annotated[str, Meta(description="Why it was not asked any more; empty if it was.")] = ""


class GraderSaid(msgspec.Struct, frozen=True, kw_only=True):
    """What one grader made of an answer."""

    grader: Annotated[str, Meta(description="Its name, with not- where negated.")]
    score: Annotated[float | None, Meta(description="0 to 1; null if it could not judge.")]
    reason: Annotated[str, Meta(description="Why points were lost; empty where none were.")]


class FailedCase(msgspec.Struct, frozen=True, kw_only=True):
    """The last answer to a case that did not pass."""

    id: str
    stage: str
    users: Count
    at_s: float
    score: Share
    input: Annotated[str, Meta(description="The beginning of the question.")]
    answer: Annotated[str, Meta(description="The beginning of the answer; secrets as ***.")]
    grader: str
    reason: str
    graders: Annotated[
        list[GraderSaid],
        Meta(
            description="Its graders one by one, those that cost most first; none of an answer that scores 0 by rule."
        ),
    ] = []


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """The quality of the answers to the golden set. A score is the mean over cases of the mean over their answers."""

    score: Share | None
    interval: Interval | None = None
    cases: Annotated[int, Meta(ge=0, description="Cases with a score.")] = 0
    of_cases: Annotated[int, Meta(ge=0, description="Cases of the golden set.")] = 0
    answers: Annotated[int, Meta(ge=0, description="Answers to be graded.")] = 0
    graded: Count = 0
    ungraded: Annotated[int, Meta(ge=0, description="That no grader could judge: in no score.")] = 0
    ungraded_by: Annotated[dict[str, int], Meta(description="The ungraded answers by reason, the most first.")] = {}
    waiting: Annotated[int, Meta(ge=0, description="That had not been graded when the run ended.")] = 0
    slices: dict[str, SliceScore] = {}
    by_stage: Annotated[list[StageScore], Meta(description="In the order in which they began.")] = []
    by_case: dict[str, CaseScore] = {}
    drop: Annotated[ScoreDrop | None, Meta(description="From the fewest users to the most.")] = None
    control: Annotated[
        ScoreDrop | None, Meta(description="The fewest users against themselves: earlier and later answers.")
    ] = None
    judge: JudgeUse | None = None
    failed: Annotated[list[FailedCase], Meta(description="The newest first, one a case.")] = []


class GateRow(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the run and of what it is compared with; differences are the run's less the base's."""

    name: str
    unit: Annotated[str, Meta(description="ms, share, usd, users, per_s or number; empty of a row that is no figure.")]
    worse_is: Literal["higher", "lower"]
    base: float | None
    head: float | None
    difference: float | None
    interval: Annotated[Interval | None, Meta(description="Ends of the 95 % interval of the difference.")]
    visible: Annotated[float | None, Meta(description="The smallest difference that this data could have shown.")]
    margin: Annotated[float | None, Meta(description="What the difference may be for the worse; null: anything.")]
    p: Annotated[float | None, Meta(description="Two-sided, of no difference.")]
    verdict: str
    note: str


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate of the profile says of the run."""

    verdict: Annotated[
        Literal["pass", "block", "no_base", "not_compared"],
        Meta(description="no_base: no run is there yet that it could be worse than; not_compared: it cannot be."),
    ]
    blocked: Annotated[bool, Meta(description="It is not let pass.")]
    words: Annotated[str, Meta(description="The verdict in a sentence.")]
    base: Annotated[list[str], Meta(description="Runs that it is compared with.")] = []
    rows: list[GateRow] = []
    strict: Annotated[bool, Meta(description="What the data cannot tell blocks, too.")] = False
    flips: Annotated[dict[str, list[str]], Meta(description="Cases that pass no more (lost) and again (won).")] = {}


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
    profile: Annotated[dict[str, Any], Meta(description="The profile as resolved, with secrets as ***.")]
    profile_sha256: str
    generator: GeneratorHealth
    totals: Metrics
    pools: dict[str, PoolMetrics]
    requests: Annotated[dict[str, Metrics], Meta(description="Metrics by POOL/REQUEST.")]
    stages: list[StageMetrics]
    timeline: Timeline
    thresholds: list[Threshold]
    checks: dict[str, Check]
    budget: dict[str, BudgetLine | None]
    quality: Annotated[Quality | None, Meta(description="Figures of graded answers; null if nothing was graded.")]
    controls: list[Control]
    slowest: Annotated[
        SlowestLists | None, Meta(description="The slowest requests; null without traceparent = true.")
    ] = None
    quotas: Annotated[
        list[QuotaLine], Meta(description="The target's limits by pool and name; empty if no target reports any.")
    ] = []
    search: Annotated[Search | None, Meta(description="The search for a capacity; null if there was none.")] = None
    gate: Annotated[Gate | None, Meta(description="What the gate says; null without [gate].")] = None

"""Every metric, one row each: name, kind, unit, what it is. Whatever has to know all of them is made of these rows.

The recorder's slots (:mod:`~agenttop.metrics.recorder`) and with them the keys of a delta; METRICS of the summary
(:mod:`~agenttop.metrics.figures`) and its JSON Schema (``report.model``); the rows of the report (``report.text``);
what the live window keeps (:mod:`~agenttop.metrics.live`); what thresholds judge (``thresholds.catalogue``).

A new distribution or counter is a row here and the line in ``users/`` that records it. Rows stand in the order of the
summary; ``what`` is the summary's description, and is left out where a block of METRICS says it of several together.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

if TYPE_CHECKING:
    Durations = array[int]
else:
    Durations = array  # it cannot be subscripted before Python 3.12

#: How the names of distributions begin that the target names: the duration of a phase, and what part of its request's
#: latency it was (in thousandths, kept as µs).
PHASE = "phase."
PHASE_SHARE = "phase_share."


class Place(StrEnum):
    """Where a metric stands in METRICS."""

    OWN = "own"
    """Under its own name; distributions with ``_ms`` behind it."""
    TRAFFIC = "traffic"
    """Under its own name among bytes and connections, at the end."""
    BLOCK = "block"
    """In a block such as ``tokens`` or ``rate_limit``, made by a formula of its own."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A duration of requests: recorded in ns, folded to µs, shown in ms."""

    what: str
    label: str = ""
    """Of its row in the report; empty if the report has none."""
    place: Place = Place.OWN
    live: bool = False
    """The live window keeps it, for panes that draw it."""
    unit: str = "ms"
    refused: bool = False
    """Refused (429) requests have it too; all others are of ok requests alone."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that only grows, of one request in one stage."""

    what: str
    place: Place = Place.BLOCK
    judged: bool = False
    """A threshold can ask for it by name, as a count or per second. Metrics under their own name can always be asked
    for.
    """
    unit: str = ""


@dataclass(frozen=True, slots=True)
class PoolCounter:
    """A number that only grows, of one pool in one stage; None where the summary speaks of a single request."""

    what: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """A figure that a formula makes of others (:mod:`~agenttop.metrics.formulas`)."""

    what: str
    unit: str = ""


Row = Distribution | Counter | PoolCounter | Derived


class Recorded:
    """The metrics of a request: one attribute each on the recorder's leaf, with its row of the catalogue."""

    __slots__ = ()

    latency: Annotated[
        Durations, Distribution("Time from the first byte sent to the terminal event.", "Total", live=True)
    ]
    response_time: Annotated[
        Durations, Distribution("Time from when the plan wanted the request sent to its terminal event.", "Response")
    ]
    ttft: Annotated[
        Durations,
        Distribution("Time from the first byte sent to the first output; only streams have it.", "TTFT", live=True),
    ]
    ttfo: Annotated[
        Durations,
        Distribution("Time from the first byte sent to the first output that is not reasoning.", "TTFO (no reasoning)"),
    ]
    ttfb: Annotated[
        Durations, Distribution("Time from the first byte sent to the first byte of the response.", "First byte")
    ]
    tpot: Annotated[Durations, Distribution("Time per output token after the first.", "Per output token")]
    inter_chunk: Annotated[
        Durations, Distribution("Time between two consecutive output chunks.", "Inter-chunk", live=True)
    ]
    interim: Annotated[
        Durations,
        Distribution(
            "Time from the first byte sent to the first byte of an interim response (such as 103); it does not count "
            "as TTFB.",
            "Interim answer",
            refused=True,
        ),
    ]
    connect: Annotated[
        Durations, Distribution("Time to connect: DNS, TCP, TLS and the WebSocket upgrade.", "Connect", refused=True)
    ]
    schedule_lag: Annotated[
        Durations,
        Distribution(
            "How much later than planned the requests of open pools were sent.",
            "Schedule lag",
            live=True,
            refused=True,
        ),
    ]
    time_to_failure: Annotated[
        Durations,
        Distribution(
            "Time from the first byte sent to the failure of failed requests.", "Time to failure", refused=True
        ),
    ]
    retry_after: Annotated[
        Durations,
        Distribution("The time that rate-limited responses asked the client to wait.", place=Place.BLOCK, refused=True),
    ]
    unattributed: Annotated[
        Durations, Distribution("The part of the latency that no phase explains.", place=Place.BLOCK)
    ]

    attempts: Annotated[int, Counter("Requests that were sent, including retries.", judged=True)]
    sent_again: Annotated[
        int,
        Counter(
            "Requests that were sent a second time because the target closed the kept-alive connection while they were "
            "being sent; their latency starts at the first send.",
            Place.OWN,
        ),
    ]
    sessions_lost: Annotated[
        int,
        Counter(
            "Sessions that were lost: their WebSocket ended between two messages, or the target no longer knew them.",
            Place.OWN,
        ),
    ]
    bytes_sent: Annotated[int, Counter("", Place.TRAFFIC, unit="B")]
    bytes_received: Annotated[int, Counter("", Place.TRAFFIC, unit="B")]
    connections_opened: Annotated[int, Counter("", Place.TRAFFIC)]
    connections_reused: Annotated[int, Counter("", Place.TRAFFIC)]
    connections_reopened: Annotated[int, Counter("", Place.TRAFFIC)]
    """Kept connections that the target closed between two requests or as one was sent; opened anew silently."""
    user_errors: Annotated[
        int, Counter("Exceptions raised by users' own Python code; errors lists them as user_error.", Place.OWN)
    ]
    input_tokens: Annotated[int, Counter("Input tokens that the server reported.", judged=True)]
    output_tokens: Annotated[int, Counter("Output tokens that the server reported.", judged=True)]
    cached_tokens: Annotated[int, Counter("Input tokens that were read from a cache.", judged=True)]
    reasoning_tokens: Annotated[int, Counter("Output tokens that are reasoning.", judged=True)]
    input_told: Annotated[int, Counter("Requests whose input tokens the server reported.")]
    output_told: Annotated[int, Counter("Requests whose output tokens the server reported.")]
    cached_told: Annotated[int, Counter("Requests whose cached tokens the server reported.")]
    reasoning_told: Annotated[int, Counter("Requests whose reasoning tokens the server reported.")]
    token_requests: Annotated[int, Counter("Requests whose tokens the server reported.")]
    token_estimates: Annotated[
        int, Counter("Requests whose output chunks were counted because the server reported no output tokens.")
    ]
    estimated_tokens: Annotated[int, Counter("Output chunks that were counted in place of output tokens.")]
    llm_calls: Annotated[int, Counter("LLM calls that answers reported.")]
    llm_requests: Annotated[int, Counter("Requests that reported their LLM calls.")]
    tool_calls: Annotated[int, Counter("Tool calls that answers reported.")]
    tool_requests: Annotated[int, Counter("Requests that reported their tool calls.")]
    good: Annotated[int, Counter("Ok requests that met every objective.")]
    retries: Annotated[int, Counter("Rate-limited responses whose request was retried; they count as no outcome.")]
    recovered: Annotated[int, Counter("Requests that were ok after a retry.")]
    conformant: Annotated[int, Counter("Rate-limited responses that meet the rules of [rate_limit].")]
    rate_limit_violations: Annotated[int, Counter("Responses that break the rules for rate limiting.")]
    streamed: Annotated[int, Counter("Ok answers that streamed output.")]
    one_burst: Annotated[int, Counter("Streamed answers whose output came all at once at the end.")]
    stalled: Annotated[int, Counter("Streams that idle_timeout ended because nothing more came.")]
    unterminated: Annotated[int, Counter("Streams that ended without their terminal event.")]
    said_nothing: Annotated[
        int,
        Counter(
            "Ok answers that have neither output nor usage, in a dialect whose answers should have them.", Place.OWN
        ),
    ]


class Counted:
    """The metrics of a pool: one attribute each on the recorder's count, with its row of the catalogue."""

    __slots__ = ()

    sessions: Annotated[int, PoolCounter("Sessions that began; null for a single request.")]
    iterations: Annotated[int, PoolCounter("")]
    dropped_iterations: Annotated[int, PoolCounter("Arrivals of an open pool for which no user was free.")]


#: Figures that are not recorded, but follow from what is.
DERIVED: Mapping[str, Derived] = {
    "requests": Derived("Requests that finished; cancelled requests and those that the budget refused do not count."),
    "failed": Derived("Requests that finished and were not ok, including rate-limited ones."),
    "cancelled": Derived("Requests that the end of the run cut; no other figure counts them."),
    "rps": Derived("Requests per measured second.", "/s"),
    "error_rate": Derived("Share of requests that failed: failed / requests."),
    "phases": Derived("Duration by phase, as the target reports it.", "ms"),
    "phase_shares": Derived("Share of the latency by phase, and (unattributed); empty if no phase was reported."),
    "cost_usd": Derived("Tokens × prices, for the requests whose tokens the server reported.", "USD"),
    "streams": Derived("Figures of event streams; null if there were none."),
}


def _rows(of: type, kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(of, include_extras=True)
    return {name: row for name, hint in hints.items() for row in hint.__metadata__ if isinstance(row, kind)}


DISTRIBUTIONS: Mapping[str, Distribution] = _rows(Recorded, Distribution)
COUNTERS: Mapping[str, Counter] = _rows(Recorded, Counter)
POOL_COUNTERS: Mapping[str, PoolCounter] = _rows(Counted, PoolCounter)
CATALOGUE: Mapping[str, Row] = {**DISTRIBUTIONS, **COUNTERS, **POOL_COUNTERS, **DERIVED}
"""All metrics by name."""

#: Those that stand in METRICS under their own name.
OWN_DISTRIBUTIONS = tuple(name for name, row in DISTRIBUTIONS.items() if row.place is Place.OWN)
OWN_COUNTERS = tuple(name for name, row in COUNTERS.items() if row.place is Place.OWN)
TRAFFIC = tuple(name for name, row in COUNTERS.items() if row.place is Place.TRAFFIC)
#: Those that the live window keeps.
LIVE = frozenset(name for name, row in DISTRIBUTIONS.items() if row.live)

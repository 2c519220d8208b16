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

    latency: Annotated[Durations, Distribution("First byte sent to the terminal event.", "Total", live=True)]
    response_time: Annotated[Durations, Distribution("From when the plan wanted it sent.", "Response")]
    ttft: Annotated[Durations, Distribution("First byte sent to the first output; of streams only.", "TTFT", live=True)]
    ttfo: Annotated[Durations, Distribution("To the first output that is not reasoning.", "TTFO (no reasoning)")]
    ttfb: Annotated[Durations, Distribution("To the first byte of the response.", "First byte")]
    tpot: Annotated[Durations, Distribution("Time per output token after the first.", "Per output token")]
    inter_chunk: Annotated[Durations, Distribution("Gaps between output chunks.", "Inter-chunk", live=True)]
    interim: Annotated[
        Durations,
        Distribution("To the first byte of an interim answer (103 and the like), which is no TTFB.", "Interim answer"),
    ]
    connect: Annotated[Durations, Distribution("DNS, TCP, TLS and WebSocket upgrade.", "Connect")]
    schedule_lag: Annotated[
        Durations, Distribution("How late requests of open pools were sent.", "Schedule lag", live=True)
    ]
    time_to_failure: Annotated[Durations, Distribution("Of failed requests.", "Time to failure")]
    retry_after: Annotated[Durations, Distribution("What refusals asked to wait.", place=Place.BLOCK)]
    unattributed: Annotated[Durations, Distribution("Latency that no phase explains.", place=Place.BLOCK)]

    attempts: Annotated[int, Counter("Requests on the wire, retries among them.", judged=True)]
    sent_again: Annotated[
        int,
        Counter(
            "Sent once more, for the target closed the kept connection as they were sent; their latency runs from the "
            "first send.",
            Place.OWN,
        ),
    ]
    sessions_lost: Annotated[
        int,
        Counter("Sessions whose WebSocket ended between two messages, or that were not known any more.", Place.OWN),
    ]
    bytes_sent: Annotated[int, Counter("", Place.TRAFFIC, unit="B")]
    bytes_received: Annotated[int, Counter("", Place.TRAFFIC, unit="B")]
    connections_opened: Annotated[int, Counter("", Place.TRAFFIC)]
    connections_reused: Annotated[int, Counter("", Place.TRAFFIC)]
    connections_reopened: Annotated[int, Counter("", Place.TRAFFIC)]
    """Kept connections that the target closed between two requests or as one was sent; opened anew silently."""
    user_errors: Annotated[
        int, Counter("Exceptions in users' own code (python); they are in errors as user_error.", Place.OWN)
    ]
    input_tokens: Annotated[int, Counter("Tokens that the server told it read.", judged=True)]
    output_tokens: Annotated[int, Counter("Tokens of answers, as the server told them.", judged=True)]
    cached_tokens: Annotated[int, Counter("Of the input, read from a cache.", judged=True)]
    reasoning_tokens: Annotated[int, Counter("Of the output, reasoning.", judged=True)]
    input_told: Annotated[int, Counter("Requests whose input tokens the server told.")]
    output_told: Annotated[int, Counter("Requests whose output tokens the server told.")]
    cached_told: Annotated[int, Counter("Requests whose cached tokens the server told.")]
    reasoning_told: Annotated[int, Counter("Requests whose reasoning tokens the server told.")]
    token_requests: Annotated[int, Counter("Requests whose tokens the server told.")]
    token_estimates: Annotated[int, Counter("Requests whose chunks were counted instead.")]
    estimated_tokens: Annotated[int, Counter("Output tokens that are counted chunks.")]
    llm_calls: Annotated[int, Counter("Calls of a model that answers told of.")]
    llm_requests: Annotated[int, Counter("Requests that told of theirs.")]
    tool_calls: Annotated[int, Counter("Calls of tools that answers told of.")]
    tool_requests: Annotated[int, Counter("Requests that told of theirs.")]
    good: Annotated[int, Counter("Ok requests that met every objective.")]
    retries: Annotated[int, Counter("Refusals whose request was sent again: they are in no outcome.")]
    recovered: Annotated[int, Counter("Requests that were ok after that.")]
    conformant: Annotated[int, Counter("Refusals that are as [rate_limit] wants them.")]
    rate_limit_violations: Annotated[int, Counter("Answers that are not what a rate-limited one should be.")]
    streamed: Annotated[int, Counter("Ok answers that streamed output.")]
    one_burst: Annotated[int, Counter("Of these, whose output came in one lump at the end.")]
    stalled: Annotated[int, Counter("Timeouts: nothing more came for as long as idle_timeout.")]
    unterminated: Annotated[int, Counter("Truncated: the answer ended, its stream without its terminal event.")]
    said_nothing: Annotated[
        int,
        Counter("Ok answers that have neither output nor usage, of a dialect whose answers have.", Place.OWN),
    ]


class Counted:
    """The metrics of a pool: one attribute each on the recorder's count, with its row of the catalogue."""

    __slots__ = ()

    sessions: Annotated[int, PoolCounter("Null for a single request.")]
    iterations: Annotated[int, PoolCounter("")]
    dropped_iterations: Annotated[int, PoolCounter("Arrivals of an open pool that found no free user.")]


#: Figures that are not recorded, but follow from what is.
DERIVED: Mapping[str, Derived] = {
    "requests": Derived("Finished: neither cancelled nor refused by the budget."),
    "failed": Derived("Finished and not ok, rate limits among them."),
    "cancelled": Derived("Cut by the end of the run; in no other figure."),
    "rps": Derived("Requests by measured second.", "/s"),
    "error_rate": Derived("failed / requests."),
    "phases": Derived("By phase, as the target reports them.", "ms"),
    "phase_shares": Derived("By phase, and (unattributed); empty where none was reported."),
    "cost_usd": Derived("Tokens × prices, of the requests whose tokens the server told.", "USD"),
    "streams": Derived("Event streams; null where there was none."),
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

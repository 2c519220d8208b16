"""The metrics that can be judged: their figures, the kinds of these, and the tags that select part of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agenttop.metrics.catalogue import COUNTERS, DISTRIBUTIONS, POOL_COUNTERS, Place
from agenttop.metrics.outcome import NOT_FINISHED, Outcome

#: Kinds of figure; of a figure of each kind, its units as written and how many of the base unit they are.
TIME, SHARE, COUNT, PER_S, NUMBER = "time", "share", "count", "per second", "number"
UNITS: dict[str, dict[str, float]] = {
    TIME: {"us": 0.001, "µs": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0, "": 1.0},
    SHARE: {"%": 0.01, "": 1.0},
    COUNT: {"": 1.0},
    PER_S: {"/s": 1.0, "": 1.0},
    NUMBER: {"": 1.0},
}
#: The method of a percentile; which one stands beside it.
PERCENTILE = "p"
#: Distributions; what can be asked of each.
TIMES = tuple(DISTRIBUTIONS)
PHASE = "phase"
_TREND = {PERCENTILE: TIME, "avg": TIME, "min": TIME, "max": TIME, "med": TIME, "count": COUNT}
#: Counted by pool, not by request.
OF_POOLS = tuple(POOL_COUNTERS)
#: The metric of graded answers: figures of its own, of the whole run.
QUALITY = "quality"
_ANY = frozenset({"pool", "request", "stage"})
_OF_POOL = frozenset({"pool", "stage"})
_COUNTED = ("requests", *(name for name, row in COUNTERS.items() if row.judged or row.place is not Place.BLOCK))
#: Outcomes of a request, as a number or as a share of the requests.
OUTCOMES = ("ok", "failed", *(outcome.value for outcome in Outcome if outcome not in (Outcome.OK, *NOT_FINISHED)))
#: What people who come from k6 write, and what it is called here.
FROM_K6 = {
    "http_req_duration": "latency",
    "http_req_waiting": "ttfb",
    "http_req_connecting": "connect",
    "http_req_failed": "error_rate",
    "http_reqs": "requests",
    "data_sent": "bytes_sent",
    "data_received": "bytes_received",
    "iteration_duration": "latency",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: the kind of figure that each method gives, the method if none is written, and its tags."""

    methods: Mapping[str, str]
    default: str = ""
    tags: frozenset[str] = _ANY


def _catalogue() -> dict[str, Metric]:
    found = {name: Metric(_TREND) for name in TIMES}
    found[PHASE] = Metric(_TREND, tags=_ANY | {"phase"})
    found["error_rate"] = Metric({"rate": SHARE}, "rate")
    found |= {name: Metric({"count": COUNT, "rate": SHARE}, "count") for name in OUTCOMES}
    found["rate_limit_violations"] = Metric({"count": COUNT, "rate": SHARE}, "count")
    found |= {name: Metric({"count": COUNT}, "count") for name in map(str, NOT_FINISHED)}
    found["rps"] = Metric({"rate": PER_S}, "rate")
    found |= {name: Metric({"count": COUNT, "rate": PER_S}, "count") for name in _COUNTED}
    by_pool = {"count": COUNT, "rate": PER_S}
    found |= {name: Metric(by_pool, "count", _OF_POOL) for name in OF_POOLS}
    found["tokens"] = Metric(
        {
            "output_per_s": PER_S,
            "per_request_mean": NUMBER,
            **dict.fromkeys(("input", "output", "cached", "reasoning"), COUNT),
        }
    )
    calls = {"count": COUNT, "per_request_mean": NUMBER}
    found |= {name: Metric(calls, "count") for name in ("llm_calls", "tool_calls")}
    found["cost_usd"] = Metric({"total": NUMBER, "per_request_mean": NUMBER}, "total")
    found["checks"] = Metric({"rate": SHARE}, "rate", frozenset({"check"}))
    graded = dict.fromkeys(("judge_errors", "answers", "graded", "ungraded", "waiting"), COUNT)
    found[QUALITY] = Metric({"score": SHARE, "drop": SHARE, **graded}, "score", frozenset({"slice", "stage"}))
    found["goodput"] = Metric({"rate": SHARE, "count": COUNT, "per_s": PER_S}, "rate")
    return found


METRICS: dict[str, Metric] = _catalogue()

"""Makes what Prometheus scrapes of a run: its counters as the summary will have them, its gauges as viewers see them.

Counters and histograms are of what was sent after the warm-up, so that they end at the summary's figures. Labels are
names of the profile and outcomes, a bounded number of them: nothing that a target says becomes a label but the names
of its limits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agenttop.export.exposition import Family, exposition
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.histogram import Hist, counts_index
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.scope import OTHER, Scope, merged
from agenttop.metrics.snapshot import RunInfo, Snapshot
from agenttop.metrics.trust import SATURATED

#: Bounds of buckets in seconds: three a decade, from 1 ms to 10 minutes. A record counts under a bound within the
#: three digits that HdrHistogram keeps.
BOUNDS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0),
)
#: Requests that have labels of their own; what is beyond is one more.
MAX_REQUESTS = 200
#: Limits of targets that are told of.
MAX_QUOTAS = 50
_DURATIONS = {
    "latency": ("agenttop_request_duration_seconds", "Time from the first byte sent to the end of an ok answer."),
    "response_time": ("agenttop_response_time_seconds", "The same from when the plan wanted the request sent."),
    "ttft": ("agenttop_time_to_first_token_seconds", "Time to the first output of ok answers that stream."),
}
_TOKENS = ("input", "output", "cached", "reasoning")
_US = 1_000_000.0


def scrape(aggregate: Aggregate, info: RunInfo, snapshot: Snapshot | None) -> str:
    """Return the figures of a run as they are now; the gauges are those of its newest snapshot."""
    families = _counted(aggregate)
    if snapshot is not None:
        families += _gauges(snapshot)
    about = Family("agenttop_run_info", "gauge", "Which run this is.")
    about.add(1, {"id": info.run_id, "name": info.name, "target": info.target})
    return exposition([about, *families])


def buckets(hist: Hist, bounds: Sequence[float] = BOUNDS) -> list[tuple[float, int]]:
    """Return how many records are at most as large as each bound, in s."""
    reached = hist.counts.cumsum()
    last = reached.size - 1
    places = counts_index(np.array([round(bound * _US) for bound in bounds], dtype=np.int64)).tolist()
    return [(bound, int(reached[min(at, last)]) if last >= 0 else 0) for bound, at in zip(bounds, places, strict=True)]


def _counted(aggregate: Aggregate) -> list[Family]:
    requests = Family("agenttop_requests_total", "counter", "Requests by how they ended.")
    attempts = Family("agenttop_attempts_total", "counter", "Requests sent, each retry as one.")
    retries = Family("agenttop_retries_total", "counter", "Refusals (429) whose request was sent again.")
    tokens = Family("agenttop_tokens_total", "counter", "Tokens that the target told.")
    times = {name: Family(metric, "histogram", text) for name, (metric, text) in _DURATIONS.items()}
    for pool, request, scope in scopes(aggregate):
        labels = {"pool": pool, "request": request}
        for outcome in Outcome:
            if scope.outcomes[outcome] or outcome is Outcome.OK:
                requests.add(scope.outcomes[outcome], {**labels, "outcome": outcome.value})
        attempts.add(scope.sums["attempts"], labels)
        retries.add(scope.sums["retries"], labels)
        for kind in _TOKENS:
            if scope.sums[f"{kind}_told"]:
                tokens.add(scope.sums[f"{kind}_tokens"], {**labels, "type": kind})
        for name, family in times.items():
            hist = scope.hists.get(name)
            if hist is not None and hist.count:
                family.histogram(buckets(hist), hist.count, hist.total / _US, labels)
    return [requests, attempts, retries, tokens, *times.values()]


def scopes(aggregate: Aggregate) -> list[tuple[str, str, Scope]]:
    """Return pool, request and counts of each request that has labels of its own, and of the others together."""
    layout = aggregate.layout
    found = [
        (layout.pools[request.pool].name, request.name, aggregate.request(at))
        for at, request in enumerate(layout.requests)
    ]
    own, rest = found[:MAX_REQUESTS], found[MAX_REQUESTS:]
    return [*own, (OTHER, OTHER, merged((scope for _, _, scope in rest), of_pools=False))] if rest else own


def _gauges(snapshot: Snapshot) -> list[Family]:
    """Return what viewers see of this second."""
    found: list[Family] = []

    def gauge(name: str, text: str, value: float | None, **labels: str) -> None:
        if not found or found[-1].name != f"agenttop_{name}":
            found.append(Family(f"agenttop_{name}", "gauge", text))
        if value is not None:
            found[-1].add(value, labels)

    for pool in snapshot.pools:
        gauge("users", "Users there are.", pool.users, pool=pool.name)
    for pool in snapshot.pools:
        gauge("target", "Users, or iterations a second, that are wanted.", pool.target, pool=pool.name, unit=pool.unit)
    for pool in snapshot.pools:
        gauge("in_flight", "Requests under way.", pool.in_flight, pool=pool.name)
    gauge("elapsed_seconds", "Seconds since the load began.", snapshot.t_s)
    gauge("stage", "Index of the stage; -1 outside of all.", snapshot.stage)
    gauge("warmup", "1 in the warm-up, which no counter has.", float(snapshot.warmup))
    gauge("oldest_request_seconds", "Age of the oldest request under way.", snapshot.oldest_s)
    gauge("dropped_iterations", "Arrivals without a free user so far.", snapshot.dropped_iterations)
    gauge("goodput_ratio", "Part of the attempts that met every objective.", snapshot.goodput)
    for verdict in snapshot.thresholds:
        gauge("threshold_passed", "1 while it passes.", float(verdict.passed), expression=verdict.expression)
    for quota in snapshot.quotas[:MAX_QUOTAS]:
        gauge("quota_remaining", "What the target said is left.", quota.remaining, pool=quota.pool, limit=quota.name)
    if snapshot.quality is not None:
        gauge("quality_score", "Mean score of graded answers, 0 to 1.", snapshot.quality.score)
    generator = snapshot.generator
    gauge("generator_saturated", "1 where timings are too long.", float(generator.grade == SATURATED))
    gauge("generator_cpu_ratio", "Of a core, the busiest worker.", generator.cpu_percent_max / 100)
    lag = generator.loop_lag_p99_ms
    gauge("generator_loop_lag_seconds", "p99 of how late the loop is.", None if lag is None else lag / 1000)
    return found

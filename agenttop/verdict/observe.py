"""Takes the figures of a closed second out of the aggregate."""

from __future__ import annotations

from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.catalogue import PHASE
from agenttop.metrics.counts import Counts
from agenttop.metrics.layout import Layout
from agenttop.metrics.outcome import NOT_FAILED, Outcome
from agenttop.metrics.run_state import RunState
from agenttop.metrics.trust import SATURATED
from agenttop.verdict.second import RATE, USERS, Answers, Second

#: What keeps connections from being opened.
_BLOCKS = ("open files", "ephemeral ports")


def names_of(layout: Layout) -> list[str]:
    """Return the names of a run's requests, by index."""
    return [f"{layout.pools[request.pool].name}/{request.name}" for request in layout.requests]


def second_of(aggregate: Aggregate, now: RunState, seconds: float) -> Second:
    """Return the second that was closed last, and what has come to be known of those before it.

    Args:
        aggregate: right after it was closed.
        now: the run at its end.
        seconds: its length.
    """
    layout = aggregate.layout
    closed = [request for request, is_closed in enumerate(layout.closed) if is_closed]
    users, in_flight = aggregate.workers.by_pool()
    doubts, blocked = _doubts(aggregate)
    found: dict[int, Counts] = {}
    phases: dict[str, tuple[float, int]] = {}
    for piece in aggregate.closed:
        for request, counts in piece.by_request.items():
            found.setdefault(request, Counts()).add_all(counts)
        for name in piece.whole.parts:
            records = piece.whole.records(name) if name.startswith(PHASE) else None
            if records is not None:
                total, count = phases.get(name.removeprefix(PHASE), (0.0, 0))
                phases[name.removeprefix(PHASE)] = (total + records.total, count + records.count)
    load = float(sum(users[at] for at, pool in enumerate(layout.pools) if not pool.open)) if closed else now.rate
    return Second(
        t_s=now.t_s,
        seconds=seconds,
        load=load,
        answers={request: _answers(counts) for request, counts in found.items()},
        unit=USERS if closed else RATE,
        in_flight=sum(in_flight),
        oldest_s=aggregate.workers.oldest_s,
        phases=phases,
        driven=frozenset(closed) if 0 < len(closed) < len(layout.requests) else None,
        sending=now.state == "running" and not now.paused and bool(now.target_users or now.rate),
        warmup=now.warmup,
        doubts=doubts,
        blocked=blocked,
        quotas=aggregate.quotas.gauges(now.t_s),
        stage=now.stage,
    )


def _answers(counts: Counts) -> Answers:
    failures = {
        outcome: number
        for outcome, number in counts.outcomes.items()
        if number and outcome not in NOT_FAILED and outcome != Outcome.RATE_LIMITED
    }
    return Answers(
        ok=counts.ok,
        refused=counts.rate_limited + counts.sums["retries"],
        failures=failures,
        latency=counts.records("latency"),
        ttft=counts.records("ttft"),
    )


def _doubts(aggregate: Aggregate) -> tuple[str, bool]:
    """Return why times cannot be trusted, and whether connections could not be opened."""
    found = aggregate.trust.found
    blocked = any(reason.kind in _BLOCKS for reason in aggregate.saturation.current)
    return found.words if found.grade == SATURATED else "", blocked

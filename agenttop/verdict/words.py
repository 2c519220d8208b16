"""A verdict in one sentence, without its state: the screen, lines and reports all show this one."""

from __future__ import annotations

from collections.abc import Sequence

from agenttop.metrics.assessment import Estimate, Knee
from agenttop.metrics.scope import clean_text
from agenttop.metrics.snapshot import QuotaGauge
from agenttop.report.figures import count, duration, ms, per_s, share
from agenttop.verdict.grown import GREW, QUEUE, Growth, kind_of, times
from agenttop.verdict.second import RATE
from agenttop.verdict.window import MIN_ANSWERS, Sums

#: A limit of which less than this part is left has run out.
SPENT = 0.02
#: Where so much is refused the limit is one of rate, and no number of requests at a time.
REFUSED = 0.05
#: A phase that so many answers tell is one of all of them.
ALL = 0.9


def load(value: float, unit: str) -> str:
    """Return a load: ``1 user``, ``12 users``, ``7.9/s``."""
    if unit == RATE:
        return f"{per_s(value)}/s"
    return f"{count(value)} user{'' if round(value) == 1 else 's'}"


def few(sums: Sums, oldest_s: float) -> str:
    """Return why nothing can be said yet."""
    if not sums.finished and oldest_s >= 1:
        return f"no answer yet, the oldest request is {duration(round(oldest_s))} old"
    return f"too few answers yet: {sums.ok} of {MIN_ANSWERS}" if sums.ok < MIN_ANSWERS else "the first seconds"


def keeps_up(p95_ms: float | None, at: str, answers_per_s: float, *, alone: bool) -> str:
    """Return that of a target that keeps up; ``alone``: there was no lighter load to compare with."""
    text = f"p95 {ms(p95_ms)} at {at}, {per_s(answers_per_s)}/s"
    return f"{text}, no lighter load to compare with" if alone else text


def recovers(p95_ms: float | None, at: str, was: str, since_s: float) -> str:
    """Return that of one that did not, until ``since_s`` seconds ago."""
    text = f"as at first again for {duration(max(1, round(since_s)))}: p95 {ms(p95_ms)} at {at}"
    return f"{text} (it was {was})"


def slows(
    whole: Growth | None, token: Growth | None, first: str, at: str, grown: Sequence[Growth], request: str
) -> str:
    """Return that of one that slows: what has grown against the first level."""
    parts = [
        f"{growth.name} {ms(growth.now_ms)} {times(growth.times)} of {first}"
        for growth in (whole, token)
        if growth is not None and (growth.times >= GREW or growth is whole)
    ]
    return _joined([*parts, f"since {at}"], grown, request)


def queues(
    whole: Growth | None, at: str, ok_per_s: float, knee: Knee | None, grown: Sequence[Growth], request: str
) -> str:
    """Return that of one that queues: that throughput is flat, since when, and how much longer one waits."""
    parts = [f"p95 {ms(whole.now_ms)} {times(whole.times)}"] if whole is not None else []
    if knee is None:
        parts.append(f"flat at {per_s(ok_per_s)}/s since {at}")
    else:
        parts.append(f"flat at {per_s(knee.per_s.value)}/s since ~{load(knee.load.value, knee.unit)}")
    return _joined(parts, grown, request)


def refuses(part: float, at: str, request: str, spent_: Sequence[QuotaGauge]) -> str:
    """Return that of one that refuses; ``spent_`` are limits that have run out."""
    parts = [f"{share(part)} refused (429) since {at}", *(spent(quota) for quota in spent_[:1])]
    return _joined(parts, (), request)


def fails(part: float, outcome: str, at: str, request: str) -> str:
    """Return that of one that fails; ``outcome`` is the most frequent."""
    return _joined([f"{share(part)} fail ({outcome.replace('_', ' ')}) since {at}"], (), request)


def hangs(quiet_s: float, in_flight: int, oldest_s: float) -> str:
    """Return that of one that hangs."""
    quiet, oldest = (duration(round(value)) for value in (quiet_s, oldest_s))
    return f"no answer for {quiet}, {count(in_flight)} in flight, the oldest {oldest} old"


def run_out(quotas: Sequence[QuotaGauge]) -> list[QuotaGauge]:
    """Return the limits that have run out."""
    return [q for q in quotas if not q.past and q.remaining <= SPENT * (q.limit or 0)]


def spent(quota: QuotaGauge) -> str:
    """Return a limit that has run out: ``tokens: 0 of 90 000 left``."""
    of = f" of {count(quota.limit)}" if quota.limit is not None else ""
    return f"{clean_text(quota.name, 40)}: {count(quota.remaining)}{of} left"


def knee(found: Knee, grown: Sequence[Growth] = (), *, queued: bool = True) -> str:
    """Return the knee as a sentence of its own; ``queued``: what limits it is a number of requests at a time."""
    text = f"throughput stops growing at ~{_about(found.load, found.unit)}: {per_s(found.per_s.value)}/s"
    if found.refused > REFUSED and not queued:
        return f"{text}; more is refused (429)"
    served = max(1, round(found.served.value))
    text += f", about {count(served)} request{' is' if served == 1 else 's are'} served at a time"
    if grown:
        text += f"; {waits(grown)}"
        # By Little's law so many are in this phase at a time where nothing waits in it.
        inside = found.per_s.value * grown[0].before_ms / 1000
        if grown[0].told >= ALL and round(inside) >= 1:
            text += f", about {count(inside)} at a time"
    if found.scaling is not None and found.scaling.falls:
        text += f"; beyond it falls (κ {found.scaling.coherency.value:.2g})"
    return text


def waits(grown: Sequence[Growth]) -> str:
    """Return what phases that grow mean."""
    told = ", ".join(growth.words for growth in grown[:2])
    kinds = {kind_of(growth.name) for growth in grown[:2]}
    if "model" in kinds:
        return f"calls wait for a free model slot: {told}"
    return f"requests wait in the agent's queue: {told}" if QUEUE in kinds else told


def holds(value: float, unit: str) -> str:
    """Return the bound of a run that has not passed its knee."""
    return f"holds at least {load(value, unit)}"


def _about(value: Estimate, unit: str) -> str:
    if unit == RATE:
        return f"{load(value.value, unit)} ({per_s(value.low)}–{per_s(value.high)})"
    return f"{load(value.value, unit)} ({count(value.low)}–{count(value.high)})"


def _joined(parts: list[str], grown: Sequence[Growth], request: str) -> str:
    told = [growth.words for growth in grown[:2]]
    return " · ".join([*parts, *told, *([f"mostly {request}"] if request else [])])

"""Makes the sentence of a state, its evidence and its reasons, of what has been seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agenttop.metrics.assessment import (
    FAILS,
    HANGS,
    KEEPS_UP,
    QUEUES,
    RECOVERS,
    REFUSES,
    SLOWS,
    Evidence,
    Knee,
    VerdictCause,
)
from agenttop.metrics.snapshot import QuotaGauge
from agenttop.verdict import grown, words
from agenttop.verdict.grown import Growth
from agenttop.verdict.seen import Seen
from agenttop.verdict.window import p95_ms


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a state."""

    words: str
    evidence: tuple[Evidence, ...] = ()
    causes: tuple[VerdictCause, ...] = ()
    weight: float = 0.0
    """How bad it is, against others of the same state."""
    grown: tuple[Growth, ...] = ()


def tell(
    state: str,
    seen: Seen,
    *,
    load: float,
    began_at: float,
    knee: Knee | None = None,
    quotas: Sequence[QuotaGauge] = (),
    was: tuple[str, float] = ("", 0.0),
) -> Told:
    """Return what is said of a state.

    Args:
        state: any but ``unknown``, which is told by why it is.
        seen: so far.
        load: now.
        began_at: load when the state began.
        knee: if it has been passed.
        quotas: what remains of the target's limits.
        was: the last bad state and how many seconds ago it ended.
    """
    at, unit = words.load(began_at, seen.unit), seen.unit
    if state in (SLOWS, QUEUES):
        return _slow(state, seen, load, at, knee)
    if state == REFUSES:
        return _refused(seen, at, quotas)
    if state == FAILS:
        return _failed(seen, at)
    if state == HANGS:
        quiet_s = seen.silence.quiet_s
        text = words.hangs(quiet_s, seen.in_flight, seen.oldest_s)
        return Told(text, (Evidence("quiet_s", None, round(quiet_s, 1)),), weight=quiet_s)
    p95 = p95_ms(seen.window.latency())
    now = words.load(load, unit)
    if state == RECOVERS:
        return Told(words.recovers(p95, now, was[0], was[1]))
    assert state == KEEPS_UP
    sums = seen.window.sums
    return Told(words.keeps_up(p95, now, sums.ok / max(sums.seconds, 1e-3), alone=len(seen.levels.all()) < 2))


def _slow(state: str, seen: Seen, load: float, at: str, knee: Knee | None) -> Told:
    baseline, window, level = seen.baseline, seen.window, seen.at(load)
    whole, token = grown.latency(baseline, window), grown.ttft(baseline, window)
    phases = grown.phases(baseline, window)
    meant = grown.request(window, seen.names)
    own = None if meant is None else grown.latency(baseline, window, meant)
    name = seen.names[meant] if meant is not None else ""
    first = words.load(baseline.load, seen.unit)
    ok_per_s = level.per_s if level is not None else window.sums.ok / max(window.sums.seconds, 1e-3)
    if state == QUEUES:
        text = words.queues(whole, at, ok_per_s, knee, phases, name)
    else:
        text = words.slows(own or whole, token, first, at, phases, name)
    evidence = [*_grew("latency_p95_ms", whole), *_grew("ttft_p95_ms", token)]
    evidence += [row for phase in phases for row in _grew(f"phase.{phase.name}_ms", phase)]
    evidence += _grew(f"{name}.latency_p95_ms", own)
    evidence.append(Evidence("load", round(baseline.load, 3), round(load, 3)))
    lowest = next(iter(seen.levels.all()), None)
    if lowest is not None:
        evidence.append(Evidence("ok_per_s", round(lowest.per_s, 3), round(ok_per_s, 3)))
    weight = whole.now_ms if whole is not None else 0.0
    return Told(text, tuple(evidence), grown.reasons(phases), weight, tuple(phases))


def _refused(seen: Seen, at: str, quotas: Sequence[QuotaGauge]) -> Told:
    sums = seen.window.sums
    part = sums.refused / max(sums.finished, 1)
    spent = words.run_out(quotas)
    text = words.refuses(part, at, _mostly(seen, sums.refused_of, sums.refused), spent)
    causes = tuple(VerdictCause("quota", words.spent(quota), 1.0) for quota in spent)
    return Told(text, (Evidence("refused", 0.0, round(part, 4)),), causes, part)


def _failed(seen: Seen, at: str) -> Told:
    sums = seen.window.sums
    part = sums.failed / max(sums.finished, 1)
    kinds = [(outcome, number) for outcome, number in sums.failures.most_common(3) if number]
    text = words.fails(part, kinds[0][0] if kinds else "", at, _mostly(seen, sums.failed_of, sums.failed))
    causes = tuple(
        VerdictCause("outcome", outcome.replace("_", " "), round(number / sums.failed, 4)) for outcome, number in kinds
    )
    return Told(text, (Evidence("failed", 0.0, round(part, 4)),), causes, part)


def _mostly(seen: Seen, of: dict[int, int], whole: int) -> str:
    """Return the request that most of them are of, if there are others; empty if there is none."""
    if not of or len(seen.names) < 2:
        return ""
    worst = max(of, key=lambda request: of[request])
    return seen.names[worst] if of[worst] >= grown.MOSTLY * whole else ""


def _grew(what: str, growth: Growth | None) -> list[Evidence]:
    return [Evidence(what, round(growth.before_ms, 3), round(growth.now_ms, 3))] if growth is not None else []

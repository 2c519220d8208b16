"""Makes METRICS of the summary (``agenttop.summary/1``) from a scope's counts."""

from __future__ import annotations

from typing import Any

from agenttop.metrics import formulas
from agenttop.metrics.catalogue import OWN_COUNTERS, OWN_DISTRIBUTIONS, PHASE, PHASE_SHARE, POOL_COUNTERS, TRAFFIC
from agenttop.metrics.counts import Counts
from agenttop.metrics.delta import VIOLATION
from agenttop.metrics.histogram import Hist
from agenttop.metrics.layout import Layout
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.scope import Scope

#: Distributions of a stage that its row in the table of stages is made of, phases aside.
STAGED = ("latency", "ttft", "unattributed")
#: What no phase explains, among shares.
UNATTRIBUTED = "(unattributed)"
_US_PER_S = 1_000_000.0
_NONE = Hist()


def metrics(scope: Scope, seconds: float, layout: Layout) -> dict[str, Any]:
    """Return METRICS of ``scope``.

    Args:
        scope: what was counted.
        seconds: how long it was measured; rates are 0 where that is not above 0.
        layout: of the run; it says what was judged: without objectives there is no goodput.
    """
    sums, requests = scope.sums, scope.requests
    return {
        "requests": requests,
        "ok": scope.ok,
        "failed": scope.failed,
        "rate_limited": scope.rate_limited,
        "cancelled": scope.outcomes[Outcome.CANCELLED],
        "attempts": sums["attempts"],
        **{name: sums[name] if scope.of_pools else None for name in POOL_COUNTERS},
        **{name: sums[name] for name in OWN_COUNTERS},
        "rps": rate(requests, seconds),
        "error_rate": share(formulas.Part(scope.failed, requests)),
        "status": {str(status): count for status, count in sorted(scope.status.items()) if count},
        "outcomes": {outcome.value: scope.outcomes[outcome] for outcome in Outcome if scope.outcomes[outcome]},
        "errors": scope.errors.top(),
        **{f"{name}_ms": scope.hists.get(name, _NONE).dist() for name in OWN_DISTRIBUTIONS},
        "phases_ms": _phases(scope),
        "unattributed_ms": scope.hists.get("unattributed", _NONE).dist(),
        "phase_shares": _phase_shares(scope),
        "tokens": _tokens(scope, seconds),
        "llm_calls": _calls(scope, "llm_calls"),
        "tool_calls": _calls(scope, "tool_calls"),
        "cost_usd": formulas.cost_usd(sums, layout.price),
        "goodput": _goodput(scope, seconds) if layout.objectives else None,
        "rate_limit": _rate_limit(scope, layout),
        "streams": _streams(scope),
        **{name: sums[name] for name in TRAFFIC},
    }


def of_stage(scope: Scope, seconds: float) -> dict[str, Any]:
    """Return of METRICS what the table of stages is made of, without the histograms themselves: quick enough for every
    second.
    """
    return {
        "requests": scope.requests,
        "failed": scope.failed,
        "rate_limited": scope.rate_limited,
        "rps": rate(scope.requests, seconds),
        **{f"{name}_ms": scope.hists.get(name, _NONE).dist(hdr=False) for name in STAGED},
        "phases_ms": _phases(scope, hdr=False),
    }


def _phases(scope: Scope, *, hdr: bool = True) -> dict[str, dict[str, float | int | str] | None]:
    """Return the DIST of every phase."""
    found = sorted(scope.hists.items())
    return {name.removeprefix(PHASE): hist.dist(hdr=hdr) for name, hist in found if name.startswith(PHASE)}


def rate(count: float, seconds: float) -> float:
    """Return a rate per second; 0 if nothing was measured."""
    return round(formulas.per(count, seconds) or 0.0, 6)


def share(found: formulas.Part) -> float:
    """Return a share, 0 to 1; 0 of nothing."""
    return round(found.share or 0.0, 6)


def _goodput(counts: Counts, seconds: float) -> dict[str, Any]:
    """Return the good requests, their share of all attempts, and their rate per second."""
    found = formulas.goodput(counts)
    return {"good": found.part, "share": share(found), "per_s": rate(found.part, seconds)}


def _rate_limit(scope: Scope, layout: Layout) -> dict[str, Any]:
    """Return the figures of rate-limited answers, those whose request was sent again among them."""
    sums, requests = scope.sums, scope.requests
    refused = formulas.refusals(scope)
    kinds = {name.removeprefix(VIOLATION): number for name, number in sums.items() if name.startswith(VIOLATION)}
    return {
        "count": refused.part,
        "share": share(refused),
        "conformant": sums["conformant"] if layout.rate_limit else None,
        "violations": dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0]))) if layout.rate_limit else None,
        "retry_after_s": scope.hists.get("retry_after", _NONE).dist(_US_PER_S),
        "recovered": sums["recovered"] if layout.retries or sums["retries"] else None,
        "amplification": round(sums["attempts"] / requests, 6) if requests and sums["attempts"] else None,
    }


def _phase_shares(scope: Scope) -> dict[str, dict[str, float | None]]:
    """Return each phase's share of the latency and the unexplained rest; empty if no request reported phases."""
    spent = {
        name.removeprefix(PHASE): hist.total
        for name, hist in sorted(scope.hists.items())
        if name.startswith(PHASE) and hist.count
    }
    if not spent:
        return {}
    # Not of all latency: requests that reported none would make every phase look small.
    spent[UNATTRIBUTED] = scope.hists.get("unattributed", _NONE).total
    whole = sum(spent.values())
    return {
        name: {"mean": round(part / whole, 6) if whole else 0.0, "p95": _p95_share(scope, name)}
        for name, part in spent.items()
    }


def _p95_share(scope: Scope, phase: str) -> float | None:
    """Return the 95th percentile of the shares in single requests; None if they were not measured."""
    value = scope.hists.get(PHASE_SHARE + phase, _NONE).percentile(95)
    return None if value is None else round(value / 1000, 6)


def _tokens(counts: Counts, seconds: float) -> dict[str, Any]:
    found = formulas.tokens(counts.sums, seconds)
    written, requests = formulas.written_tokens(counts.sums)
    return {
        "source": found.source,
        "input": found.input,
        "output": found.output,
        "cached": found.cached,
        "reasoning": found.reasoning,
        "estimated": found.counted,
        "output_per_s": None if not requests else rate(written, seconds),
        "per_request_mean": _rounded(found.per_request_mean),
        "told_requests": found.told,
        "estimated_requests": found.estimated,
    }


def _streams(counts: Counts) -> dict[str, Any] | None:
    """Return the figures of event streams; None if there were none."""
    found = {name: counts.sums[name] for name in ("streamed", "one_burst", "stalled", "unterminated")}
    if not any(found.values()):
        return None
    return found | {"share": share(formulas.Part(found["one_burst"], found["streamed"]))}


def _calls(counts: Counts, metric: str) -> dict[str, Any]:
    """Return the calls over the requests that told theirs; None in place of what nobody told."""
    found = formulas.calls(counts.sums, metric)
    return {"total": found.total, "per_request_mean": _rounded(found.per_request_mean)}


def _rounded(mean: float | None) -> float | None:
    return None if mean is None else round(mean, 3)

"""METRICS of the summary (``agenttop.summary/1``) made of a scope's counts."""

from __future__ import annotations

from collections import Counter
from typing import Any

from agenttop.metrics.delta import VIOLATION
from agenttop.metrics.histogram import Hist
from agenttop.metrics.layout import Layout, Price
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.scope import PHASE, PHASE_SHARE, Scope, finished

#: Distributions of METRICS in ms; the key is the metric's name and ``_ms``.
LATENCIES = (
    "latency",
    "response_time",
    "ttft",
    "ttfo",
    "ttfb",
    "tpot",
    "inter_chunk",
    "connect",
    "schedule_lag",
    "time_to_failure",
)
#: What no phase explains, among shares.
UNATTRIBUTED = "(unattributed)"
_US_PER_S = 1_000_000.0
_NONE = Hist()

#: What servers tell of tokens: each may be told by other requests than the others.
TOKEN_KINDS = ("input", "output", "cached", "reasoning")


def metrics(scope: Scope, seconds: float, layout: Layout) -> dict[str, Any]:
    """METRICS of ``scope``.

    Args:
        scope: what was counted.
        seconds: how long it was measured; rates are 0 where that is not above 0.
        layout: of the run; it says what was judged: without objectives there is no goodput.
    """
    sums, requests = scope.sums, scope.requests
    return {
        "requests": requests,
        "ok": scope.outcomes[Outcome.OK],
        "failed": scope.failed,
        "rate_limited": scope.outcomes[Outcome.RATE_LIMITED],
        "cancelled": scope.outcomes[Outcome.CANCELLED],
        "attempts": sums["attempts"],
        "sessions": scope.sessions,
        "iterations": scope.iterations,
        "dropped_iterations": scope.dropped_iterations,
        "user_errors": sums["user_errors"],
        "rps": rate(requests, seconds),
        "error_rate": share(scope.failed, requests),
        "status": {str(status): count for status, count in sorted(scope.status.items()) if count},
        "outcomes": {outcome.value: scope.outcomes[outcome] for outcome in Outcome if scope.outcomes[outcome]},
        "errors": scope.errors.top(),
        **{f"{name}_ms": scope.hists.get(name, _NONE).dist() for name in LATENCIES},
        "phases_ms": {
            name.removeprefix(PHASE): hist.dist()
            for name, hist in sorted(scope.hists.items())
            if name.startswith(PHASE)
        },
        "unattributed_ms": scope.hists.get("unattributed", _NONE).dist(),
        "phase_shares": _phase_shares(scope),
        "tokens": _tokens(scope, seconds),
        "llm_calls": _calls(sums["llm_calls"], sums["llm_requests"]),
        "tool_calls": _calls(sums["tool_calls"], sums["tool_requests"]),
        "cost_usd": cost_usd(sums, layout.price),
        "goodput": goodput(scope.outcomes, scope.sums, seconds) if layout.objectives else None,
        "rate_limit": _rate_limit(scope, layout),
        "streams": _streams(sums),
        "said_nothing": sums["said_nothing"],
        "bytes_sent": sums["bytes_sent"],
        "bytes_received": sums["bytes_received"],
        **{f"connections_{how}": sums[f"connections_{how}"] for how in ("opened", "reused", "reopened")},
    }


def _rate_limit(scope: Scope, layout: Layout) -> dict[str, Any]:
    """Rate-limited answers, those whose request was sent again among them."""
    sums, requests = scope.sums, scope.requests
    count = scope.outcomes[Outcome.RATE_LIMITED] + sums["retries"]
    kinds = {name.removeprefix(VIOLATION): number for name, number in sums.items() if name.startswith(VIOLATION)}
    return {
        "count": count,
        "share": share(count, requests + sums["retries"]),
        "conformant": sums["conformant"] if layout.rate_limit else None,
        "violations": dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0]))) if layout.rate_limit else None,
        "retry_after_s": scope.hists.get("retry_after", _NONE).dist(_US_PER_S),
        "recovered": sums["recovered"] if layout.retries or sums["retries"] else None,
        "amplification": round(sums["attempts"] / requests, 6) if requests and sums["attempts"] else None,
    }


def goodput(outcomes: Counter[str], sums: Counter[str], seconds: float) -> dict[str, Any]:
    """Good requests, their share of all attempts, and how many a second."""
    good = sums["good"]
    # A request that found no connection is no attempt, and not good either.
    whole = max(sums["attempts"], finished(outcomes))
    return {"good": good, "share": share(good, whole), "per_s": rate(good, seconds)}


def cost_usd(sums: Counter[str], price: Price | None) -> float | None:
    """Tokens × the profile's prices, of the requests whose tokens the server told; None without either."""
    if price is None or not sums["token_requests"]:
        return None
    cached = min(sums["cached_tokens"], sums["input_tokens"])
    each = (sums["input_tokens"] - cached) * price.input + cached * price.cached
    each += sums["output_tokens"] * price.output
    return round(each / 1e6, 9)


def rate(count: float, seconds: float) -> float:
    """Per second; 0 where nothing was measured."""
    return round(count / seconds, 6) if seconds > 0 else 0.0


def share(part: int, whole: int) -> float:
    """0 to 1; 0 of nothing."""
    return round(part / whole, 6) if whole else 0.0


def _phase_shares(scope: Scope) -> dict[str, dict[str, float | None]]:
    """What part of the latency each phase was, and what no phase explains; empty where no request reported any."""
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
    """The 95th percentile of the shares that single requests had; None where they were not measured."""
    value = scope.hists.get(PHASE_SHARE + phase, _NONE).percentile(95)
    return None if value is None else round(value / 1000, 6)


def _tokens(scope: Scope, seconds: float) -> dict[str, Any]:
    sums = scope.sums
    told, estimated = sums["output_told"], sums["token_estimates"]
    written, requests = written_tokens(sums)
    return {
        "source": "server" if told or sums["token_requests"] else "chunks" if estimated else "none",
        **{kind: sums[f"{kind}_tokens"] if sums[f"{kind}_told"] else None for kind in TOKEN_KINDS},
        "estimated": sums["estimated_tokens"] if estimated else None,
        "output_per_s": rate(written, seconds) if requests else None,
        "per_request_mean": round(written / requests, 3) if requests else None,
        "told_requests": sums["token_requests"],
        "estimated_requests": estimated,
    }


def written_tokens(sums: Counter[str]) -> tuple[int, int]:
    """Return output tokens and the requests that have them: as servers told them, or as their chunks were counted where
    no server told any. The two are never added."""
    if sums["output_told"] or not sums["token_estimates"]:
        return sums["output_tokens"], sums["output_told"]
    return sums["estimated_tokens"], sums["token_estimates"]


def _streams(sums: Counter[str]) -> dict[str, Any] | None:
    """Event streams; null where there was none."""
    names = ("streamed", "one_burst", "stalled", "unterminated")
    if not any(sums[name] for name in names):
        return None
    return {name: sums[name] for name in names} | {"share": share(sums["one_burst"], sums["streamed"])}


def _calls(total: int, requests: int) -> dict[str, Any]:
    """Calls over the requests that told theirs; null where none did."""
    if not requests:
        return {"total": None, "per_request_mean": None}
    return {"total": total, "per_request_mean": round(total / requests, 3)}

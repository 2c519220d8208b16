"""What the tools for token streams say of a run, read from their own reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_PERCENTILES = ("p50", "p90", "p99")

Percentiles = dict[str, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a tool says of its run: percentiles of ok streams in ms, by ``p50``, ``p90`` and ``p99``."""

    ok: int
    failed: int
    events_per_s: float
    ttft: Percentiles
    gap: Percentiles
    """Between content chunks. GuideLLM knows only the mean of each stream's."""
    latency: Percentiles


def agenttop_report(summary: dict[str, Any]) -> Measured:
    """What the summary of a run says."""
    totals = summary["totals"]
    return Measured(
        ok=totals["ok"],
        failed=totals["failed"],
        events_per_s=totals["tokens"]["output"] / summary["run"]["duration_s"],
        ttft=_picked(totals["ttft_ms"]),
        gap=_picked(totals["inter_chunk_ms"]),
        latency=_picked(totals["latency_ms"]),
    )


def aiperf_report(report: dict[str, Any]) -> Measured:
    """What AIPerf's ``profile_export_aiperf.json`` says."""
    return Measured(
        ok=round(report["request_count"]["avg"]),
        failed=round((report.get("error_request_count") or {}).get("avg", 0)),
        events_per_s=report["output_token_throughput"]["avg"],
        ttft=_picked(report["time_to_first_token"]),
        gap=_picked(report["inter_chunk_latency"]),
        latency=_picked(report["request_latency"]),
    )


def guidellm_report(report: dict[str, Any]) -> Measured:
    """What GuideLLM's report says of its only benchmark."""
    metrics = report["benchmarks"][0]["metrics"]

    def of(name: str, to_ms: float = 1.0) -> Percentiles:
        return _picked(metrics[name]["successful"]["percentiles"], to_ms)

    return Measured(
        ok=metrics["request_totals"]["successful"],
        failed=metrics["request_totals"]["errored"],
        events_per_s=metrics["output_tokens_per_second"]["successful"]["mean"],
        ttft=of("time_to_first_token_ms"),
        gap=of("inter_token_latency_ms"),
        latency=of("request_latency", 1000.0),
    )


def _picked(values: dict[str, Any], to_ms: float = 1.0) -> Percentiles:
    return {key: float(values[key]) * to_ms for key in _PERCENTILES}

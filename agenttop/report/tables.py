"""Renders a run as a table for spreadsheets: a row for each request, stage or second, and a figure a column.

Columns are the summary's keys with a dot for each step down (``latency_ms.p95``) and always the same ones, whatever
happened in the run; what there is not is empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from agenttop.metrics.catalogue import OWN_COUNTERS, OWN_DISTRIBUTIONS, POOL_COUNTERS, TRAFFIC
from agenttop.metrics.outcome import Outcome
from agenttop.report.escaping import csv_text

_DIST = ("count", "min", "mean", "stddev", "p50", "p75", "p90", "p95", "p99", "p99_9", "max")
_STAGE = (
    *("index", "name", "pool", "start_s", "end_s", "measured_s", "unit", "target_start", "target_end"),
    "verdict.state",
)
#: Columns of METRICS.
_METRICS = (
    *("requests", "ok", "failed", "rate_limited", "cancelled", "attempts", *POOL_COUNTERS, *OWN_COUNTERS),
    *("rps", "error_rate", *(f"outcomes.{outcome.value}" for outcome in Outcome)),
    *(f"{name}_ms.{figure}" for name in OWN_DISTRIBUTIONS for figure in _DIST),
    *(f"tokens.{name}" for name in ("source", "input", "output", "cached", "reasoning", "estimated", "output_per_s")),
    *("tokens.per_request_mean", "llm_calls.total", "tool_calls.total", "cost_usd"),
    *("goodput.good", "goodput.share", "goodput.per_s", "rate_limit.count", "rate_limit.share"),
    *("rate_limit.retry_after_s.p50", "rate_limit.recovered", "rate_limit.amplification"),
    *TRAFFIC,
)
_TIMELINE = (
    *("t_s", "stage", "users", "target", "manual", "held", "in_flight", "rps", "failed_per_s", "rate_limited_per_s"),
    *("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "ttft_p50_ms", "ttft_p95_ms", "ttft_p99_ms"),
    *("inter_chunk_p95_ms", "output_tokens_per_s", "loop_lag_p99_ms"),
)


def report_csv(summary: Mapping[str, Any], table: str = "requests") -> str:
    """Return one table of a run as CSV (RFC 4180, but for the ends of its lines).

    Args:
        summary: as ``load_summary`` or ``build_summary`` gives it.
        table: one of :data:`TABLES`.

    Raises:
        KeyError: there is no such table.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in TABLES[table](summary):
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _requests(summary: Mapping[str, Any]) -> Iterator[Iterable[Any]]:
    yield ("pool", "request", *_METRICS)
    for name, metrics in summary["requests"].items():
        pool, _, request = name.partition("/")
        yield (pool, request, *(_figure(metrics, key) for key in _METRICS))


def _stages(summary: Mapping[str, Any]) -> Iterator[Iterable[Any]]:
    yield (*_STAGE, *_METRICS)
    for stage in summary["stages"]:
        yield (_figure(stage, key) for key in (*_STAGE, *_METRICS))


def _timeline(summary: Mapping[str, Any]) -> Iterator[Iterable[Any]]:
    yield _TIMELINE
    timeline = summary["timeline"]
    names = {stage["index"]: stage["name"] for stage in summary["stages"]}
    empty = [None] * len(timeline["t_s"])
    columns = {key: timeline.get(key) or empty for key in _TIMELINE}
    columns["stage"] = [names.get(index) for index in columns["stage"]]
    yield from zip(*columns.values(), strict=True)


TABLES: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Iterable[Any]]]] = {
    "requests": _requests,
    "timeline": _timeline,
    "stages": _stages,
}


def _figure(metrics: Any, key: str) -> Any:
    """Return what stands under a dotted key; None where any step of it is missing, and 0 for an outcome that never
    was.
    """
    first, _, rest = key.partition(".")
    found = metrics.get(first)
    if first == "outcomes":
        return found.get(rest, 0)
    return _figure(found, rest) if rest and found is not None else found


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return csv_text(value) if isinstance(value, str) else value

"""What each tool said of its run, read from its own report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.program import BenchmarkError


@dataclass(frozen=True, slots=True)
class Measured:
    """One run as the tool itself reports it; latencies in ms, None where it reports none."""

    requests_per_s: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    failed: int = 0
    """Requests that failed, by whatever name the tool has for it; what its end cut off is none."""


def wrk(text: str) -> Measured:
    """wrk with ``--latency``. Raises :class:`BenchmarkError`, as all of these do, where there is no result."""
    failed = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", text)))
    failed += sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", text)))
    return Measured(_number(r"Requests/sec:\s+([\d.]+)", text), _wrk_latency(50, text), _wrk_latency(99, text), failed)


def hey(text: str) -> Measured:
    """hey's summary."""
    statuses = re.findall(r"^\s+\[(\d{3})\]\s+(\d+) responses", text, re.MULTILINE)
    _, _, errors = text.partition("Error distribution:")
    failed = sum(int(count) for status, count in statuses if not status.startswith("2"))
    failed += sum(map(int, re.findall(r"^\s+\[(\d+)\]", errors, re.MULTILINE)))
    return Measured(
        _number(r"Requests/sec:\s+([\d.]+)", text),
        _number(r"50%+ in ([\d.]+) secs", text) * 1000,
        _number(r"99%+ in ([\d.]+) secs", text) * 1000,
        failed,
    )


def ab(text: str) -> Measured:
    """ab's report, whose percentiles are whole milliseconds."""
    failed = _number(r"Failed requests:\s+(\d+)", text)
    failed += sum(map(int, re.findall(r"Non-2xx responses:\s+(\d+)", text)))
    return Measured(
        _number(r"Requests per second:\s+([\d.]+)", text),
        _number(r"^\s+50%\s+(\d+)", text),
        _number(r"^\s+99%\s+(\d+)", text),
        int(failed),
    )


def locust(text: str) -> Measured:
    """Locust's ``--json``: all requests together, the rate of its full seconds."""
    rows: list[dict[str, Any]] = _json(text)
    seconds = _sum(row["num_reqs_per_sec"] for row in rows)
    # The first and the last second are parts of one.
    full = range(min(seconds, default=0) + 1, max(seconds, default=0))
    if not full:
        raise BenchmarkError("Locust reports no full second")
    times = _sum(row["response_times"] for row in rows)
    return Measured(
        sum(seconds.get(second, 0) for second in full) / len(full),
        _percentile(times, 50),
        _percentile(times, 99),
        sum(row["num_failures"] for row in rows),
    )


def autocannon(text: str) -> Measured:
    """autocannon's ``--json``; its rate is the mean of its seconds."""
    report = _json(text)
    # Its errors include those that timed out.
    return Measured(
        report["requests"]["mean"],
        report["latency"]["p50"],
        report["latency"]["p99"],
        report["errors"] + report["non2xx"],
    )


def artillery(text: str) -> Measured:
    """Artillery's ``--output``: what was answered between its first and its last metric."""
    whole = _json(text)["aggregate"]
    counters: dict[str, int] = whole["counters"]
    lasted_s = (whole["lastMetricAt"] - whole["firstMetricAt"]) / 1000
    if not counters.get("http.responses") or lasted_s <= 0:
        raise BenchmarkError(f"Artillery was not answered: {json.dumps(counters)}")
    bad = [n for name, n in counters.items() if re.match(r"errors\.|http\.codes\.[^2]", name)]
    times = whole["summaries"]["http.response_time"]
    return Measured(counters["http.responses"] / lasted_s, times["p50"], times["p99"], sum(bad))


def k6(text: str) -> Measured:
    """What k6 hands to ``handleSummary``."""
    metrics = _json(text)["metrics"]
    times, failed = metrics["http_req_duration"]["values"], metrics["http_req_failed"]["values"]
    checks = metrics.get("checks", {"values": {"fails": 0}})["values"]["fails"]
    # Of http_req_failed, those that passed are those that failed.
    return Measured(metrics["http_reqs"]["values"]["rate"], times["med"], times["p(99)"], failed["passes"] + checks)


def oha(text: str) -> Measured:
    """oha's ``--output-format json``, which counts in seconds."""
    report = _json(text)
    errors = sum(count for error, count in report["errorDistribution"].items() if "deadline" not in error)
    statuses = report["statusCodeDistribution"].items()
    failed = errors + sum(count for status, count in statuses if not status.startswith("2"))
    percentiles = report["latencyPercentiles"]
    return Measured(report["summary"]["requestsPerSec"], percentiles["p50"] * 1e3, percentiles["p99"] * 1e3, failed)


def vegeta(text: str) -> Measured:
    """vegeta's ``report -type=json``, which counts in nanoseconds."""
    report = _json(text)
    latencies = report["latencies"]
    failed = sum(count for status, count in report["status_codes"].items() if not status.startswith("2"))
    return Measured(report["throughput"], latencies["50th"] / 1e6, latencies["99th"] / 1e6, failed)


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise BenchmarkError(f"its report has no {pattern!r}: {text.strip()[-300:]!r}")
    return float(found[1])


def _wrk_latency(percent: int, text: str) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)$", text, re.MULTILINE)
    if found is None:
        raise BenchmarkError(f"wrk reports no latency: {text.strip()[-300:]!r}")
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}[found[2]]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise BenchmarkError(f"its report is not JSON: {text.strip()[-300:]!r}") from None


def _sum(counts: Iterable[dict[str, int]]) -> dict[int, int]:
    """Histograms by number, added up."""
    whole: dict[int, int] = {}
    for part in counts:
        for key, count in part.items():
            number = int(float(key))
            whole[number] = whole.get(number, 0) + count
    return whole


def _percentile(times: dict[int, int], percent: int) -> float | None:
    """Of a histogram: the value that so many per cent do not exceed."""
    wanted, seen = sum(times.values()) * percent / 100, 0
    for value, count in sorted(times.items()):
        seen += count
        if seen >= wanted:
            return float(value)
    return None

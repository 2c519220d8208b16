"""The program's figures against a server that knows the truth, and beside those of AIPerf and GuideLLM."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

from hdrh.histogram import HdrHistogram

from tests.benchmarks.nginx import Missing
from tests.benchmarks.options import Options, begin
from tests.benchmarks.peers.stream_reports import Measured, Percentiles, agenttop_report
from tests.benchmarks.peers.streams import FIRST_MS, Load, Peer, peers, run_agenttop
from tests.benchmarks.program import BenchmarkError, ask, figure, run_program
from tests.benchmarks.results import Results
from tests.benchmarks.stream_server import compiled, serving_streams, tell

#: How far a figure may be from the truth: ms, or a share of it, whichever is more.
TOLERANCE_MS = 1.0
TOLERANCE = 0.01

_AT_ONCE = "100 at once"
_LOADS = {
    "1 stream": Load(1, 3),
    "100 streams": Load(100, 3, ramp_s=2.0),
    "1000 streams": Load(1000, 2, ramp_s=3.0),
    _AT_ONCE: Load(100, 1),
}
_PERCENTILES = {"p50": 50.0, "p75": 75.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p99_9": 99.9}

_STALL_MS = 2000
_ARRIVALS_PER_S = 100
_STALL = """
name = "benchmark-stall"
target = "http://127.0.0.1:{port}"
graceful_stop = "10s"
[[pools]]
name = "work"
arrivals = "constant"
max_users = 1000
stages = [ {{ duration = "{seconds}s", rate = {rate}, ramp = "step" }} ]
[[pools.tasks]]
get = "/work?ms=5"
"""


def truth(options: Options) -> Results:
    """Streams, starts at once, a stall and the percentiles themselves; a problem for each that is not true."""
    results = begin("truth: the program's percentiles beside the server's own")
    results.note(f"a problem is what is further from the truth than {TOLERANCE_MS:g} ms or {TOLERANCE:.0%} of it")
    others = _peers(results)
    for _ in range(options.rounds):
        for case, load in _LOADS.items():
            _streams(results, case, load)
            for name, peer in others.items():
                _beside(results, case, load, name, peer)
        _stall(results, 5 if options.quick else 10)
    for case in _LOADS:
        judge(results, case)
    return results


def _peers(results: Results) -> dict[str, Peer]:
    try:
        compiled()
    except Missing as missing:
        results.note(f"AIPerf and GuideLLM skipped, they need the server in C: {missing}")
        return {}
    return peers(results)


def _streams(results: Results, case: str, load: Load) -> None:
    with serving_streams(results, tokens=load.tokens, rate=load.rate, spread_ms=_spread(case, load)) as port:
        summary = run_agenttop(port, load)
        server = ask(port, "/stats")
    _add(results, case, agenttop_report(summary), server)
    totals, generator = summary["totals"], summary["generator"]
    lag = figure(generator["loop_lag_ms"], "p99")
    results.add(f"{case}: TTFT", loop_lag_p99_ms=lag, cpu_percent=generator["cpu_percent_max"])
    if generator["saturated"]:
        results.note(f"{case}: the program says itself that it was saturated: {', '.join(generator['warnings'])}")
    chunks = totals["ttft_ms"]["count"] + totals["inter_chunk_ms"]["count"]
    results.expect(not totals["failed"], f"{case}: {totals['failed']} streams failed: {totals['errors'][:1]}")
    results.expect(totals["ok"] == server["streams"], f"{case}: {totals['ok']} streams of {server['streams']}")
    results.expect(chunks == server["chunks"], f"{case}: {chunks} chunks read of {server['chunks']} sent")
    _histograms(results, case, summary)


def _spread(case: str, load: Load) -> float:
    """Up to one gap, ms: users begin every 10 ms, and without it a thousand streams would send two hundred chunks at
    once. Only where all begin at once, the time to the first token is to be the same.
    """
    return 0.0 if case == _AT_ONCE else 1000.0 / load.rate


def _beside(results: Results, case: str, load: Load, name: str, peer: Peer) -> None:
    """The same load by a peer. That it fails is no problem of ours."""
    with serving_streams(results, tokens=load.tokens, rate=load.rate, spread_ms=_spread(case, load)) as port:
        try:
            measured = peer(port, load)
        except BenchmarkError as error:
            results.note(f"{case}, {name}: {error}")
            return
        _add(results, f"{case}, {name}", measured, ask(port, "/stats"))


def _add(results: Results, case: str, measured: Measured, server: dict[str, Any]) -> None:
    figures = {"TTFT": (measured.ttft, "ttft_ms"), "gap": (measured.gap, "gap_ms")}
    for what, (ours, key) in (figures | {"latency": (measured.latency, "latency_ms")}).items():
        true: Percentiles = server[key]
        results.add(
            f"{case}: {what}",
            error_ms=max(abs(ours[p] - true[p]) for p in true),
            **{name: value for p in true for name, value in ((f"{p}_ms", ours[p]), (f"true_{p}_ms", true[p]))},
            counted=measured.ok,
            true_count=server["streams"],
        )


def judge(results: Results, case: str) -> None:
    """Each percentile, in the median of the rounds, against what it should be."""
    for what in ("TTFT", "gap", "latency"):
        row = {name: median(values) for name, values in results.rows[f"{case}: {what}"].items() if values}
        for p in ("p50", "p90", "p99"):
            ours, true = row[f"{p}_ms"], row[f"true_{p}_ms"]
            near = close(ours, true)
            results.expect(near, f"{case}: {what} {p} is {ours:.2f} ms where the truth is {true:.2f} ms")
    if case == _AT_ONCE:
        starts = results.rows[f"{case}: TTFT"]
        p99, late = median(starts["p99_ms"]), max(median(starts["true_p99_ms"]) - FIRST_MS, 0.0)
        fair = FIRST_MS <= p99 <= FIRST_MS + late + 3
        waits = f"the server waits {FIRST_MS:g} ms and is {late:.2f} ms late"
        results.expect(fair, f"{case}: TTFT p99 is {p99:.2f} ms where {waits}")


def close(ours: float, true: float) -> bool:
    """Whether a figure (ms) is as near to the truth as it must be."""
    return abs(ours - true) <= max(TOLERANCE_MS, TOLERANCE * abs(true))


def _stall(results: Results, seconds: int) -> None:
    """A server that stands still for 2 s while requests go on arriving: what a user waits must show it."""
    case = f"a stall of {_STALL_MS / 1000:g} s, {_ARRIVALS_PER_S} arrivals/s"
    try:
        compiled()
    except Missing as missing:
        results.note(f"{case} skipped: {missing}")
        return
    with serving_streams(results) as port:
        tell(port, f"/stall?ms={_STALL_MS}&work={_ARRIVALS_PER_S}")
        summary = run_program(
            _STALL.format(port=port, seconds=seconds, rate=_ARRIVALS_PER_S), lasts_s=seconds + _STALL_MS / 1000
        )
        server = ask(port, "/stats")
    totals = summary["totals"]
    for what in ("response_time", "latency"):
        figures = {f"{p}_ms": totals[f"{what}_ms"][p] for p in ("p50", "p90", "p99")}
        results.add(f"{case}: {what}", **figures, counted=totals["ok"], true_count=server["work"])
    results.expect(totals["ok"] == server["work"], f"{case}: {totals['ok']} requests of {server['work']}")
    results.expect(not totals["failed"] and not totals["dropped_iterations"], f"{case}: some failed or were dropped")
    p99 = totals["response_time_ms"]["p99"]
    results.expect(p99 >= 0.9 * _STALL_MS, f"{case}: response_time p99 is {p99:.1f} ms, the stall is hidden")
    _histograms(results, case, summary)


def _histograms(results: Results, case: str, summary: dict[str, Any]) -> None:
    compared, wrong = histograms(summary)
    results.add(f"{case}: figures that are HdrHistogram's", counted=compared - len(wrong), true_count=compared)
    results.expect(compared > 0 and not wrong, f"{case}: not what HdrHistogram says: {', '.join(wrong[:3])}")


def histograms(summary: dict[str, Any]) -> tuple[int, list[str]]:
    """How many figures of a summary were compared with those of the histograms beside them, and which are different.

    Each DIST's count and percentiles are compared with what ``hdrh`` finds in its ``hdr``; those of the totals also
    with the sum of the ``hdr`` of all requests, of all pools, and of all stages.
    """
    compared, wrong = 0, []
    for path, dist in _dists(summary):
        differing = _differing(dist, HdrHistogram.decode(dist["hdr"]), 1e6 if path.endswith("_s") else 1e3)
        compared += 1 + len(_PERCENTILES)
        wrong += [f"{path}.{key}" for key in differing]
    parts = {
        "requests": list(summary["requests"].values()),
        "pools": list(summary["pools"].values()),
        "stages": summary["stages"],
    }
    for key, dist in summary["totals"].items():
        if not (key.endswith("_ms") and _is_dist(dist)):
            continue
        for name, metrics in parts.items():
            whole = HdrHistogram(1, 3_600_000_000, 3)
            for part in metrics:
                if part[key] is not None:
                    whole.add(HdrHistogram.decode(part[key]["hdr"]))
            compared += 1 + len(_PERCENTILES)
            wrong += [f"totals.{key}.{which} of all {name}" for which in _differing(dist, whole, 1e3)]
    return compared, wrong


def _differing(dist: dict[str, Any], hdr: HdrHistogram, us_per_unit: float) -> list[str]:
    """Which figures of a DIST are not the histogram's, whose values, ends of buckets, its minimum and maximum bound."""
    wrong = [] if hdr.get_total_count() == dist["count"] else ["count"]
    for key, percent in _PERCENTILES.items():
        value = min(max(hdr.get_value_at_percentile(percent) / us_per_unit, dist["min"]), dist["max"])
        if abs(value - dist[key]) > 1e-6:
            wrong.append(key)
    return wrong


def _dists(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every DIST within a summary, and where it is."""
    if _is_dist(value):
        yield path, value
    elif isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from _dists(inner, f"{path}.{key}" if path else str(key))


def _is_dist(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("hdr"), str)

"""Whether a summary's percentiles are those of the histograms beside them, and whether a figure is true."""

from __future__ import annotations

from array import array
from copy import deepcopy
from typing import Any

import pytest

from agenttop.metrics.histogram import Hist, fold
from tests.benchmarks.results import Results
from tests.benchmarks.truth import close, histograms, judge

FEW = [1_500_000 + 7_919 * i for i in range(40)]
MANY = [90_000_000 + 104_729 * i for i in range(400)]


def dist(values_ns: list[int], per_unit: float = 1000.0) -> dict[str, Any]:
    """The DIST of these durations."""
    hist = Hist()
    hist.add(fold(array("q", values_ns)))
    made = hist.dist(per_unit)
    assert made is not None
    return made


@pytest.fixture
def summary() -> dict[str, Any]:
    """Of two requests in one pool, both in each of two stages; the second request has no ttft."""
    few, many, both = dist(FEW), dist(MANY), dist(FEW + MANY)
    return {
        "totals": {"latency_ms": both, "ttft_ms": few, "ok": 440, "status": {"200": 440}},
        "pools": {"load": {"latency_ms": both, "ttft_ms": few, "retry_after_s": dist(MANY, 1e6)}},
        "requests": {
            "load/few": {"latency_ms": few, "ttft_ms": few},
            "load/many": {"latency_ms": many, "ttft_ms": None},
        },
        "stages": [
            {"latency_ms": dist(FEW[:10] + MANY[:300]), "ttft_ms": dist(FEW[:10])},
            {"latency_ms": dist(FEW[10:] + MANY[300:]), "ttft_ms": dist(FEW[10:])},
        ],
    }


def test_figures_of_the_program_are_hdrhistograms(summary: dict[str, Any]) -> None:
    # Seven figures each of 12 distributions, and of two totals against all requests, pools and stages.
    assert histograms(summary) == (7 * 12 + 7 * 2 * 3, [])


def test_wrong_percentile_is_found(summary: dict[str, Any]) -> None:
    summary["pools"]["load"]["retry_after_s"]["p99"] += 0.001

    assert histograms(summary)[1] == ["pools.load.retry_after_s.p99"]


def test_request_that_is_not_in_the_totals_is_found(summary: dict[str, Any]) -> None:
    summary["requests"]["load/more"] = deepcopy(summary["requests"]["load/many"])
    wrong = histograms(summary)[1]

    assert "totals.latency_ms.count of all requests" in wrong
    assert all(figure.endswith("of all requests") for figure in wrong)


def test_values_that_a_stage_lost_are_found(summary: dict[str, Any]) -> None:
    del summary["stages"][1]

    assert "totals.latency_ms.count of all stages" in histograms(summary)[1]


@pytest.mark.parametrize(
    ("ours", "true", "near"),
    [
        (25.9, 25.0, True),
        (26.1, 25.0, False),
        (24.1, 25.0, True),
        (23.9, 25.0, False),
        (2190.0, 2175.0, True),
        (2200.0, 2175.0, False),
        (0.5, 0.0, True),
    ],
)
def test_close(ours: float, true: float, near: bool) -> None:
    assert close(ours, true) is near


def measured(case: str, p99_ms: list[float]) -> Results:
    """Rounds of one case that are true in all but, perhaps, the p99 of the time to first token."""
    results = Results("test")
    for ours in p99_ms:
        for what in ("TTFT", "gap", "latency"):
            figures = {name: 200.5 for p in ("p50", "p90", "p99") for name in (f"{p}_ms", f"true_{p}_ms")}
            results.add(f"{case}: {what}", **figures | ({"p99_ms": ours} if what == "TTFT" else {}))
    return results


def test_true_figures_are_no_problem() -> None:
    results = measured("100 at once", [200.7, 201.9, 202.0])
    judge(results, "100 at once")

    assert results.problems == []


def test_one_bad_round_of_three_is_no_problem() -> None:
    results = measured("100 streams", [200.7, 290.0, 201.0])
    judge(results, "100 streams")

    assert results.problems == []


def test_figure_that_is_off_is_a_problem() -> None:
    results = measured("100 streams", [250.0])
    judge(results, "100 streams")

    assert results.problems == ["100 streams: TTFT p99 is 250.00 ms where the truth is 200.50 ms"]


@pytest.mark.parametrize("p99_ms", [199.9, 203.6])
def test_starts_at_once_are_held_against_what_the_server_waits(p99_ms: float) -> None:
    results = measured("100 at once", [p99_ms])
    judge(results, "100 at once")

    assert (
        f"100 at once: TTFT p99 is {p99_ms:.2f} ms where the server waits 200 ms and is 0.50 ms late"
        in results.problems
    )

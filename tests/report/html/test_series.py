"""Tests of agenttop.report.html.series, agenttop.report.html.plan: rates are means, percentiles of merged counts."""

from __future__ import annotations

from typing import Any

import pytest

from agenttop.metrics.histogram import hdr_counts, hdr_percentiles
from agenttop.report.html.plan import planned
from agenttop.report.html.series import along, highest, means, percentiles
from tests.report.test_text import full


def test_short_runs_are_drawn_second_by_second() -> None:
    summary = full()
    timeline = summary["timeline"]
    assert means(summary, "rps").values["rps"] == timeline["rps"]
    track = percentiles(summary, "latency", 50, 99)
    assert track.values["p99"] == timeline["latency_p99_ms"]
    assert list(track.t_s) == timeline["t_s"]


def test_means_keep_the_sum() -> None:
    summary = full()
    track = means(summary, "rps", "users", most=7)
    assert len(track.t_s) == 7
    sizes = [9] * 6 + [6]
    parts = zip(track.values["rps"], sizes, strict=True)
    assert sum((value or 0) * size for value, size in parts) == pytest.approx(sum(summary["timeline"]["rps"]))
    assert track.t_s[-1] == 60.0


def test_a_point_within_a_live_window_is_the_window_that_ends_with_it() -> None:
    summary = full()
    track = percentiles(summary, "latency", 95, most=12)
    assert summary["timeline"]["percentiles_s"] >= 5
    assert track.values["p95"] == summary["timeline"]["latency_p95_ms"][4::5]


def test_a_longer_one_is_of_merged_counts_and_never_of_percentiles() -> None:
    summary = full()
    track = percentiles(summary, "latency", 50, 95, most=2)
    blocks = summary["totals"]["blocks"]
    assert len(track.t_s) == len(blocks)
    for at in (3, 30):
        assert track.values["p95"][at] == hdr_percentiles(blocks[at]["latency_hdr"], [95])[0] / 1000
    assert (
        sum(int(hdr_counts(block["latency_hdr"]).sum()) for block in blocks if block["latency_hdr"])
        == (summary["totals"]["latency_ms"]["count"])
    )


def test_the_highest_of_a_point_stays() -> None:
    summary = full()
    lag = summary["timeline"]["loop_lag_p99_ms"]
    assert max(v for v in highest(summary, "loop_lag_p99_ms", 5).values["loop_lag_p99_ms"] if v) == max(
        v for v in lag if v
    )


def test_a_track_along_another() -> None:
    summary = full()
    coarse = means(summary, "rps", most=6)
    found = along(coarse, "rps", summary["timeline"]["t_s"])
    assert found[:10] == [coarse.values["rps"][0]] * 10
    assert along(coarse, "rps", [500.0]) == [None]


def test_the_plan_follows_its_own_clock() -> None:
    summary: dict[str, Any] = full()
    ramp = planned(summary).values["planned"]
    assert ramp[5] == pytest.approx(30.0)
    assert ramp[20] == 60.0
    summary["timeline"]["plan_t_s"] = [6.0] * 60
    assert planned(summary).values["planned"] == [30.0] * 60
    for stage in summary["stages"]:
        stage["pool"] = "chat"
    assert set(planned(summary).values["planned"]) == {None}

"""Distributions for HdrHistogram's plotter."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

import pytest

from agenttop.report.hgrm import report_hgrm
from tests.journal.test_summarize import summary_of
from tests.metrics.fakes import FakeRun
from tests.report.test_text import full

#: As HdrHistogram's plotter reads a line.
LINE = re.compile(r"^ +([\d.]+) +([\d.]+) +(\d+)(?: +([\d.]+|Infinity))?$")


@functools.cache
def of_all() -> Mapping[str, str]:
    """Of one summary; hdrh takes its time."""
    return report_hgrm(full())


@pytest.mark.parametrize("name", ["latency", "ttft", "inter_chunk", "time_to_failure"])
def test_counts_and_percentiles_are_the_summarys(name: str) -> None:
    summary = full()
    dist = summary["totals"][f"{name}_ms"]
    head, blank, *lines = of_all()[name].splitlines()
    assert head.split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    assert not blank
    rows = [LINE.match(line) for line in lines if not line.startswith("#")]
    assert all(rows)
    values = [(float(row[1]), float(row[2]), int(row[3])) for row in rows if row]
    assert values == sorted(values)
    assert values[-1][1:] == (1.0, dist["count"])
    for value, percentile, _ in values:
        if percentile in (0.5, 0.75):
            assert value == pytest.approx(dist[f"p{percentile * 100:.0f}"], rel=2e-3)
    told = re.findall(r"= +([\d.]+)", "\n".join(lines[-3:]))
    assert float(told[0]) == pytest.approx(dist["mean"], abs=1e-3)
    assert float(told[1]) == pytest.approx(dist["stddev"], abs=1e-3)
    assert int(told[3]) == dist["count"]


def test_there_is_one_for_each_metric_with_a_record() -> None:
    found = of_all()
    assert {"latency", "ttft", "tpot", "connect", "phase.llm_call", "unattributed", "retry_after"} <= found.keys()
    assert "interim" not in found
    assert report_hgrm(summary_of(FakeRun(seconds=3, warmup_s=9.0))) == {}

"""Tests of agenttop.report.glance, agenttop.report.observed: the answer fits 80 by 24."""

from __future__ import annotations

import re
from typing import Any

import pytest

from agenttop.report.figures import cells
from agenttop.report.glance import LINES, render_glance
from tests.journal.test_summarize import summary_of
from tests.metrics.fakes import FakeRun
from tests.report.test_text import full


def stages(summary: dict[str, Any], count: int) -> dict[str, Any]:
    """The summary with so many stages, each slower than the last but one."""
    one = summary["stages"][0]
    latency = one["latency_ms"]
    made = [
        one | {"index": at, "name": f"stage {at}", "latency_ms": latency | {"p95": 100.0 * (1 + at % 7)}}
        for at in range(count)
    ]
    return summary | {"stages": made}


def lines(summary: dict[str, Any], width: int = 80) -> list[str]:
    return render_glance(summary, color=False, width=width).splitlines()


@pytest.mark.parametrize("run", [FakeRun(), FakeRun(seconds=5, peak=0, storm=None), FakeRun(seconds=5, warmup_s=9.0)])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_too_wide_and_no_figure_missing(run: FakeRun, width: int) -> None:
    found = lines(summary_of(run), width)
    assert max(cells(line) for line in found[:-2]) <= width
    assert not re.search(r"\b(nan|inf|None)\b", "\n".join(found))


def test_the_most_there_can_be_fits_a_screen() -> None:
    summary = stages(full(), 30)
    summary["run"] |= {"message": "word " * 200, "name": "n" * 300}
    verdict = {"state": "queues", "since_s": 5.0, "words": "flat at 8/s, " * 60, "bound": "it stops growing, " * 60}
    summary["run"]["verdict"] = verdict | {"others": []}
    failed: dict[str, Any] = {"observed": 5.0, "passed": False, "expression": "latency p95 < 1s " * 20}
    summary["thresholds"] = [failed] * 32
    summary["generator"] |= {"saturated": True, "warnings": ["warning " * 40] * 30}
    summary["gate"] = {"verdict": "block", "blocked": True, "words": "worse than allowed: " + "score tools, " * 30}
    drop: dict[str, Any] = {"from_users": 4, "to_users": 400, "drop": 0.11, "verdict": "worse"}
    summary["quality"] = {"score": 0.9, "interval": [0.8, 0.95], "cases": 200, "drop": drop}
    summary["budget"] = {name: {"used": 9.5, "cap": 10.0} for name in ("requests", "tokens", "cost_usd")}
    found = lines(summary)
    assert len(found) <= LINES
    assert max(map(cells, found)) <= 80
    text = "\n".join(found)
    for said in (
        "FAILED",
        "BLOCK",
        "score 90.0%",
        "11.0 points lost",
        "95.0% of 10 tokens",
        "SATURATED",
        "warnings",
    ):
        assert said in text, said


def test_the_first_the_last_and_the_slowest_stages_stay() -> None:
    found = "\n".join(lines(stages(full(), 30)))
    shown = re.findall(r"stage (\d+)", found)
    assert shown[0] == "0"
    assert shown[-1] == "29"
    assert {"6", "13"} <= set(shown), "the slowest"
    assert "more stages, none with a higher p95" in found


def test_why_it_ended_is_said_first_and_where_the_rest_is_last() -> None:
    found = lines(full())
    assert found[1].startswith("  ABORTED by a threshold after ")
    assert "exit code 99" in found[1]
    assert found[-2].startswith("  all of it   agenttop report --full ")
    assert found[-1].startswith("              agenttop replay|profile-of ")
    assert "2 of 4 FAILED" in "\n".join(found)
    assert "ttft p(99) < 500  observed 647.1ms" in "\n".join(found)


def test_times_are_held_against_the_first_stage() -> None:
    summary = stages(full(), 3)
    table = [line for line in lines(summary) if re.match(r"  (stage|load)", line)]
    assert "× first" in table[0]
    assert [re.findall(r"[\d.]+×", line) for line in table[1:]] == [[], ["2.0×"], ["3.0×"]]


def test_columns_that_nobody_fills_give_way() -> None:
    summary = stages(full(), 1)
    summary["stages"][0] |= {"ttft_ms": None}
    head = next(line for line in lines(summary) if line.startswith("  stage"))
    assert head.split() == ["stage", "users", "rps", "p50", "p95", "429", "errors"]


def test_nothing_measured_is_said() -> None:
    assert any("nothing to judge" in line for line in lines(summary_of(FakeRun(seconds=3, warmup_s=9.0))))


def test_colour_adds_nothing_but_styles() -> None:
    colored = render_glance(full(), color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render_glance(full(), color=False)

"""Phases by stage: what the table shows, and when a phase is said to have grown."""

from __future__ import annotations

import re
from typing import Any

import pytest

from agenttop.report.figures import cells
from agenttop.report.page import Page
from agenttop.report.phases import columns, extremes, growths, phases_by_stage
from tests.journal.test_summarize import summary_of
from tests.metrics.fakes import FakeRun

Phases = dict[str, tuple[float, float]]


def dist(mean: float, stddev: float, count: int) -> dict[str, Any]:
    return {"mean": mean, "stddev": stddev, "count": count}


def stage(name: str, users: float, count: int = 100, **phases: tuple[float, float]) -> dict[str, Any]:
    """A stage of so many users; mean and deviation of its phases in ms."""
    return {
        "name": name,
        "target_start": users,
        "target_end": users,
        "unit": "users",
        "pool": None,
        "phases_ms": {phase: dist(*figures, count) for phase, figures in phases.items()},
        "unattributed_ms": dist(5.0, 1.0, count) if phases else None,
    }


def summary(*stages: dict[str, Any], **timeline: list[Any]) -> dict[str, Any]:
    numbered = [stage | {"index": index} for index, stage in enumerate(stages)]
    empty: dict[str, list[Any]] = {"stage": [], "t_s": [], "target": []}
    return {"run": {"warmup_s": 0.0}, "stages": numbered, "timeline": empty | timeline}


def text(found: dict[str, Any], width: int = 80) -> str:
    page = Page(width, False)
    phases_by_stage(page, found)
    assert max(map(cells, page.lines), default=0) <= width
    return "\n".join(page.lines)


FEW = stage("few", 10, llm_call=(310.0, 60.0), tools=(100.0, 20.0))
MANY = stage("many", 60, llm_call=(2400.0, 500.0), tools=(130.0, 20.0))


def test_the_phase_that_grew_most_is_named() -> None:
    said = text(summary(FEW, MANY))
    assert "llm_call grew most: 310ms at 10 users to 2.40s at 60 users" in said
    assert said.count("grew most") == 1
    assert re.search(r"\n +few +many\n +10 users +60 users\n", said)
    assert re.search(r"\n  llm_call +310ms  74\.7% +2\.40s  94\.7%\n", said)
    assert re.search(r"\n  \(unattributed\) +5\.00ms   1\.2% +5\.00ms  0\.2", said)


def test_the_least_load_is_compared_with_the_most_wherever_they_stand() -> None:
    middle = stage("middle", 30, llm_call=(9000.0, 10.0))
    ((least, most),) = extremes(columns(summary(middle, MANY, FEW)))
    assert (least.name, most.name) == ("few", "many")


def test_what_no_phase_explains_may_be_what_grew() -> None:
    slow = MANY | {"phases_ms": FEW["phases_ms"], "unattributed_ms": dist(900.0, 100.0, 100)}
    assert "(unattributed) grew most: 5.00ms at 10 users to 900ms at 60 users" in text(summary(FEW, slow))


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ((310.0, 60.0), (365.0, 60.0), 100),  # under 20 %
        ((310.0, 400.0), (450.0, 400.0), 100),  # within the noise: 2.5 standard errors
        ((310.0, 60.0), (200.0, 60.0), 100),  # it fell
    ],
)
def test_what_did_not_clearly_grow_is_not_named(
    before: tuple[float, float], after: tuple[float, float], count: int
) -> None:
    found = summary(stage("few", 10, count, llm_call=before), stage("many", 60, count, llm_call=after))
    assert growths(extremes(columns(found))) == []
    assert "no phase grew by over 20% and beyond noise from 10 users to 60 users" in text(found)


def test_what_nobody_waits_for_is_no_bottleneck() -> None:
    few, many = (stage(name, users, 400, llm_call=(310.0, 60.0)) for name, users in (("few", 10), ("many", 60)))
    for ms, grown in ((0.1, few), (3.0, many)):
        grown["phases_ms"] = grown["phases_ms"] | {"queue": dist(ms, 0.01, 400)}
    assert growths(extremes(columns(summary(few, many)))) == []
    many["phases_ms"] = many["phases_ms"] | {"queue": dist(30.0, 0.01, 400)}
    assert [growth.phase for growth in growths(extremes(columns(summary(few, many))))] == ["queue"]


@pytest.mark.parametrize(
    "stages",
    [
        (FEW, MANY | {"target_start": 10, "target_end": 10}),  # the same load
        (FEW, stage("many", 60, 19, llm_call=(2400.0, 1.0))),  # too few requests
        (FEW, MANY | {"unit": "rate"}),  # users and arrivals
        (FEW, MANY | {"pool": "other"}),  # users of other pools
    ],
)
def test_stages_that_cannot_be_compared_are_only_shown(stages: tuple[dict[str, Any], ...]) -> None:
    said = text(summary(*stages))
    assert "phases by stage" in said
    assert "grew" not in said


def test_a_phase_with_too_few_requests_of_its_own_is_not_named() -> None:
    rare = {"tools": dist(9000.0, 1.0, 19)}
    found = summary(FEW, MANY | {"phases_ms": MANY["phases_ms"] | rare})
    assert [growth.phase for growth in growths(extremes(columns(found)))] == ["llm_call"]


def test_one_stage_with_phases_has_no_table() -> None:
    assert text(summary(FEW, stage("many", 60))) == ""
    assert text(summary()) == ""


def test_users_are_as_they_were_where_the_plan_ramped_or_was_left() -> None:
    ramp = FEW | {"target_start": 0.0, "target_end": 10.0}
    seconds: dict[str, list[Any]] = {"t_s": [1.0, 2.0, 3.0, 4.0], "stage": [0, 0, 1, 1]}
    by_plan, steered = (
        columns(summary(ramp, MANY, **seconds, target=[1.0, 8.0, 59.0, 61.0], manual=[False, False, False, manual]))
        for manual in (False, True)
    )
    assert [(column.load, column.words) for column in by_plan] == [(4.5, "1–8 users"), (60.0, "60 users")]
    assert [(column.load, column.words) for column in steered] == [(4.5, "1–8 users"), (60.0, "59–61 users")]


def test_rates_are_said_as_rates() -> None:
    few, many = (stage | {"unit": "rate", "target_start": 5.0} for stage in (FEW, MANY))
    assert "310ms at 5–10/s to 2.40s at 5–60/s" in text(summary(few, many))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_stages_that_are_compared_are_always_shown(width: int) -> None:
    between = [stage(f"between {users}", users, 900, llm_call=(700.0, 60.0)) for users in range(15, 55, 5)]
    said = text(summary(FEW, *between, MANY), width)
    assert re.search(r"\n +few .* many\n", said)
    assert "more are in the summary" in said


def test_text_of_the_target_is_data() -> None:
    evil = {"\x1b[2Jevil\n" + "x" * 90: dist(1.0, 0.1, 100)}
    worse = {name: dist(9000.0, 0.1, 100) for name in evil}
    said = text(summary(FEW | {"phases_ms": evil}, MANY | {"phases_ms": worse, "name": "\x1b[31mred"}))
    assert "\x1b" not in said
    assert "evil" in said
    assert "grew most" in said


def test_the_summary_has_the_shares_by_stage_pool_and_request() -> None:
    found = summary_of(FakeRun(seconds=20))
    for metrics in (found["totals"], found["stages"][1], found["pools"]["chat"], found["requests"]["chat/simple"]):
        shares = {name: share["mean"] for name, share in metrics["phase_shares"].items()}
        expected = {"context_load": 0.08, "llm_call": 0.7, "tool_execution": 0.15, "(unattributed)": 0.07}
        assert shares == pytest.approx(expected, abs=1e-3)
    assert found["pools"]["tools"]["phase_shares"] == {}
    assert found["totals"]["phase_shares"]["llm_call"]["p95"] is None  # what nobody measured
    (column, *_) = columns(found)
    assert column.requests == found["stages"][0]["phases_ms"]["llm_call"]["count"]

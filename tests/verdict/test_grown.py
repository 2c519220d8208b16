"""What has grown since the first level."""

from __future__ import annotations

import pytest

from agenttop.verdict import grown
from agenttop.verdict.baseline import Baseline
from agenttop.verdict.grown import Growth
from agenttop.verdict.second import Answers, Second
from agenttop.verdict.window import Share, Window, sums_of
from tests.verdict.test_baseline import records


def seen(before: dict[str, float], now: dict[str, float]) -> tuple[Baseline, Window]:
    """First answers and newest ones; a request takes as long as its phases, in ms."""
    baseline, window = Baseline(), Window()
    for at in range(1, 31):
        phases = before if at <= 10 else now
        took = records(*[sum(phases.values())] * 10)
        second = Second(
            float(at),
            1.0,
            5.0 if at <= 10 else 50.0,
            {0: Answers(10, latency=took, ttft=took)},
            phases={name: (ms * 10_000, 10) for name, ms in phases.items()},
        )
        sums = sums_of(second, baseline)
        baseline.take(second)
        window.add(second, sums)
    return baseline, window


def test_the_phase_that_cost_most_stands_first_and_what_has_not_grown_is_left_out() -> None:
    before = {"llm_call": 500.0, "tool": 100.0, "context": 20.0, "db": 10.0}
    baseline, window = seen(before, {"llm_call": 3300.0, "tool": 1900.0, "context": 21.0, "db": 60.0})
    found = grown.phases(baseline, window)
    assert [growth.name for growth in found] == ["llm_call", "tool"]
    assert found[0].times == pytest.approx(6.6)
    assert found[0].words == "llm_call ×6.6"
    assert [reason.kind for reason in grown.reasons(found)] == ["model", "tools"]
    assert sum(reason.share for reason in grown.reasons(found)) < 1
    assert grown.latency(baseline, window) is not None
    token = grown.ttft(baseline, window)
    assert token is not None
    assert token.times == pytest.approx(5281 / 630, rel=0.01)
    assert grown.latency(baseline, window, 9) is None


def test_nothing_has_grown() -> None:
    baseline, window = seen({"llm_call": 500}, {"llm_call": 510})
    assert grown.phases(baseline, window) == []
    assert grown.reasons([]) == ()


def test_what_was_almost_nothing_is_told_by_its_figures() -> None:
    assert Growth("queue", 3.0, 1200.0).words == "queue 3.00ms → 1.20s"
    assert Growth("queue", 0.0, 1200.0).times == 1200


@pytest.mark.parametrize(
    ("name", "kind"),
    [("llm_call", "model"), ("queue", "queue"), ("model_wait", "queue"), ("tool_execution", "tools"), ("db", "phase")],
)
def test_the_name_of_a_phase_says_what_it_is(name: str, kind: str) -> None:
    assert grown.kind_of(name) == kind


def test_a_request_is_meant_where_most_late_answers_are_its() -> None:
    window = Window()
    window.sums.late_of = {0: Share(1, 90), 1: Share(20, 30)}
    assert grown.request(window, ["a", "b"]) == 1
    assert grown.request(window, ["b"]) is None
    window.sums.late_of = {0: Share(60, 90), 1: Share(20, 30)}
    assert grown.request(window, ["a", "b"]) is None
    window.sums.late_of = {}
    assert grown.request(window, ["a", "b"]) is None


def test_factors() -> None:
    assert [grown.times(value) for value in (1.28, 9.94, 9.96, 140.0)] == ["×1.3", "×9.9", "×10", "×140"]

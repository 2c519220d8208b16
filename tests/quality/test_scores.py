from __future__ import annotations

import pytest

from agenttop.quality.case import Case
from agenttop.quality.score import Part, Score
from agenttop.quality.scores import by_metric, by_slice, lost_by_cause, scored
from agenttop.quality.statistics import mean_interval, wilson

CASES = {
    "a": Case("a", tags=("orders",), slices={"language": "en"}),
    "b": Case("b", tags=("orders",)),
    "c": Case("c", weight=3.0),
    "z": Case("z", weight=0.0),
}


def said(case: str, value: float | None, cause: str = "", **more: object) -> Score:
    return Score(case, value=value, passed=value == 1.0, cause=cause, **more)  # type: ignore[arg-type]  # its fields


def test_the_score_is_the_weighted_mean_of_the_means_of_cases() -> None:
    found = scored([said("a", 1.0), said("a", 0.0), said("b", 1.0), said("c", 0.5), said("b", None)], CASES)
    assert found.score == pytest.approx((0.5 + 1.0 + 3 * 0.5) / 5)
    low, high = mean_interval([0.5, 1.0, 0.5], [1.0, 1.0, 3.0])
    assert found.interval == pytest.approx((max(0.0, low), min(1.0, high)))
    assert (found.cases, found.answers, found.passed) == (3, 4, 2)


def test_pass_and_fail_of_cases_asked_once_has_wilsons_interval() -> None:
    found = scored([said("a", 1.0), said("b", 0.0)], CASES)
    assert found.interval == wilson(1, 2)


def test_a_single_case_tells_next_to_nothing() -> None:
    assert scored([said("a", 0.5)], CASES).interval == (0.0, 1.0)


def test_cases_that_are_all_alike_are_no_proof_whatever_they_weigh() -> None:
    low, high = scored([said("a", 1.0), said("b", 1.0), said("c", 1.0)], CASES).interval or (1.0, 1.0)
    assert (low, high) == pytest.approx(wilson(25 / 11, 25 / 11))  # (1 + 1 + 3)² / (1² + 1² + 3²)
    thirds = [said("a", 0.1), said("a", 0.1), said("a", 0.1), said("b", 0.1)]  # 0.30000000000000004 / 3
    assert scored(thirds, CASES).interval == pytest.approx(wilson(0.2, 2))


def test_nothing_graded_has_no_score_and_a_case_without_weight_is_in_none() -> None:
    assert scored([said("a", None)], CASES).score is None
    found = scored([said("a", 1.0), said("z", 0.0)], CASES)
    assert (found.score, found.cases) == (1.0, 2)
    assert scored([said("z", 0.0)], CASES).score is None


def test_slices_are_scored_by_themselves() -> None:
    found = by_slice([said("a", 1.0), said("b", 0.0), said("c", 1.0)], CASES)
    assert {name: (value.score, value.cases) for name, value in found.items()} == {
        "orders": (0.5, 2),
        "language=en": (1.0, 1),
    }


def test_metrics_and_causes() -> None:
    scores = [
        said("a", 0.0, "wrong", parts=(Part("x", 1.0, metric="m"), Part("y", None, metric="m"))),
        said("b", 0.5, "timeout", parts=(Part("x", 0.0, metric="m"),)),
        said("c", 1.0),
    ]
    assert by_metric(scores) == {"m": (0.5, 2)}
    assert lost_by_cause(scores) == {"wrong": pytest.approx(2 / 3), "timeout": pytest.approx(1 / 3)}
    assert lost_by_cause([said("c", 1.0)]) == {}

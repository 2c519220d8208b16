"""Tests of agenttop.quality.sums; what its formulas mean for a run is in test_curve.py."""

from __future__ import annotations

import numpy as np
import pytest

from agenttop.quality.score import CAUSES
from agenttop.quality.sums import Sums, by_cause, drop_of, halves, lost_of, score_of, verdict_of

EQUAL = np.ones(3)
ALL = np.arange(3)


def sums(*answers: tuple[int, float], cause: str = "wrong") -> Sums:
    found = Sums.of(3)
    for case, value in answers:
        found.add(case, value, cause)
    return found


def test_a_score_is_a_mean_of_means_over_the_cases_that_were_asked() -> None:
    found = score_of(sums((0, 1.0), (0, 0.5), (1, 0.25)), EQUAL, ALL)
    assert found is not None
    score, (low, high), cases = found
    assert cases == 2
    assert score == pytest.approx(0.5)
    assert low < score < high
    weighed = score_of(sums((0, 1.0), (1, 0.0)), np.array([3.0, 1.0, 5.0]), ALL)
    assert weighed is not None
    assert weighed[0] == pytest.approx(0.75)
    assert score_of(sums((0, 1.0)), EQUAL, np.array([1, 2])) is None


def test_cases_that_all_weigh_nothing_weigh_the_same() -> None:
    found = score_of(sums((0, 1.0), (1, 0.0)), np.zeros(3), ALL)
    assert found is not None
    assert found[0] == pytest.approx(0.5)


def test_points_are_lost_to_their_causes() -> None:
    both = sums((0, 0.5), cause="wrong") + sums((1, 0.0), cause="refused") + sums((2, 1.0))
    assert by_cause(lost_of(both, EQUAL)) == pytest.approx({"refused": 1 / 3, "wrong": 0.5 / 3})
    assert by_cause(lost_of(sums((0, 0.0), cause="a new one"), EQUAL)) == {"wrong": 1.0}
    assert by_cause([0.0] * len(CAUSES)) == {}


def test_a_drop_needs_two_cases_that_both_levels_answered() -> None:
    before = sums((0, 1.0), (1, 1.0), (2, 0.0))
    assert drop_of(before, sums((0, 0.0)), EQUAL, (1, 8), 0.02) is None
    found = drop_of(before, sums((0, 0.0), (1, 1.0)), EQUAL, (1, 8), 0.02)
    assert found is not None
    assert (found.from_users, found.to_users, found.cases) == (1, 8, 2)
    assert found.drop == pytest.approx(0.5)
    assert found.lost == {"wrong": 0.5}


def test_halves_are_the_earlier_and_the_later_answers_of_a_case() -> None:
    earlier, later = halves([sums((0, 1.0), (0, 0.0), (1, 1.0)), sums((0, 0.5))], 3)
    assert (earlier.total.tolist(), earlier.count.tolist()) == ([1.0, 0.0, 0.0], [1, 0, 0])
    assert (later.total.tolist(), later.count.tolist()) == ([0.5, 0.0, 0.0], [2, 0, 0])


@pytest.mark.parametrize(
    ("drop", "interval", "p", "verdict"),
    [
        (0.0, (-0.01, 0.01), 1.0, "ok"),
        (0.015, (0.011, 0.019), 0.001, "ok"),  # there, and small enough
        (0.05, (0.01, 0.09), 0.01, "worse"),
        (0.05, (-0.01, 0.11), 0.1, "undecided"),
        (0.015, (0.001, 0.03), 0.04, "undecided"),
    ],
)
def test_verdicts(drop: float, interval: tuple[float, float], p: float, verdict: str) -> None:
    assert verdict_of(drop, interval, p, 0.02) == verdict

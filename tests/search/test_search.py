"""Tests of agenttop.metrics.searched.

Whole searches of made-up targets whose capacity is known: is the truth in the bracket as often as is said?
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttop.search.judgement import FAIL, PASS, UNDECIDED, judge
from agenttop.search.levels import AT_MAX, FOUND, Levels, Span
from tests.examples import at_most

GOOD, CONFIDENCE = 0.95, 0.95


@dataclass(frozen=True)
class Target:
    """Requests are good with a chance that falls as users come: 95 % at ``capacity``, by a logistic curve."""

    capacity: float
    width: float
    """In users: how wide the knee is. At ``capacity`` and half of it more 92 % are good of one as wide as that."""

    def share(self, level: float) -> float:
        """Of good requests at so many users."""
        middle = self.capacity + self.width * math.log(GOOD / (1 - GOOD))
        return 1 / (1 + math.exp(min((level - middle) / self.width, 700)))


def search(
    target: Target, span: Span, random: Random, requests_per_user: float
) -> tuple[Levels, list[float], list[float]]:
    """A search, and the levels that passed and failed with confidence."""
    levels = Levels(span)
    passed: list[float] = []
    failed: list[float] = []
    while (level := levels.next) is not None:
        good = requests = 0
        for _ in range(4):
            new = max(1, round(level * requests_per_user))
            requests += new
            good += _binomial(random, new, target.share(level))
            found = judge(good, requests, GOOD, CONFIDENCE, looks=4)
            if found.verdict != UNDECIDED:
                break
        levels = levels.after(level, holds=found.holds)
        if found.verdict in (PASS, FAIL):
            (passed if found.verdict == PASS else failed).append(level)
    return levels, passed, failed


def _binomial(random: Random, count: int, share: float) -> int:
    return (
        random.binomialvariate(count, share)
        if hasattr(random, "binomialvariate")
        else sum(random.random() < share for _ in range(count))
    )


@pytest.mark.parametrize("capacity", [12, 42, 180])
@pytest.mark.parametrize("part", [0.03, 0.15])
def test_the_bracket_holds_the_truth_about_as_often_as_is_said(capacity: int, part: float) -> None:
    target, random, trials, held = Target(capacity + 0.5, capacity * part), Random(5), 200, 0
    for _ in range(trials):
        _, passed, failed = search(target, Span(1, 1000), random, 6.0)
        held += max(passed, default=0) <= target.capacity < min(failed, default=math.inf)
    assert held / trials >= CONFIDENCE


@pytest.mark.parametrize("capacity", [12, 42, 180])
def test_a_sharp_knee_is_found_to_the_resolution(capacity: int) -> None:
    target, random = Target(capacity + 0.5, capacity * 0.01), Random(9)
    for _ in range(50):
        levels, _, _ = search(target, Span(1, 1000), random, 10.0)
        assert levels.ended == FOUND
        assert levels.best is not None
        assert abs(levels.best - capacity) <= max(1.0, 0.1 * capacity)


@settings(max_examples=at_most(30))
@given(st.integers(1, 400), st.floats(0.005, 0.5), st.integers(0, 1000), st.floats(0.2, 5))
def test_any_target_is_done_with(capacity: int, part: float, seed: int, requests: float) -> None:
    span = Span(1, 300)
    levels, passed, failed = search(Target(capacity + 0.5, capacity * part), span, Random(seed), requests)
    assert levels.ended
    if levels.ended == AT_MAX:
        assert levels.best == span.highest
    if levels.best is not None:
        # With confidence is never more than what counts as held, nor is what fails ever less.
        assert max(passed, default=0) <= levels.best < min(failed, default=math.inf)

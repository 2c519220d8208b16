"""Does a level hold? Judged once, and again as counts grow."""

from __future__ import annotations

import math
from random import Random

import pytest

from agenttop.search.judgement import FAIL, PASS, UNDECIDED, at_each_look, judge


@pytest.mark.parametrize(
    ("good", "requests", "verdict", "holds"),
    [
        (73, 73, PASS, True),  # the fewest that can: 73/(73 + 1.96²) ≥ 95 %
        (72, 72, UNDECIDED, True),
        (0, 0, UNDECIDED, False),
        (1, 1, UNDECIDED, True),
        (190, 200, UNDECIDED, True),
        (189, 200, UNDECIDED, False),
        (180, 200, FAIL, False),
        (0, 1, UNDECIDED, False),
        (2, 3, UNDECIDED, False),  # which one target in seven at its limit does
        (0, 2, FAIL, False),
    ],
)
def test_judgements_of_95_percent(good: int, requests: int, verdict: str, holds: bool) -> None:
    found = judge(good, requests, 0.95, 0.95)
    assert (found.verdict, found.holds) == (verdict, holds)
    assert found.low <= found.share <= found.high or requests == 0
    assert (found.confidence >= 0.95) == (verdict != UNDECIDED)


def test_more_looks_ask_for_more_each() -> None:
    assert at_each_look(0.95, 1) == at_each_look(0.95, 2) == pytest.approx(0.95)
    assert at_each_look(0.95, 4) == pytest.approx(0.975)
    assert judge(95, 95, 0.95, 0.95, looks=4).verdict == UNDECIDED
    found = judge(96, 96, 0.95, 0.95, looks=4)
    assert found.verdict == PASS
    assert found.confidence == pytest.approx(0.95, abs=2e-3)


def looked_at(random: Random, truth: float, looks: int, each: int) -> str:
    """The first verdict that decides, of counts that grow from look to look."""
    good = 0
    for look in range(1, looks + 1):
        good += sum(random.random() < truth for _ in range(each))
        verdict = judge(good, look * each, 0.95, 0.95, looks).verdict
        if verdict != UNDECIDED:
            return verdict
    return UNDECIDED


@pytest.mark.parametrize("each", [40, 100, 400])
def test_four_looks_are_wrong_no_more_often_than_is_said(each: int) -> None:
    """A target that is exactly at its limit is the worst case: any verdict about one a hair beside it is wrong."""
    random, trials = Random(11), 2000
    verdicts = [looked_at(random, 0.95, 4, each) for _ in range(trials)]
    # Each side by itself; five deviations.
    assert verdicts.count(PASS) / trials < 0.05 + 0.025
    assert verdicts.count(FAIL) / trials < 0.05 + 0.025


@pytest.mark.parametrize(("truth", "verdict"), [(0.99, PASS), (0.90, FAIL)])
def test_what_is_plain_is_decided(truth: float, verdict: str) -> None:
    random = Random(3)
    verdicts = [looked_at(random, truth, 4, 200) for _ in range(500)]
    assert verdicts.count(verdict) > 475


@pytest.mark.parametrize("wanted", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("looks", [1, 4])
@pytest.mark.parametrize("requests", [1, 2, 3, 7, 20, 61, 150])
def test_few_requests_are_judged_wrongly_no_more_often_than_is_said(requests: int, looks: int, wanted: float) -> None:
    """Of a target exactly at its limit, by the sum over all that may be counted: no chance in it."""
    wrong = {PASS: 0.0, FAIL: 0.0, UNDECIDED: 0.0}
    for good in range(requests + 1):
        often = math.comb(requests, good) * wanted**good * (1 - wanted) ** (requests - good)
        wrong[judge(good, requests, wanted, 0.95, looks).verdict] += often
    assert max(wrong[PASS], wrong[FAIL]) <= 0.05 / looks


def test_of_nothing_the_share_is_none_of_it() -> None:
    assert judge(0, 0, 0.95, 0.95).share == 0.0

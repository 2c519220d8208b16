"""The Wilson interval and the exact test: against published figures, and against what their formulas promise."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.search.interval import confidence_at, tail, wilson

COUNTS = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
CONFIDENCE = st.floats(0.5, 0.999)


@pytest.mark.parametrize(
    ("good", "requests", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_figures_of_newcombe_1998_table_1(good: int, requests: int, low: float, high: float) -> None:
    assert wilson(good, requests, 0.95) == pytest.approx((low, high), abs=5e-5)


def test_without_a_request_nothing_is_known() -> None:
    assert wilson(0, 0, 0.95) == (0.0, 1.0)
    assert confidence_at(0, 0, 0.95) == 0.0


@pytest.mark.parametrize(("good", "requests"), [(2, 1), (-1, 1), (1, -1)])
def test_what_cannot_have_been_counted(good: int, requests: int) -> None:
    with pytest.raises(ValueError, match="cannot be good"):
        wilson(good, requests, 0.95)


@given(COUNTS, CONFIDENCE)
def test_it_lies_within_0_and_1_around_the_share_and_is_symmetrical(counts: tuple[int, int], confidence: float) -> None:
    good, requests = counts
    low, high = wilson(good, requests, confidence)
    assert 0 <= low <= good / requests <= high <= 1
    assert (low == 0) == (good == 0)
    assert (high == 1) == (good == requests)
    other_low, other_high = wilson(requests - good, requests, confidence)
    assert (1 - other_high, 1 - other_low) == pytest.approx((low, high), abs=1e-12)


@given(COUNTS, st.floats(0.6, 0.99), st.integers(2, 50))
def test_more_requests_and_less_confidence_make_it_narrower(
    counts: tuple[int, int], confidence: float, times: int
) -> None:
    good, requests = counts
    low, high = wilson(good, requests, confidence)
    for narrower in (wilson(good * times, requests * times, confidence), wilson(good, requests, confidence - 0.05)):
        assert narrower[1] - narrower[0] < high - low


@given(st.integers(1, 5000), st.floats(0.01, 0.99), st.floats(0.05, 0.95))
def test_what_is_known_so_well_is_no_share_within_the_interval(requests: int, share: float, wanted: float) -> None:
    good = round(requests * share)
    confidence = confidence_at(good, requests, wanted)
    if 0.01 < confidence < 0.9999:
        low, high = wilson(good, requests, confidence)
        assert wanted < low + 1e-6 or wanted > high - 1e-6


COUNTED = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTED, st.sampled_from([0.05, 0.5, 0.9, 0.95, 0.99]))
def test_the_exact_test_is_the_sum_of_the_binomial_distribution(counts: tuple[int, int], wanted: float) -> None:
    good, requests = counts
    as_far = range(good, requests + 1) if good >= requests * wanted else range(good + 1)
    assert tail(good, requests, wanted) == pytest.approx(sum(binomial(k, requests, wanted) for k in as_far), rel=1e-9)


def binomial(good: int, requests: int, share: float) -> float:
    """How often exactly so many are good."""
    return math.comb(requests, good) * share**good * (1 - share) ** (requests - good)


@pytest.mark.parametrize("requests", [10, 1000, 3_000_000])
def test_of_many_requests_it_is_the_normal_distribution(requests: int) -> None:
    deviation = math.sqrt(requests * 0.95 * 0.05)
    assert tail(round(requests * 0.95), requests, 0.95) == pytest.approx(0.5, abs=0.5 / deviation)
    assert tail(0, requests, 0.95) < 1e-9
    assert tail(requests, requests, 0.95) == pytest.approx(0.95**requests)


def test_one_bad_request_of_few_says_little() -> None:
    assert 1 - tail(2, 3, 0.95) == pytest.approx(0.95**3)
    assert confidence_at(2, 3, 0.95) == pytest.approx(1 - 2 * (1 - 0.95**3))
    assert confidence_at(0, 1, 0.95) == pytest.approx(0.9)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.99])
def test_it_holds_the_truth_about_as_often_as_it_says(share: float) -> None:
    random, trials, held = Random(7), 2000, 0
    for _ in range(trials):
        good = sum(random.random() < share for _ in range(200))
        low, high = wilson(good, 200, 0.95)
        held += low <= share <= high
    # Five deviations of a proportion of 2 000, and what a discrete distribution is off by.
    assert held / trials == pytest.approx(0.95, abs=5 * math.sqrt(0.95 * 0.05 / trials) + 0.015)

"""Tests of agenttop.quality.statistics and agenttop.quality.student, against scipy and statsmodels, which nothing else
imports, and against what the formulas promise.
"""

from __future__ import annotations

import math
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttop.quality import statistics
from agenttop.quality.statistics import (
    FEW_DIFFER,
    alike,
    cases_needed,
    cohen_kappa,
    holm,
    mcnemar_exact,
    mean_interval,
    newcombe,
    paired,
    pairs_needed,
    rogan_gladen,
    sign_flip,
    smallest_visible,
    standard_error,
    unshown,
    weighted_mean,
    wilson,
)
from agenttop.quality.student import t_quantile, t_tail

SHARES = st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
SCORES = st.lists(st.integers(0, 100).map(lambda score: score / 100), min_size=2, max_size=60)
CONFIDENCE = st.floats(0.5, 0.999)


@pytest.fixture(scope="module")
def scipy_stats() -> Any:
    import scipy.stats

    return scipy.stats


@given(st.floats(0.0001, 0.9999), st.floats(1, 2_000))
def test_quantiles_of_t_are_scipys(scipy_stats: Any, probability: float, freedom: float) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(scipy_stats.t.ppf(probability, freedom), rel=1e-8)


@given(st.floats(-60, 60), st.floats(1, 2_000))
def test_tails_of_t_are_scipys(scipy_stats: Any, t: float, freedom: float) -> None:
    assert t_tail(t, freedom) == pytest.approx(scipy_stats.t.sf(t, freedom), rel=1e-7, abs=1e-300)


def test_an_infinite_t_has_no_tail_and_no_quantile_is_of_0_or_1() -> None:
    assert t_tail(1e200, 3) == 0.0
    assert t_quantile(0.5, 3) == 0.0
    for wrong in (0.0, 1.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            t_quantile(wrong, 3)
    with pytest.raises(ValueError, match="degrees of freedom"):
        t_tail(1, 0)


@given(SCORES, CONFIDENCE)
def test_a_mean_and_its_interval_are_scipys(scipy_stats: Any, scores: list[float], confidence: float) -> None:
    assert weighted_mean(scores) == pytest.approx(np.mean(scores))
    error = float(np.std(scores, ddof=1) / math.sqrt(len(scores)))
    assert standard_error(scores) == pytest.approx(error, abs=1e-12)
    if error > 1e-9:
        low, high = scipy_stats.t.interval(confidence, len(scores) - 1, loc=np.mean(scores), scale=error)
        assert mean_interval(scores, confidence=confidence) == pytest.approx((low, high), abs=2e-12)


@given(SCORES, st.integers(0, 10))
def test_a_value_that_weighs_nothing_is_not_there(scores: list[float], other: int) -> None:
    weights = [1.0] * len(scores)
    assert mean_interval([*scores, other / 10], [*weights, 0.0]) == pytest.approx(mean_interval(scores))


def test_weights_count_as_the_ratio_estimators() -> None:
    values, weights = [0.2, 0.4, 1.0], [1.0, 1.0, 2.0]
    assert weighted_mean(values, weights) == pytest.approx(0.65)
    # 3/2 · (.25²·.45² + .25²·.25² + .5²·.35²), by hand
    assert standard_error(values, weights) == pytest.approx(math.sqrt(1.5 * (0.01265625 + 0.00390625 + 0.030625)))


def test_of_a_single_value_nothing_is_known() -> None:
    assert mean_interval([0.5]) == (-math.inf, math.inf)
    found = paired([0.5])
    assert found.error == math.inf
    assert found.p == 1.0


@pytest.mark.parametrize(("values", "weights"), [([], None), ([1.0], [0.0]), ([1.0], [-1.0]), ([1.0, 2.0], [1.0])])
def test_a_mean_needs_values_and_weights(values: list[float], weights: list[float] | None) -> None:
    with pytest.raises(ValueError, match="a mean is of"):
        weighted_mean(values, weights)


@given(SHARES, CONFIDENCE)
def test_the_interval_of_a_share_is_wilsons(counts: tuple[int, int], confidence: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    expected = proportion_confint(*counts, alpha=1 - confidence, method="wilson")
    assert wilson(*counts, confidence) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=50)
@given(SHARES, SHARES, CONFIDENCE)
def test_the_interval_of_a_difference_is_newcombes(
    one: tuple[int, int], two: tuple[int, int], confidence: float
) -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    # theirs is the first less the second
    low, high = confint_proportions_2indep(*two, *one, method="newcomb", compare="diff", alpha=1 - confidence)
    assert newcombe(*one, *two, confidence) == pytest.approx((low, high), abs=1e-9)


def test_newcombes_own_figures() -> None:
    # Statistics in Medicine 17 (1998) 873, table II, method 10: 56/70 − 48/80, 9/10 − 3/10, 10/10 − 0/10
    assert newcombe(48, 80, 56, 70) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert newcombe(3, 10, 9, 10) == pytest.approx((0.1705, 0.8090), abs=5e-5)
    assert newcombe(0, 10, 10, 10) == pytest.approx((0.6075, 1.0), abs=5e-5)
    assert newcombe(0, 0, 1, 2) == (-1.0, 1.0)


@given(st.integers(0, 300), st.integers(0, 300))
def test_changes_either_way_are_mcnemars_exact_test(b: int, c: int) -> None:
    from statsmodels.stats.contingency_tables import mcnemar

    expected = mcnemar([[5, b], [c, 5]], exact=True).pvalue if b + c else 1.0
    assert mcnemar_exact(b, c) == pytest.approx(min(1.0, expected), rel=1e-9)


def test_changes_are_counted_from_0() -> None:
    with pytest.raises(ValueError, match="from 0"):
        mcnemar_exact(-1, 2)


@given(st.lists(st.integers(-100, 100).map(lambda score: score / 100), min_size=30, max_size=80))
def test_many_differences_are_judged_by_the_t_test(scipy_stats: Any, differences: list[float]) -> None:
    if np.ptp(differences) == 0:
        return
    found = paired(differences)
    expected = scipy_stats.ttest_1samp(differences, 0)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6)
    interval = expected.confidence_interval(0.95)
    assert found.interval == pytest.approx((interval.low, interval.high))
    assert found.mean == pytest.approx(np.mean(differences))


def test_differences_that_are_all_the_same_are_certain() -> None:
    assert paired([0.0] * 40).p == 1.0
    assert paired([0.1] * 40).p == 0.0


@settings(max_examples=30)
@given(st.lists(st.integers(-9, 9).filter(bool), min_size=2, max_size=9))
def test_few_differences_are_judged_by_flipping_signs(scipy_stats: Any, differences: list[int]) -> None:
    def mean(values: Any, axis: int) -> Any:
        return np.mean(values, axis=axis)

    expected = scipy_stats.permutation_test(
        (np.array(differences, float),), mean, permutation_type="samples", vectorized=True, n_resamples=np.inf
    )
    assert sign_flip(differences) == pytest.approx(expected.pvalue)
    assert paired(differences).p == sign_flip(differences)


@settings(max_examples=20)
@given(st.lists(st.integers(-9, 9).filter(bool), min_size=15, max_size=17))
def test_signs_that_are_drawn_say_what_all_of_them_would(differences: list[int]) -> None:
    terms = np.array(differences, float)
    flips = (np.arange(1 << terms.size)[:, None] >> np.arange(terms.size)) & 1
    exact = float((np.abs((1 - 2 * flips) @ terms) >= abs(terms.sum()) - 1e-9).mean())
    # 20 000 draws: five standard errors
    assert sign_flip(differences) == pytest.approx(exact, abs=5 * math.sqrt(exact * (1 - exact) / 20_000) + 1e-4)
    assert sign_flip(differences) == sign_flip(differences)


@given(st.integers(2, 60), st.floats(-1, 1), st.integers(0, 60))
def test_pairs_of_which_few_differ_hide_what_is_rare(n: int, same: float, differ: int) -> None:
    differences = [same] * n
    for at in range(min(differ, n)):
        differences[at] = same + 0.01 * (at + 1)
    found = unshown(differences)
    others = n - int(np.sum(np.abs(np.array(differences) - np.median(differences)) < 1e-9))
    assert found == (0.0 if others >= FEW_DIFFER else pytest.approx(wilson(0, n)[1]))
    assert unshown([*differences, 9.0], [1.0] * n + [0.0]) == pytest.approx(found)
    assert unshown(differences, [2.5] * n) == pytest.approx(found)


@given(st.floats(0.001, 0.9))
def test_as_many_pairs_as_are_needed_are(margin: float) -> None:
    n = pairs_needed(margin)
    assert unshown([0.0] * n) <= margin + 1e-9
    assert n == 2 or unshown([0.0] * (n - 1)) > margin - 1e-9


def test_values_of_unequal_weights_are_worth_fewer_equal_ones() -> None:
    assert alike([]) == alike([0.0]) == 0.0
    assert alike([3.0, 3.0, 0.0]) == pytest.approx(2)
    assert alike([1.0, 1.0, 3.0]) == pytest.approx(25 / 11)


def test_pairs_without_a_difference_change_nothing_but_the_mean() -> None:
    assert sign_flip([0.5, 0.5, 0.5, 0.0, 0.0]) == sign_flip([0.5, 0.5, 0.5]) == 0.25
    assert sign_flip([0.0, 0.0]) == 1.0


@settings(max_examples=15)  # theirs takes a tenth of a second a call
@given(st.lists(st.integers(0, 1000).map(lambda p: p / 1000), min_size=1, max_size=12))
def test_several_tests_are_holms(p_values: list[float]) -> None:
    from statsmodels.stats.multitest import multipletests

    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


def test_no_tests_are_none() -> None:
    assert holm([]) == []


def test_what_is_visible_and_what_would_make_it_so() -> None:
    assert smallest_visible(0.01) == pytest.approx(0.028)
    needed = cases_needed(0.3, 0.02, 200)
    assert needed == 1764
    assert smallest_visible(0.3 / math.sqrt(needed)) == pytest.approx(0.02)
    assert cases_needed(0.01, 0.5, 200) == 200
    assert cases_needed(0.3, 0.0, 200) is None
    assert cases_needed(math.inf, 0.02, 1) is None


def test_a_visible_difference_is_found_in_four_of_five_samples() -> None:
    random, n, sd = np.random.default_rng(1), 200, 0.3
    shift = smallest_visible(sd / math.sqrt(n))
    found = sum(paired(random.normal(shift, sd, n).tolist()).p < 0.05 for _ in range(400))
    assert 0.75 < found / 400 < 0.86


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=60))
def test_agreement_is_statsmodels_kappa(ratings: list[tuple[int, int]]) -> None:
    from statsmodels.stats.inter_rater import cohens_kappa

    one, other = [a for a, _ in ratings], [b for _, b in ratings]
    found = cohen_kappa(one, other)
    if len({*one, *other}) < 2:
        assert found is None
        return
    table = np.zeros((3, 3))
    np.add.at(table, (one, other), 1)
    with np.errstate(all="ignore"):  # where one of them says one thing only, its z is 0/0
        expected = cohens_kappa(table)
    assert found is not None
    assert found[0] == pytest.approx(expected.kappa, abs=1e-12)
    if math.isfinite(expected.std_kappa):  # rounding makes some of its variances of 0 negative
        assert found[1] == pytest.approx((expected.kappa_low, expected.kappa_upp), abs=1e-6)


def test_raters_rate_the_same_things() -> None:
    assert cohen_kappa([], []) is None
    with pytest.raises(ValueError, match="same things"):
        cohen_kappa([1], [])


def test_a_judges_share_is_corrected_for_how_it_errs() -> None:
    # 0.9·p + 0.2·(1 − p) is 0.62 at p = 0.6
    found = rogan_gladen(620, 1000, 90, 100, 80, 100)
    assert found is not None
    assert found[0] == pytest.approx(0.6)
    assert found[1][0] < 0.6 < found[1][1]
    assert rogan_gladen(1, 2, 0, 0, 1, 1) is None
    assert rogan_gladen(1, 2, 1, 2, 1, 2) is None
    assert rogan_gladen(0, 0, 1, 1, 1, 1) is None
    none = rogan_gladen(0, 10, 9, 10, 8, 10)
    assert none is not None
    assert none[0] == none[1][0] == 0.0


def test_the_corrected_share_is_in_its_interval_as_often_as_it_says() -> None:
    random, share, sensitive, specific, inside = Random(3), 0.3, 0.85, 0.9, 0

    def draw(n: int, p: float) -> int:
        return sum(random.random() < p for _ in range(n))

    for _ in range(600):
        seen = draw(200, share * sensitive + (1 - share) * (1 - specific))
        found = rogan_gladen(seen, 200, draw(60, sensitive), 60, draw(60, specific), 60)
        assert found is not None
        inside += found[1][0] <= share <= found[1][1]
    assert 0.92 < inside / 600 < 0.985


def test_what_is_offered_is_there() -> None:
    assert all(hasattr(statistics, name) for name in statistics.__all__)

"""Intervals and tests of scores and shares. Pure arithmetic: every random draw is seeded.

Intervals are two-sided, of 95 % unless said otherwise, and are not cut to what a score can be: that is the caller's.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agenttop.quality.student import t_quantile, t_tail
from agenttop.search import interval as binomial

__all__ = [
    "CONFIDENCE",
    "Interval",
    "Paired",
    "alike",
    "cases_needed",
    "cohen_kappa",
    "holm",
    "mcnemar_exact",
    "mean_interval",
    "newcombe",
    "newcombe_p",
    "paired",
    "pairs_needed",
    "rogan_gladen",
    "sign_flip",
    "smallest_visible",
    "standard_error",
    "t_quantile",
    "unshown",
    "weighted_mean",
    "wilson",
]

Interval = tuple[float, float]
"""Its low and its high end."""

CONFIDENCE = 0.95
#: Two-sided 95 % quantile of the standard normal distribution.
Z = 1.959963984540054
#: Standard errors of a difference that is found with 80 % power at 95 % confidence: 1.96 + 0.84.
VISIBLE = 2.8
#: Below so many differences their mean is not taken for normal: their signs are flipped instead.
FEW = 30
#: Up to so many differences every choice of signs is tried, 2 to that power.
_ALL_FLIPS = 14
_FLIPS = 20_000
_NOTHING = 1e-12
#: Pairs that differ from the others, below which their deviation is not what there is.
FEW_DIFFER = 5
#: Scores that are nearer than this are the same.
_ALIKE = 1e-9

Floats = NDArray[np.float64]


def weighted_mean(values: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """Return the mean, weighted if there are ``weights``.

    Raises:
        ValueError: there are no values, or none has a weight above 0.
    """
    x, w = _weighted(values, weights)
    return float(w.dot(x))


def standard_error(values: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """Return the standard error of the mean of independent values; infinite of a single one.

    √(n/(n − 1) · Σ w²(x − x̄)²) with weights that sum to 1, which is s/√n where they are equal: W. G. Cochran, Sampling
    Techniques, 3rd ed. (1977), 6.4 (the ratio estimator); cluster-robust where a value is the mean of a case's answers
    (E. Miller, Adding Error Bars to Evals, arXiv:2411.00640).

    Raises:
        ValueError: as :func:`weighted_mean`.
    """
    x, w = _weighted(values, weights)
    n = int(np.count_nonzero(w))
    if n < 2:
        return math.inf
    return math.sqrt(n / (n - 1) * float(np.square(w * (x - w.dot(x))).sum()))


def mean_interval(
    values: Sequence[float], weights: Sequence[float] | None = None, confidence: float = CONFIDENCE
) -> Interval:
    """Return x̄ ± t·SE, t of n − 1 degrees of freedom; from −∞ to ∞ of a single value, of which nothing is known.

    Raises:
        ValueError: as :func:`weighted_mean`.
    """
    mean, error = weighted_mean(values, weights), standard_error(values, weights)
    return _around(mean, error, _used(values, weights), confidence)


def wilson(passed: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """Return the score interval of a share; (0, 1) of nothing.

    E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209.

    Raises:
        ValueError: more passed than there are, or a count is negative.
    """
    return binomial.wilson(passed, n, confidence)


def newcombe(k1: float, n1: float, k2: float, n2: float, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of the difference k2/n2 − k1/n1 of two independent shares; (−1, 1) if one is of nothing.

    The hybrid score interval: R. G. Newcombe, Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17 (1998) 873, method 10.

    Raises:
        ValueError: as :func:`wilson`.
    """
    low1, high1 = wilson(k1, n1, confidence)
    low2, high2 = wilson(k2, n2, confidence)
    if not n1 or not n2:
        return -1.0, 1.0
    p1, p2 = k1 / n1, k2 / n2
    return p2 - p1 - math.hypot(p2 - low2, high1 - p1), p2 - p1 + math.hypot(high2 - p2, p1 - low1)


def newcombe_p(k1: float, n1: float, k2: float, n2: float) -> float:
    """Return the two-sided p of no difference between two shares: 1 less the confidence whose :func:`newcombe` interval
    just ends at 0.

    Raises:
        ValueError: as :func:`wilson`.
    """
    low, high = 0.0, 1.0 - 1e-12
    for _ in range(50):
        middle = (low + high) / 2
        ends = newcombe(k1, n1, k2, n2, middle)
        low, high = (low, middle) if ends[0] <= 0 <= ends[1] else (middle, high)
    return 1 - high


def mcnemar_exact(b: int, c: int) -> float:
    """Return the two-sided p of ``b`` changes one way and ``c`` the other, if both ways are equally likely.

    The exact binomial form of Q. McNemar's test, Psychometrika 12 (1947) 153.

    Raises:
        ValueError: a count is negative.
    """
    if min(b, c) < 0:
        raise ValueError("changes are counted from 0")
    return min(1.0, 2 * binomial.tail(min(b, c), b + c, 0.5)) if b != c else 1.0


@dataclass(frozen=True, slots=True)
class Paired:
    """What differences of pairs say."""

    mean: float
    error: float
    """Standard error of the mean; infinite of a single pair."""
    interval: Interval
    p: float
    """Two-sided, of no difference."""
    n: int


def paired(
    differences: Sequence[float],
    weights: Sequence[float] | None = None,
    confidence: float = CONFIDENCE,
    *,
    single: bool = False,
) -> Paired:
    """Return the mean difference of pairs, its t interval, and p: of the t test, of flipped signs below 30 pairs, of
    McNemar's where each pair is of ``single`` answers that passed or failed, and all weigh the same.

    Raises:
        ValueError: as :func:`weighted_mean`.
    """
    mean, error = weighted_mean(differences, weights), standard_error(differences, weights)
    n = _used(differences, weights)
    even = weights is None or len(set(weights)) == 1
    if single and even and all(abs(value) in (0, 1) for value in differences):
        p = mcnemar_exact(sum(value < 0 for value in differences), sum(value > 0 for value in differences))
    elif n < FEW:
        p = sign_flip(differences, weights)
    elif error <= _NOTHING * abs(mean):
        p = 1.0 if mean == 0 else 0.0
    else:
        p = 2 * t_tail(abs(mean) / error, n - 1)
    return Paired(mean, error, _around(mean, error, n, confidence), p, n)


def unshown(differences: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """Return the mean change that pairs like these may hide: 0 where :data:`FEW_DIFFER` of them or more differ from the
    others, which is what their deviation then says.

    Where fewer do, that deviation knows nothing of what is rare: a change by 1 that none of n pairs has may be in one
    of so many as Wilson's interval of 0 in n ends at, about 3.8/(n + 3.8) (J. A. Hanley, A. Lippman-Hand, If nothing
    goes wrong, is everything all right?, JAMA 249 (1983) 1743). Pairs of unequal weights are as many as L. Kish's
    (Σw)²/Σw² (Survey Sampling (1965), 11.7).

    Raises:
        ValueError: as :func:`weighted_mean`.
    """
    x, w = _weighted(differences, weights)
    x, w = x[w > 0], w[w > 0]
    differ = int((np.abs(x - np.median(x)) > _ALIKE).sum())
    return 0.0 if differ >= FEW_DIFFER else wilson(0, alike(w.tolist()))[1]


def alike(weights: Sequence[float]) -> float:
    """Return of how many equal ones values of these weights are worth: Kish's (Σw)²/Σw²; 0 of none."""
    w = np.asarray(weights, np.float64)
    return float(w.sum() ** 2 / np.square(w).sum()) if w.any() else 0.0


def pairs_needed(margin: float) -> int:
    """Return how many pairs of which none differs show that a change is within ``margin`` (above 0): the least n with
    :func:`unshown` at most that.
    """
    return max(2, math.ceil(Z * Z * (1 - margin) / margin - 1e-9))


def sign_flip(differences: Sequence[float], weights: Sequence[float] | None = None, seed: int = 0) -> float:
    """Return the two-sided p of the mean difference if each one's sign is as likely to be the other.

    R. A. Fisher, The Design of Experiments (1935), 21. Every choice of signs is tried up to 14 differences that are
    not 0; of more 20 000 are drawn, and the one that was seen counted as one of them (B. Phipson, G. K. Smyth,
    Permutation P-values should never be zero, Stat. Appl. Genet. Mol. Biol. 9 (2010) 39).

    Raises:
        ValueError: as :func:`weighted_mean`.
    """
    x, w = _weighted(differences, weights)
    terms = (x * w)[x * w != 0]
    seen = abs(float(terms.sum())) - _NOTHING * float(np.abs(terms).sum())
    if terms.size <= _ALL_FLIPS:
        flips = (np.arange(1 << terms.size)[:, None] >> np.arange(terms.size)) & 1
        return float((np.abs((1.0 - 2.0 * flips) @ terms) >= seen).mean())
    signs = np.random.default_rng(seed).integers(0, 2, (_FLIPS, terms.size), np.int8)
    beyond = int((np.abs((1.0 - 2.0 * signs) @ terms) >= seen).sum())
    return (beyond + 1) / (_FLIPS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return each p adjusted for being one of several, in their order.

    S. Holm, A simple sequentially rejective multiple test procedure, Scand. J. Stat. 6 (1979) 65.
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = highest
    return adjusted


def smallest_visible(error: float) -> float:
    """Return the smallest true difference that is found in four of five runs, of the standard error of one: 2.8·SE."""
    return VISIBLE * error


def cases_needed(sd: float, margin: float, n: int) -> int | None:
    """Return how many cases would show a difference of ``margin``, at least ``n``; None if no number would.

    (2.8·sd/margin)², the number at which :func:`smallest_visible` is ``margin`` (E. Miller, arXiv:2411.00640, 5).

    Args:
        sd: standard deviation of one case's difference.
        margin: the difference that is to be seen.
        n: cases there are.
    """
    if margin <= 0 or not math.isfinite(sd):
        return None
    return max(n, math.ceil((VISIBLE * sd / margin) ** 2 - 1e-9))


def cohen_kappa(one: Sequence[Hashable], other: Sequence[Hashable]) -> tuple[float, Interval] | None:
    """Return how far two raters agree beyond chance, and its interval; None where chance alone would do (both say one
    thing of everything) or nothing was rated.

    J. Cohen, Educ. Psychol. Meas. 20 (1960) 37; the error is J. L. Fleiss, J. Cohen, B. S. Everitt's, Psychol. Bull.
    72 (1969) 323.

    Raises:
        ValueError: they did not rate the same things.
    """
    if len(one) != len(other):
        raise ValueError("two raters must have rated the same things")
    names = {name: at for at, name in enumerate(dict.fromkeys([*one, *other]))}
    if len(names) < 2:
        return None
    table = np.zeros((len(names), len(names)))
    np.add.at(table, ([names[name] for name in one], [names[name] for name in other]), 1 / len(one))
    rows, columns, diagonal = table.sum(axis=1), table.sum(axis=0), np.diag(table)
    agreed, chance = float(diagonal.sum()), float(rows.dot(columns))
    kappa = (agreed - chance) / (1 - chance)
    own = float((diagonal * (1 - (rows + columns) * (1 - kappa)) ** 2).sum())
    apart = table * np.add.outer(columns, rows) ** 2
    others = (1 - kappa) ** 2 * float(apart.sum() - np.diag(apart).sum())
    variance = (own + others - (kappa - chance * (1 - kappa)) ** 2) / ((1 - chance) ** 2 * len(one))
    half = Z * math.sqrt(max(0.0, variance))
    return kappa, (kappa - half, kappa + half)


def rogan_gladen(
    positive: int, n: int, right_positive: int, positives: int, right_negative: int, negatives: int
) -> tuple[float, Interval] | None:
    """Return the true share behind a judge's, corrected for how often it errs, and its interval, both in [0, 1]; None
    of a judge that is no better than a coin, or without cases of each kind.

    W. J. Rogan, B. Gladen, Am. J. Epidemiol. 107 (1978) 71; the interval is Z. Lang, J. Reiczigel's, Prev. Vet. Med.
    113 (2014) 13, which counts in that sensitivity and specificity are estimates.

    Args:
        positive: of ``n`` answers, so many the judge called right.
        n: answers judged.
        right_positive: of ``positives`` that people call right, so many the judge does too.
        positives: labelled answers that people call right.
        right_negative: of ``negatives`` that people call wrong, so many the judge does too.
        negatives: labelled answers that people call wrong.
    """
    if not n or not positives or not negatives:
        return None
    sure = right_positive / positives + right_negative / negatives - 1
    if sure <= 0:
        return None
    share = (positive / n + right_negative / negatives - 1) / sure
    z2 = Z * Z
    seen = (positive + z2 / 2) / (n + z2)
    sensitive, specific = (right_positive + 1) / (positives + 2), (right_negative + 1) / (negatives + 2)
    youden = sensitive + specific - 1
    centre = (seen + specific - 1) / youden
    of_sensitive = sensitive * (1 - sensitive) / (positives + 2)
    of_specific = specific * (1 - specific) / (negatives + 2)
    shift = 2 * z2 * (centre * of_sensitive - (1 - centre) * of_specific)
    variance = seen * (1 - seen) / (n + z2) + centre**2 * of_sensitive + (1 - centre) ** 2 * of_specific
    half = Z * math.sqrt(variance) / youden
    low, high = (min(max(end, 0.0), 1.0) for end in (centre + shift - half, centre + shift + half))
    return min(max(share, 0.0), 1.0), (low, high)


def _around(mean: float, error: float, n: int, confidence: float) -> Interval:
    if n < 2:
        return -math.inf, math.inf
    half = t_quantile((1 + confidence) / 2, n - 1) * error
    return mean - half, mean + half


def _used(values: Sequence[float], weights: Sequence[float] | None) -> int:
    """Return how many values have a part in the mean."""
    return len(values) if weights is None else sum(weight > 0 for weight in weights)


def _weighted(values: Sequence[float], weights: Sequence[float] | None) -> tuple[Floats, Floats]:
    """Return values, and weights that sum to 1."""
    x = np.asarray(values, np.float64)
    w = np.ones(x.size) if weights is None else np.asarray(weights, np.float64)
    if w.size != x.size or (w < 0).any() or not w.sum() > 0:
        raise ValueError("a mean is of values with weights that are not negative, one of them above 0")
    return x, w / w.sum()

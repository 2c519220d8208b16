"""How sure a share of good requests is: the Wilson score interval, and the exact binomial test beside it."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

# With k good ones of n, p = k/n, and z the quantile of the standard normal distribution at (1 + confidence)/2:
#
#     centre = (p + z²/2n) / (1 + z²/n)        half = z·√(p(1 − p)/n + z²/4n²) / (1 + z²/n)
#
# E. B. Wilson, Probable inference, the law of succession, and statistical inference, J. Am. Stat. Assoc. 22 (1927) 209.
# It ends at w exactly where |p − w| = z·√(w(1 − w)/n), which read backwards is the confidence that w is not the share.
# Unlike p ± z·√(p(1 − p)/n) it is right for few requests and for shares near 1, which is where a search is.
#
# Right as an interval, that is, whose two ends together miss the share about as often as it says. Of a single end near
# 1 that is not so (T. T. Cai, One-sided confidence intervals in discrete distributions, J. Stat. Plan. Inference 131
# (2005) 63): with w = 95 % the upper end for 97.5 % is below w where one of three is not good, as is so of 14 % of all
# threes. So nothing is known better than the exact test says that C. J. Clopper and E. S. Pearson's interval is made of
# (Biometrika 26 (1934) 404):
#
#     confidence = 1 − 2·tail        tail = P(X ≥ k) where p ≥ w, else P(X ≤ k), X binomial of n and w
#
# Both assume that requests are good or not independently of each other. Those of agents are not: a queue is long for
# all who stand in it, so neighbours in time are alike, and n of them say less than n would if each were on its own. The
# true confidence is therefore lower than the interval's, the more so the shorter the measuring is against the target's
# own swings (a cache that fills, a garbage collection, a batch); measure for many times as long as a request takes.

#: Terms of a sum that are so small a part of it are left out.
_NOTHING = 1e-15


def wilson(good: float, requests: float, confidence: float) -> tuple[float, float]:
    """Return the two-sided interval of the share of good requests; (0, 1) without requests. Requests that say as much
    as fewer independent ones are no whole numbers.

    Raises:
        ValueError: there are more good ones than requests, or a count is negative.
    """
    if not 0 <= good <= requests:
        raise ValueError(f"{good} of {requests} requests cannot be good")
    if not requests:
        return 0.0, 1.0
    z2 = _quantile(confidence) ** 2
    share, whole = good / requests, 1 + z2 / requests
    centre = (share + z2 / (2 * requests)) / whole
    half = math.sqrt(z2 * (share * (1 - share) / requests + z2 / (4 * requests**2))) / whole
    # Rounding must not move the ends of an interval that is known to begin at 0 or to end at 1.
    return (max(centre - half, 0.0) if good else 0.0), (min(centre + half, 1.0) if good < requests else 1.0)


def confidence_at(good: int, requests: int, wanted: float) -> float:
    """Return how surely ``wanted`` (more than 0, less than 1) is not the share; 0 without requests.

    It is the confidence whose Wilson interval just ends at ``wanted``, or that of the exact test, whichever is less.
    """
    if not requests:
        return 0.0
    z = abs(good / requests - wanted) / math.sqrt(wanted * (1 - wanted) / requests)
    return max(0.0, min(2 * NormalDist().cdf(z) - 1, 1 - 2 * tail(good, requests, wanted)))


def tail(good: int, requests: int, wanted: float) -> float:
    """Return the probability of this result, or one further away on the same side, if the share ``wanted`` is true."""
    # From these on outwards every term is less than the one before, in the proportion odds · left / taken.
    taken, left, odds = good, requests - good, wanted / (1 - wanted)
    if good < requests * wanted:
        taken, left, odds = left, taken, 1 / odds
    logarithm = math.lgamma(requests + 1) - math.lgamma(good + 1) - math.lgamma(requests - good + 1)
    logarithm += good * math.log(wanted) + (requests - good) * math.log1p(-wanted)
    term = whole = math.exp(logarithm)
    while left and term > whole * _NOTHING:
        term *= odds * left / (taken + 1)
        whole += term
        taken, left = taken + 1, left - 1
    return min(whole, 1.0)


@lru_cache(maxsize=16)
def _quantile(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)

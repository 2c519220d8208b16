"""Student's t distribution, for intervals of means: its probability and its quantile."""

from __future__ import annotations

import math
from functools import lru_cache

# P(T > t) = I(ν/(ν + t²); ν/2, 1/2) / 2 for t ≥ 0, I the regularized incomplete beta function (M. Abramowitz,
# I. Stegun, Handbook of Mathematical Functions, 26.7.1), by the continued fraction 26.5.8 in W. J. Lentz's form
# (Applied Optics 15 (1976) 668).

_TINY = 1e-300
_CLOSE = 1e-15
_MAX_TERMS = 10_000


def t_tail(t: float, freedom: float) -> float:
    """Return P(T > t) of Student's t with ``freedom`` degrees of freedom.

    Raises:
        ValueError: ``freedom`` is not above 0.
    """
    if not freedom > 0:
        raise ValueError("a t distribution has more than 0 degrees of freedom")
    if t < 0:
        return 1 - t_tail(-t, freedom)
    square = t * t
    if math.isinf(square):
        return 0.0
    return _beta(freedom / (freedom + square), square / (freedom + square), freedom / 2, 0.5) / 2


@lru_cache(maxsize=256)
def t_quantile(probability: float, freedom: float) -> float:
    """Return the value that T is below with this ``probability`` (more than 0, less than 1).

    Raises:
        ValueError: there is no such value.
    """
    if not 0 < probability < 1:
        raise ValueError("a quantile is of a probability between 0 and 1")
    if probability == 0.5:
        return 0.0
    if probability < 0.5:
        return -t_quantile(1 - probability, freedom)
    tail, low, high = 1 - probability, 0.0, 1.0
    while t_tail(high, freedom) > tail:
        low, high = high, high * 2
    while high - low > 1e-14 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_tail(middle, freedom) > tail else (low, middle)
    return (low + high) / 2


def _beta(x: float, rest: float, a: float, b: float) -> float:
    """Return I(x; a, b); ``rest`` is 1 − x, told apart because it may be tiny."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(rest, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MAX_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            change = c * d
            value *= change
        if abs(change - 1) < _CLOSE:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY

"""The Universal Scalability Law, fitted to levels that follow it."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agenttop.verdict.levels import Level
from agenttop.verdict.usl import fit, peak


def levels(gamma: float, sigma: float, kappa: float, loads: list[int], seconds: float = 600.0) -> list[Level]:
    found = []
    for n in loads:
        per_s = gamma * n / (1 + sigma * (n - 1) + kappa * n * (n - 1))
        found.append(Level(seconds, n * seconds, round(per_s * seconds), 0, 1, 1.0, 0.0))
    return found


@given(st.floats(5.0, 50.0), st.floats(0.0, 0.3), st.floats(0.0, 0.01))
def test_it_finds_what_made_them(gamma: float, sigma: float, kappa: float) -> None:
    found = fit(levels(gamma, sigma, kappa, [1, 2, 4, 8, 16, 32, 64]))
    assert found is not None
    assert found[0].low <= sigma <= found[0].high
    assert found[1].low <= kappa <= found[1].high
    assert found[0].value == pytest.approx(sigma, abs=0.02)
    assert found[1].value == pytest.approx(kappa, abs=0.001)


def test_more_answers_make_narrower_intervals() -> None:
    short, long = (fit(levels(20, 0.05, 0.001, [1, 4, 16, 64], s)) for s in (10.0, 1000.0))
    assert short is not None
    assert long is not None
    assert short[1].high - short[1].low > 5 * (long[1].high - long[1].low)


def test_too_few_levels_or_all_alike_say_nothing() -> None:
    assert fit(levels(20, 0.05, 0.001, [1, 4, 16])) is None
    assert fit(levels(20, 0.05, 0.001, [5, 5, 5, 5])) is None


@given(st.floats(0.0, 0.5), st.floats(1e-5, 0.01))
def test_the_peak_is_the_highest(sigma: float, kappa: float) -> None:
    at = peak(sigma, kappa)
    assert at is not None
    assume(at > 2)

    def rate(n: float) -> float:
        return n / (1 + sigma * (n - 1) + kappa * n * (n - 1))

    assert rate(at) >= max(rate(at * 0.9), rate(at * 1.1))
    assert peak(sigma, 0.0) is None

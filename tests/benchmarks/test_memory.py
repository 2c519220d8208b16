"""Growth by time, and the simulation it is measured on."""

from __future__ import annotations

import pytest

from tests.benchmarks.memory import slope
from tests.benchmarks.program import BenchmarkError
from tests.benchmarks.simulate import simulate


def test_the_slope_of_a_line() -> None:
    assert slope([(0.0, 1000), (1.0, 1500), (3.0, 2500)]) == pytest.approx(500)


def test_one_step_in_the_middle_counts_less_than_the_whole() -> None:
    flat_but_noisy = [(0.0, 1000), (1.0, 1100), (2.0, 1100), (3.0, 1000)]

    assert slope(flat_but_noisy) == pytest.approx(0, abs=1e-9)


def test_one_sample_has_no_slope() -> None:
    with pytest.raises(BenchmarkError, match="too few"):
        slope([(0.0, 1000)])


def test_the_simulation_counts_what_it_pushed() -> None:
    """It checks by itself that every answer came out of the aggregate."""
    weights = simulate(2000, 10)

    assert [weight.share for weight in weights] == [0.1, 0.5, 1.0]
    assert [weight.samples for weight in weights] == [192, 960, 1920]  # 12 answers in each of 40 deltas
    assert [weight.timeline_bytes // weights[0].timeline_bytes for weight in weights] == [1, 5, 10]

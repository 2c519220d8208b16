"""What later answers are compared with."""

from __future__ import annotations

from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.delta import HistDelta
from agenttop.metrics.histogram import fold
from agenttop.verdict.baseline import ENOUGH, FEW, LATE_SHARE, SLOWER_SHARE, Baseline, First
from agenttop.verdict.second import Answers, Second


def records(*ms: float) -> HistDelta:
    return fold(array("q", (int(value * 1e6) for value in ms)))


def lognormal(count: int, seed: int, sigma: float = 0.4) -> HistDelta:
    return fold((np.random.default_rng(seed).lognormal(np.log(500e6), sigma, count)).astype(np.int64))


def closed(whole: HistDelta) -> First:
    first = First(1.0, 5.0)
    first.take(1.0, 5.0, whole)
    first.take(30.0, 50.0, whole)
    assert first.whole is not None
    return first


def test_the_first_answers_are_enough_or_few_and_the_load_has_grown() -> None:
    first = First(1.0, 10.0)
    for second in range(1, 4):
        first.take(second, 10.0, records(*[100.0] * (FEW - 1)))
        assert first.whole is None
    first.take(4.0, 12.0, records(100.0))
    assert first.whole is None  # a fifth more is no other level
    first.take(5.0, 13.0, records(900.0))
    assert first.whole is not None
    assert first.whole.high == 100_000.0  # what came with the higher load is not among them


def test_enough_of_them_close_it_and_so_does_time() -> None:
    first = First(1.0, 10.0)
    first.take(1.0, 10.0, records(*[100.0] * ENOUGH))
    assert first.whole is None  # one second alone is no level
    first.take(5.0, 10.0, records(100.0))
    assert first.whole is not None
    slow = First(1.0, 10.0)
    slow.take(20.0, 10.0, records(*[100.0] * FEW))
    slow.take(22.0, 10.0, records(100.0))
    assert slow.whole is not None


@given(st.integers(0, 10_000), st.sampled_from([20, 40, 60, 200]), st.sampled_from([0.1, 0.4, 0.8]))
def test_while_nothing_changes_few_are_late_and_less_than_half_slower(seed: int, count: int, sigma: float) -> None:
    first = closed(lognormal(count, seed, sigma))
    later = lognormal(4000, seed + 1, sigma)
    assert first.late(later) <= 1.5 * LATE_SHARE * 4000
    assert first.slower(later) <= (SLOWER_SHARE + 0.06) * 4000


def test_what_takes_twice_as_long_is_slower_and_some_of_it_late() -> None:
    first = closed(lognormal(200, 1))
    doubled = fold((np.random.default_rng(2).lognormal(np.log(1000e6), 0.4, 1000)).astype(np.int64))
    assert first.slower(doubled) > 800
    assert first.late(doubled) > 150


def test_less_than_five_milliseconds_are_noise() -> None:
    first = closed(records(*[1.0] * 100))
    assert first.late(records(5.5, 5.9)) == 0
    assert first.late(records(6.5, 7.0)) == 2


def test_phases_are_of_the_first_level_alone() -> None:
    baseline = Baseline()
    assert not baseline.ready
    assert baseline.mean_us is None
    assert baseline.first_p95_ms(None) is None
    for t_s, load, ms in ((1.0, 5.0, 100.0), (2.0, 5.0, 100.0), (3.0, 9.0, 700.0)):
        taken = records(*[ms] * 12)
        phases = {"llm_call": (ms * 12_000, 12)}
        baseline.take(Second(t_s, 1.0, load, {0: Answers(12, latency=taken, ttft=taken)}, phases=phases))
    assert baseline.phase_ms() == {"llm_call": pytest.approx(100.0)}
    assert baseline.ready
    assert baseline.load == 5.0
    assert baseline.mean_us == pytest.approx(100_000.0)
    assert baseline.first_p95_ms(0) == pytest.approx(100.0, rel=1e-3)
    assert baseline.first_p95_ms(0, of_ttft=True) == pytest.approx(100.0, rel=1e-3)
    assert baseline.first_p95_ms(1) is None

from __future__ import annotations

import itertools
import math
import statistics
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.schedule.arrivals import Arrivals
from agenttop.schedule.control import Control
from agenttop.schedule.stages import Ramp, Stage
from tests.schedule.strategies import ramps

TEN = Ramp([Stage(100, 10, step=True)])

controls = st.one_of(
    st.just(Control()),
    st.just(Control(paused=True)),
    st.floats(0, 300).map(lambda time: Control(held_at=time)),
    st.floats(0, 300).map(lambda shift: Control(shift=shift)),
    st.floats(0, 50).map(lambda rate: Control(pool_rates={0: rate})),
)
changes = st.lists(st.tuples(st.floats(0, 300), controls), max_size=5).map(
    lambda pairs: sorted(pairs, key=lambda p: p[0])
)


def all_of(arrivals: Arrivals) -> list[float]:
    return arrivals.pop_until(math.inf, 100_000)


def test_constant_arrivals_of_a_trapezoid() -> None:
    arrivals = Arrivals(Ramp([Stage(5, 1), Stage(1, 1), Stage(5, 0)]), poisson=False, seed=0)
    assert [arrivals.pop() for _ in range(6)] == pytest.approx([3.162, 4.472, 5.5, 6.527, 7.837, 11.0], abs=1e-3)
    assert arrivals.number == 7
    assert (arrivals.peek(), arrivals.pop(), arrivals.number) == (math.inf, math.inf, 7)


def test_numbers_go_on_over_blocks() -> None:
    arrivals = Arrivals(TEN, poisson=False, seed=0)
    times = [arrivals.pop() for _ in range(1000)]
    assert times == pytest.approx([n / 10 for n in range(1, 1001)])
    assert (times[-1], arrivals.number, arrivals.peek()) == (100.0, 1001, math.inf)


def test_a_batch_is_what_pops_would_have_been() -> None:
    one, other = (Arrivals(TEN, poisson=True, seed=3) for _ in range(2))
    batch = one.pop_until(70.0)
    assert batch == [other.pop() for _ in batch]
    assert one.number == other.number == len(batch) + 1
    assert one.peek() == other.peek() > 70.0
    assert len(one.pop_until(100, limit=3)) == 3


def test_the_same_seed_gives_the_same_arrivals_and_another_others() -> None:
    one, same, other = (all_of(Arrivals(TEN, poisson=True, seed=seed)) for seed in (1, 1, 2))
    assert one == same != other


def test_poisson_gaps_are_exponential() -> None:
    times = all_of(Arrivals(Ramp([Stage(10_000, 5, step=True)]), poisson=True, seed=7))
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert len(times) == pytest.approx(50_000, abs=4 * math.sqrt(50_000))
    assert statistics.fmean(gaps) == pytest.approx(0.2, rel=0.02)
    assert statistics.stdev(gaps) == pytest.approx(0.2, rel=0.02)


def test_every_gap_of_a_seed_is_there_over_the_edges_of_blocks() -> None:
    random = Random(7)
    drawn = list(itertools.accumulate(-math.log(1 - random.random()) for _ in range(900)))
    at_one = Arrivals(Ramp([Stage(2000, 1, step=True)]), poisson=True, seed=7)
    assert [at_one.pop() for _ in range(900)] == pytest.approx(drawn)


def test_poisson_on_a_ramp_has_the_mean_of_its_integral() -> None:
    ramp = Ramp([Stage(1000, 40)])
    times = all_of(Arrivals(ramp, poisson=True, seed=7))
    for elapsed in (250, 500, 750, 1000):
        mean = ramp.integral(elapsed)
        assert sum(time <= elapsed for time in times) == pytest.approx(mean, abs=4 * math.sqrt(mean))


def test_a_pause_loses_nothing() -> None:
    arrivals = Arrivals(TEN, poisson=False, seed=0)
    assert arrivals.pop_until(0.25) == pytest.approx([0.1, 0.2])
    arrivals.change(0.25, Control(paused=True), 0)
    assert arrivals.peek() == math.inf
    arrivals.change(7.25, Control(), 0)
    assert arrivals.pop() == pytest.approx(7.3)  # half an arrival was there already


def test_hold_manual_rate_and_release() -> None:
    arrivals = Arrivals(Ramp([Stage(10, 10)]), poisson=False, seed=0)
    first = arrivals.pop_until(5.0)
    assert len(first) == 12  # 12.5 so far
    held = Control().hold(5.0)
    arrivals.change(5.0, held, 0)
    assert [arrivals.pop() for _ in range(2)] == pytest.approx([5.1, 5.3])
    arrivals.change(5.3, held.with_rate(100, 0), 0)
    assert arrivals.pop() == pytest.approx(5.31)
    arrivals.change(5.31, held.with_rate(100, 1).resume(5.31), 0)  # another pool's rate is none of ours
    # The plan's second half, 37.5 arrivals, on top of 15.
    assert len(all_of(arrivals)) == 37


def test_what_is_held_after_its_end_has_no_arrivals() -> None:
    arrivals = Arrivals(TEN, poisson=False, seed=0)
    arrivals.change(50, Control(held_at=100), 0)
    assert len(all_of(arrivals)) == 500


def test_a_jump_over_a_stage_skips_its_arrivals() -> None:
    arrivals = Arrivals(Ramp([Stage(10, 1, step=True), Stage(10, 2, step=True)]), poisson=False, seed=0)
    arrivals.change(5, Control().jump(5, 10), 0)
    assert all_of(arrivals) == pytest.approx([1, 2, 3, 4, 5, *(5 + n / 2 for n in range(1, 21))])


def test_a_worker_that_hears_late_has_the_same_sequence_from_there() -> None:
    early, late = (Arrivals(TEN, poisson=True, seed=5) for _ in range(2))
    early.pop_until(10)
    late.pop_until(10.5)
    for arrivals in (early, late):
        arrivals.change(10, Control(pool_rates={0: 20}), 0)
    early.pop_until(11)
    late.pop_until(11)
    assert early.number == late.number
    assert early.peek() == late.peek()


@given(ramps, st.booleans(), st.integers(), changes, st.booleans())
def test_arrivals_never_descend_and_follow_the_count_function(
    ramp: Ramp, poisson: bool, seed: int, plan: list[tuple[float, Control]], batch: bool
) -> None:
    arrivals = Arrivals(ramp, poisson=poisson, seed=seed)
    times: list[float] = []

    def take(until: float) -> None:
        if batch:
            times.extend(arrivals.pop_until(until))
        else:
            while arrivals.peek() <= until:
                times.append(arrivals.pop())
        if not poisson:
            expected = arrivals.expected(until)
            assert math.floor(expected - 1e-6) <= len(times) <= math.floor(expected + 1e-6)

    for elapsed, control in plan:
        take(elapsed)
        arrivals.change(elapsed, control, 0)
    take(400)
    assert times == sorted(times)
    assert arrivals.number == len(times) + 1

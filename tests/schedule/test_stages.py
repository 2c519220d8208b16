from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.schedule.stages import Ramp, Stage, stage_name
from tests.schedule.strategies import ramps, stages

K6_EXAMPLE = Ramp([Stage(60, 10), Stage(180, 50), Stage(60, 0)])


def inverse(ramp: Ramp, count: float) -> float:
    """When the integral reaches it."""
    return ramp.inverses((count,))[0]


@pytest.mark.parametrize(("begin", "end", "name"), [(0, 1, "ramp"), (5, 5, "hold"), (0, 0, "hold"), (5, 4, "drain")])
def test_a_stage_without_a_name_is_called_by_where_it_goes(begin: float, end: float, name: str) -> None:
    assert stage_name(begin, end) == name


def test_users_follow_the_stages() -> None:
    assert [K6_EXAMPLE.users_at(t) for t in (0, 15, 60, 150, 240, 270, 300, 1000)] == [0, 3, 10, 30, 50, 25, 0, 0]


def test_bounds_and_stage_index() -> None:
    assert K6_EXAMPLE.bounds == ((0, 60), (60, 240), (240, 300))
    assert K6_EXAMPLE.duration == 300
    assert [K6_EXAMPLE.stage_at(t) for t in (0, 59.999, 60, 299, 300)] == [0, 0, 1, 2, -1]


def test_a_step_jumps_at_its_start() -> None:
    ramp = Ramp([Stage(10, 5, step=True), Stage(10, 20, step=True)])
    assert [ramp.at(t) for t in (0, 9.999, 10, 20)] == [5, 5, 20, 20]


def test_a_stage_of_no_duration_is_a_jump() -> None:
    ramp = Ramp([Stage(0, 10), Stage(10, 20), Stage(0, 3)])
    assert [ramp.at(t) for t in (0, 5, 10)] == [10, 15, 3]
    assert ramp.stage_at(0) == 1
    assert ramp.integral(10) == 150


def test_no_stages_stay_at_the_start() -> None:
    ramp = Ramp([], 7)
    assert (ramp.at(0), ramp.users_at(5), ramp.duration, ramp.stage_at(0), ramp.integral(5)) == (7, 7, 0, -1, 0)
    assert ramp.next_change(0) == math.inf


def test_arrivals_of_a_trapezoid_are_where_the_integral_says() -> None:
    ramp = Ramp([Stage(5, 1), Stage(1, 1), Stage(5, 0)])
    expected = [3.1622776601683795, 4.47213595499958, 5.5, 6.527864045000421, 7.8377223398316205, 11.0]
    assert [inverse(ramp, n) for n in range(1, 7)] == pytest.approx(expected, abs=1e-12)
    assert inverse(ramp, 6) == 11.0
    assert inverse(ramp, 7) == math.inf
    assert inverse(ramp, 0) == 0


def test_inverse_gives_the_first_time_before_a_gap() -> None:
    ramp = Ramp([Stage(1, 3, step=True), Stage(10, 0, step=True), Stage(1, 3, step=True)])
    assert inverse(ramp, 3) == 1.0
    assert inverse(ramp, 4) == pytest.approx(11 + 1 / 3)


@pytest.mark.parametrize(
    ("duration", "rate"), [(0.1, 10), (0.7, 30), (3, 1 / 3), (120, 20), (1e5, 0.1), (3600, 9999.9)]
)
def test_the_last_arrival_is_at_the_very_end(duration: float, rate: float) -> None:
    ramp = Ramp([Stage(duration, rate, step=True)])
    assert inverse(ramp, round(duration * rate)) == duration


@pytest.mark.parametrize("stage", [Stage(-1, 1), Stage(1, -1), Stage(math.inf, 1), Stage(1, math.nan)])
def test_refuses_what_is_no_stage(stage: Stage) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        Ramp([stage])


def test_next_change_walks_a_ramp_user_by_user() -> None:
    ramp = Ramp([Stage(10, 2), Stage(5, 2), Stage(10, 0)])
    times, elapsed = [], 0.0
    while (elapsed := ramp.next_change(elapsed)) < math.inf:
        times.append(elapsed)
    assert times == pytest.approx([2.5, 7.5, 17.5, 22.5])
    assert [ramp.users_at(t) for t in times] == [1, 2, 1, 0]


@given(st.lists(stages, min_size=1, max_size=6), st.floats(0, 400))
def test_users_stay_within_the_targets_around(plan: list[Stage], elapsed: float) -> None:
    ramp = Ramp(plan)
    targets = [0.0, *(stage.target for stage in plan)]
    index = ramp.stage_at(elapsed)
    around = targets[index : index + 2] if index >= 0 else targets[-1:]
    assert math.floor(min(around) + 0.5 - 1e-9) <= ramp.users_at(elapsed) <= math.floor(max(around) + 0.5 + 1e-9)


@given(ramps, st.floats(0, 400), st.floats(0, 400))
def test_the_integral_never_falls_and_sums_the_value(ramp: Ramp, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert ramp.integral(high) >= ramp.integral(low) - 1e-9
    ends = sorted({low, high, *(min(max(bound, low), high) for pair in ramp.bounds for bound in pair)})
    # Between boundaries the value is linear, so the middle is the mean.
    area = math.fsum((b - a) * ramp.at((a + b) / 2) for a, b in itertools.pairwise(ends) if (a + b) / 2 < ramp.duration)
    assert ramp.integral(high) - ramp.integral(low) == pytest.approx(area, abs=1e-6)


@given(ramps, st.floats(0, 1))
def test_inverse_undoes_the_integral(ramp: Ramp, part: float) -> None:
    elapsed = part * ramp.duration
    count = ramp.integral(elapsed)
    found = inverse(ramp, count)
    assert found <= elapsed + 1e-9 * max(1, ramp.duration) or ramp.at(elapsed) < 0.01
    assert ramp.integral(found) == pytest.approx(count, abs=1e-9, rel=1e-9)
    if ramp.at(elapsed) > 0.1 and ramp.stage_at(elapsed) == ramp.stage_at(found):
        assert found == pytest.approx(elapsed, abs=1e-6)


@given(ramps, st.lists(st.floats(0, 1), max_size=30))
def test_inverses_are_those_one_by_one_and_never_descend(ramp: Ramp, parts: list[float]) -> None:
    counts = sorted(part * 1.1 * ramp.integral(ramp.duration) for part in parts)
    times = ramp.inverses(counts)
    assert times == [inverse(ramp, count) for count in counts]
    assert times == sorted(times)


@given(ramps, st.floats(0, 400), st.floats(0, 1))
def test_next_change_is_the_next(ramp: Ramp, elapsed: float, part: float) -> None:
    change = ramp.next_change(elapsed)
    users = ramp.users_at(elapsed)
    assert change > elapsed
    if change < math.inf:
        assert ramp.users_at(change) != users
    before = elapsed + part * (min(change, ramp.duration + 10) - elapsed) * (1 - 1e-9)
    if elapsed <= before < change - 1e-9:
        assert ramp.users_at(before) == users

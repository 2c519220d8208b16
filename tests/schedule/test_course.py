from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.schedule.arrivals import Arrivals
from agenttop.schedule.control import Control
from agenttop.schedule.course import Leg, cut, ramp_of, value
from agenttop.schedule.stages import Ramp, Stage
from tests.schedule.strategies import stages

courses = st.lists(stages, min_size=1, max_size=6).map(
    lambda found: tuple(Leg(stage.duration, stage.target, stage.step, i) for i, stage in enumerate(found))
)
RISE = (Leg(10, 10, False, 0), Leg(10, 40, True, 1))


def test_a_stage_is_cut_on_its_line() -> None:
    assert cut(RISE, 4) == (Leg(4, 4, False, 0),)
    assert cut(RISE, 14) == (RISE[0], Leg(4, 40, True, 1))


def test_exactly_at_its_end_a_plan_is_whole_and_without_legs_there_is_nothing_to_hold() -> None:
    assert cut(RISE, 20) == RISE
    assert cut((), 5) == ()


def test_the_value_of_a_rate_ends_with_its_plan_and_that_of_users_stays() -> None:
    assert [value(RISE, at) for at in (0, 5, 15, 20, 25)] == [0, 5, 40, 40, 40]
    assert [value(RISE, at, open=True) for at in (0, 5, 15, 20, 25)] == [0, 5, 40, 0, 0]


def test_at_its_very_beginning_a_step_has_been_taken() -> None:
    assert cut(RISE, 0) == ()
    assert ramp_of((*cut(RISE, 10), Leg(5, 50, False, 2))).at(10) == 40


def test_past_the_end_the_target_stays_and_a_rate_is_nothing() -> None:
    assert cut(RISE, 25) == (*RISE, Leg(5, 40, True, 1))
    assert cut(RISE, 25, open=True) == (*RISE, Leg(5, 0, True, 1))


@given(courses, st.floats(0, 1.2), stages, st.lists(st.floats(0, 1), max_size=5))
def test_what_has_been_stays_and_what_comes_goes_on_from_there(
    course: tuple[Leg, ...], part: float, new: Stage, before: list[float]
) -> None:
    ramp = ramp_of(course)
    now = part * ramp.duration
    kept = cut(course, now)
    edited = ramp_of((*kept, Leg(new.duration, new.target, new.step, 99)))
    assert ramp_of(kept).duration == pytest.approx(now, abs=1e-9)
    for was in (share * now for share in before if now > 1e-6):
        assert edited.at(min(was, now - 1e-9)) == pytest.approx(ramp.at(min(was, now - 1e-9)), abs=1e-6)
    assert edited.integral(now) == pytest.approx(ramp_of(kept).integral(now), abs=1e-6)
    if not new.step and new.duration > 1e-3:
        assert edited.at(now + 1e-9) == pytest.approx(ramp.at(now), abs=1e-3)


edits = st.lists(st.tuples(st.floats(0, 30), courses, st.none() | st.floats(0, 50)), min_size=1, max_size=4)


@given(courses, edits, st.booleans(), st.integers(0, 9))
def test_arrivals_of_an_edited_plan_have_no_gap_and_no_burst(
    course: tuple[Leg, ...], changes: list[tuple[float, tuple[Leg, ...], float | None]], poisson: bool, seed: int
) -> None:
    arrivals = Arrivals(ramp_of(course), poisson=poisson, seed=seed)
    control, times, elapsed = Control(), [], 0.0
    ramp: Ramp = ramp_of(course)
    for wait, new, manual in changes:
        elapsed += wait
        times += arrivals.pop_until(elapsed)
        so_far = arrivals.expected(elapsed)
        course = (*cut(course, control.plan_time(elapsed), open=True), *new)
        ramp = ramp_of(course)
        control = control.with_course(course, 0).with_rate(manual, 0)
        arrivals.change(elapsed, control, 0, ramp)
        assert arrivals.expected(elapsed) == pytest.approx(so_far, abs=1e-9)
    arrivals.change(elapsed, control.release(), 0, ramp)
    times += arrivals.pop_until(elapsed + 400, 5000)
    assert times == sorted(times)
    if not poisson and len(times) < 5000:
        count = arrivals.expected(elapsed + 400)
        assert math.floor(count - 1e-6) <= len(times) <= math.floor(count + 1e-6)
        assert count - so_far == pytest.approx(ramp.integral(ramp.duration) - ramp.integral(elapsed), abs=1e-6)

"""Tests of agenttop.quality.levels."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agenttop.quality.levels import MANUAL, PARTS, Level, Levels
from agenttop.schedule.control import Control, PoolPlan
from agenttop.schedule.course import RUN, Leg, ramp_of
from agenttop.schedule.stages import Stage


def levels_of(*legs: tuple[str, float, float, bool], own: tuple[tuple[str, float, float, bool], ...] = ()) -> Levels:
    """The levels of a pool that shares the run's stages, and perhaps of one with its own."""
    names: dict[int, str] = {}
    courses: dict[int, tuple[Leg, ...]] = {}
    pools = [PoolPlan()]
    for group, given_ in ((RUN, legs), (1, own)):
        found = []
        for name, duration, target, step in given_:
            found.append(Leg(duration, target, step, len(names)))
            names[len(names)] = name
        if found:
            courses[group] = tuple(found)
    if own:
        pools.append(PoolPlan(ramp=ramp_of(courses[1])))
    return Levels(pools, courses, names)


def test_a_stage_that_holds_is_a_level_and_one_that_ramps_is_four() -> None:
    found = levels_of(("warm", 10, 4, True), ("up", 40, 20, False), ("peak", 60, 20, False)).all
    assert [(level.name, level.users, level.begin_s, level.end_s) for level in found] == [
        ("warm", 4, 0, 10),
        ("up 1/4", 6, 10, 20),
        ("up 2/4", 10, 20, 30),
        ("up 3/4", 14, 30, 40),
        ("up 4/4", 18, 40, 50),
        ("peak", 20, 50, 110),
    ]


def test_the_lowest_levels_are_those_of_the_least_load() -> None:
    levels = levels_of(("low", 10, 2, True), ("peak", 10, 20, True), ("again", 10, 2, True))
    assert [level.name for level in levels.lowest] == ["low", "again"]


def test_a_name_that_comes_again_is_told_apart() -> None:
    levels = levels_of(("hold", 10, 2, True), ("hold (2)", 5, 3, True), ("hold", 10, 20, True), ("hold", 1, 2, True))
    assert [level.name for level in levels.all] == ["hold", "hold (2)", "hold (3)", "hold (4)"]


def test_a_moment_belongs_to_the_level_that_begins_there_and_the_end_to_the_last() -> None:
    levels = levels_of(("low", 10, 2, True), ("peak", 10, 20, True))
    assert [levels.at(time).name for time in (0, 9.99, 10, 19.99, 20, 500)] == ["low"] * 2 + ["peak"] * 4


def test_users_by_hand_are_the_level_manual_and_those_of_a_search_are_called_by_their_number() -> None:
    levels = levels_of(("low", 10, 2, True))
    by_hand = Control().with_users(7)
    assert levels.level_at(3, by_hand) == Level(MANUAL, 7)
    assert levels.level_at(3, by_hand, searching=True) == Level("7 users", 7)
    assert levels.level_at(3, by_hand.release()).name == "low"


def test_a_plan_that_is_held_or_jumped_stays_on_its_own_clock() -> None:
    levels = levels_of(("low", 10, 2, True), ("peak", 10, 20, True))
    assert levels.level_at(100, Control(held_at=5.0)).name == "low"
    assert levels.level_at(3, Control().jump(3, 12)).name == "peak"


def test_a_pool_at_an_even_pace_says_nothing_of_the_level_but_its_users_count() -> None:
    levels = levels_of(("low", 10, 2, True), ("peak", 10, 20, True), own=(("probe", 20, 1, True),))
    assert [(level.name, level.users) for level in levels.all] == [("low", 3), ("peak", 21)]
    assert [level.stages for level in levels.all] == [("low", "probe"), ("peak", "probe")]


def test_courses_that_both_change_are_both_named() -> None:
    levels = levels_of(("low", 10, 2, True), ("peak", 10, 20, True), own=(("a", 5, 1, True), ("b", 15, 3, True)))
    assert [(level.name, level.users, level.end_s) for level in levels.all] == [
        ("low + a", 3, 5),
        ("low + b", 5, 10),
        ("peak + b", 23, 20),
    ]
    assert [level.stages for level in levels.all] == [("low", "a"), ("low", "b"), ("peak", "b")]


def test_a_quarter_of_a_ramp_and_the_second_of_a_name_know_their_stage() -> None:
    levels = levels_of(("up", 40, 20, False), ("hold", 10, 20, True), ("up", 10, 30, True))
    assert [(level.name, level.stages) for level in levels.all[-3:]] == [
        ("up 4/4", ("up",)),
        ("hold", ("hold",)),
        ("up", ("up",)),
    ]
    assert [level.stages for level in levels_of(("a", 9, 2, True), ("a", 9, 3, True)).all] == [("a",), ("a",)]


def test_an_open_pool_has_a_rate() -> None:
    legs = (Leg(10, 5.0, True, 0), Leg(10, 50.0, True, 1))
    pools = [PoolPlan(ramp=ramp_of(legs), open=True)]
    levels = Levels(pools, {0: legs}, {0: "slow", 1: "fast"})
    assert [(level.name, level.users, level.rate) for level in levels.all] == [("slow", 0, 5.0), ("fast", 0, 50.0)]
    assert [level.name for level in levels.lowest] == ["slow"]
    assert levels.level_at(1, Control().with_rate(9.0, 0)) == Level(MANUAL, 0, 9.0)
    assert levels.level_at(1, Control().with_rate(9.0, 0), searching=True).name == "9/s"


def test_a_plan_without_stages_is_one_level() -> None:
    assert [level.name for level in Levels([PoolPlan()], {}, {}).all] == ["run"]


_legs = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 50).map(float),
        st.integers(0, 30).map(float),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(_legs, _legs)
def test_levels_follow_each_other_without_gaps_and_each_has_a_name_of_its_own(legs, own) -> None:  # type: ignore[no-untyped-def]
    levels = levels_of(*legs, own=tuple(own)).all
    assert len({level.name for level in levels}) == len(levels)
    assert all(left.end_s == right.begin_s for left, right in pairwise(levels))
    assert all(level.end_s > level.begin_s for level in levels if level.name != "run")


@given(_legs)
def test_in_a_level_users_stay_within_a_quarter_of_their_ramp(legs) -> None:  # type: ignore[no-untyped-def]
    """So a level stands for one number of users: what is off is at most an eighth of the ramp, and rounding."""
    levels = levels_of(*legs)
    ramp = ramp_of([Leg(duration, target, step, 0) for _, duration, target, step in legs])
    rise = max(
        (abs(after.target - before.target) for before, after in pairwise([Stage(0, 0.0), *ramp.stages])),
        default=0.0,
    )
    for level in levels.all:
        for part in range(1, 8):
            time = level.begin_s + (level.end_s - level.begin_s) * part / 8
            assert abs(ramp.users_at(time) - level.users) <= rise / PARTS / 2 + 1

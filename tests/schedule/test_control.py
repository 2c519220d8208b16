from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.schedule.control import Control, Pauses, PoolPlan, wanted_users
from agenttop.schedule.course import Leg
from agenttop.schedule.stages import Ramp, Stage
from tests.schedule.strategies import ramps

times = st.floats(0, 1e6)
RUN = Ramp([Stage(100, 100)])
SHARING = [PoolPlan(3), PoolPlan(1), PoolPlan(open=True), PoolPlan(ramp=Ramp([Stage(10, 7, step=True)]))]


@given(times, times, times)
def test_a_held_plan_stands_and_goes_on_where_it_stood(begin: float, wait: float, more: float) -> None:
    held = Control().hold(begin)
    assert held.plan_time(begin + wait) == begin
    assert held.hold(begin + wait) == held
    resumed = held.resume(begin + wait)
    assert resumed.held_at is None
    assert resumed.plan_time(begin + wait) == pytest.approx(begin, abs=1e-6)
    assert resumed.plan_time(begin + wait + more) == pytest.approx(begin + more, abs=1e-6)


@given(times, times, times, st.booleans())
def test_a_jump_lands_where_it_is_aimed(elapsed: float, target: float, more: float, held: bool) -> None:
    control = Control().hold(elapsed) if held else Control()
    jumped = control.jump(elapsed, target)
    assert jumped.plan_time(elapsed) == pytest.approx(target, abs=1e-6)
    assert jumped.plan_time(elapsed + more) == pytest.approx(target + (0 if held else more), abs=1e-6)


def test_resuming_ends_a_pause_and_leaves_a_running_clock() -> None:
    control = Control(shift=5).pause(True)
    assert control.paused
    assert control.resume(100) == Control(shift=5)
    assert Control().hold(3).pause(True).resume(10) == Control(shift=-7), "both at once"


def test_the_plan_is_never_before_its_beginning() -> None:
    assert Control(shift=-10).plan_time(3) == 0
    assert Control().jump(5, -3).plan_time(5) == 0


def test_manual_values_are_set_and_released() -> None:
    control = Control().with_users(40).with_users(5, 1).with_users(6, 2).with_rate(2.5, 3)
    assert control == Control(users=40, pool_users={1: 5, 2: 6}, pool_rates={3: 2.5})
    assert control.release(1) == Control(users=40, pool_users={2: 6}, pool_rates={3: 2.5})
    assert control.with_users(None).with_users(None, 2).with_rate(None, 3) == Control(pool_users={1: 5})
    assert control.hold(9).release() == Control(held_at=9)


def test_what_is_said_of_one_pool_leaves_the_others_and_all_the_rest() -> None:
    one, other = Pauses((1.0, 2.0)), Pauses(pacing=3.0)
    control = Control(shift=5, mark=1).with_pauses(one, 0).with_pauses(other, 2).with_policy("honor", 0)
    control = control.with_policy("retry", 2)
    assert (control.pauses, control.policies) == ({0: one, 2: other}, {0: "honor", 2: "retry"})
    assert control.with_pauses(other, 0).pauses == {0: other, 2: other}
    assert control.with_policy("count", 0).policies == {0: "count", 2: "retry"}
    bare = control.with_pauses(None, 0).with_policy(None, 2)
    assert (bare.pauses, bare.policies) == ({2: other}, {0: "honor"})
    legs = (Leg(10, 5, True, 0),)
    assert control.with_course(legs, 1).with_course((), 2).courses == {1: legs, 2: ()}
    assert control.marked(7, 3) == Control(
        shift=5, mark=7, draining=3, pauses={0: one, 2: other}, policies={0: "honor", 2: "retry"}
    )


@pytest.mark.parametrize("value", [-1, float("inf"), float("nan")])
def test_refuses_what_is_no_rate(value: float) -> None:
    with pytest.raises(ValueError, match="iterations per second"):
        Control().with_rate(value, 0)


def test_refuses_negative_users() -> None:
    with pytest.raises(ValueError, match="-1 users"):
        Control().with_users(-1)


def test_travels_between_processes() -> None:
    control = Control(1.5, 3.0, True, 7, {1: 5}, {2: 0.5})
    control = control.with_course((Leg(5.0, 9.0, True, 3),), -1).with_pauses(Pauses((1.0, 2.0)), 1)
    control = control.with_pauses(Pauses(pacing=3.0), 2).with_policy("honor", 0)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(control), type=Control) == control
    assert msgspec.json.decode(msgspec.json.encode(control), type=Control) == control


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        (Control(), [38, 12, 0, 7]),  # quotas 37.5 and 12.5
        (Control(shift=50), [75, 25, 0, 7]),
        (Control(pool_users={1: 3}), [38, 3, 0, 7]),  # the others keep what the plan gives them
        (Control(users=20), [15, 5, 0, 7]),
        (Control(users=20, pool_users={1: 3}), [17, 3, 0, 7]),
        (Control(users=20, pool_users={1: 30}), [0, 30, 0, 7]),
        (Control(users=20, pool_users={0: 1, 1: 2}), [1, 2, 0, 7]),
        (Control(users=20, pool_users={3: 9}), [15, 5, 0, 9]),  # a pool with its own stages is none of the total's
        (Control(users=0), [0, 0, 0, 7]),
        (Control(pool_users={2: 4}), [38, 12, 0, 7]),  # an open pool has no users to want
        (Control(paused=True), [38, 12, 0, 7]),
    ],
)
def test_the_first_line_that_fits_decides(control: Control, expected: list[int]) -> None:
    assert wanted_users(SHARING, RUN, control, 50) == expected


def test_after_the_end_the_last_target_stays() -> None:
    assert wanted_users(SHARING, RUN, Control(), 1e6) == [75, 25, 0, 7]


def test_without_stages_of_the_run_only_manual_users_are_wanted() -> None:
    assert wanted_users(SHARING, None, Control(), 5) == [0, 0, 0, 7]
    assert wanted_users(SHARING, None, Control(users=4), 5) == [3, 1, 0, 7]


def test_pools_of_no_weight_get_nobody() -> None:
    assert wanted_users([PoolPlan(0), PoolPlan(0)], RUN, Control(), 50) == [0, 0]


@given(
    st.lists(st.floats(0.01, 100), min_size=1, max_size=6), ramps, st.floats(0, 400), st.none() | st.integers(0, 999)
)
def test_sharing_pools_sum_to_the_total(weights: list[float], ramp: Ramp, elapsed: float, manual: int | None) -> None:
    wanted = wanted_users([PoolPlan(weight) for weight in weights], ramp, Control(users=manual), elapsed)
    assert sum(wanted) == (ramp.users_at(elapsed) if manual is None else manual)

"""One level as time goes by: what is counted, and when it is judged."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agenttop.search.step import ARRIVING, CLEARING, FINISHING, MEASURING, SETTLING, Pace, Step

PACE = Pace(settle_s=5.0, measure_s=15.0, max_measure_s=45.0, patience_s=10.0, arrive_s=90.0)


def measuring(begin_s: float = 0.0) -> Step:
    """A step whose measuring has just begun, at 5 s after its begin."""
    step = Step(8, begin_s, PACE, 1)
    step.look(begin_s, there=True, drained=False)
    assert not step.look(begin_s + 5, there=True, drained=False)
    assert (step.phase, step.mark) == (MEASURING, 1)
    return step


def test_it_settles_from_when_the_users_are_there() -> None:
    step = Step(8, 100.0, PACE, 7)
    assert not step.look(100.0, there=False, drained=False)
    assert (step.phase, step.mark) == (ARRIVING, 0)
    step.look(130.0, there=True, drained=False)
    assert step.phase == SETTLING
    step.look(134.9, there=True, drained=False)
    assert step.mark == 0
    step.look(135.0, there=True, drained=False)
    assert (step.phase, step.mark, step.draining) == (MEASURING, 7, 0)


def test_nothing_counts_before_the_warm_up_is_over() -> None:
    step = Step(8, 0.0, PACE, 1, not_before_s=20.0)
    step.look(0.0, there=True, drained=False)
    step.look(19.0, there=True, drained=False)
    assert step.mark == 0
    step.look(20.0, there=True, drained=False)
    assert step.mark == 1


def test_it_is_judged_when_every_request_of_the_window_is_answered() -> None:
    step = measuring()
    assert not step.look(20.0, there=True, drained=False)
    assert (step.draining, step.mark, step.counted) == (1, 2, [1])
    assert not step.look(22.0, there=True, drained=False)
    assert step.look(23.0, there=True, drained=True)
    assert (step.counted, step.measured_s(23.0)) == ([1], 15.0)
    # What is measured meanwhile is shown, and counts once it is needed.
    assert (step.shown, step.measured_s(23.0, shown=True)) == ([1, 2], 18.0)


def test_a_request_that_is_too_late_to_be_good_is_not_waited_for() -> None:
    step = measuring()
    step.look(20.0, there=True, drained=False)
    assert not step.look(29.9, there=True, drained=False)
    assert step.look(30.0, there=True, drained=False)


def test_it_measures_on_without_a_gap_until_it_may_not() -> None:
    step = measuring()
    step.look(20.0, there=True, drained=False)
    assert step.look(23.0, there=True, drained=True)
    assert step.extend(23.0)
    assert (step.draining, step.mark) == (0, 2)
    step.look(35.0, there=True, drained=False)
    assert (step.counted, step.draining, step.mark) == ([1, 2], 2, 3)
    assert step.look(36.0, there=True, drained=True)
    assert step.measured_s(36.0) == 30.0
    assert step.extend(36.0)
    step.look(50.0, there=True, drained=False)
    assert (step.counted, step.phase, step.mark) == ([1, 2, 3], FINISHING, 0)
    assert step.look(51.0, there=True, drained=True)
    assert step.measured_s(51.0) == 45.0
    assert not step.extend(51.0)
    assert step.next_mark == 4


def test_a_long_wait_does_not_measure_for_longer_than_is_allowed() -> None:
    step = Step(8, 0.0, Pace(0.0, 10.0, 20.0, 100.0, 90.0), 1)
    step.look(0.0, there=True, drained=False)
    step.look(0.0, there=True, drained=False)
    step.look(10.0, there=True, drained=False)
    step.look(60.0, there=True, drained=False)
    assert (step.mark, step.phase, step.measured_s(60.0, shown=True)) == (0, FINISHING, 60.0)
    assert step.look(110.0, there=True, drained=False)
    assert step.extend(110.0)
    # Its requests may have been answered long since.
    assert (step.counted, step.draining) == ([1, 2], 2)
    assert step.look(110.0, there=True, drained=True)
    assert not step.extend(110.0)


def test_users_that_never_come_are_lost() -> None:
    step = Step(8, 10.0, PACE, 1)
    step.look(99.0, there=False, drained=False)
    assert not step.lost(99.9)
    assert step.lost(100.0)
    assert not measuring().lost(1000.0)


def test_what_has_queued_up_is_gone_before_fewer_arrive() -> None:
    step = Step(8, 10.0, PACE, 1, clear=True)
    step.look(10.0, there=True, drained=False, empty=True)
    assert (step.phase, step.wanted) == (CLEARING, 0.0)  # that nothing is in flight is old news
    step.look(15.0, there=True, drained=False, empty=False)
    assert step.phase == CLEARING
    step.look(16.0, there=True, drained=False, empty=True)
    assert (step.phase, step.wanted) == (ARRIVING, 8)
    stuck = Step(8, 10.0, PACE, 1, clear=True)
    stuck.look(100.0, there=True, drained=False, empty=False)
    assert stuck.phase == ARRIVING


@given(st.lists(st.tuples(st.floats(0.05, 20), st.booleans(), st.booleans()), max_size=60))
def test_however_the_clock_is_looked_at(looks: list[tuple[float, bool, bool]]) -> None:
    step, t_s, marks = Step(8, 0.0, PACE, 1), 0.0, []
    for wait_s, drained, decided in looks:
        t_s += wait_s
        ready = step.look(t_s, there=True, drained=drained and bool(step.draining))
        marks.append(step.mark)
        assert step.draining != step.mark or not step.mark
        assert step.counted == list(range(1, len(step.counted) + 1))
        # A late look makes a window longer, by as much as it was late.
        assert step.measured_s(t_s) <= PACE.max_measure_s + 60
        if ready and (decided or not step.extend(t_s)):
            break
    used = [mark for mark in marks if mark]
    assert used == sorted(used)
    assert step.next_mark == 1 + max(used, default=0)

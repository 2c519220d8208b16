from __future__ import annotations

from agenttop.worker.busy_loop import Spin


def test_turns_without_an_arrival_are_no_work() -> None:
    spin = Spin()
    for now in (0, 5, 10, 15):
        spin.note(0, now, idle=True)
    assert spin.take() == 3 * 5
    assert spin.take() == 0


def test_the_shortest_turn_counts_for_all_the_rest_may_be_work() -> None:
    spin = Spin()
    for now in (0, 5, 905, 910):
        spin.note(0, now, idle=True)
    assert spin.take() == 3 * 5


def test_what_goes_before_an_arrival_is_work() -> None:
    spin = Spin()
    spin.note(0, 0, idle=True)
    spin.note(0, 500, idle=False)
    spin.note(0, 700, idle=True)
    assert spin.take() == 0


def test_two_pools_in_turn_wait_once() -> None:
    spin = Spin()
    for turn in range(9):
        spin.note(turn % 2, turn * 5, idle=True)
    assert spin.take() == 4 * 10


def test_a_pool_that_looked_only_once_does_not_hide_the_turns_of_another() -> None:
    spin = Spin()
    spin.note(0, 0, idle=True)
    for now in (2, 7, 12, 17):
        spin.note(1, now, idle=True)
    assert spin.take() == 2 * 5

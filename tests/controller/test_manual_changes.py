"""Keys pressed fast are one mark and one event."""

from __future__ import annotations

from itertools import pairwise

from agenttop.controller.manual_changes import ManualChanges
from agenttop.metrics.snapshot import KEPT_MARKS, SENT_MARKS, ManualChange
from agenttop.schedule.control import Control
from agenttop.steering.apply import Change
from agenttop.steering.command import parse_command
from agenttop.steering.effects import moved


def do(
    hand: ManualChanges, t_s: float, text: str, before: float, after: float, by: str = "you"
) -> list[tuple[float, str]]:
    command = parse_command(text)
    change = Change(Control(), moved(command.op, command.pool, before, after), command.pool, before, after)
    return hand.add(t_s, by, command, change)


def said(hand: ManualChanges, t_s: float, text: str, what: str) -> list[tuple[float, str]]:
    return hand.add(t_s, "you", parse_command(text), Change(Control(), what))


def test_ten_keys_in_two_seconds_are_one_mark_and_one_event() -> None:
    hand = ManualChanges()
    told = [do(hand, 10 + step / 5, "users +1", 40 + step, 41 + step) for step in range(10)]
    assert not any(told)
    assert hand.all == (ManualChange(10.0, "users 40 → 50"),)
    assert hand.rested(13.7) == []
    assert hand.rested(13.9) == [(10.0, "you: users 40 → 50")]
    assert hand.rested(20.0) == []
    assert hand.all == (ManualChange(10.0, "users 40 → 50"),)


def test_a_mark_is_there_at_once_and_grows() -> None:
    hand = ManualChanges()
    do(hand, 5.0, "users +10", 0, 10)
    assert hand.newest == (ManualChange(5.0, "users 0 → 10"),)
    do(hand, 6.0, "users -1", 10, 9)
    assert hand.newest == (ManualChange(5.0, "users 0 → 10 → 9"),)


def test_a_load_that_was_there_is_told_though_the_keys_took_it_back() -> None:
    hand = ManualChanges()
    for step, (key, before, after) in enumerate([("+5", 36, 41), ("+5", 41, 46), ("-9", 46, 37), ("-1", 37, 36)]):
        do(hand, 1 + step / 5, f"users {key}", before, after)
    assert hand.rested(9.0) == [(1.0, "you: users 36 → 46 → 36")]
    assert [mark.text for mark in hand.all] == ["users 36 → 46 → 36"]
    for step, (before, after) in enumerate([(9, 4), (4, 4), (4, 6)]):
        do(hand, 20 + step / 5, f"rate {after} open", before, after)
    assert hand.rested(29.0) == [(20.0, "you: rate of open 9 → 4 → 6/s")]


def test_many_turns_are_told_by_the_first_the_last_and_the_extremes() -> None:
    hand = ManualChanges()
    users = [36, 46, 40, 90, 80, 85, 2, 9, 3, 9, 3, 9, 5]
    for step, (before, after) in enumerate(pairwise(users)):
        do(hand, 1 + step / 5, f"users {after - before:+}", before, after)
    assert hand.all[-1].text == "users 36 → 90 → 2 → 5"


def test_after_a_rest_and_for_another_pool_or_hand_a_new_one_begins() -> None:
    hand = ManualChanges()
    do(hand, 1.0, "users +1", 4, 5)
    assert do(hand, 3.5, "users +1", 5, 6) == [(1.0, "you: users 4 → 5")]
    assert do(hand, 4.0, "users +1 chat", 2, 3) == [(3.5, "you: users 5 → 6")]
    assert do(hand, 4.1, "users +1 chat", 3, 4, by="ctl") == [(4.0, "you: users in chat 2 → 3")]
    assert do(hand, 4.2, "rate 9 open", 4, 9) == [(4.1, "ctl: users in chat 3 → 4")]
    assert hand.rested(4.3, now=True) == [(4.2, "you: rate of open 4 → 9/s")]
    assert [mark.t_s for mark in hand.all] == [1.0, 3.5, 4.0, 4.1, 4.2]


def test_what_is_no_step_is_told_at_once_after_the_steps_before_it() -> None:
    hand = ManualChanges()
    do(hand, 1.0, "users +1", 4, 5)
    assert said(hand, 1.5, "hold", "plan held at 00:01") == [
        (1.0, "you: users 4 → 5"),
        (1.5, "you: plan held at 00:01"),
    ]
    assert do(hand, 2.0, "users 80", 5, 80) == [(2.0, "you: users 5 → 80")]
    assert [mark.text for mark in hand.all] == ["users 4 → 5", "plan held at 00:01", "users 5 → 80"]


def test_marks_are_bounded() -> None:
    hand = ManualChanges()
    for second in range(KEPT_MARKS + 5):
        hand.mark(float(second), "hold")
    assert len(hand.all) == KEPT_MARKS
    assert [mark.t_s for mark in hand.newest] == [
        float(KEPT_MARKS + 5 - SENT_MARKS + step) for step in range(SENT_MARKS)
    ]

"""The rules by which a window shows trouble."""

from __future__ import annotations

import pytest

from agenttop.verdict.signs import fails, refuses, slows
from agenttop.verdict.window import Share, Sums


@pytest.mark.parametrize(
    ("refused", "ok", "told"),
    [(0, 0, None), (0, 100, False), (1, 20, False), (2, 60, False), (6, 60, True), (20, 980, False), (25, 975, True)],
)
def test_more_than_one_in_a_hundred_is_said_when_it_is_sure(refused: int, ok: int, told: bool | None) -> None:
    assert refuses(Sums(refused=refused, ok=ok), False) is told
    assert fails(Sums(failed=refused, ok=ok), False) is told


def test_what_is_on_goes_off_where_the_share_is_below() -> None:
    assert refuses(Sums(refused=2, ok=98), True)
    assert refuses(Sums(refused=1, ok=99), True) is False
    assert refuses(Sums(), True) is None


def test_late_answers_and_first_tokens() -> None:
    assert slows(Sums(), False) is None
    assert slows(Sums(late=Share(5, 100)), False) is False
    assert slows(Sums(late=Share(15, 100)), False)
    assert slows(Sums(late=Share(0, 100), late_ttft=Share(15, 100)), False)
    assert slows(Sums(late=Share(7, 100)), True) is False
    assert slows(Sums(late=Share(8, 100)), True)


def test_more_than_half_slower() -> None:
    assert slows(Sums(late=Share(3, 100), slower=Share(55, 100)), False) is False
    assert slows(Sums(late=Share(3, 100), slower=Share(70, 100)), False)
    assert slows(Sums(late=Share(0, 50), slower_ttft=Share(40, 50)), False)


def test_one_request_among_many_needs_more() -> None:
    many = {0: Share(0, 1000), 1: Share(7, 30)}
    assert slows(Sums(late=Share(7, 1030), late_of=many), False) is False
    many[1] = Share(12, 30)
    assert slows(Sums(late=Share(12, 1030), late_of=many), False)
    assert slows(Sums(late=Share(9, 1009), late_of={1: Share(9, 9)}), False) is False  # too few of it

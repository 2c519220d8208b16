"""Tests of agenttop.budget.amount: requests, tokens and money each go their own way."""

from __future__ import annotations

import pytest

from agenttop.budget.amount import NOTHING, Amount

#: No part of one is the same part of the other, and none of them is nothing.
THIS, OTHER = Amount(7, 50, 900), Amount(4, 80, 300)


def test_arithmetic_is_of_each_for_itself_and_whole() -> None:
    assert THIS.plus(OTHER) == Amount(11, 130, 1_200)
    assert THIS.minus(OTHER) == Amount(3, -30, 600)
    assert THIS.times(3) == Amount(21, 150, 2_700)
    assert THIS.low(OTHER) == Amount(4, 50, 300)
    assert THIS.high(OTHER) == Amount(7, 80, 900)
    parts = THIS.part(4)
    assert parts == Amount(1, 12, 225)
    assert [type(part) for part in parts] == [int, int, int]


def test_nothing_is_nothing_of_each() -> None:
    assert Amount(0, 0, 0) == NOTHING
    assert THIS.plus(NOTHING) == THIS


@pytest.mark.parametrize("more", [Amount(1, 0, 0), Amount(0, 1, 0), Amount(0, 0, 1)])
def test_it_covers_as_much_and_not_one_more_of_any(more: Amount) -> None:
    assert THIS.covers(THIS)
    assert THIS.covers(THIS.minus(more))
    assert not THIS.covers(THIS.plus(more))

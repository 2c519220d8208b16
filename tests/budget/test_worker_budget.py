"""Tests of agenttop.budget.worker_budget: what a worker asks for, when, and what it remembers."""

from __future__ import annotations

import pytest

from agenttop.budget.amount import NOTHING, Amount
from agenttop.budget.ledger import Draw, Grant
from agenttop.budget.terms import Terms
from agenttop.budget.worker_budget import AHEAD, WorkerBudget

REQUESTS = Terms(requests=10_000)
TOKENS = Terms(tokens=10_000, max_output=100)


def purse_of(terms: Terms = REQUESTS, granted: Amount = NOTHING) -> tuple[WorkerBudget, list[Draw]]:
    """A worker's budget that was granted so much, and what it asks for from then on."""
    asked: list[Draw] = []
    purse = WorkerBudget(terms, asked.append)
    if granted != NOTHING:
        purse.take(Grant(granted))
        assert asked == []
    return purse, asked


def test_a_new_one_has_nothing_and_has_told_nothing() -> None:
    purse, asked = purse_of()
    assert (purse.granted, purse.spent, purse.held, purse.left) == (NOTHING, NOTHING, NOTHING, NOTHING)
    assert (purse.dry, purse.scarce, purse.kept, purse.overran, asked) == (False, False, 0, {}, [])


def use(purse: WorkerBudget, requests: int) -> None:
    """So many requests of one each, one after the other."""
    for _ in range(requests):
        assert purse.hold(Amount(1))
        purse.settle(Amount(1), Amount(1))


def test_it_asks_ahead_as_soon_as_half_of_what_it_wishes_for_is_not_left() -> None:
    # Its wish is twice what it has drawn of late: after n of 32 there are 32 - n, and n is half of the wish.
    purse, asked = purse_of(granted=Amount(2 * AHEAD))
    use(purse, 16)
    assert asked == []
    use(purse, 1)
    assert asked == [Draw(Amount(16), Amount(1), NOTHING, Amount(34))]
    use(purse, 1)
    assert len(asked) == 1, "not again before there is an answer"


def test_of_what_was_drawn_a_while_ago_half_counts() -> None:
    purse, asked = purse_of(granted=Amount(100))
    use(purse, 40)
    purse.rest()
    purse.rest()
    use(purse, 20)
    assert asked == []
    use(purse, 1)
    assert asked == [Draw(Amount(60), Amount(1), NOTHING, Amount(2 * (20 + 21)))]


def test_after_an_answer_that_brought_nothing_it_asks_only_for_what_it_needs() -> None:
    purse, asked = purse_of(granted=Amount(3))
    purse.take(Grant(Amount(3)))
    assert purse.hold(Amount(1))
    assert asked == []
    assert purse.hold(Amount(2))
    assert not purse.hold(Amount(1))
    purse.need(Amount(1))
    assert [draw.need for draw in asked] == [Amount(1)]
    purse.take(Grant(Amount(5)))
    assert purse.hold(Amount(1))
    assert [draw.need for draw in asked] == [Amount(1), NOTHING]


def test_dry_is_what_the_last_answer_said_and_then_it_asks_no_more() -> None:
    purse, asked = purse_of()
    assert not purse.hold(Amount(1))
    purse.need(Amount(1))
    purse.take(Grant(NOTHING, dry=True))
    assert purse.dry is True
    assert not purse.hold(Amount(1))
    assert len(asked) == 1
    purse.take(Grant(Amount(1)))
    assert purse.dry is False
    assert purse.hold(Amount(1))


def test_an_answer_of_yesterday_takes_nothing_back() -> None:
    purse, _ = purse_of(granted=Amount(5))
    purse.take(Grant(Amount(3)))
    assert purse.granted == Amount(5)


def test_the_worst_case_of_a_request_is_its_own_most() -> None:
    purse, _ = purse_of(TOKENS)
    assert purse.worst(0, 40, None) == Amount(1, 140)
    assert purse.worst(0, 40, 30) == Amount(1, 70)
    assert purse.worst(0, 40, 0) == Amount(1)


def test_the_most_that_a_row_has_used_is_remembered_for_that_row() -> None:
    purse, _ = purse_of(TOKENS)
    worst = purse.worst(3, 40, None)
    purse.overrun(3, worst, Amount(1, 400))
    purse.overrun(3, worst, Amount(1, 300))
    purse.overrun(4, worst, Amount(1, 200))
    purse.overrun(5, worst, worst)
    assert purse.overran == {3: Amount(1, 400), 4: Amount(1, 200)}


@pytest.mark.parametrize(("terms", "kept"), [(REQUESTS, False), (TOKENS, True), (Terms(cost=5), True)])
def test_where_only_requests_are_capped_no_row_uses_more_than_one(terms: Terms, kept: bool) -> None:
    purse, _ = purse_of(terms)
    purse.overrun(0, Amount(1), Amount(1, 10, 10))
    assert bool(purse.overran) is kept

"""Tests of agenttop.budget.terms: how requests are counted against a budget."""

from __future__ import annotations

import pytest

from agenttop.budget.amount import PICO_PER_USD, Amount
from agenttop.budget.ledger import Draw, Grant
from agenttop.budget.terms import Terms
from agenttop.budget.worker_budget import WorkerBudget

#: 0.15 and 0.60 USD per million tokens, a tenth of it for what a cache held.
PRICED = Terms(tokens=1_000, cost=PICO_PER_USD, max_output=100, input_price=150_000, output_price=600_000,
               cached_price=15_000)  # fmt: skip


def test_a_request_of_a_budget_of_requests_is_one() -> None:
    assert Terms(requests=5).worst(10_000) == Amount(1)


def test_the_worst_case_is_a_token_a_byte_and_all_it_may_write() -> None:
    assert PRICED.worst(40) == Amount(1, 140, 40 * 150_000 + 100 * 600_000)


def test_what_an_agent_reads_besides_is_written_down() -> None:
    terms = Terms(tokens=1_000, max_output=100, max_input=700)
    assert terms.worst(40).tokens == 800


@pytest.mark.parametrize(("own", "tokens"), [(None, 140), (30, 70), (0, 0)])
def test_a_step_may_have_its_own_most_and_zero_calls_no_model(own: int | None, tokens: int) -> None:
    assert PRICED.worst(40, own).tokens == tokens


def test_what_an_answer_tells_is_what_it_used() -> None:
    worst = PRICED.worst(40)
    assert PRICED.used(worst, 20, 10, None) == Amount(1, 30, 20 * 150_000 + 10 * 600_000)
    assert PRICED.used(worst, 20, 10, 15) == Amount(1, 30, 5 * 150_000 + 15 * 15_000 + 10 * 600_000)


@pytest.mark.parametrize(("read", "written"), [(20, None), (None, 10)])
def test_of_a_number_that_was_not_told_the_worst_is_taken(read: int | None, written: int | None) -> None:
    worst = PRICED.worst(40)
    assert PRICED.used(worst, read, written, None) == worst
    assert PRICED.used(worst, 900, None, None).tokens == 900


@pytest.mark.parametrize(
    ("terms", "capped"),
    [
        (Terms(), Amount()),
        (Terms(requests=9), Amount(2, 0, 0)),
        (Terms(tokens=9), Amount(0, 30, 0)),
        (Terms(cost=9), Amount(0, 0, 400)),
        (Terms(9, 9, 9), Amount(2, 30, 400)),
    ],
)
def test_of_an_amount_only_what_has_a_cap_counts(terms: Terms, capped: Amount) -> None:
    assert terms.capped(Amount(2, 30, 400)) == capped
    assert terms.cap == Amount(terms.requests or 0, terms.tokens or 0, terms.cost or 0)
    assert terms.by_tokens is bool(terms.tokens or terms.cost)


def test_a_number_that_was_not_told_is_not_made_up() -> None:
    # Beyond the worst case it is the other number alone that counts.
    assert PRICED.used(Amount(), 900, None, None) == Amount(1, 900, 900 * 150_000)
    assert PRICED.used(Amount(), None, 900, None) == Amount(1, 900, 900 * 600_000)


def test_a_request_that_used_more_than_its_worst_case_makes_the_next_ones_count_so() -> None:
    purse = WorkerBudget(PRICED, lambda draw: None)
    worst = purse.worst(3, 40, None)
    purse.overrun(3, worst, Amount(1, 400, 1))
    assert purse.worst(3, 40, None) == Amount(1, 400, worst.cost)
    assert purse.worst(4, 40, None) == worst


def test_a_purse_asks_once_and_again_when_it_has_an_answer() -> None:
    asked: list[Draw] = []
    purse = WorkerBudget(Terms(requests=100), asked.append)
    assert not purse.hold(Amount(1))
    purse.need(Amount(1))
    purse.need(Amount(1))
    assert [draw.need for draw in asked] == [Amount(1)]
    purse.take(Grant(Amount(1)))
    assert purse.hold(Amount(1))
    assert [draw.need for draw in asked] == [Amount(1), Amount()]  # in good time
    purse.take(Grant(Amount(1), dry=False))
    assert not purse.hold(Amount(1))
    purse.need(Amount(1))
    assert asked[-1] == Draw(Amount(), Amount(1), Amount(1), Amount(16))


def test_of_what_has_no_cap_nothing_is_asked() -> None:
    asked: list[Draw] = []
    purse = WorkerBudget(Terms(tokens=1_000, max_output=10), asked.append)
    purse.need(purse.worst(0, 5, None))
    assert asked == [Draw(Amount(), Amount(), Amount(0, 15), Amount(0, 240))]

"""What a run has used of its budget, by what its workers said last."""

from __future__ import annotations

from agenttop.budget.amount import PICO_PER_USD, Amount
from agenttop.metrics.delta import WorkerBudgetState
from agenttop.metrics.layout import Caps
from agenttop.metrics.snapshot import BudgetLine
from agenttop.metrics.spending import Spending


def amount(requests: int, tokens: int = 0, usd: float = 0.0) -> Amount:
    return Amount(requests, tokens, round(usd * PICO_PER_USD))


def two_workers(caps: Caps | None, *, priced: bool = True) -> Spending:
    spending = Spending(caps, priced=priced)
    spending.fold(0, WorkerBudgetState(amount(1), amount(1), amount(1), kept=100))  # said again later
    spending.fold(
        0, WorkerBudgetState(amount(50, 5_000, 8.0), amount(20, 2_000, 1.5), amount(3, 300, 0.25), 2, {4: 70})
    )
    spending.fold(
        1, WorkerBudgetState(amount(60, 6_000, 9.0), amount(7, 700, 0.5), amount(4, 40, 0.125), 5, {4: 90, 6: 8})
    )
    return spending


def test_a_line_for_each_cap() -> None:
    spending = two_workers(Caps(100, 10_000, 12.5))
    assert spending.lines() == (
        BudgetLine("requests", 100, 27, 7),
        BudgetLine("tokens", 10_000, 2_700, 340),
        BudgetLine("cost_usd", 12.5, 2.0, 0.375),
    )
    assert [line.name for line in two_workers(Caps(cost_usd=1.0)).lines()] == ["cost_usd"]
    assert [line.name for line in two_workers(Caps(tokens=1)).lines()] == ["tokens"]
    assert two_workers(None).lines() == ()


def test_a_lost_workers_requests_in_flight_are_used_and_no_longer_held() -> None:
    spending = two_workers(Caps(100, 10_000, 12.5))
    spending.forget(1)
    assert (spending.used, spending.held) == (amount(31, 2_740, 2.125), amount(3, 300, 0.25))
    assert spending.summary() == {
        "requests": {"cap": 100, "used": 31, "lost": 49},
        "tokens": {"cap": 10_000, "used": 2_740, "at_worst_case_requests": 7, "lost": 5_260},
        "cost_usd": {"cap": 12.5, "used": 2.125, "lost": 8.375},
    }


def test_what_a_lost_worker_used_beyond_what_it_was_given_is_not_lost_again() -> None:
    spending = Spending(Caps(10, 1_000, 5.0), priced=True)
    spending.fold(0, WorkerBudgetState(amount(5, 100, 1.0), amount(6, 150, 2.0), amount(1, 10, 0.5)))
    spending.forget(0)
    spending.forget(9)  # of which nothing was ever heard
    assert spending.summary() == {
        "requests": {"cap": 10, "used": 7},
        "tokens": {"cap": 1_000, "used": 160, "at_worst_case_requests": 0},
        "cost_usd": {"cap": 5.0, "used": 2.5},
    }


def test_money_is_told_only_where_there_are_prices() -> None:
    spending = two_workers(Caps(100), priced=False)
    spending.forget(0)
    assert spending.summary() == {
        "requests": {"cap": 100, "used": 30, "lost": 27},
        "tokens": {"cap": None, "used": 3_000, "at_worst_case_requests": 7, "lost": 2_700},
    }
    assert two_workers(None).summary() == {}
    whole = Spending(Caps(1), priced=True)
    whole.fold(0, WorkerBudgetState(spent=Amount(0, 0, 1_234_567_891)))
    assert whole.summary()["cost_usd"] == {"cap": None, "used": 0.001234568}


def test_the_most_that_one_request_used_beyond_its_worst_case() -> None:
    spending = two_workers(Caps(1))
    assert spending.overran == {4: 90, 6: 8}
    assert spending.kept == 7
    assert (Spending(None, priced=False).overran, Spending(None, priced=False).kept) == ({}, 0)

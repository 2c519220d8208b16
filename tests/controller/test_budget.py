"""The budget of a run at its controller: who is told what, and when it is used up."""

from __future__ import annotations

from agenttop.budget.amount import NOTHING, Amount
from agenttop.budget.ledger import Draw, Grant
from agenttop.budget.terms import Terms
from agenttop.controller.budget import SCARCE, BudgetController
from agenttop.metrics.layout import Layout
from agenttop.metrics.spending import Spending


def controller(workers: int) -> BudgetController:
    return BudgetController(Terms(tokens=100, max_output=10), workers, Layout((), (), ()), Spending(None, priced=False))


def need(tokens: int, spent: int = 0, held: int = 0) -> Draw:
    return Draw(Amount(0, spent), Amount(0, held), Amount(0, tokens), NOTHING)


def test_every_worker_is_told_once_that_the_budget_is_scarce_and_so_is_the_user() -> None:
    budget = controller(3)
    assert budget.draw(0, need(70)) == {0: Grant(Amount(0, 70))}
    assert budget.news() == []
    budget.gone(2)
    scarce = budget.draw(1, need(50))
    assert scarce == {1: Grant(NOTHING, scarce=True), 0: Grant(Amount(0, 70), scarce=True)}
    assert budget.draw(1, need(50)) == {1: Grant(NOTHING, scarce=True)}
    assert budget.news() == [SCARCE]
    assert budget.news() == []
    assert not budget.used_up
    budget.draw(0, need(0, spent=60))
    assert budget.draw(1, need(50))[1].dry
    assert budget.used_up

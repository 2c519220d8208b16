"""The budget of a worker, at which its users hold what their requests may use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agenttop.budget.amount import Amount
from agenttop.budget.ledger import Draw, Grant
from agenttop.budget.terms import Terms
from agenttop.budget.worker_budget import WorkerBudget
from agenttop.metrics.delta import WorkerBudgetState


class Reservations:
    """The budget of a worker, at which its users wait while it asks for more.

    Args:
        terms: how requests are counted.
        ask: called with what is to be drawn from the run's budget.
    """

    def __init__(self, terms: Terms, ask: Callable[[Draw], None]) -> None:
        self.budget = WorkerBudget(terms, ask)
        self._answered = asyncio.Event()

    async def hold(self, worst: Amount) -> bool:
        """Hold what a request may use; return False if the budget has no more for it."""
        budget = self.budget
        while not budget.hold(worst):
            if budget.dry:
                return False
            await self._answered.wait()
        return True

    def take(self, grant: Grant) -> None:
        """Take the answer to a draw."""
        self.budget.take(grant)
        answered, self._answered = self._answered, asyncio.Event()
        answered.set()

    def state(self) -> WorkerBudgetState:
        """Return the state; to be called four times a second."""
        budget = self.budget
        budget.rest()
        overran = {request: most.tokens for request, most in budget.overran.items()}
        return WorkerBudgetState(budget.granted, budget.spent, budget.held, budget.kept, overran)

    def close(self) -> None:
        """Give back what was granted beyond use: nothing more will be sent."""
        budget = self.budget
        budget.granted = budget.terms.capped(budget.spent.plus(budget.held))

"""The budget of a worker, at which its users hold what their requests may use."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from agenttop.budget.amount import NOTHING, Amount
from agenttop.budget.ledger import Draw, Grant
from agenttop.budget.terms import Terms
from agenttop.budget.worker_budget import WorkerBudget
from agenttop.metrics.delta import WorkerBudgetState


class Reservations:
    """The budget of a worker, at which its users wait in a row: for what it asks the run's budget for, and near the end
    for what requests in flight leave of what they hold.

    Args:
        terms: how requests are counted.
        ask: called with what is to be drawn from the run's budget.
        sent: how many requests in flight were sent.
    """

    def __init__(self, terms: Terms, ask: Callable[[Draw], None], sent: Callable[[], int] = lambda: 0) -> None:
        self.budget = WorkerBudget(terms, ask, sent)
        self._waiting: deque[tuple[Amount, asyncio.Future[bool]]] = deque()
        self._closed = False

    def hold(self, worst: Amount) -> bool:
        """Hold what a request may use; False where somebody waits already, or has to now."""
        return not self._waiting and self.budget.hold(worst)

    async def wait(self, worst: Amount) -> bool:
        """Hold it when it is there; False where the budget will have no more for it."""
        if self._closed:
            return False
        held: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((worst, held))
        self._serve(ask=True)
        try:
            return await held
        except asyncio.CancelledError:
            if held.done() and not held.cancelled() and held.result():
                self.settle(worst, NOTHING)
            raise

    def settle(self, worst: Amount, used: Amount) -> None:
        """A request has ended: it held ``worst`` and has used ``used``."""
        self.budget.settle(worst, used)
        if self._waiting:
            # Others in flight may yet bring the rest; where there are none, only the run's budget can.
            self._serve(ask=self.budget.held == NOTHING)

    def take(self, grant: Grant) -> None:
        """The answer to what was asked for, or word that the budget is scarce."""
        self.budget.take(grant)
        # One that waits for others is asked for again with the next report.
        self._serve(ask=not grant.scarce)

    def state(self) -> WorkerBudgetState:
        """Return the state; to be called four times a second."""
        budget = self.budget
        budget.rest(self._waiting[0][0] if self._first() else NOTHING)
        overran = {request: most.tokens for request, most in budget.overran.items()}
        return WorkerBudgetState(budget.granted, budget.spent, budget.held, budget.kept, overran)

    def refuse(self) -> None:
        """Nothing new is to be sent: nobody waits any more."""
        self._closed = True
        while self._first():
            self._waiting.popleft()[1].set_result(False)

    def close(self) -> None:
        """Nothing more will be sent: what was granted beyond that is given back."""
        self.budget.give_back()

    def _first(self) -> bool:
        """Whether somebody waits; who has gone meanwhile is not."""
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()
        return bool(self._waiting)

    def _serve(self, *, ask: bool) -> None:
        """Let those go on for whom there is room, in the order in which they came, and refuse whom the budget cannot
        have any for; where ``ask``, ask for what the next one needs.
        """
        budget = self.budget
        if budget.dry and self._first():
            least = self._waiting[0][0]
            refused = [row for row in self._waiting if row[0].covers(least)]
            self._waiting = deque(row for row in self._waiting if not row[0].covers(least))
            for _, held in refused:
                if not held.done():
                    held.set_result(False)
        while self._first() and budget.hold(self._waiting[0][0]):
            self._waiting.popleft()[1].set_result(True)
        if ask and self._waiting:
            budget.need(self._waiting[0][0])

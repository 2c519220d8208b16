"""Where the users of a worker pay for their requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agenttop.budget.amount import Amount
from agenttop.budget.ledger import Draw, Grant
from agenttop.budget.purse import Purse
from agenttop.budget.terms import Terms
from agenttop.metrics.delta import PurseState


class Till:
    """The purse of a worker, at which its users wait while it asks for more.

    Args:
        terms: how requests are counted.
        ask: called with what is to be drawn from the run's budget.
    """

    def __init__(self, terms: Terms, ask: Callable[[Draw], None]) -> None:
        self.purse = Purse(terms, ask)
        self._answered = asyncio.Event()

    async def hold(self, worst: Amount) -> bool:
        """Hold what a request may use; False where the budget has no more for it."""
        purse = self.purse
        while not purse.hold(worst):
            if purse.dry:
                return False
            await self._answered.wait()
        return True

    def take(self, grant: Grant) -> None:
        """The answer to what was asked for."""
        self.purse.take(grant)
        answered, self._answered = self._answered, asyncio.Event()
        answered.set()

    def state(self) -> PurseState:
        """How it stands; to be called four times a second."""
        purse = self.purse
        purse.rest()
        overran = {request: most.tokens for request, most in purse.overran.items()}
        return PurseState(purse.granted, purse.spent, purse.held, purse.kept, overran)

    def close(self) -> None:
        """Nothing more will be sent: what was granted beyond that is given back."""
        purse = self.purse
        purse.granted = purse.terms.capped(purse.spent.plus(purse.held))

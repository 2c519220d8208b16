"""A worker's side of a budget: what it may still spend, and what its requests in flight hold of that.

    granted = spent + held + left

A request holds its worst case before it is sent; when it has ended, what it used is spent and the rest is left again.
While the budget is scarce, what is left is given back four times a second and whenever more is asked for: nobody has
enough, and together there may be.
"""

from __future__ import annotations

from collections.abc import Callable

from agenttop.budget.amount import NOTHING, Amount
from agenttop.budget.ledger import Draw, Grant
from agenttop.budget.terms import Terms

#: Requests' worth of worst cases that a worker wishes for at least.
AHEAD = 16


class WorkerBudget:
    """The budget of one worker.

    Args:
        terms: how requests are counted.
        ask: called with what is to be drawn; the answer comes as :meth:`take`.
        sent: how many requests in flight were sent, those that still wait for a connection not among them.
    """

    __slots__ = (
        "_ask",
        "_asked",
        "_drawn",
        "_ebb",
        "_given",
        "_lately",
        "_returned",
        "_sent",
        "dry",
        "held",
        "kept",
        "overran",
        "scarce",
        "spent",
        "terms",
    )

    def __init__(self, terms: Terms, ask: Callable[[Draw], None], sent: Callable[[], int] = lambda: 0) -> None:
        self.terms = terms
        self._ask = ask
        self._sent = sent
        self._given = NOTHING  # since the run began; of what is capped, as all that follows
        self._returned = NOTHING
        self.spent = NOTHING
        self.held = NOTHING
        self.dry = False
        """The budget has no more for the request that was asked for last, and will not have."""
        self.scarce = False
        """Somebody waits for what others may give back."""
        self.kept = 0
        """Requests whose answers told no tokens, so that their worst case was counted."""
        self.overran: dict[int, Amount] = {}
        """By request: the most that one has used, if that was more than its worst case."""
        self._asked = False
        self._ebb = False  # the last answer brought nothing: ask no more ahead of need
        self._drawn = NOTHING  # held since the last rest
        self._lately = NOTHING  # … and before that, the longer ago the less

    @property
    def granted(self) -> Amount:
        """What may be spent in all; of what is not capped 0."""
        return self._given.minus(self._returned)

    @property
    def left(self) -> Amount:
        """Return what no request holds, of the capped amounts."""
        return self.granted.minus(self.terms.capped(self.spent.plus(self.held)))

    def worst(self, request: int, body_bytes: int, max_output: int | None) -> Amount:
        """Return the worst case of a request: at least as much as one of its row has used before."""
        worst = self.terms.worst(body_bytes, max_output)
        most = self.overran.get(request)
        return worst if most is None else worst.high(most)

    def hold(self, worst: Amount) -> bool:
        """Hold what a request may use and return True; return False if there is not so much. Asks for more in good
        time.
        """
        left, wanted = self.left, self.terms.capped(worst)
        if not left.covers(wanted):
            return False
        self.held = self.held.plus(worst)
        self._drawn = self._drawn.plus(worst)
        if not (self._ebb or self.scarce) and not left.minus(wanted).covers(self._wish(wanted).part(2)):
            self._draw(wanted, NOTHING)
        return True

    def need(self, worst: Amount) -> None:
        """Ask for what a request needs that could not be held."""
        wanted = self.terms.capped(worst)
        self._draw(wanted, wanted)

    def settle(self, worst: Amount, used: Amount) -> None:
        """Note that a request which held ``worst`` has ended and used ``used``."""
        self.held = self.held.minus(worst)
        self.spent = self.spent.plus(used)

    def overrun(self, request: int, worst: Amount, used: Amount) -> None:
        """Remember a request that used more than its worst case: later ones of its row are held at that."""
        if self.terms.by_tokens and not worst.covers(used):
            self.overran[request] = self.overran.get(request, NOTHING).high(used)

    def take(self, grant: Grant) -> None:
        """Take the answer to a draw."""
        self._asked = False
        self._ebb = self._given == grant.granted
        self._given = self._given.high(grant.granted)
        self.dry, self.scarce = grant.dry, grant.scarce

    def rest(self, waiting: Amount = NOTHING) -> None:
        """To be called four times a second: what is drawn ahead is what was held lately. While the budget is scarce it
        is told how things stand; ``waiting`` is the worst case of one that has no
        room.
        """
        self._lately, self._drawn = self._lately.part(2).plus(self._drawn), NOTHING
        if self.scarce:
            self._draw(NOTHING, self.terms.capped(waiting))

    def give_back(self) -> None:
        """Keep nothing that no request holds; the next draw says so."""
        self._returned = self._returned.plus(self.left.high(NOTHING))

    def _draw(self, wanted: Amount, need: Amount) -> None:
        """Ask for what such requests need, and not again until there is an answer."""
        if not self._asked:
            self._asked = True
            if self.scarce:
                self.give_back()
            capped = self.terms.capped
            told = self.terms.requests is not None and (self.scarce or need != NOTHING)
            sent = self._sent() if told else 0
            self._ask(Draw(capped(self.spent), capped(self.held), need, self._wish(wanted), self._returned, sent))

    def _wish(self, wanted: Amount) -> Amount:
        return self.terms.capped(self._lately.plus(self._drawn)).times(2).high(wanted.times(AHEAD))

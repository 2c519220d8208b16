"""The controller's side of a budget: decides which worker may spend how much of what is left.

    cap = what the workers may spend (granted) + free

A worker draws ahead of its needs, and what it has drawn counts as spent until it gives it back: so no worker waits for
another while there is enough, and of one that dies nothing is given out again, for nobody knows what it sent last.

Near the end a request may find no room while others in flight hold more than they will use. It waits for them: every
worker is told to give back what no request holds, and says four times a second how it stands. A need is beyond the
budget (``dry``) when not even all that can come back would pay for it:

    cap - what answers have used - requests that were sent - what was granted to the dead  <  need

What was granted and what was given back are told as totals, so that a message may come late, twice or beside another.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agenttop.budget.amount import NOTHING, Amount


@dataclass(frozen=True, slots=True)
class Draw:
    """A worker's request for more budget."""

    spent: Amount
    """What its answers have used so far, of the capped amounts."""
    held: Amount
    """What its requests in flight may use at worst."""
    need: Amount
    """What the request that waits may use at worst; nothing where none waits."""
    wish: Amount
    """As much more as it expects to use soon."""
    returned: Amount = NOTHING
    """What it has given back since the run began."""
    sent: int = 0
    """Of its requests in flight those that were sent, where requests are capped: whatever they tell, they are used."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a worker was granted since the run began, what it has given back included."""

    granted: Amount
    dry: bool = False
    """What it needs will not be there any more."""
    scarce: bool = False
    """Some worker waits for what others give back: draw nothing ahead, and keep nothing that no request holds."""


@dataclass(slots=True)
class _Account:
    granted: Amount = NOTHING
    returned: Amount = NOTHING
    spent: Amount = NOTHING
    sent: int = 0
    alive: bool = True
    dry: bool = False
    waiting: bool = False

    @property
    def has(self) -> Amount:
        """What the worker may spend, or has spent."""
        return self.granted.minus(self.returned)


@dataclass(slots=True)
class Ledger:
    """The budget of one run. Amounts without a cap are 0."""

    cap: Amount
    workers: int
    _accounts: dict[int, _Account] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._accounts = {worker: _Account() for worker in range(self.workers)}

    def draw(self, worker: int, draw: Draw) -> Grant:
        """Return the answer to a worker's draw, and book it."""
        account = self._accounts[worker]
        account.returned = account.returned.high(draw.returned)
        account.spent, account.sent = account.spent.high(draw.spent), draw.sent
        # An answer that used more than its worst case: what it took must not be given out a second time.
        taken = draw.spent.plus(draw.held)
        account.granted = account.granted.high(account.returned.plus(taken))
        lacking = draw.need.minus(account.has.minus(taken)).high(NOTHING)
        free, others = self.free, sum(each.alive for each in self._accounts.values()) - 1
        account.waiting = account.dry = False
        if free.covers(lacking):
            share = NOTHING if self.scarce else free.part(2 * (others + 1) or 1)
            account.granted = account.granted.plus(free.low(lacking.high(draw.wish.low(share))))
        elif self._best.covers(draw.need):
            account.waiting = True
            if not others:  # nobody else can use it
                account.granted = account.granted.plus(free)
        else:
            account.dry = True
        return self.grant(worker)

    def grant(self, worker: int) -> Grant:
        """What a worker is to be told as things stand."""
        account = self._accounts[worker]
        return Grant(account.granted, account.dry, self.scarce)

    @property
    def scarce(self) -> bool:
        """Some worker waits for what others may give back."""
        return any(account.waiting and account.alive for account in self._accounts.values())

    @property
    def _best(self) -> Amount:
        """What a single request might have if all that can come back did."""
        left = self.cap
        for account in self._accounts.values():
            left = left.minus(account.spent.plus(Amount(account.sent)) if account.alive else account.has)
        return left

    def gone(self, worker: int) -> None:
        """Note that a worker is lost; its grant is not given out again."""
        self._accounts[worker].alive = False

    @property
    def free(self) -> Amount:
        """Return what can still be given out; nothing if answers used more than was left."""
        left = self.cap
        for account in self._accounts.values():
            left = left.minus(account.has)
        return left.high(NOTHING)

    @property
    def dry(self) -> bool:
        """Some worker needs what is not there, and will not be."""
        return any(account.dry and account.alive for account in self._accounts.values())

"""The controller's side of a budget: decides which worker may spend how much of what is left.

    cap = what the workers may spend (granted) + free

A worker draws ahead of its needs, and what it has drawn counts as spent until it says less: so no worker ever waits for
another, and of one that dies nothing is given out again, for nobody knows what it sent last. Near the end grants become
small, so that little lies idle with one worker while another has none.
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
    """How much more it needs to send the request that waits; nothing if none waits."""
    wish: Amount
    """How much more it expects to use soon."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a worker may spend in all. ``dry``: what it needs is not there any more."""

    granted: Amount
    dry: bool = False


@dataclass(slots=True)
class _Account:
    granted: Amount = NOTHING
    alive: bool = True
    dry: bool = False


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
        # An answer that used more than its worst case: what it took must not be given out a second time.
        account.granted = account.granted.high(draw.spent.plus(draw.held))
        free = self.free
        share = free.part(2 * max(sum(each.alive for each in self._accounts.values()), 1))
        more = free.low(draw.need.high(draw.wish.low(share)))
        account.dry = not more.covers(draw.need)
        if not account.dry:
            account.granted = account.granted.plus(more)
        return Grant(account.granted, account.dry)

    def gone(self, worker: int) -> None:
        """Note that a worker is lost; its grant is not given out again."""
        self._accounts[worker].alive = False

    @property
    def free(self) -> Amount:
        """Return what can still be given out; nothing if answers used more than was left."""
        left = self.cap
        for account in self._accounts.values():
            left = left.minus(account.granted)
        return left.high(NOTHING)

    @property
    def dry(self) -> bool:
        """Return whether some worker needs what is not there."""
        return any(account.dry and account.alive for account in self._accounts.values())

    @property
    def exhausted(self) -> bool:
        """Return whether none of the workers that are left can have what its next request needs."""
        alive = [account for account in self._accounts.values() if account.alive]
        return bool(alive) and all(account.dry for account in alive)

"""Which case is asked next: every level of load sees every case as evenly as it can, over all workers, seeded.

Workers ask nobody: what each hands out is a function of its own number.
"""

from __future__ import annotations

from random import Random

# At each level the n cases stand in one seeded order, the same for all W workers. Workers go through it in rounds; in
# its round r, worker w hands out the cases at the positions p with
#
#     p ≡ w + r (mod W),     0 ≤ p < n,
#
# each once, in an order of that round's own. Whatever moment is looked at, and however fast each worker is:
#
#     1. One worker has handed out any two cases equally often, or one of them once more than the other.
#        A case at p comes in those of its rounds with r ≡ p − w (mod W). If R rounds are over, and the next is under
#        way, these are ⌊R/W⌋ or ⌊R/W⌋ + 1 of the rounds 0 … R, and those of R itself have had ⌊R/W⌋ before it.
#     2. So over all workers two cases differ by at most W, the number of workers.
#     3. When every worker has done the same R rounds, they do not differ at all: in each round the W classes are all
#        cases, each in one of them.
#
# A worker that dies takes nothing with it: in the rounds that come, its cases are other workers'.


class Spread:
    """One worker's course through the cases of one task.

    Args:
        cases: how many there are, at least one.
        worker: its number, from 0.
        workers: how many share the cases; a number beyond these shares with the one of the same remainder.
        seed: the run's seed and what else tells one task's order from another's.
    """

    __slots__ = ("_cases", "_levels", "_seed", "_worker", "_workers")

    def __init__(self, cases: int, worker: int, workers: int, seed: str) -> None:
        self._cases = cases
        self._workers = workers
        self._worker = worker % workers
        self._seed = seed
        self._levels: dict[str, _Level] = {}

    def next_case(self, level: str) -> int:
        """Return the case to ask next at a level, by its index."""
        at = self._levels.get(level)
        if at is None:
            at = self._levels[level] = _Level(order_of(self._cases, f"{self._seed}/{level}"))
        while not at.due:
            # Some round of any W that follow each other has a case, for there is one at least.
            first = (self._worker + at.round) % self._workers
            at.due = at.order[first :: self._workers]
            Random(f"{self._seed}/{level}/{self._worker}/{at.round}").shuffle(at.due)
            at.round += 1
        return at.due.pop()


class _Level:
    __slots__ = ("due", "order", "round")

    def __init__(self, order: list[int]) -> None:
        self.order = order
        self.round = 0
        """The round that begins next."""
        self.due: list[int] = []
        """The rest of the one under way, the next last."""


def order_of(cases: int, seed: str) -> list[int]:
    """Return the numbers from 0 to ``cases`` in a seeded order, the same in every process."""
    order = list(range(cases))
    Random(seed).shuffle(order)
    return order

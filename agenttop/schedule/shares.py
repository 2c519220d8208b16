"""Deals users to pools by weight, and users and arrivals to workers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

# Largest remainder (Hamilton's method): party i of weight wᵢ has the quota qᵢ = total·wᵢ / Σw; it gets ⌊qᵢ⌋, and what
# is left over goes one each to the largest qᵢ − ⌊qᵢ⌋, ties to the first. Computed in integers (a float is a fraction
# whose denominator is a power of two), so no rounding ever decides who gets one more.


def largest_remainder(total: int, weights: Sequence[float]) -> list[int]:
    """Split ``total`` by ``weights``: the shares sum to ``total``, each within 1 of its quota, 0 for a weight of 0.

    Raises:
        ValueError: ``total`` or a weight is negative, a weight is not finite, or no weight is above 0.
    """
    if total < 0:
        raise ValueError(f"cannot share out {total}")
    try:
        ratios = [weight.as_integer_ratio() for weight in weights]
    except OverflowError:
        raise ValueError("weights are finite") from None
    scale = max((denominator for _, denominator in ratios), default=1)
    parts = [numerator * (scale // denominator) for numerator, denominator in ratios]
    whole = sum(parts)
    if whole <= 0 or min(parts) < 0:
        raise ValueError("weights are not negative, and one at least is above 0")
    shares, remainders = [], []
    for part in parts:
        share, remainder = divmod(total * part, whole)
        shares.append(share)
        remainders.append(remainder)
    # sorted keeps the order of equals under reverse=True, so ties go to the first.
    for index in sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)[: total - sum(shares)]:
        shares[index] += 1
    return shares


def worker_share(total: int, worker: int, workers: int, offset: int = 0) -> int:
    """Return how many of ``total`` fall to ``worker`` (0 … ``workers`` − 1); these sum to it and differ by at most one.

    Those with one more begin at worker ``offset``, so that several pools need not all burden the first worker.

    Raises:
        ValueError: there is no such worker.
    """
    if not 0 <= worker < workers:
        raise ValueError(f"there is no worker {worker} of {workers}")
    each, rest = divmod(total, workers)
    return each + ((worker - offset) % workers < rest)


# Every worker knows every arrival of a pool, its number n = 1, 2, … and its time t; one of them begins it. At first
# that is, of the workers w₀ < w₁ < … < wₖ₋₁,
#
#     w[n mod k]
#
# When some are lost at a moment c, what is theirs and due after c (t > c) goes to those left, v₀ < … < vⱼ₋₁, in turn:
#
#     v[m mod j],   m = ⌊n / k⌋
#
# and so on with ⌊m / j⌋, should that one be lost too. Whoever is left keeps what it had. What a box is left out of, or
# comes back to, is dealt anew from a moment on that is still to come for everybody, by n again. So no two workers begin
# the same arrival, however late one hears of a loss (its loop may have stood still): what it has inherited meanwhile is
# due already, and is begun as it hears (``schedule.dealt_arrivals``). What the lost one did not begin before c is lost
# with it.


@dataclass(frozen=True, slots=True)
class Members:
    """The numbers of the workers, over all boxes, that share a run from ``from_s`` (seconds since it began) on."""

    from_s: float
    workers: tuple[int, ...]
    anew: bool = False
    """Every arrival after that is dealt to these, whoever had it before: nobody may have begun one of them."""


class Deal:
    """The arrivals of one worker, while others are lost."""

    __slots__ = ("_changes", "worker")

    def __init__(self, worker: int, workers: Sequence[int]) -> None:
        self.worker = worker
        self._changes = [Members(0.0, tuple(sorted(workers)))]

    def change(self, members: Members) -> None:
        """Deal to these from their time on; a change dated before the last takes effect with it."""
        from_s = max(members.from_s, self._changes[-1].from_s)
        self._changes.append(Members(from_s, tuple(sorted(members.workers)), members.anew))

    def part(self) -> tuple[int, int]:
        """Return which part of how many is this worker's by the last change; (0, 0) where it has none."""
        workers = self._changes[-1].workers
        return (workers.index(self.worker), len(workers)) if self.worker in workers else (0, 0)

    def leads(self, among: Collection[int]) -> bool:
        """Return whether it is the first of some workers by the last change; true if none of them has a share."""
        sharing = [worker for worker in self._changes[-1].workers if worker in among]
        return not sharing or self.worker == min(sharing)

    def share(self, total: int, offset: int = 0) -> int:
        """Return how many of ``total`` are this worker's by the last change, as :func:`worker_share` says."""
        part, parts = self.part()
        return worker_share(total, part, parts, offset) if parts else 0

    def own(self, number: int, times: Sequence[float]) -> list[float]:
        """Return those of consecutive arrivals that are this worker's.

        Args:
            number: of the first arrival, from 1.
            times: of all of them, in seconds since the run began, ascending.
        """
        if len(self._changes) == 1:
            workers = self._changes[0].workers
            if self.worker not in workers:
                return []
            return list(times[(workers.index(self.worker) - number) % len(workers) :: len(workers)])
        owner, worker = self.owner, self.worker
        return [time for n, time in enumerate(times, number) if owner(n, time) == worker]

    def inherited(self, number: int, times: Sequence[float]) -> list[float]:
        """Return those that are this worker's by the last change, and were another's before."""
        before, owner, worker = self._changes[:-1], self.owner, self.worker
        return [
            time
            for n, time in enumerate(times, number)
            if owner(n, time) == worker and _owner(before, n, time) != worker
        ]

    def owner(self, number: int, time: float) -> int:
        """Return the worker that begins the arrival of this number, due at this time."""
        return _owner(self._changes, number, time)


def _owner(changes: Sequence[Members], number: int, time: float) -> int:
    """Return the owner of an arrival; one at the moment of a change is dealt as before it."""
    workers, whole = changes[0].workers, number
    owner = workers[number % len(workers)]
    for members in changes[1:]:
        if members.from_s >= time:
            break
        if members.anew or owner not in members.workers:
            number = whole if members.anew else number // len(workers)
            workers = members.workers
            owner = workers[number % len(workers)]
    return owner

"""Deals users to pools by weight, and users and arrivals to workers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
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


# Every worker knows every arrival of a pool, its number n = 1, 2, … and its time; one of them begins it. Of the members
# m₀ < m₁ < … < mₖ₋₁ that are there at its time that is
#
#     m[n mod k]
#
# so however the members change, and however many arrivals a worker looks at together, each arrival has one owner.


@dataclass(frozen=True, slots=True)
class Members:
    """The numbers of the workers, over all boxes, that share a run from ``from_s`` (seconds since it began) on."""

    from_s: float
    workers: tuple[int, ...]

    def owner(self, number: int) -> int:
        """Return the worker that begins the arrival of this number."""
        return self.workers[number % len(self.workers)]


class Deal:
    """The arrivals of one worker, while members come and go."""

    __slots__ = ("_changes", "worker")

    def __init__(self, worker: int, workers: Sequence[int]) -> None:
        self.worker = worker
        self._changes = [Members(0.0, tuple(sorted(workers)))]

    def change(self, members: Members) -> None:
        """Deal to other members from their time on; a change dated before the last takes effect with it."""
        from_s = max(members.from_s, self._changes[-1].from_s)
        self._changes.append(Members(from_s, tuple(sorted(members.workers))))

    def part(self) -> tuple[int, int]:
        """Return which part of how many is this worker's by the last change; (0, 0) where it has none."""
        workers = self._changes[-1].workers
        return (workers.index(self.worker), len(workers)) if self.worker in workers else (0, 0)

    def share(self, total: int, offset: int = 0) -> int:
        """Return how many of ``total`` are this worker's by the last change, as :func:`worker_share` says."""
        part, parts = self.part()
        return worker_share(total, part, parts, offset) if parts else 0

    def own(self, number: int, times: Sequence[float]) -> Iterator[float]:
        """Yield those of consecutive arrivals that are this worker's.

        Args:
            number: of the first arrival, from 1.
            times: of all of them, in seconds since the run began, ascending.
        """
        at = 0
        while at < len(times):
            index = self._in_force(times[at])
            later = self._changes[index + 1].from_s if index + 1 < len(self._changes) else None
            end = len(times) if later is None else bisect_right(times, later, at)
            workers = self._changes[index].workers
            if self.worker in workers:
                first = at + (workers.index(self.worker) - number - at) % len(workers)
                yield from times[first : end : len(workers)]
            at = end

    def _in_force(self, time: float) -> int:
        """Return the index of the last change before ``time``: an arrival at the moment of a change is dealt as before
        it.
        """
        return max((i for i, members in enumerate(self._changes) if members.from_s < time), default=0)

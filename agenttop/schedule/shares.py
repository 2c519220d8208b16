"""Whole numbers dealt out by weight: users to pools, users to workers."""

from __future__ import annotations

from collections.abc import Sequence

# Largest remainder (Hamilton's method): party i of weight wᵢ has the quota qᵢ = total·wᵢ / Σw; it gets ⌊qᵢ⌋, and what
# is left over goes one each to the largest qᵢ − ⌊qᵢ⌋, ties to the first. Computed in integers (a float is a fraction
# whose denominator is a power of two), so no rounding ever decides who gets one more.


def largest_remainder(total: int, weights: Sequence[float]) -> list[int]:
    """``total`` split by ``weights``: sums to ``total``, each within 1 of its quota, 0 for a weight of 0.

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
    """How many of ``total`` fall to ``worker`` (0 … ``workers`` − 1): sums to ``total``, differs by at most one.

    Those with one more begin at worker ``offset``, so that several pools need not all burden the first worker.

    Raises:
        ValueError: there is no such worker.
    """
    if not 0 <= worker < workers:
        raise ValueError(f"there is no worker {worker} of {workers}")
    each, rest = divmod(total, workers)
    return each + ((worker - offset) % workers < rest)

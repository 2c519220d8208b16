"""The Universal Scalability Law, fitted to levels of load.

N. J. Gunther, Guerrilla Capacity Planning (2007), chapter 4: with N users the rate is

    X(N) = γ·N / (1 + σ·(N − 1) + κ·N·(N − 1))

and so N/X = (1 + σ·(N − 1) + κ·N·(N − 1)) / γ, which is linear in 1/γ, σ/γ and κ/γ. They are fitted by least squares,
each level weighted by how surely its rate is known: of n answers that come by chance the rate is known to 1/√n. Its
highest rate is at N = √((1 − σ)/κ).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from agenttop.metrics.assessment import Estimate
from agenttop.verdict.levels import Level

#: Half of a 95 % interval in standard deviations.
Z95 = 1.96
#: Three unknowns, and one level to spare.
MIN_LEVELS = 4


def fit(levels: Sequence[Level]) -> tuple[Estimate, Estimate] | None:
    """Return σ and κ with their 95 % intervals; None where levels are too few, or too much alike."""
    if len(levels) < MIN_LEVELS:
        return None
    load = np.array([level.load for level in levels])
    cycle = np.array([level.load / level.per_s for level in levels])
    known = np.sqrt(np.array([level.ok for level in levels], dtype=np.float64)) / cycle
    terms = np.column_stack((np.ones_like(load), load - 1, load * (load - 1)))
    scale = np.abs(terms).max(axis=0)
    if not scale.all():
        return None
    found, _, rank, _ = np.linalg.lstsq(terms / scale * known[:, None], cycle * known, rcond=None)
    if rank < len(scale) or found[0] <= 0:
        return None
    weighted = terms / scale * known[:, None]
    spread = np.linalg.inv(weighted.T @ weighted) / np.outer(scale, scale)
    base, *rest = (float(value) for value in found / scale)
    return _ratio(rest[0], base, spread, 1), _ratio(rest[1], base, spread, 2)


def peak(sigma: float, kappa: float) -> float | None:
    """Return the load with the highest rate; None where there is none."""
    return math.sqrt((1 - sigma) / kappa) if kappa > 0 and sigma < 1 else None


def _ratio(part: float, base: float, spread: np.ndarray, index: int) -> Estimate:
    """Return ``part / base`` with its interval, by the delta method."""
    value = part / base
    variance = spread[index, index] - 2 * value * spread[0, index] + value * value * spread[0, 0]
    half = Z95 * math.sqrt(max(0.0, float(variance))) / base
    return Estimate(value, value - half, value + half)

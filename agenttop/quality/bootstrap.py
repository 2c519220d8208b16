"""Says how sure a figure of one or several runs is, by drawing their pieces anew.

Requests of one run stand in one queue: two equal runs past their knee would be called different in a quarter of all
pairs if their requests were drawn one by one, and seldom if pieces of the time are that are long enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agenttop.quality.pieces import Floats, Pieces

#: Pieces that a run must have at least.
MIN_PIECES = 15
#: Neighbours that correlate more are joined.
MAX_CORRELATION = 0.3
#: A piece lasts so many times the p99 at least.
TIMES_P99 = 2
DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of one side.

    ``error`` is its standard error, of its logarithm where ``log``, with ``freedom`` degrees of freedom; None where it
    cannot be known, and ``why`` says why.
    """

    value: float
    error: float | None = None
    freedom: float = math.inf
    log: bool = False
    why: str = ""
    n: float = 0
    """Records, or requests, that it is of."""


def percentile(sides: Sequence[Pieces], metric: str, percent: float, *, least: int = MIN_PIECES) -> Estimate:
    """Return a percentile (0 to 100; NaN: the mean) in ms of the runs of a side together.

    H. R. Künsch, Ann. Stat. 17 (1989) 1217 (blocks); A. C. Davison, D. V. Hinkley, Bootstrap Methods and their
    Application (1997), 3.8 (runs first, then what is in them).
    """
    values = np.unique(np.concatenate([run.values_ms[metric] for run in sides]))
    n = float(sum(run.hists[metric].sum() for run in sides))
    if not n:
        return Estimate(math.nan, why="there is no record of it")
    once = [np.ones((1, len(run))) for run in sides]
    figure = float(_drawn(sides, once, metric, values, percent)[0])
    limit_ms = TIMES_P99 * max(_p99(run, metric) for run in sides)

    def influence(run: Pieces) -> Floats:
        rows, at = run.hists[metric], run.values_ms[metric]
        if math.isnan(percent):
            return np.asarray(rows @ (at - figure))
        return np.asarray(rows[:, at > figure].sum(axis=1) - (1 - percent / 100) * rows.sum(axis=1))

    runs, why = _long_enough(sides, influence, limit_ms / 1000, least)
    if why:
        return Estimate(figure, log=True, why=why, n=n)
    found = _drawn(runs, _weights([len(run) for run in runs]), metric, values, percent)
    error, freedom = _error(np.log(np.maximum(found, 1e-6)), runs, influence)
    return Estimate(figure, error, freedom, log=True, n=n)


def ratio(
    sides: Sequence[Pieces], upper: str, lower: str, *, timeless: bool = False, least: int = MIN_PIECES
) -> Estimate:
    """Return the sum of one counter by that of another (empty: by the seconds), with its standard error; ``timeless``
    of what does not depend on how long answers take.

    A ratio's error is that of a ratio estimator over pieces (W. G. Cochran, Sampling Techniques, 3rd ed. (1977), 6.4),
    by the same draws as a percentile's.
    """

    def parts(run: Pieces) -> tuple[Floats, Floats]:
        below = run.counts[lower] if lower else np.full(len(run), run.width_s)
        return run.counts[upper], below

    above, below = (float(sum(parts(run)[at].sum() for run in sides)) for at in (0, 1))
    if not below:
        return Estimate(math.nan, why="there is no record of it")
    figure = above / below

    def influence(run: Pieces) -> Floats:
        up, down = parts(run)
        return up - figure * down

    limit_s = 0.0 if timeless else TIMES_P99 * max(_p99(run, "latency") for run in sides) / 1000
    runs, why = _long_enough(sides, influence, limit_s, least)
    if why:
        return Estimate(figure, why=why, n=below)
    drawn = np.zeros((2, DRAWS))
    for run, weights in zip(runs, _weights([len(run) for run in runs]), strict=True):
        up, down = parts(run)
        drawn += (weights @ up, weights @ down)
    found = drawn[0] / np.where(drawn[1] > 0, drawn[1], np.inf)
    error, freedom = _error(found, runs, influence)
    return Estimate(figure, error, freedom, n=below)


def correlation(values: Floats) -> float:
    """Return how neighbours correlate (lag 1), −1 to 1; 0 of what does not vary."""
    whole = float(values @ values)
    return float(values[:-1] @ values[1:]) / whole if whole > 1e-12 else 0.0


def _long_enough(
    sides: Sequence[Pieces], influence: Callable[[Pieces], Floats], limit_s: float, least: int
) -> tuple[list[Pieces], str]:
    """Return the runs in pieces that are long enough, or why they cannot be."""
    found = []
    for run in sides:
        shortest = run
        while shortest.width_s < limit_s and len(shortest) >= 2 * least:
            shortest = shortest.joined()
        if shortest.width_s < limit_s or len(shortest) < least:
            needed = max(limit_s, run.width_s) * least
            return [], f"too short: it takes {least} pieces of twice the p99 at least, {needed:.0f} s"
        while correlation(shortest.residuals(influence(shortest))) > MAX_CORRELATION:
            if len(shortest) < 2 * least:
                return [], "its answers are too alike from one moment to the next: measure longer"
            shortest = shortest.joined()
        found.append(shortest)
    return found, ""


def _weights(sizes: Sequence[int], seed: int = 0) -> list[Floats]:
    """Return how often each draw takes each piece, by run: runs are drawn first, then as many pieces as each has."""
    random = np.random.default_rng(seed)
    runs = len(sizes)
    often = random.multinomial(runs, [1 / runs] * runs, DRAWS)
    return [
        random.multinomial(often[:, at] * size, [1 / size] * size).astype(np.float64) for at, size in enumerate(sizes)
    ]


def _error(found: Floats, runs: Sequence[Pieces], influence: Callable[[Pieces], Floats]) -> tuple[float, float]:
    """Return the standard error that draws show, and its degrees of freedom.

    It is made up for what n pieces have less than n − 1 free ones, and of one run for how its neighbours correlate
    (1 + 2ρ, W. K. Newey, K. D. West, Econometrica 55 (1987) 703, with one lag). Of pieces a few of which make all the
    difference, as of a high percentile, it is less sure than their number says: 2n/(κ − 1), κ their kurtosis (F. E.
    Satterthwaite, Biometrics Bulletin 2 (1946) 110).
    """
    if len(runs) > 1:
        free = float(len(runs) - 1)
        return float(found.std()) * math.sqrt(len(runs) / free), free
    (run,) = runs
    values = run.residuals(influence(run))
    n, square = len(run), float(np.mean(values**2))
    kurtosis = float(np.mean(values**4)) / square**2 if square > 0 else 3.0
    free = max(2.0, min(n - 1.0, 2 * n / max(kurtosis - 1, 1e-9)))
    # Around their own mean it is measured too low by (1 + 4ρ)/n: M. G. Kendall, Biometrika 41 (1954) 403.
    alike = correlation(values)
    alike = max(0.0, alike + (1 + 4 * alike) / n)
    return float(found.std()) * math.sqrt(n / (n - 1) * (1 + 2 * alike)), free


def _drawn(runs: Sequence[Pieces], weights: Sequence[Floats], metric: str, values: Floats, percent: float) -> Floats:
    """Return the percentile (NaN: mean) of each draw: a row of each run's ``weights`` says how often it has each
    piece.
    """
    counted = sum(w @ run.hists[metric].sum(axis=1) for run, w in zip(runs, weights, strict=True))
    if math.isnan(percent):
        total = sum(w @ (run.hists[metric] @ run.values_ms[metric]) for run, w in zip(runs, weights, strict=True))
        return np.asarray(total / np.maximum(counted, 1e-300))
    # HdrHistogram's own rounding of the rank.
    rank = np.maximum(np.floor(percent / 100 * np.asarray(counted) + 0.5), 1)
    reached = [_reached(run, metric, values) for run in runs]
    # Halving, for all draws at once: to add up every histogram of every draw would take a hundred times as long.
    low, high = np.zeros(rank.size, np.int64), np.full(rank.size, values.size - 1)
    while (low < high).any():
        middle = (low + high) // 2
        below = sum(np.einsum("dp,pd->d", w, up[:, middle]) for w, up in zip(weights, reached, strict=True))
        enough = below >= rank - 1e-9
        low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
    return np.asarray(values[np.minimum(high, values.size - 1)])


def _reached(run: Pieces, metric: str, values: Floats) -> Floats:
    """Return how many records of each piece are not above each of ``values``."""
    rows, own = run.hists[metric], run.values_ms[metric]
    if own.size != values.size:
        spread = np.zeros((rows.shape[0], values.size))
        spread[:, np.searchsorted(values, own)] = rows
        rows = spread
    return rows.cumsum(axis=1)


def _p99(run: Pieces, metric: str) -> float:
    if not run.hists[metric].sum():
        return 0.0
    return float(_drawn([run], [np.ones((1, len(run)))], metric, run.values_ms[metric], 99)[0])

"""HdrHistogram counts in numpy, laid out exactly as ``hdrh.HdrHistogram(1, 3_600_000_000, 3)`` lays them out, in µs.

``hdrh`` records one value in 1 µs of pure Python and needs 1.3 ms for a percentile; these need some tens of ns and µs.
The index formula and the percentile rule are those of https://github.com/HdrHistogram/HdrHistogram
(``AbstractHistogram``), so its own codec encodes what is counted here and any HdrHistogram library can read it.
"""

from __future__ import annotations

import ctypes
import math
import struct
from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from hdrh.histogram import HdrHistogram
from numpy.typing import NDArray

from agenttop.metrics.delta import HistDelta

LOWEST_US = 1
HIGHEST_US = 3_600_000_000
DIGITS = 3
#: Length of hdrh's counts array for these parameters.
COUNTS = 23_552
_HALF_BITS = 10  # log2 of half the sub-buckets: 2 048 of them hold three significant digits
_SUB_BITS = _HALF_BITS + 1
_SUB_MASK = (1 << _SUB_BITS) - 1
_FEW = 16
#: The percentiles of a DIST, by key.
DIST_PERCENTILES = {"p50": 50.0, "p75": 75.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p99_9": 99.9}

Ints = NDArray[np.int64]


def counts_index(values_us: Ints) -> Ints:
    """Return the counts index of each value (µs, 0 to :data:`HIGHEST_US`)."""
    # frexp's exponent is the bit length; these values are exact in a double.
    bucket = np.frexp((values_us | _SUB_MASK).astype(np.float64))[1].astype(np.int64) - _SUB_BITS
    return (bucket << _HALF_BITS) + (values_us >> bucket)


def lowest_value(index: int) -> int:
    """Return the smallest value (µs) that is counted at ``index``."""
    bucket = max(0, (index >> _HALF_BITS) - 1)
    return (index - (bucket << _HALF_BITS)) << bucket


def highest_value(index: int) -> int:
    """Return the largest value (µs) that is counted at ``index``."""
    return lowest_value(index) + (1 << max(0, (index >> _HALF_BITS) - 1)) - 1


def fold(values_ns: array[int] | Ints) -> HistDelta:
    """Return the histogram of a batch of durations.

    Args:
        values_ns: ``array('q')`` or int64 array of ns. Below 0 counts as 0 (a timer may fire early); above 1 h is
            counted at 1 h, while minimum, maximum, sum and deviations stay exact.

    Raises:
        ValueError: there is nothing in it; "no sample" is no histogram.
    """
    if not len(values_ns):
        raise ValueError("nothing to fold")
    if len(values_ns) <= _FEW:
        return _fold_few(values_ns.tolist())
    values: Ints = values_ns if isinstance(values_ns, np.ndarray) else np.frombuffer(values_ns, dtype=np.int64)
    values = np.maximum(values, 0)
    exact = values / 1000.0
    apart = exact - exact.mean()
    index, counts = _tally(counts_index(np.minimum((values + 500) // 1000, HIGHEST_US)))
    return HistDelta(
        index.astype("<i4").tobytes(),
        counts.astype("<i8").tobytes(),
        int(values.size),
        float(exact.min()),
        float(exact.max()),
        float(exact.sum()),
        float(apart.dot(apart)),
    )


def _fold_few(values: list[int]) -> HistDelta:
    # numpy's fixed cost is 20 µs; in a light run most batches are of a few values.
    tally: dict[int, int] = {}
    exact = []
    for value in values:
        value = max(value, 0)
        exact.append(value / 1000)
        us = min((value + 500) // 1000, HIGHEST_US)
        bucket = (us | _SUB_MASK).bit_length() - _SUB_BITS
        index = (bucket << _HALF_BITS) + (us >> bucket)
        tally[index] = tally.get(index, 0) + 1
    indices = sorted(tally)
    mean = sum(exact) / len(exact)
    return HistDelta(
        struct.pack(f"<{len(indices)}i", *indices),
        struct.pack(f"<{len(indices)}q", *[tally[index] for index in indices]),
        len(values),
        min(exact),
        max(exact),
        sum(exact),
        sum([(value - mean) ** 2 for value in exact]),
    )


def merge(deltas: Sequence[HistDelta]) -> HistDelta:
    """Return one delta with the records of all; indices rising and each there once.

    Raises:
        ValueError: there are none.
    """
    if not deltas:
        raise ValueError("nothing to merge")
    if len(deltas) == 1:
        return deltas[0]
    index = np.frombuffer(b"".join([d.index for d in deltas]), "<i4")
    counts = np.frombuffer(b"".join([d.counts for d in deltas]), "<i8")
    first = int(index.min())
    # Counts are summed as doubles, exact to 2**53. A mask first: nonzero is ten times as fast on booleans.
    dense = np.bincount(index - first, counts)
    used = np.flatnonzero(dense > 0)
    count, total = sum([d.count for d in deltas]), sum([d.total for d in deltas])
    mean = total / count
    return HistDelta(
        (used + first).astype("<i4").tobytes(),
        dense[used].astype("<i8").tobytes(),
        count,
        min([d.low for d in deltas]),
        max([d.high for d in deltas]),
        total,
        # Chan, Golub, LeVeque: Updating formulae and a pairwise algorithm for computing sample variances (1979). Sums
        # of squares would lose small deviations of large times altogether.
        sum([d.deviations + d.count * (d.total / d.count - mean) ** 2 for d in deltas]),
    )


def percentiles_of(delta: HistDelta, percents: Iterable[float]) -> list[float]:
    """Return the percentiles (0 to 100) of one delta's records, in µs, clamped to its minimum and maximum."""
    index = np.frombuffer(delta.index, "<i4")
    counts = np.frombuffer(delta.counts, "<i8")
    return _percentiles(index, counts.cumsum(), percents, delta.low, delta.high)


def hdr_counts(text: str) -> Ints:
    """Return the counts by counts index of what :meth:`Hist.to_hdr` encoded; hdrh's own ways to them take 20 ms.

    Raises:
        Exception: of hdrh's codec, where it is no such text.
    """
    hdr = HdrHistogram.decode(text)
    return np.frombuffer(hdr.counts, np.int64, min(hdr.counts_len, COUNTS)).copy()


def hdr_percentiles(text: str, percents: Iterable[float]) -> list[float]:
    """Return percentiles (0 to 100) of an encoded histogram, in µs."""
    counts = hdr_counts(text)
    index = np.flatnonzero(counts > 0)
    return _percentiles(index, counts[index].cumsum(), percents, 0.0, math.inf)


class Hist:
    """A growing histogram, in µs: as long as its largest record needs (16 kB up to 2 ms, 188 kB up to 1 h).

    ``count``, ``low``, ``high``, ``total`` and ``deviations`` are as in :class:`~agenttop.metrics.delta.HistDelta`.
    """

    __slots__ = ("_counts", "count", "deviations", "high", "low", "total")

    def __init__(self) -> None:
        self._counts: Ints = np.zeros(0, np.int64)
        self.count = 0
        self.low = math.inf
        self.high = -math.inf
        self.total = 0.0
        self.deviations = 0.0

    @property
    def counts(self) -> Ints:
        """Return the records by counts index (none beyond its end). Not to be changed by the caller."""
        return self._counts

    def add(self, delta: HistDelta) -> None:
        """Add the delta's records."""
        if not delta.count:
            return
        index = np.frombuffer(delta.index, "<i4")
        self._grow(int(index.max()) + 1)
        np.add.at(self._counts, index, np.frombuffer(delta.counts, "<i8"))
        self._moments(delta)

    def merge(self, other: Hist) -> None:
        """Add the other's records."""
        if not other.count:
            return
        self._grow(other._counts.size)
        self._counts[: other._counts.size] += other._counts
        self._moments(other)

    def remove(self, delta: HistDelta, low: float, high: float) -> None:
        """Take out the delta's records, which are in it; ``low`` and ``high`` are those of the records that stay."""
        left = self.count - delta.count
        index = np.frombuffer(delta.index, "<i4")
        np.subtract.at(self._counts, index, np.frombuffer(delta.counts, "<i8"))
        if left <= 0:
            self.count, self.low, self.high, self.total, self.deviations = 0, math.inf, -math.inf, 0.0, 0.0
            return
        total = self.total - delta.total
        gap = delta.total / delta.count - total / left
        self.deviations = max(0.0, self.deviations - delta.deviations - gap * gap * left * delta.count / self.count)
        self.count, self.total, self.low, self.high = left, total, low, high

    def percentile(self, percent: float) -> float | None:
        """Return HdrHistogram's ``get_value_at_percentile`` in µs, clamped to [min, max]; None without records."""
        return self.percentiles((percent,))[0] if self.count else None

    def percentiles(self, percents: Iterable[float]) -> list[float]:
        """Return several percentiles in µs, at the price of about one.

        Raises:
            ValueError: there is no record.
        """
        if not self.count:
            raise ValueError("no record")
        index = np.flatnonzero(self._counts > 0)
        return _percentiles(index, self._counts[index].cumsum(), percents, self.low, self.high)

    @property
    def mean(self) -> float | None:
        """Return the exact mean in µs, not that of the buckets; None without records."""
        return self.total / self.count if self.count else None

    @property
    def stddev(self) -> float | None:
        """Return the standard deviation of the population in µs; None without records."""
        if not self.count:
            return None
        return math.sqrt(self.deviations / self.count)

    def dist(self, per_unit: float = 1000.0, *, hdr: bool = True) -> dict[str, float | int | str] | None:
        """Return the summary's DIST; None without records.

        Args:
            per_unit: µs in the unit wanted, 1000 for ms and 1 000 000 for seconds. ``hdr`` stays in µs.
            hdr: with it, which takes most of the time.
        """
        mean, stddev = self.mean, self.stddev
        if mean is None or stddev is None:
            return None
        values = dict(zip(DIST_PERCENTILES, self.percentiles(DIST_PERCENTILES.values()), strict=True))
        low = {"min": self.low, "mean": mean, "stddev": stddev}
        scaled = {key: round(value / per_unit, 6) for key, value in (low | values | {"max": self.high}).items()}
        found: dict[str, float | int | str] = {"count": self.count, **scaled}
        return found | {"hdr": self.to_hdr()} if hdr else found

    def to_hdr(self) -> str:
        """Return the standard HdrHistogram V2 encoding (compressed, base64), made by hdrh's codec."""
        used = np.flatnonzero(self._counts > 0)
        if not used.size:
            return str(HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS).encode(), "ascii")
        hdr, size = _encoder(), int(used[-1]) + 1
        ctypes.memmove(hdr.counts, self._counts.ctypes.data, size * 8)
        hdr.total_count = self.count
        hdr.min_value = lowest_value(int(used[0]))
        hdr.max_value = highest_value(int(used[-1]))
        try:
            return str(hdr.encode(), "ascii")
        finally:
            ctypes.memset(hdr.counts, 0, size * 8)

    def _grow(self, size: int) -> None:
        if size > self._counts.size:
            # Whole buckets, so that a slowly rising maximum does not copy every time.
            grown = np.zeros(-(-size // 1024) * 1024, np.int64)
            grown[: self._counts.size] = self._counts
            self._counts = grown

    def _moments(self, other: Hist | HistDelta) -> None:
        if self.count:
            gap = other.total / other.count - self.total / self.count
            self.deviations += gap * gap * self.count * other.count / (self.count + other.count)
        self.deviations += other.deviations
        self.count += other.count
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        self.total += other.total


@lru_cache(maxsize=1)
def _encoder() -> HdrHistogram:
    """Return the one that encodes, its counts 0: to make it takes longer than to encode with it, and a summary has
    hundreds.
    """
    return HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)


def _tally(index: Ints) -> tuple[Ints, Ints]:
    """Return the distinct indices, rising, and how often each occurs."""
    if index.size < 2000:  # sorting beats walking through every bucket up to the largest
        index = np.sort(index)
        first = np.flatnonzero(np.concatenate(([True], index[1:] != index[:-1])))
        return index[first], np.diff(np.append(first, index.size))
    dense = np.bincount(index)
    used = np.flatnonzero(dense > 0)
    return used, dense[used]


def _percentiles(
    index: NDArray[np.integer], reached: Ints, percents: Iterable[float], low: float, high: float
) -> list[float]:
    count = int(reached[-1])
    values = []
    for percent in percents:
        # HdrHistogram's own rounding of the rank.
        rank = max(int(min(percent, 100.0) * count / 100 + 0.5), 1)
        at = int(index[reached.searchsorted(rank)])
        value = highest_value(at) if percent else lowest_value(at)
        values.append(min(max(float(value), low), high))
    return values

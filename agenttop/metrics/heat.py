"""Sorts the latencies of one second into few buckets, for a picture of them over time: some tens of bytes a second."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from agenttop.metrics.delta import HistDelta
from agenttop.metrics.histogram import COUNTS, lowest_value

#: Two buckets an octave: bucket i is of LOWEST_MS * 2 ** (i / 2) and above. The first has also what is below it, the
#: last (12 minutes) whatever is above.
BUCKETS = 40
PER_OCTAVE = 2
LOWEST_MS = 1.0
#: A count is kept in 16 bits; a second with more in one bucket says so many.
MAX_COUNT = 65_535

_US = np.array([max(1, lowest_value(index)) for index in range(COUNTS)], dtype=np.float64)
_BUCKET = np.clip(np.floor(np.log2(_US / 1000 / LOWEST_MS) * PER_OCTAVE + 1e-9), 0, BUCKETS - 1).astype(np.int64)


def lower_ms(bucket: int) -> float:
    """Return where a bucket begins, in ms."""
    return float(LOWEST_MS * 2.0 ** (bucket / PER_OCTAVE))


def percentile_ms(counts: Sequence[int], percent: float) -> float | None:
    """Return a percentile (0 to 100) of counts by bucket, however many seconds were added up: the middle of its bucket,
    which is off by 19 % at most (half of half an octave) from 1 ms to 12 minutes. None without any.
    """
    rank = max(1, int(percent * sum(counts) / 100 + 0.5))
    for bucket, reached in enumerate(accumulate(counts)):
        if reached >= rank:
            return lower_ms(bucket) * float(2.0 ** (0.5 / PER_OCTAVE))
    return None


def heat(records: HistDelta | None) -> tuple[int, ...]:
    """Return the counts by bucket, without the zeros at the end; empty without records."""
    if records is None:
        return ()
    index = np.frombuffer(records.index, dtype="<i4")
    counts = np.frombuffer(records.counts, dtype="<i8")
    found = np.bincount(_BUCKET[index], weights=counts)
    return tuple(np.minimum(found, MAX_COUNT).astype(np.int64).tolist())

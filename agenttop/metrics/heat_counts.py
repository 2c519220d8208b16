"""Counts by bucket of every second (:mod:`agenttop.metrics.heat`), kept in some tens of bytes a second."""

from __future__ import annotations

from array import array
from itertools import zip_longest

import numpy as np

from agenttop.metrics.heat import BUCKETS, MAX_COUNT

#: Seconds of a block: an hour. Arrays that grow all day are moved again and again and leave holes in the heap as large
#: as they are.
BLOCK = 3600


class _Block:
    """One hour: for each second, where its counts begin and the bucket of the first of them."""

    __slots__ = ("cells", "firsts", "starts")

    def __init__(self) -> None:
        self.cells: array[int] = array("H")
        self.firsts: array[int] = array("B")
        self.starts: array[int] = array("I")


class HeatCounts:
    """For each second, the counts from the first to the last bucket that has any: 2 bytes each, and 5 a second."""

    __slots__ = ("_blocks",)

    def __init__(self) -> None:
        self._blocks = [_Block()]

    def append(self, counts: tuple[int, ...]) -> None:
        """Add the newest second; zeros at the end are left out of ``counts``."""
        if len(self._blocks[-1].starts) == BLOCK:
            self._blocks.append(_Block())
        block = self._blocks[-1]
        first = next((bucket for bucket, count in enumerate(counts) if count), 0)
        block.starts.append(len(block.cells))
        block.firsts.append(first)
        block.cells.extend(counts[first:])

    def add(self, index: int, counts: tuple[int, ...]) -> None:
        """Add more counts to those of a second."""
        both = [sum(pair) for pair in zip_longest(self.at(index), counts, fillvalue=0)]
        block, place = self._blocks[index // BLOCK], index % BLOCK
        begin = block.starts[place]
        stop = block.starts[place + 1] if place + 1 < len(block.starts) else len(block.cells)
        first = next((bucket for bucket, count in enumerate(both) if count), 0)
        cells = array("H", (min(count, MAX_COUNT) for count in both[first:]))
        block.cells[begin:stop] = cells
        block.firsts[place] = first
        for later in range(place + 1, len(block.starts)):
            block.starts[later] += len(cells) - (stop - begin)

    def clear(self) -> None:
        """Forget all seconds."""
        self._blocks = [_Block()]

    def at(self, index: int) -> tuple[int, ...]:
        """Return the counts of one second as they were added."""
        block, place = self._blocks[index // BLOCK], index % BLOCK
        stop = block.starts[place + 1] if place + 1 < len(block.starts) else len(block.cells)
        cells = block.cells[block.starts[place] : stop]
        return (*[0] * block.firsts[place], *cells) if cells else ()

    def parts(self, step: int, stop: int) -> list[tuple[int, ...]]:
        """Return the sums of every ``step`` seconds, of the seconds before ``stop``."""
        parts = stop // step
        sums = np.zeros(parts * BUCKETS)
        for number, block in enumerate(self._blocks):
            begin = number * BLOCK
            seconds = min(len(block.starts), parts * step - begin)
            if seconds <= 0:
                break
            end = block.starts[seconds] if seconds < len(block.starts) else len(block.cells)
            starts = np.frombuffer(block.starts, dtype=np.uint32)[:seconds].astype(np.int64)
            firsts = np.frombuffer(block.firsts, dtype=np.uint8)[:seconds].astype(np.int64)
            cells = np.frombuffer(block.cells, dtype=np.uint16)[:end]
            part = begin // step
            # Where the first cell of each second is counted, less its place among all cells.
            base = ((begin + np.arange(seconds)) // step - part) * BUCKETS + firsts - starts
            places = np.repeat(base, np.diff(starts, append=end)) + np.arange(end)
            found = np.bincount(places, weights=cells)
            sums[part * BUCKETS :][: len(found)] += found
        return [_shortened(counts) for counts in sums.reshape(-1, BUCKETS).astype(np.int64).tolist()]


def _shortened(counts: list[int]) -> tuple[int, ...]:
    """Return the counts without the zeros at the end."""
    while counts and not counts[-1]:
        counts.pop()
    return tuple(counts)

"""The timeline of a run: one tick a second, kept by column so that a day takes some megabytes."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

import msgspec

from agenttop.metrics.heat import heat
from agenttop.metrics.heat_counts import HeatCounts
from agenttop.metrics.live import WINDOW_S, Slice
from agenttop.metrics.snapshot import Tick

#: For viewers alone: in no summary. They are the last fields of a tick.
_COUNTS = ("latency_counts", "ttft_counts", "inter_chunk_counts")
_FIELDS = tuple(field.name for field in msgspec.structs.fields(Tick) if field.name not in _COUNTS)
_INTEGERS = frozenset({"stage", "users", "in_flight"})
_FLAGS = frozenset({"manual", "held"})
#: Ticks of a block: an hour. Arrays that grow all day are moved again and again and leave holes in the heap as large as
#: they are.
_BLOCK = 3600
#: What a viewer who comes late is told second by second; what was before, in at most so many parts.
NEWEST_S = 900
PARTS = 1024
_RATES = ("rps", "failed_per_s", "rate_limited_per_s", "output_tokens_per_s")
_TOUCHES_S = 1e-6


class _Column:
    """One figure of all ticks."""

    __slots__ = ("_blocks", "_type")

    def __init__(self, typecode: str) -> None:
        self._type = typecode
        self._blocks: list[array[Any]] = [array(typecode)]

    def __len__(self) -> int:
        return (len(self._blocks) - 1) * _BLOCK + len(self._blocks[-1])

    def append(self, value: float) -> None:
        block = self._blocks[-1]
        if len(block) == _BLOCK:
            block = array(self._type)
            self._blocks.append(block)
        block.append(value)

    def clear(self) -> None:
        self._blocks = [array(self._type)]

    def at(self, index: int) -> Any:
        return self._blocks[index // _BLOCK][index % _BLOCK]

    def put(self, index: int, value: float) -> None:
        self._blocks[index // _BLOCK][index % _BLOCK] = value

    def tobytes(self) -> bytes:
        return b"".join(block.tobytes() for block in self._blocks)

    def tolist(self) -> list[Any]:
        return [value for block in self._blocks for value in block]


class Timeline:
    """Ticks in order of time. 8 bytes a figure (1 a flag) and some 80 of counts by bucket: 20 MB for 24 hours."""

    def __init__(self, interval_s: float = 1.0) -> None:
        self.interval_s = interval_s
        self.last: Tick | None = None
        """The newest tick; None before the first."""
        self._columns = {
            name: _Column("b" if name in _FLAGS else "q" if name in _INTEGERS else "d") for name in _FIELDS
        }
        self._counts = {name: HeatCounts() for name in _COUNTS}

    def __len__(self) -> int:
        return len(self._columns["t_s"])

    def append(self, tick: Tick) -> None:
        """Add the newest tick."""
        self.last = tick
        for name, column in self._columns.items():
            value = getattr(tick, name)
            column.append(math.nan if value is None else value)
        for name, counts in self._counts.items():
            counts.append(getattr(tick, name))

    def amend(self, start_s: float, late: Slice) -> None:
        """Count what ended in the second that begins at ``start_s`` and was told after it was closed, in its rates and
        its counts by bucket; percentiles are put by :meth:`put`.
        """
        index = bisect_right(range(len(self)), start_s + _TOUCHES_S, key=self._columns["t_s"].at)
        if index == len(self):
            return
        before = self._columns["t_s"].at(index - 1) if index else 0.0
        seconds = max(self._columns["t_s"].at(index) - before, _TOUCHES_S)
        whole = late.whole
        counts = (whole.requests, whole.failed, whole.rate_limited, whole.sums["output_tokens"])
        for name, count in zip(_RATES, counts, strict=True):
            column = self._columns[name]
            column.put(index, round(column.at(index) + count / seconds, 3))
        for name, of in self._counts.items():
            if new := heat(whole.records(name.removesuffix("_counts"))):
                of.add(index, new)

    def put(self, t_s: float, values: Mapping[str, float | None]) -> None:
        """Put other figures, by field, into the tick that ends at ``t_s``; nothing if there is none."""
        index = bisect_right(range(len(self)), t_s - _TOUCHES_S - 0.001, key=self._columns["t_s"].at)
        if index == len(self) or self._columns["t_s"].at(index) > t_s + _TOUCHES_S + 0.001:
            return
        for name, value in values.items():
            self._columns[name].put(index, math.nan if value is None else value)

    def ticks(self) -> tuple[Tick, ...]:
        """Return all ticks."""
        columns = self.columns()
        rows = zip(*(columns[name] for name in _FIELDS), strict=True)
        whole: list[list[Any]] = [
            [*row, *(counts.at(index) for counts in self._counts.values())] for index, row in enumerate(rows)
        ]
        return tuple(Tick(*values) for values in whole)

    def forget(self) -> None:
        """Drop all ticks; :attr:`last` stays."""
        for column in self._columns.values():
            column.clear()
        for counts in self._counts.values():
            counts.clear()

    def overview(self, newest: int = NEWEST_S, parts: int = PARTS, *, length: int | None = None) -> tuple[Tick, ...]:
        """Return the ``newest`` ticks, and those before in at most so many ``parts``, for a viewer that comes late.

        Only the first ``length`` ticks count, if it is given. A part is its last tick, with the latency counts of all
        its ticks, and manual if any of them was. However long the run, this takes some tens of milliseconds.
        """
        whole = len(self) if length is None else min(length, len(self))
        old = max(0, whole - newest)
        step = -(-old // parts) or 1
        ends = [*range(step - 1, old, step), *range(old, whole)]
        flags = {name: self._columns[name].tobytes() for name in _FLAGS}
        counts = (
            [*(of.parts(step, old) if old else ()), *(of.at(end) for end in range(old, whole))]
            for of in self._counts.values()
        )
        of_parts = zip(*counts, strict=True)
        return tuple(
            self._part(end, step if end < old else 1, flags, of_part)
            for end, of_part in zip(ends, of_parts, strict=True)
        )

    def _part(self, end: int, length: int, flags: dict[str, bytes], counts: tuple[tuple[int, ...], ...]) -> Tick:
        values: list[Any] = [
            1 in flags[name][end + 1 - length : end + 1] if name in _FLAGS else self._columns[name].at(end)
            for name in _FIELDS
        ]
        cleaned: list[Any] = [None if value != value else value for value in values]
        return Tick(*cleaned, *counts)

    def columns(self) -> dict[str, list[Any]]:
        """Return a list by field of :class:`~agenttop.metrics.snapshot.Tick` but the counts; None where there is no
        sample.
        """
        return {name: self._column(name, column) for name, column in self._columns.items()}

    def summary(self) -> dict[str, Any]:
        """Return the summary's ``timeline``: ``interval_s``, what percentiles are of, and the columns."""
        return {"interval_s": self.interval_s, "percentiles_s": WINDOW_S, **self.columns()}

    def span(self, stage: int) -> tuple[float, float] | None:
        """Return when ``stage``'s first tick began and its last ended, in seconds since the run began; None without
        any.
        """
        stages, ends = self._columns["stage"].tolist(), self._columns["t_s"].tolist()
        try:
            first = stages.index(stage)
        except ValueError:
            return None
        last = len(stages) - 1 - stages[::-1].index(stage)
        return (ends[first - 1] if first else 0.0), ends[last]

    @staticmethod
    def _column(name: str, column: _Column) -> list[Any]:
        values = column.tolist()
        if name in _FLAGS:
            return [bool(value) for value in values]
        if name in _INTEGERS:
            return values
        return [None if value != value else value for value in values]

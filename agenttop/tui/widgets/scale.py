"""The scale of a chart: from zero, or logarithmic with ticks of 1, 2 and 5 in each decade."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agenttop.tui.widgets.chart import Values, level

#: A logarithmic scale begins no lower: figures below are all written as 0.0.
LEAST = 0.1
#: And it is of so many times its begin at least, so that noise does not look like a cliff.
_LEAST_SPAN = 10.0


@dataclass(frozen=True, slots=True)
class Scale:
    """What the highest and the lowest row of a chart stand for; a ``bottom`` above zero makes it logarithmic."""

    top: float
    bottom: float = 0.0

    def share(self, value: float) -> float:
        """Return how high a value stands: 0 at the bottom or below, 1 at the top, more beyond."""
        if not self.bottom:
            return value / self.top if self.top > 0 else 0.0
        return math.log(max(value, self.bottom) / self.bottom) / math.log(self.top / self.bottom)

    def shares(self, values: Values) -> list[float | None]:
        """Return how high each stands."""
        return [None if value is None else self.share(value) for value in values]

    def labels(self, rows: int, per_row: int) -> dict[int, float]:
        """Return the values to write beside the rows of a chart, 0 the highest, by row.

        Where two fall on one row, or there are but few rows, the ends come first, then whole decades.

        Args:
            rows: of the chart.
            per_row: levels that are told apart in a row: 4 in braille, 1 in ASCII.
        """
        found: dict[int, float] = {}
        for tick in sorted(self._ticks(), key=lambda tick: (tick not in (self.top, self.bottom), not _whole(tick))):
            row = rows - 1 - level(self.share(tick), 1.0, rows * per_row) // per_row
            found.setdefault(row, tick)
        return found

    def _ticks(self) -> Sequence[float]:
        if not self.bottom:
            return [self.top, 0.0]
        found = [self.bottom]
        while found[-1] < self.top * (1 - 1e-9):
            found.append(_ceiling(found[-1] * 1.01))
        return found


def logarithmic(values: Iterable[float]) -> Scale:
    """Return the scale that all values above zero stand on, its ends 1, 2 or 5 times a power of ten."""
    shown = [value for value in values if value > 0 and math.isfinite(value)] or [1.0]
    top = _ceiling(max(*shown, LEAST * _LEAST_SPAN))
    least = max(LEAST, min(min(shown), top / _LEAST_SPAN))
    return Scale(top, _floor(least))


def _ceiling(value: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten."""
    power = math.floor(math.log10(value) + 1e-9)
    return next(step for step in (_times(1, power), _times(2, power), _times(5, power), _times(1, power + 1))
                if value <= step * (1 + 1e-9))  # fmt: skip


def _floor(value: float) -> float:
    """Return the one before."""
    power = math.floor(math.log10(value) + 1e-9)
    return next(step for step in (_times(5, power), _times(2, power), _times(1, power)) if value >= step * (1 - 1e-9))


def _times(digit: int, power: int) -> float:
    return float(f"{digit}e{power}")  # as it is written: 0.2 and not 0.2000…1


def _whole(tick: float) -> bool:
    """Return whether it is a power of ten."""
    return f"{tick:e}".startswith("1.000")

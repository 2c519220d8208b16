"""Keeps the whole run in a bounded number of parts, so that a trend of a day costs as much as one of an hour."""

from __future__ import annotations

import math

from msgspec.structs import fields, replace

from agenttop.metrics.request_trends import added
from agenttop.metrics.snapshot import Tick

#: There are never more parts.
MAX_TICKS = 1024
#: What is a mean of its parts; of the rest, the newest stands for all. Percentiles have no means: those of a long part
#: are made of its counts by bucket, which are sums (see ``tui/history.py``).
_MEANS = tuple(
    field.name
    for field in fields(Tick)
    if field.name.endswith("_per_s") or field.name in ("rps", "target", "users", "in_flight")
)
_WHOLE = frozenset({"users", "in_flight"})
_COUNTS = tuple(field.name for field in fields(Tick) if field.name.endswith("_counts"))
#: Of a part, by field: sum and number of the samples.
_Sums = dict[str, tuple[float, int]]


class Whole:
    """Ticks from the beginning on, merged to parts of equal length, which doubles when there are too many."""

    def __init__(self) -> None:
        self.each_s = 1
        self.ticks: list[Tick] = []
        self._sums: list[_Sums] = []

    def add(self, tick: Tick) -> None:
        """Append the newest tick."""
        self._append(tick, {name: (value, 1) for name in _MEANS if (value := getattr(tick, name)) is not None})
        if len(self.ticks) > MAX_TICKS:
            self.each_s *= 2
            ticks, sums = self.ticks, self._sums
            self.ticks, self._sums = [], []
            for part, of_part in zip(ticks, sums, strict=True):
                self._append(part, of_part)

    def _append(self, tick: Tick, sums: _Sums) -> None:
        if not self.ticks or self._part(self.ticks[-1]) != self._part(tick):
            self.ticks.append(tick)
            self._sums.append(sums)
            return
        before = self._sums[-1]
        for name in before.keys() | sums.keys():
            (a, n), (b, m) = before.get(name, (0.0, 0)), sums.get(name, (0.0, 0))
            before[name] = (a + b, n + m)
        self.ticks[-1] = together(self.ticks[-1], tick, before)

    def _part(self, tick: Tick) -> int:
        return math.ceil(tick.t_s / self.each_s)


def together(first: Tick, second: Tick, sums: _Sums) -> Tick:
    """Return two ticks as one: means of ``sums``, sums of the counts by bucket, and everything else from the second."""
    means: dict[str, object] = {}
    for name, (total, count) in sums.items():
        means[name] = round(total / count) if name in _WHOLE else total / count
    return replace(
        second,
        manual=first.manual or second.manual,
        held=first.held or second.held,
        **{name: added(getattr(first, name), getattr(second, name)) for name in _COUNTS},
        **means,
    )

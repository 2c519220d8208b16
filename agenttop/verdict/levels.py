"""What was measured at each level of load: rate of ok answers and response time, of seconds in which the load stood.

A second counts under the load that its answers were asked under, one response time ago; the first seconds after the
load has moved do not count, nor those in which a queue of a higher load may still drain, nor the run's first ones, in
which users set up what they need. While a queue fills, quick requests overtake those that stand in it more than once:
where a level has stood for long enough, only what came after that is taken for its throughput (``rested``).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from agenttop.verdict.second import Second

#: Loads that are closer are kept as one.
_APART = 1.05
#: Levels of so many answers and seconds say something; neighbours within a ratio are put together until they do.
MIN_ANSWERS, MIN_SECONDS, NEAR = 20, 3.0, 1.3
#: A load that moved by more while an answer takes has not settled.
STEADY = 1.35
#: A level has rested when its load has not moved by more than a tenth for so many seconds, and twice the response time.
REST_S, MOVED = 5.0, 1.1
#: Highest response time that is waited for, in seconds.
_MOST_S = 60.0


@dataclass(slots=True)
class Level:
    """What was measured at one level: ``load_s`` is load × seconds, latencies are of ok answers in µs."""

    seconds: float = 0.0
    load_s: float = 0.0
    ok: int = 0
    refused: int = 0
    latencies: int = 0
    total_us: float = 0.0
    deviations: float = 0.0

    @property
    def load(self) -> float:
        """Return the mean load."""
        return self.load_s / self.seconds if self.seconds else 0.0

    @property
    def per_s(self) -> float:
        """Return ok answers per second."""
        return self.ok / self.seconds if self.seconds else 0.0

    @property
    def response_s(self) -> float:
        """Return the mean response time in seconds; 0 without an answer."""
        return self.total_us / self.latencies / 1e6 if self.latencies else 0.0

    @property
    def says_something(self) -> bool:
        """Return whether there is enough of it."""
        return self.ok >= MIN_ANSWERS and self.seconds >= MIN_SECONDS

    def add(self, other: Level) -> None:
        """Add what was measured at another; deviations as Chan, Golub and LeVeque add them (1979)."""
        if self.latencies and other.latencies:
            gap = other.total_us / other.latencies - self.total_us / self.latencies
            both = self.latencies + other.latencies
            self.deviations += gap * gap * self.latencies * other.latencies / both
        self.deviations += other.deviations
        self.seconds += other.seconds
        self.load_s += other.load_s
        self.ok += other.ok
        self.refused += other.refused
        self.latencies += other.latencies
        self.total_us += other.total_us


def together(levels: list[Level]) -> Level:
    """Return several levels as one."""
    whole = Level()
    for level in levels:
        whole.add(level)
    return whole


class Levels:
    """The levels of one run so far."""

    def __init__(self) -> None:
        self._bins: dict[int, Level] = {}
        self._rested: dict[int, Level] = {}
        self._begun_s: float | None = None
        self._stood = (0.0, 0.0)
        """When the load moved last, and what it has been since."""
        self._loads: deque[tuple[float, float]] = deque()
        """(end of the second, load) of the newest seconds."""
        self.most = 0.0
        """The highest load that was measured."""

    def add(self, second: Second, first_s: float, now_s: float) -> None:
        """Count a second, if its load has settled.

        Args:
            second: what ended in it.
            first_s: response time at light load, as far as it is known.
            now_s: response time now.
        """
        t_s = second.t_s
        if self._begun_s is None:
            self._begun_s = t_s - second.seconds
        since_s, stood = self._stood
        if not stood / MOVED <= second.load <= stood * MOVED:
            since_s, stood = self._stood = (t_s - second.seconds, second.load)
        self._loads.append((t_s, second.load))
        lag_s, drain_s = 1 + min(2 * first_s, _MOST_S), 1 + min(3 * now_s, 2 * _MOST_S)
        while self._loads[0][0] < t_s - max(drain_s, lag_s, 10.0) - 1:
            self._loads.popleft()
        lately = [load for at_s, load in self._loads if at_s >= t_s - lag_s - 1e-6]
        before = [load for at_s, load in self._loads if at_s >= t_s - drain_s - 1e-6]
        low, high = min(lately), max(lately)
        if low <= 0 or high > STEADY * low or max(before) > STEADY * second.load or t_s - self._begun_s <= lag_s:
            return
        asked = [load for at_s, load in self._loads if t_s - first_s - 1.5 <= at_s <= t_s - first_s + 0.5] or lately
        load = sum(asked) / len(asked)
        if load <= 0:
            return
        new = Level(second.seconds, load * second.seconds)
        for request, answers in second.answers.items():
            if second.driven is not None and request not in second.driven:
                continue
            records = answers.latency
            new.add(Level(ok=answers.ok, refused=answers.refused))
            if records is not None:
                new.add(Level(latencies=records.count, total_us=records.total, deviations=records.deviations))
        self._bins.setdefault(_bin(load), Level()).add(new)
        if t_s - since_s > max(REST_S, 2 * now_s):
            self._rested.setdefault(_bin(load), Level()).add(new)
        self.most = max(self.most, load)

    def all(self) -> list[Level]:
        """Return the levels that say something, the lightest first."""
        return _grouped(self._bins)

    def rested(self) -> list[Level]:
        """Return the same, of what has rested where that says something by itself."""
        best = {key: rested for key, rested in self._rested.items() if rested.says_something}
        return _grouped({**self._bins, **best})

    def at(self, load: float) -> Level | None:
        """Return the level that a load is in, or the nearest below it that is almost the same; None if it has not
        been measured.
        """
        near = [level for level in self.all() if load / NEAR <= level.load <= load * _APART]
        return near[-1] if near else None


def _bin(load: float) -> int:
    return round(math.log(load) / math.log(_APART))


def _grouped(bins: Mapping[int, Level]) -> list[Level]:
    """Return levels that say something, neighbours put together where they say too little."""
    found: list[Level] = []
    open_: Level | None = None
    for key in sorted(bins):
        level = together([bins[key]])
        if open_ is not None and not open_.says_something and level.load <= NEAR * open_.load:
            open_.add(level)
        else:
            if open_ is not None:
                found.append(open_)
            open_ = level
    if open_ is not None:
        found.append(open_)
    return [level for level in found if level.says_something]

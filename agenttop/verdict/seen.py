"""All that a verdict remembers of the seconds so far."""

from __future__ import annotations

from agenttop.verdict.baseline import Baseline
from agenttop.verdict.knee import flat
from agenttop.verdict.levels import Level, Levels
from agenttop.verdict.second import USERS, Second
from agenttop.verdict.silence import Silence
from agenttop.verdict.window import Window, sums_of


class Seen:
    """The first answers, the newest ones, the levels of load, and how long nothing was answered.

    Args:
        names: of the run's requests, by index.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.unit = USERS
        self.baseline = Baseline()
        self.window = Window()
        self.levels = Levels()
        self.silence = Silence()
        self.hangs = False
        """Nothing is answered, as of the newest second."""
        self.oldest_s = 0.0
        self.in_flight = 0

    def take(self, second: Second) -> None:
        """Take a second; one of the warm-up, or in which nothing was to be sent, is in no figure."""
        self.unit, self.oldest_s, self.in_flight = second.unit, second.oldest_s, second.in_flight
        self.hangs = self.silence.look(second)
        if second.warmup or not second.sending:
            return
        sums = sums_of(second, self.baseline)
        if not second.doubts:
            self.baseline.take(second)
        self.window.add(second, sums)
        if not second.doubts:
            self.levels.add(second, (self.baseline.mean_us or 0.0) / 1e6, self._mean_s())

    def flat(self, load: float) -> bool | None:
        """Return whether throughput has not grown with the load up to this one; None where it cannot be told."""
        level = self.levels.at(load)
        if level is None:
            return None
        return flat(level, [other for other in self.levels.all() if other.load < level.load], self.unit)

    def at(self, load: float) -> Level | None:
        """Return what was measured at a load; None if nothing was."""
        return self.levels.at(load)

    def _mean_s(self) -> float:
        records = self.window.latency()
        return records.total / records.count / 1e6 if records is not None else 0.0

"""Stages of a plan: a target that changes linearly from stage to stage, its integral, and the integral's inverse.

The vocabulary is k6's (`ramping-vus`, `ramping-arrival-rate`): every stage goes linearly from the target before it to
its own. The target is a number of users or a rate per second; the integral of a rate is a number of arrivals. All times
are seconds since the plan began.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from agenttop.schedule.sums import ExactSum


@dataclass(frozen=True, slots=True)
class Stage:
    """Go to ``target`` within ``duration`` seconds: linearly, or at the stage's start with ``step``."""

    duration: float
    target: float
    step: bool = False


def stage_name(begin: float, end: float) -> str:
    """Return the name of a stage that was given none: ``ramp``, ``hold`` or ``drain``."""
    if end > begin:
        return "ramp"
    return "hold" if end == begin else "drain"


# Within a stage that begins at s with the value a and ends d seconds later with the value b, at x = elapsed − s:
#
#     value      v(x) = a + k·x            with the slope k = (b − a) / d
#     integral   I(x) = a·x + k·x²/2 = x·(a + v(x))/2
#     inverse    x(r) = 2r / (a + √(a² + 2kr))
#
# The inverse is the quadratic formula with its numerator rationalised: it loses no digits where k is small, and needs
# no case of its own for k = 0. A stage of no duration holds no time and is only a jump of the value.

#: Integrals closer together than this (relative, absolute below 1) are the same count: ⅓ s at 3/s is one arrival.
_SAME = 1e-12


class Ramp:
    """A target (users, or a rate per second) over its stages.

    ``start`` is the value the first stage leaves from. A boundary belongs to the stage that begins there.

    Raises:
        ValueError: a duration or target is negative or not finite.
    """

    __slots__ = ("_counts", "_ends", "_first", "_last", "_rises", "_starts", "bounds", "duration", "stages", "start")

    def __init__(self, stages: Sequence[Stage], start: float = 0.0) -> None:
        self.stages = tuple(stages)
        self.start = start
        for value in (start, *(stage.duration for stage in stages), *(stage.target for stage in stages)):
            if not 0 <= value < math.inf:
                raise ValueError(f"durations and targets are finite and not negative, unlike {value!r}")
        self._first: list[float] = []
        self._rises: list[float] = []
        self._starts: list[float] = []
        self._ends: list[float] = []
        self._counts: list[float] = []
        """The integral at the end of each stage."""
        self._last = self.stages[-1].target if self.stages else start
        elapsed, value = 0.0, start
        ends, areas = ExactSum(), ExactSum()
        for stage in self.stages:
            first = stage.target if stage.step else value
            self._first.append(first)
            self._rises.append((stage.target - first) / stage.duration if stage.duration else 0.0)
            self._starts.append(elapsed)
            # Sums of all durations so far, each rounded once: boundaries stay where the profile puts them.
            elapsed = ends.add(stage.duration)
            self._ends.append(elapsed)
            self._counts.append(areas.add(stage.duration * (first + stage.target) / 2))
            value = stage.target
        self.duration = elapsed
        """Seconds from the first stage's start to the last one's end."""
        self.bounds: tuple[tuple[float, float], ...] = tuple(zip(self._starts, self._ends, strict=True))
        """(start, end) of every stage in seconds."""

    def stage_at(self, elapsed: float) -> int:
        """Return the index of the stage at ``elapsed``; −1 after the end."""
        index = bisect_right(self._ends, elapsed)
        return index if index < len(self._ends) else -1

    def at(self, elapsed: float) -> float:
        """Return the target at ``elapsed``: after the end the last stage's, before 0 the value the first one begins
        with.
        """
        index = bisect_right(self._ends, elapsed)
        if index == len(self._ends):
            return self._last
        return self._first[index] + self._rises[index] * max(elapsed - self._starts[index], 0.0)

    def users_at(self, elapsed: float) -> int:
        """Return the target at ``elapsed`` in whole users, halves rounded up."""
        return math.floor(self.at(elapsed) + 0.5)

    def next_change(self, elapsed: float) -> float:
        """Return the earliest time after ``elapsed`` at which ``users_at`` changes; infinite if there is none."""
        users = self.users_at(elapsed)
        for index in range(bisect_right(self._ends, elapsed), len(self._ends)):
            start, end, rise = self._starts[index], self._ends[index], self._rises[index]
            begin = max(start, elapsed)
            if start == end:
                continue
            if self.users_at(begin) != users:
                return begin
            if rise:
                edge = users + (0.5 if rise > 0 else -0.5)
                time = max(start + (edge - self._first[index]) / rise, begin)
                # A falling value is another number only *after* its half, and a rounded time may lie just before it.
                nudge = math.ulp(time)
                while time < end and self.users_at(time) == users:
                    time += nudge
                    nudge *= 2
                if time < end:
                    return time
        return self.duration if elapsed < self.duration and self.users_at(self.duration) != users else math.inf

    def integral(self, elapsed: float) -> float:
        """Return ∫ of the target from 0 to ``elapsed``. It stays after the end: the plan asks for nothing more then."""
        if elapsed <= 0:
            return 0.0
        index = bisect_right(self._ends, elapsed)
        before = self._counts[index - 1] if index else 0.0
        if index == len(self._ends):
            return before
        into = elapsed - self._starts[index]
        return before + into * (self._first[index] + self._rises[index] * into / 2)

    def inverses(self, counts: Sequence[float]) -> list[float]:
        """Return the smallest elapsed time at which the integral reaches each of ``counts``, which ascend.

        One walk over the stages; the times never descend, and are infinite where a count is never reached.
        """
        times: list[float] = []
        last = 0.0
        position, total = 0, len(counts)
        while position < total:
            count = counts[position]
            if count <= 0:
                times.append(0.0)
                position += 1
                continue
            index = bisect_left(self._counts, count - _SAME * max(count, 1.0))
            if index == len(self._counts):
                times.extend([math.inf] * (total - position))
                break
            start, end, first, rise = self._starts[index], self._ends[index], self._first[index], self._rises[index]
            before = self._counts[index - 1] if index else 0.0
            reached = self._counts[index] - _SAME * max(self._counts[index], 1.0)
            square, rise2, sqrt = first * first, 2 * rise, math.sqrt
            while position < total and (count := counts[position]) < reached:
                need = count - before
                # Negative only by rounding, within a hair of the end of a fall to 0.
                root = square + rise2 * need
                time = start + 2 * need / (first + sqrt(root)) if root > 0 else end
                last = time if time > last else last
                times.append(last)
                position += 1
            # What the stage's whole area reaches is reached at its very end, free of the formula's rounding.
            while position < total and counts[position] - _SAME * max(counts[position], 1.0) <= self._counts[index]:
                last = max(last, end)
                times.append(last)
                position += 1
        return times

"""Computes when the iterations of an open pool begin: the n-th arrival as an absolute time.

Every worker runs the same sequence and takes every k-th of it, so it depends on nothing but the plan, the seed and the
changes made. Times are seconds since the run began.
"""

from __future__ import annotations

import math
import sys
from bisect import bisect_right
from itertools import accumulate
from random import Random

from agenttop.schedule.control import Control
from agenttop.schedule.stages import Ramp

# The count function Λ(e) = ∫₀ᵉ rate is continuous and never falls. The n-th arrival (n = 1, 2, …) is at
#
#     constant   Λ⁻¹(n)
#     Poisson    Λ⁻¹(Sₙ),  Sₙ = X₁ + … + Xₙ,  Xᵢ independent unit exponentials
#
# The second is the time-rescaling theorem read backwards: a Poisson process of rate λ(t) is one of rate 1 on the axis Λ
# (Daley & Vere-Jones, An Introduction to the Theory of Point Processes I, theorem 7.4.I; Çinlar's inversion method).
#
# A change at c begins a new piece of Λ, on which the rate is, the first line that fits:
#
#     paused            0
#     manual rate r     r                          Λ(e) = Λ(c) + r·(e − c)
#     held at p         the ramp's value at p      likewise
#     otherwise         the ramp at e + shift      Λ(e) = Λ(c) + I(e + shift) − I(c + shift)
#
# where the ramp's value is 0 from its end on. Nothing else changes, so what had already grown towards the next arrival
# is kept, and by any time the number of arrivals is ⌊Λ⌋ (Poisson: the n with Sₙ ≤ Λ < Sₙ₊₁), however often it changed.

#: Arrivals computed at a time: enough to make their cost small, few enough to take well under a millisecond.
_BLOCK = 256

#: Any arrival that comes at all is at or before this.
_LATEST = sys.float_info.max


class Arrivals:
    """The arrivals of one open pool. ``peek`` and ``pop`` follow the plan until ``change`` says otherwise."""

    __slots__ = (
        "_base", "_count", "_counts", "_from", "_next", "_poisson", "_ramp", "_random", "_rate", "_shift", "_times",
        "number",
    )  # fmt: skip

    def __init__(self, ramp: Ramp, *, poisson: bool, seed: int) -> None:
        self._ramp = ramp
        self._poisson = poisson
        self._random = Random(seed)
        self.number = 1
        """Number of the next arrival, from 1."""
        self._count = 0.0
        """Sₙ of the last arrival drawn."""
        self._counts: list[float] = []
        """Sₙ of the arrivals drawn together, and their times; ``_next`` is the first that is not yet taken."""
        self._times: list[float] = []
        self._next = 0
        # The piece: it begins at _from, where Λ is _base; a rate of None is the ramp's, shifted.
        self._from = 0.0
        self._base = 0.0
        self._rate: float | None = None
        self._shift = 0.0
        self._draw()

    def peek(self) -> float:
        """Return the time of the next arrival; infinite if, as things stand, there is none."""
        return self._times[self._next]

    def pop(self) -> float:
        """Take the next arrival and return its time. An infinite one stays: a change may yet make it real."""
        time = self._times[self._next]
        if time != math.inf:
            self.number += 1
            self._next += 1
            if self._next == len(self._times):
                self._draw()
        return time

    def pop_until(self, until: float, limit: int = 1_000_000) -> list[float]:
        """Pop the arrivals up to ``until``, at most ``limit``: the first has the ``number`` from before the call."""
        taken: list[float] = []
        until = min(until, _LATEST)
        while True:
            stop = min(bisect_right(self._times, until, self._next), self._next + limit - len(taken))
            taken += self._times[self._next : stop]
            self.number += stop - self._next
            self._next = stop
            if stop < len(self._times):
                return taken
            self._draw()

    def expected(self, elapsed: float) -> float:
        """Return Λ at ``elapsed``, which is not before the last change."""
        if self._rate is not None:
            return self._base + self._rate * (elapsed - self._from)
        ramp, shift = self._ramp, self._shift
        return self._base + ramp.integral(elapsed + shift) - ramp.integral(self._from + shift)

    def change(self, elapsed: float, control: Control, pool: int, ramp: Ramp | None = None) -> None:
        """Follow ``control`` from ``elapsed`` on, as the pool of this index; ``ramp`` is that of an edited plan.

        Changes come in the order of their times; one dated before the last takes effect with it. Arrivals popped are
        not taken back: where the new rate would have had them earlier or later, the next ones make up for it.
        """
        elapsed = max(elapsed, self._from)
        # What was due before the change keeps its time: the sequence must not depend on how far it has been taken.
        while self._times[-1] <= elapsed:
            self._draw()
        self._base = self.expected(elapsed)
        self._from = elapsed
        # Λ so far is of the old plan; of the new one only differences from here on are used.
        self._ramp = self._ramp if ramp is None else ramp
        self._shift = control.shift
        if control.paused:
            self._rate = 0.0
        elif pool in control.pool_rates:
            self._rate = control.pool_rates[pool]
        elif control.held_at is not None:
            self._rate = self._ramp.at(control.held_at) if control.held_at < self._ramp.duration else 0.0
        else:
            self._rate = None
        first = bisect_right(self._times, elapsed, self._next)
        self._times[first:] = self._place(self._counts[first:])

    def _draw(self) -> None:
        """Draw the next block of arrivals, and forget those taken."""
        if self._poisson:
            draw, log = self._random.random, math.log
            steps = [-log(1.0 - draw()) for _ in range(_BLOCK)]
            counts = list(accumulate(steps, initial=self._count))[1:]
        else:
            counts = [self._count + step for step in range(1, _BLOCK + 1)]
        self._count = counts[-1]
        self._counts = self._counts[self._next :] + counts
        self._times = self._times[self._next :] + self._place(counts)
        self._next = 0

    def _place(self, counts: list[float]) -> list[float]:
        """Return Λ⁻¹ of ascending counts on the piece that holds now."""
        begin, base, rate = self._from, self._base, self._rate
        if rate is None:
            before = self._ramp.integral(begin + self._shift)
            times = self._ramp.inverses([count - base + before for count in counts])
            return [max(time - self._shift, begin) for time in times] if begin or self._shift else times
        if rate > 0:
            return [begin + (count - base) / rate if count > base else begin for count in counts]
        # What Λ has reached already (by a hair, if at all) is due; nothing more comes.
        return [begin if count <= base else math.inf for count in counts]

"""Chooses the next level: twice the last one until one fails, then the middle of what is left."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

#: Why there is no next level.
FOUND = "found"
AT_MAX = "at_max"
BELOW_MIN = "below_min"

# best is the highest level that holds and worst the lowest that does not, as far as is known.
#
#     best   worst             next                                  ends
#     –      –                 lowest
#     –      lowest            –                                     below_min
#     b      –                 min(2b, highest)                      at_max where b = highest
#     b      w                 the middle of b and w                 found where w − b ≤ resolution
#
# A level is never more than twice one that holds: a target is overloaded, not buried. What is found is a bracket; that
# a target which fails at w also fails above it is taken for granted.


@dataclass(frozen=True, slots=True)
class Span:
    """The range that is searched: users (``whole``) or iterations per second, from ``lowest`` to ``highest``."""

    lowest: float
    highest: float
    whole: bool = True
    share: float = 0.05
    """The resolution as a part of the level; ``absolute`` replaces it."""
    absolute: float | None = None

    def resolution(self, level: float) -> float:
        """Return how close the two ends of a bracket at ``level`` have to be."""
        wanted = level * self.share if self.absolute is None else self.absolute
        return max(wanted, 1.0) if self.whole else wanted


@dataclass(frozen=True, slots=True)
class Levels:
    """What is known of a span: its highest level that holds, its lowest that does not."""

    span: Span
    best: float | None = None
    worst: float | None = None

    def after(self, level: float, *, holds: bool) -> Levels:
        """Return what is known once ``level`` has been tried."""
        return replace(self, best=level) if holds else replace(self, worst=level)

    @property
    def ended(self) -> str:
        """Return :data:`FOUND`, :data:`AT_MAX` or :data:`BELOW_MIN`; empty while there is a next level."""
        span, best, worst = self.span, self.best, self.worst
        if best is None:
            return BELOW_MIN if worst is not None else ""
        if worst is None:
            return AT_MAX if best >= span.highest else ""
        # A hair more than the resolution is the resolution: levels are sums of halves.
        return FOUND if worst - best <= span.resolution(best) * (1 + 1e-9) else ""

    @property
    def next(self) -> float | None:
        """Return the level to try; None if the search has ended."""
        if self.ended:
            return None
        if self.best is None:
            return self.span.lowest
        if self.worst is None:
            return min(self.best * 2, self.span.highest)
        middle = (self.best + self.worst) / 2
        return float(math.floor(middle)) if self.span.whole else middle

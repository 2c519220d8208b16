"""One level being tried, from when it is set until it can be judged. Fed the time; it reads no clock.

    clearing ──nothing in flight──► arriving ──users are there──► settling ──settle──► measuring
                                                                                          │ measure
                     over ◄──decided── judge ◄──all answered, or too late to be good──────┤
                                         └──undecided──► measured on, up to max_measure ──┘

A level of arrivals that follows one that failed begins with clearing: nothing arrives until what has queued up is gone,
for it would be held against the lower level. Users in a closed pool take their queue with them as they leave.

What counts are the requests *sent* within a measured window, whenever they end: those that end within it would be the
fast ones. So a window is judged when all of its requests have been answered, or when those that have not are too late
to be good (``patience``); those count as not good. Windows follow each other without a gap: while one is waited for,
the next is measured already, and is dropped where the first decides.
"""

from __future__ import annotations

from dataclasses import dataclass

CLEARING = "clearing"
ARRIVING = "arriving"
SETTLING = "settling"
MEASURING = "measuring"
FINISHING = "finishing"
"""Measured as long as allowed: the last answers are waited for."""

#: What is in flight is told late: before so many seconds nobody believes that it is nothing.
CLEAR_S = 0.6
#: A window that is shorter than this part of ``measure_s`` is not worth a mark of its own.
_WORTH = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """How long each phase of a level takes or may take, in seconds."""

    settle_s: float
    measure_s: float
    max_measure_s: float
    patience_s: float
    """A request that is not answered after so long cannot be good."""
    arrive_s: float
    """Users that are not there after so long do not come."""


@dataclass(slots=True)
class Window:
    """Requests sent from ``start_s`` to ``end_s`` (None while it is open) are counted under ``mark``."""

    mark: int
    start_s: float
    end_s: float | None = None

    def length_s(self, t_s: float) -> float:
        """Return its length in seconds, up to ``t_s`` while it is open."""
        return (t_s if self.end_s is None else self.end_s) - self.start_s


class Step:
    """One level being tried. ``mark`` is the first of the marks it may use; they count up."""

    def __init__(
        self, level: float, begin_s: float, pace: Pace, mark: int, *, not_before_s: float = 0.0, clear: bool = False
    ) -> None:
        self.level = level
        self.begin_s = begin_s
        self.pace = pace
        self.phase = CLEARING if clear else ARRIVING
        self.since_s = begin_s
        """When the phase began."""
        self.closed: list[Window] = []
        """Windows that are over and count."""
        self.waiting: Window | None = None
        """The window whose answers are waited for."""
        self.open: Window | None = None
        """The newest window."""
        self._next_mark = mark
        self._not_before_s = not_before_s

    @property
    def wanted(self) -> float:
        """Return the users or arrivals to have now."""
        return 0.0 if self.phase == CLEARING else self.level

    @property
    def mark(self) -> int:
        """Return the mark that requests sent from now on are counted under; 0 for none."""
        return self.open.mark if self.open is not None and self.open.end_s is None else 0

    @property
    def draining(self) -> int:
        """Return the mark whose requests in flight matter; 0 for none."""
        return self.waiting.mark if self.waiting is not None else 0

    @property
    def next_mark(self) -> int:
        """Return the first mark that is not used yet."""
        return self._next_mark

    @property
    def counted(self) -> list[int]:
        """Return the marks that a judgement would use now: those of whole windows, and of the one that is
        waited for.
        """
        return [window.mark for window in (*self.closed, *((self.waiting,) if self.waiting is not None else ()))]

    @property
    def shown(self) -> list[int]:
        """Return all marks used so far, for viewers."""
        return self.counted + ([self.open.mark] if self.open is not None else [])

    def measured_s(self, t_s: float, *, shown: bool = False) -> float:
        """Return the seconds measured at ``t_s`` of what is :attr:`counted`, or :attr:`shown`."""
        parts = [*self.closed, self.waiting, self.open if shown else None]
        return sum(window.length_s(t_s) for window in parts if window is not None)

    def look(self, t_s: float, *, there: bool, drained: bool, empty: bool = True) -> bool:
        """Move on with the time; return whether :attr:`counted` can be judged: then call :meth:`extend`, or stop.

        Args:
            t_s: seconds since the run began.
            there: the level's users are there.
            drained: no request of the mark :attr:`draining` is in flight any more.
            empty: nothing at all is in flight.
        """
        pace = self.pace
        cleared_s = CLEAR_S if empty else pace.arrive_s
        if self.phase == CLEARING and t_s - self.begin_s >= cleared_s:
            self._enter(ARRIVING, t_s)
            return False
        if self.phase == ARRIVING and there:
            self._enter(SETTLING, t_s)
        if self.phase == SETTLING and t_s - self.since_s >= pace.settle_s and t_s >= self._not_before_s:
            self._enter(MEASURING, t_s)
            self.open = self._window(t_s)
        if self.open is not None and self.open.end_s is None:
            self._measure(self.open, t_s)
        if self.waiting is None:
            return False
        assert self.waiting.end_s is not None
        return drained or t_s - self.waiting.end_s >= pace.patience_s

    def lost(self, t_s: float) -> bool:
        """Return whether the level's users have not come in time."""
        return self.phase == ARRIVING and t_s - self.since_s >= self.pace.arrive_s

    def extend(self, t_s: float) -> bool:
        """Go on measuring; return False if it has been measured as long as allowed."""
        assert self.waiting is not None
        self.closed.append(self.waiting)
        self.waiting = None
        if self.open is None:
            return False
        if self.open.end_s is not None:
            self.waiting, self.open = self.open, None
        return True

    def _measure(self, window: Window, t_s: float) -> None:
        """End the open window if it is long enough, and begin the next one if there may be one."""
        pace = self.pace
        room_s = pace.max_measure_s - self.measured_s(t_s)
        if self.waiting is not None:
            # It may not be needed at all; it goes on until that is known, or there is no room for more.
            if window.length_s(t_s) >= room_s:
                window.end_s = t_s
                self._enter(FINISHING, t_s)
            return
        if window.length_s(t_s) < min(pace.measure_s, room_s):
            return
        window.end_s = t_s
        self.waiting, self.open = window, None
        if room_s - window.length_s(t_s) >= pace.measure_s * _WORTH:
            self.open = self._window(t_s)
        else:
            self._enter(FINISHING, t_s)

    def _window(self, t_s: float) -> Window:
        mark = self._next_mark
        self._next_mark += 1
        return Window(mark, t_s)

    def _enter(self, phase: str, t_s: float) -> None:
        self.phase = phase
        self.since_s = t_s

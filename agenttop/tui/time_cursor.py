"""A cursor over the seconds of a frozen picture, and the keys that move it: those of a replay."""

from __future__ import annotations

from typing import Protocol

#: Seconds by key; the others go to an end.
STEPS = {"left": -1.0, "right": 1.0, "shift+left": -10.0, "shift+right": 10.0}


class Movable(Protocol):
    """What goes through the seconds of a run: this cursor, or a replay (:class:`agenttop.view.feed.Player`)."""

    def step(self, seconds: float) -> None:
        """Go forward, or back if ``seconds`` is below 0."""

    def to_begin(self) -> None:
        """Go to the first second."""

    def to_end(self) -> None:
        """Go to the last second."""


def move(what: Movable, key: str) -> None:
    """Move by a key: the arrows, with shift or without, ``home`` or ``end``."""
    if key in STEPS:
        what.step(STEPS[key])
    elif key == "home":
        what.to_begin()
    else:
        what.to_end()


class TimeCursor:
    """Stands at a second of those that charts show, first at the last one."""

    def __init__(self, first_s: float, last_s: float) -> None:
        self.first_s, self.last_s = min(first_s, last_s), last_s
        self.at_s = last_s

    def step(self, seconds: float) -> None:
        """See :class:`Movable`."""
        self.at_s = max(self.first_s, min(self.at_s + seconds, self.last_s))

    def to_begin(self) -> None:
        """See :class:`Movable`."""
        self.at_s = self.first_s

    def to_end(self) -> None:
        """See :class:`Movable`."""
        self.at_s = self.last_s

"""The result of a look at the clock of what moves a plan by itself: a search, or a gate that is not decided."""

from __future__ import annotations

from dataclasses import dataclass, field

from agenttop.schedule.control import Control


@dataclass(frozen=True, slots=True)
class Move:
    """The controls to set, what is to be said, and whether the run is over with it."""

    control: Control
    said: list[str] = field(default_factory=list)
    over: bool = False
    level: str = "info"
    """Of what is said, as of an event: plain lines leave out what is only for information."""

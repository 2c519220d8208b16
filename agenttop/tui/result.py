"""The result of the live screen: how the user left it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from agenttop.metrics.snapshot import Ended


class How(enum.Enum):
    """Why the screen was closed."""

    ENDED = "ended"
    """The run is over."""
    DETACHED = "detached"
    """The user left and the run goes on."""
    LEFT = "left"
    """The user (or SIGTERM) left before a requested stop was done."""
    HANGUP = "hangup"
    """The terminal is gone; so is standard output."""
    LOST = "lost"
    """The run's messages ended early."""
    ABSENT = "absent"
    """There was no run to look at; the message says why."""
    FAILED = "failed"
    """The screen itself failed, and said so on standard error."""


@dataclass(frozen=True, slots=True)
class LiveResult:
    """What is known when the user has the terminal back."""

    how: How
    ended: Ended | None = None
    """The run's last message, with :attr:`How.ENDED`."""
    stop_requested: bool = False
    """A stop was sent from this screen."""
    message: str = ""

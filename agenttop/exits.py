"""Exit codes, and the error that ends in one line."""

from __future__ import annotations

DONE = 0
"""Done, and every threshold passed."""
FAILED = 1
"""The run failed: its target was never reachable, its workers died, or what was asked for could not be written."""
USAGE = 2
"""Bad command line or profile; nothing was sent. Also of a run that a gate cannot compare."""
THRESHOLD = 99
"""A threshold failed (k6's code), a gate blocks or the circuit breaker opened, in a run with nothing else wrong."""
STOPPED = 130
"""Stopped by the user, whatever the thresholds say; the summary is written all the same."""


class UsageError(Exception):
    """The user asked for something that cannot be done; the message is the one line to print."""

"""Reads what a page about a run shows beside its summary: the events of its journal, and its profile as TOML.

No other format shows it, and a journal is long.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

from agenttop.journal.journal import JournalError, read_seconds
from agenttop.metrics.snapshot import KEPT_EVENTS, Event
from agenttop.profile.toml import dumps
from agenttop.report.files import PAGE, Asked, ending_of, write_report


class _Told(msgspec.Struct):
    """The events of a second, and nothing else of it: skipping is much quicker than decoding."""

    events: list[Event] = []


def write_run(
    path: str, directory: str | os.PathLike[str], summary: Mapping[str, Any], asked: Asked | None = None
) -> list[str]:
    """Write a run to a file as :func:`~agenttop.report.files.write_report` does, to a page with what is in its
    directory.
    """
    return write_report(path, summary, beside(directory, summary, asked) if ending_of(path) == PAGE else asked)


def beside(directory: str | os.PathLike[str], summary: Mapping[str, Any], asked: Asked | None = None) -> Asked:
    """Return what is asked for with what a run's directory adds to its summary; without a journal there are no events.

    Args:
        directory: of the run.
        summary: its summary.
        asked: what else is asked for.
    """
    events: deque[Event] = deque(maxlen=KEPT_EVENTS)
    try:
        for second in read_seconds(directory, _Told):
            if isinstance(second, _Told):
                events.extend(second.events)
    except (OSError, JournalError):
        pass  # what was read until there is shown
    try:
        profile = dumps(summary["profile"])
    except (ValueError, TypeError):
        profile = ""  # of a version that had what TOML has no form for
    return msgspec.structs.replace(asked or Asked(), events=tuple(events), profile=profile)

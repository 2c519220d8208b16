"""Finds the file or directory that a RUN of the command line means."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from agenttop.exits import UsageError
from agenttop.journal.journal import FILE_NAME as JOURNAL
from agenttop.journal.places import SUMMARY, runs_directory
from agenttop.quality.margins import LAST, LAST_PASSED
from agenttop.runs.resolve import find_last, find_run


def run_path(where: str | None) -> Path:
    """Return the file or the run's directory of this name, else that of the run that is meant (none: the newest).

    Raises:
        UsageError: there is none.
    """
    if where is not None:
        path = Path(where)
        try:
            a_run = path.is_file() or (path / SUMMARY).exists() or (path / JOURNAL).exists()
        except OSError as error:
            raise UsageError(f"{where}: {error.strerror}") from None
        if a_run or os.sep in where or where.startswith("."):
            return path
        if path.exists():  # of something else: a folder may well be called as a profile is
            with contextlib.suppress(UsageError):
                return runs_directory() / find_run(where)
            return path
    return runs_directory() / find_run(where)


def place(where: str, others: Sequence[str] = ()) -> Path:
    """Return where the run is that one of a side means: a file, a run, ``last`` or ``last-passed``, which is none of
    the ``others``, and of their profile.

    Raises:
        UsageError: there is none.
    """
    if where in (LAST, LAST_PASSED) and not Path(where).exists():
        return runs_directory() / find_last(passed=where == LAST_PASSED, beside=others)
    return run_path(where)

"""``agenttop report``: prints a summary again, rebuilt if its run was cut off."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from agenttop.cli.output import print_summary, writable
from agenttop.cli.run_path import run_path
from agenttop.exits import DONE, FAILED, UsageError
from agenttop.journal.journal import BROKEN, JournalError, rebuild
from agenttop.journal.journal import FILE_NAME as JOURNAL
from agenttop.journal.places import SUMMARY, live_runs, runs_directory
from agenttop.report.summary import SummaryError, load_summary, write_summary
from agenttop.view.pipes import lost


def show_report(where: str | None, out: str | None, *, full: bool) -> int:
    """Print the answer of a file, a run's directory or a run, ``full`` with all there is to tell; rebuild it if the run
    was cut off.
    """
    path = run_path(where)
    named, target = where or path.name, writable(out)
    try:
        if path.is_dir() and not (path / SUMMARY).exists():
            _refuse_live(path.resolve())
            if not (path / JOURNAL).exists():
                raise UsageError(f"{named}: no run's directory: it has neither {SUMMARY} nor {JOURNAL}")
            summary = rebuild(path)
            _keep(path / SUMMARY, summary)
        else:
            summary = load_summary(path / SUMMARY if path.is_dir() else path)
        if target is not None:
            write_summary(target, summary)
    except (SummaryError, JournalError) as error:
        both = (path / SUMMARY).exists() and (path / JOURNAL).exists()
        rest = "; without that file it is rebuilt from its journal" if both else ""
        raise UsageError(f"{error}{rest}") from None
    except OSError as error:
        raise UsageError(f"{error.filename or named}: {error.strerror}") from None
    try:
        print_summary(summary, sys.stdout, as_json=out == "-", full=full)
    except BROKEN as error:
        raise UsageError(f"{named}: not a summary that can be shown: {type(error).__name__}") from None
    return FAILED if lost(sys.stdout) else DONE


def _refuse_live(directory: Path) -> None:
    if directory.parent == runs_directory().resolve() and directory.name in live_runs():
        raise UsageError(f"{directory.name} goes on; look at it: agenttop attach {directory.name}")


def _keep(path: Path, summary: dict[str, Any]) -> None:
    """Write a rebuilt summary beside its journal, if that may be written to: it can be shown all the same."""
    try:
        write_summary(path, summary)
    except OSError as error:
        print(f"agenttop: the summary is shown and not kept: {path}: {error.strerror}", file=sys.stderr)

"""``agenttop report``: prints a summary again, rebuilt if its run was cut off, and writes it to files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from agenttop.cli.output import print_summary, report_files
from agenttop.cli.run_path import run_path
from agenttop.exits import DONE, FAILED, UsageError
from agenttop.journal.beside import write_run
from agenttop.journal.journal import BROKEN, JournalError, rebuild
from agenttop.journal.journal import FILE_NAME as JOURNAL
from agenttop.journal.places import SUMMARY, live_runs, runs_directory
from agenttop.quality.margins import Gate
from agenttop.report.files import Asked
from agenttop.report.summary import SummaryError, load_summary, write_summary
from agenttop.view.pipes import lost


def show_report(options: argparse.Namespace) -> int:
    """Print the answer of a file, a run's directory or a run, with ``--full`` all there is to tell, and write it to
    the files of ``-o``; rebuild it if the run was cut off.

    Raises:
        UsageError: there is no such run, or it cannot be written there.
    """
    if options.compare:
        return _compare(options)
    if len(options.runs) > 1:
        raise UsageError("one run at a time; several are compared: agenttop report --compare BASE HEAD…")
    where = next(iter(options.runs), None)
    path = run_path(where)
    named, to_stdout = where or path.name, "-" in options.out
    files = report_files("-o", [out for out in options.out if out != "-"])
    summary = _summary_of(path, named)
    asked = Asked(strict=options.strict, table=options.table)
    try:
        for file in files:
            written = write_run(file, path if path.is_dir() else path.parent, summary, asked)
            if len(written) != 1 or written[0] != file:
                print("\n".join(written), file=sys.stderr)
    except OSError as error:
        raise UsageError(f"{error.filename or named}: {error.strerror}") from None
    except BROKEN as error:
        raise UsageError(f"{named}: not a summary that can be written: {type(error).__name__}") from None
    try:
        print_summary(summary, sys.stdout, as_json=to_stdout, full=options.full)
    except BROKEN as error:
        raise UsageError(f"{named}: not a summary that can be shown: {type(error).__name__}") from None
    return FAILED if lost(sys.stdout) else DONE


def _compare(options: argparse.Namespace) -> int:
    """Compare the first run with the others, and return 0."""
    from agenttop.cli.compare import compare_sides

    if len(options.runs) < 2:
        raise UsageError("--compare takes two runs or more: agenttop report --compare BASE HEAD…")
    base, *head = (run_path(run) for run in options.runs)
    return compare_sides([base], head, Gate(strict=options.strict), options.out)


def _summary_of(path: Path, named: str) -> dict[str, Any]:
    """Return the summary of a file or a run's directory; that of a run that was cut off is rebuilt and kept.

    Raises:
        UsageError: there is none.
    """
    try:
        if path.is_dir() and not (path / SUMMARY).exists():
            _refuse_live(path.resolve())
            if not (path / JOURNAL).exists():
                raise UsageError(f"{named}: no run's directory: it has neither {SUMMARY} nor {JOURNAL}")
            summary = rebuild(path)
            _keep(path / SUMMARY, summary)
            return summary
        return load_summary(path / SUMMARY if path.is_dir() else path)
    except (SummaryError, JournalError) as error:
        both = (path / SUMMARY).exists() and (path / JOURNAL).exists()
        rest = "; without that file it is rebuilt from its journal" if both else ""
        raise UsageError(f"{error}{rest}") from None
    except OSError as error:
        raise UsageError(f"{error.filename or named}: {error.strerror}") from None


def _refuse_live(directory: Path) -> None:
    if directory.parent == runs_directory().resolve() and directory.name in live_runs():
        raise UsageError(f"{directory.name} goes on; look at it: agenttop attach {directory.name}")


def _keep(path: Path, summary: dict[str, Any]) -> None:
    """Write a rebuilt summary beside its journal, if that may be written to: it can be shown all the same."""
    try:
        write_summary(path, summary)
    except OSError as error:
        print(f"agenttop: the summary is shown and not kept: {path}: {error.strerror}", file=sys.stderr)

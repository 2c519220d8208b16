"""Finds and reads the runs that another is compared with, for ``agenttop compare`` and the gate of a profile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agenttop.exits import UsageError
from agenttop.journal.journal import BROKEN, JournalError, rebuild
from agenttop.journal.journal import FILE_NAME as JOURNAL
from agenttop.journal.places import SUMMARY, live_runs, plain_name, runs_directory
from agenttop.metrics.safe_text import SafeText
from agenttop.profile.certificates import located
from agenttop.profile.gate import RUNS, allowed, bases_of
from agenttop.profile.load import Loaded
from agenttop.quality.compare import compare
from agenttop.quality.margins import LAST_PASSED, IncomparableError
from agenttop.report.summary import SummaryError, load_summary
from agenttop.runs.resolve import NoRunError, find_last


def runs_of(paths: Sequence[Path]) -> list[str]:
    """Return the ids of the runs of these places that are this machine's."""
    found = []
    for path in paths:
        directory = (path.parent if path.is_file() else path).resolve()
        if directory.parent == runs_directory().resolve():
            found.append(directory.name)
    return found


def read(path: Path) -> dict[str, Any]:
    """Return a summary, or that of a run that was cut off, rebuilt.

    Raises:
        UsageError: there is none.
    """
    try:
        if path.is_dir() and not (path / SUMMARY).exists():
            if path.resolve().parent == runs_directory().resolve() and path.name in live_runs():
                raise UsageError(f"{path.name} goes on; compare it when it is over")
            if not (path / JOURNAL).exists():
                raise UsageError(f"{path}: no run's directory: it has neither {SUMMARY} nor {JOURNAL}")
            return rebuild(path)
        return load_summary(path / SUMMARY if path.is_dir() else path)
    except (SummaryError, JournalError) as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"{error.filename or path}: {error.strerror}") from None


def gate_bases(loaded: Loaded) -> tuple[list[dict[str, Any]], str]:
    """Return the summaries that the gate of a profile compares its run with, and why there are none; both are empty
    where it has no gate.

    Raises:
        UsageError: they are none that a run could be compared with; better known before anything is sent.
    """
    gate = loaded.profile.gate
    if gate is None:
        return [], ""
    safe = SafeText(loaded.secrets)  # a base may come from the environment
    try:
        found = [_base(base, loaded) for base in bases_of(gate)]
    except NoRunError as error:
        return [], f"{error}: this run is what the next one is compared with"
    except UsageError as error:
        raise UsageError(f"{loaded.path.name}: gate.base: {safe(str(error), 1000)}") from None
    try:
        compare(found, found, allowed(gate))
    except IncomparableError as error:
        why = f"base has not what the gate asks for: {error}"
    except BROKEN as error:
        why = f"base: no summary that can be compared with: {type(error).__name__}"
    else:
        return found, ""
    remedy = "name another, or make one: run it once without [gate]"
    raise UsageError(f"{loaded.path.name}: gate: {safe(why, 1000)}; {remedy}")


def _base(base: str, loaded: Loaded) -> dict[str, Any]:
    if base in RUNS:
        name = plain_name(loaded.profile.name)
        return read(runs_directory() / find_last(passed=base == LAST_PASSED, name=name))
    return read(located(loaded.path.resolve().parent, base))

"""Finds the run that a user means by RUN: its id, a unique beginning of it, or its profile's name."""

from __future__ import annotations

from collections.abc import Sequence

from agenttop.exits import UsageError
from agenttop.journal.places import name_of
from agenttop.metrics.scope import clean_text
from agenttop.runs.register import all_runs, called, finished, live_ids

#: Runs that an error names.
NAMED = 5


class NoRunError(UsageError):
    """There is no such run yet."""


def find_run(wanted: str | None = None) -> str:
    """Return the id of the run that is meant, live or over; the newest of its name, or of all if none is ``wanted``.

    Raises:
        UsageError: there is none, or more than one.
    """
    runs = all_runs()
    if not runs:
        raise UsageError("there is no run on this machine yet")
    if wanted is None:
        return runs[0]
    found = _by_id(runs, wanted) or called(runs, wanted)[:1]
    return _only(found, runs, wanted, "no run is called")


def find_live_run(wanted: str | None = None) -> str:
    """Return the id of the live run that is meant; the only one if none is ``wanted``.

    Raises:
        UsageError: there is none, or more than one.
    """
    runs = live_ids()[::-1]
    found = runs if wanted is None else _by_id(runs, wanted) or called(runs, wanted)
    if not found and wanted:
        everything = all_runs()
        over = _by_id(everything, wanted) or called(everything, wanted)
        if over:
            others = len(over) - 1
            more = f", as {'is' if others == 1 else 'are'} {others} more of that name" if others else ""
            newest = clean_text(over[0])
            raise UsageError(f"{newest} is over{more}; what it measured: agenttop report {newest}")
    if not runs:
        raise UsageError("there is no live run on this machine; those that are over: agenttop ps")
    return _only(found, runs, wanted or "", "no live run is called")


def find_last(*, passed: bool = False, beside: Sequence[str] = (), name: str = "") -> str:
    """Return the id of the newest run that is over.

    Args:
        passed: of those that passed: whose exit code was 0.
        beside: runs that it is compared with: it is none of them, and of the same profile's name.
        name: of its profile, as it stands in an id; empty: that of ``beside``, or any.

    Raises:
        NoRunError: there is none.
    """
    name = name or next(filter(None, map(name_of, beside)), "")
    for run, exit_code in finished():
        if run not in beside and (not name or name_of(run) == name) and (exit_code == 0 or not passed):
            return run
    whose = f" of {clean_text(name)}" if name else ""
    which = f"{'other ' if beside else ''}run{whose}"
    raise NoRunError(f"there is no {which} on this machine that {'passed' if passed else 'is over'} yet")


def _by_id(runs: Sequence[str], wanted: str) -> list[str]:
    return [run for run in runs if run == wanted] or [run for run in runs if wanted and run.startswith(wanted)]


def _only(found: Sequence[str], runs: Sequence[str], wanted: str, complaint: str) -> str:
    if len(found) == 1:
        return found[0]
    if not found:
        named = f"{complaint} {clean_text(wanted)}" if wanted else "an empty name is no run's"
        raise UsageError(f"{named}; there {'is' if len(runs) == 1 else 'are'}: {_named(runs)}")
    raise UsageError(f"which one? {_named(found)}")


def _named(runs: Sequence[str]) -> str:
    more = len(runs) - NAMED
    named = ", ".join(clean_text(run) for run in runs[:NAMED])
    return named + (f" and {more} more (agenttop ps --all)" if more > 0 else "")

"""``agenttop ps``: lists the runs of this machine as a table, or as JSON."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence

import msgspec

from agenttop.exits import DONE
from agenttop.metrics.assessment import word_of
from agenttop.report.figures import cells, count, fit, pad, share
from agenttop.runs.register import NEWEST, Entry, entries
from agenttop.schedule.quantities import clock

_HEAD = ("RUN", "STATE", "PROFILE", "TARGET", "USERS", "REQUESTS", "ERRORS", "SCORE", "VERDICT", "RESULT")
_RUN, _STATE, _PROFILE, _TARGET, _USERS, _REQUESTS, _ERRORS, _SCORE, _VERDICT, _RESULT = range(len(_HEAD))
#: Columns of figures, which stand at the right of theirs.
_FIGURES = (_USERS, _REQUESTS, _ERRORS, _SCORE)
#: Columns of a run: as many as an id has at most. What is longer is none of ours.
_MAX_WIDTH = 61
#: What goes where there is no room, the first one first: the id has the profile's name. The longest id, a score and a
#: result are 80 columns.
_SPARED = (_PROFILE, _TARGET, _USERS, _REQUESTS, _ERRORS, _STATE, _VERDICT)
#: A target is not cut below so many columns.
_MIN_WIDTH = 16
#: Columns of other text.
_WIDEST = 120


def list_runs(*, as_json: bool, everything: bool) -> int:
    """Print the live runs and the newest others, or ``everything``; return the exit code."""
    found, left_out = entries(None if everything else NEWEST)
    if as_json:
        print(json.dumps([msgspec.to_builtins(entry) for entry in found], ensure_ascii=False))
    elif not found:
        print("no runs on this machine")
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print("\n".join(render_runs(found, width)))
        if left_out:
            print(f"and {left_out} older: agenttop ps --all")
    return DONE


def render_runs(found: Sequence[Entry], width: int | None = None) -> list[str]:
    """Return a line for each run under a heading.

    Where that is wider than ``width`` columns targets give way, then whole columns that matter least; the id stays
    whole, for it is what one copies. There is no column of scores where no run has one.
    """
    rows = [_HEAD, *(_row(entry) for entry in found)]
    widths = [max(cells(row[i]) for row in rows) for i in range(len(_HEAD))]
    shown = [i for i in range(len(_HEAD)) if i != _SCORE or any(entry.score is not None for entry in found)]
    if width is not None:
        whole, widths[_TARGET] = widths[_TARGET], min(_MIN_WIDTH, widths[_TARGET])
        for least in _SPARED:
            if _wide(shown, widths) > width:
                shown.remove(least)
        widths[_TARGET] += max(0, min(whole - widths[_TARGET], width - _wide(shown, widths)))
    lines = [_line(row, shown, widths) for row in rows]
    return [line + _problem(entry, line, width) for line, entry in zip(lines, (None, *found), strict=True)]


def _wide(shown: Sequence[int], widths: Sequence[int]) -> int:
    """Return the columns of a terminal that these columns of the table take."""
    return sum(widths[i] for i in shown) + 2 * (len(shown) - 1)


def _line(row: Sequence[str], shown: Sequence[int], widths: Sequence[int]) -> str:
    parts = [pad(fit(row[i], widths[i]), widths[i], right=i in _FIGURES) for i in shown]
    return "  ".join(parts).rstrip()


def _problem(entry: Entry | None, line: str, width: int | None) -> str:
    """Return what stands behind a row: its problem, as far as there is room, but for a few words of it."""
    if entry is None or not entry.problem:
        return ""
    room = 200 if width is None else max(_MIN_WIDTH, width - cells(line) - 4)
    return f"  ! {fit(entry.problem, room)}"


def _row(entry: Entry) -> tuple[str, ...]:
    if entry.state == "broken":
        return (fit(entry.run, _MAX_WIDTH), entry.state, *[""] * (len(_HEAD) - 2))
    return (
        entry.run,
        _state(entry),
        fit(entry.profile or "-", _WIDEST),
        fit(entry.target or "-", _WIDEST),
        count(entry.users),
        count(entry.requests),
        share(entry.error_rate),
        "" if entry.score is None else share(entry.score),
        word_of(entry.verdict or "-"),
        entry.result or "-",
    )


def _state(entry: Entry) -> str:
    """Return the state in a word, and how far the run has come."""
    if entry.elapsed_s is None:
        return entry.state
    planned = f"/{clock(entry.duration_s)}" if entry.duration_s is not None else ""
    return f"{entry.state} {clock(entry.elapsed_s)}{planned}"

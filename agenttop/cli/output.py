"""Writes summaries: to a stream, and to the files of ``--out``, ``-o`` and ``--report``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from agenttop.exits import UsageError
from agenttop.report.glance import render_glance
from agenttop.report.summary import encode_summary
from agenttop.report.text import in_ascii, render_text
from agenttop.report.whole import unwritable
from agenttop.view.pipes import say


def writable(out: str | None) -> str | None:
    """Return the absolute path to write to, checked before anything is sent; None for none and standard output.

    Raises:
        UsageError: it cannot be written to.
    """
    if out is None or out == "-":
        return None
    _refuse("--out", out, unwritable(out))
    return str(Path(out).absolute())


def report_files(option: str, files: Sequence[str]) -> tuple[str, ...]:
    """Return the absolute paths of files that a run is to be written to, checked.

    Raises:
        UsageError: one has no ending that names a format, or cannot be written to.
    """
    if files:
        from agenttop.report.files import problem_of  # all formats: most runs are asked for none

        for file in files:
            _refuse(option, file, problem_of(file))
    return tuple(str(Path(file).absolute()) for file in files)


def _refuse(option: str, file: str, problem: str) -> None:
    """Raise a UsageError if a file has a problem: one that says what the file is makes a sentence with its name."""
    if problem:
        separator = " " if problem.startswith(("is ", "cannot ")) else ": "
        raise UsageError(f"{option} {file}{separator}{problem}")


def print_summary(
    summary: dict[str, Any], stream: TextIO, *, as_json: bool = False, full: bool = False, ascii_only: bool = False
) -> None:
    """Write a summary as text for a human reader, its answer last and without ``full`` alone; or as JSON."""
    if as_json:
        say(encode_summary(summary).decode(), stream)
        return
    width, color = page_of(stream)
    text = render_text(summary, color=color, width=width) + "\n" if full else ""
    text += render_glance(summary, color=color, width=width)
    say(in_ascii(text) if ascii_only else text, stream)


def page_of(stream: TextIO) -> tuple[int, bool]:
    """Return how many columns a report has on a stream, and whether it has colours."""
    if not stream.isatty():
        return 80, False
    return min(max(shutil.get_terminal_size((80, 24)).columns, 80), 120), not os.environ.get("NO_COLOR")

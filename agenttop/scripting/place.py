"""Finds where in a user's own code an exception came from."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

_OURS = str(Path(__file__).resolve().parents[1])
_INSTALLED = ("site-packages", "dist-packages")


def place_of(error: BaseException, file: str) -> str:
    """Return ``my_agent.py:17``: the innermost line of the code in or beside ``file``; empty if there is none.

    A path is said from the folder of ``file`` on, so that nothing is told of the machine.
    """
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        inside = _inside(error.filename, file)
        if inside:
            return f"{inside}:{error.lineno}"
    found = ""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        inside = _inside(trace.tb_frame.f_code.co_filename, file)
        if inside:
            found = f"{inside}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def words_of(error: BaseException) -> str:
    """Return ``KeyError: 'x'``; the type alone of an exception that cannot be converted to text."""
    kind = type(error).__name__
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:
        return kind
    return f"{kind}: {text}" if text else kind


def _inside(filename: str, file: str) -> str:
    """Return the name of a user's file from its folder on; empty for files of others."""
    if filename == file:
        return Path(file).name
    try:
        path = Path(filename).resolve()
        inside = path.relative_to(Path(file).parent)
    except (ValueError, OSError):
        return ""
    theirs = any(part in _INSTALLED for part in inside.parts) or str(path).startswith((_OURS, sys.base_prefix + "/lib"))
    return "" if theirs else str(inside)

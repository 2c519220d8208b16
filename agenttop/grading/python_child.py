"""The process in which users' own graders run: ``python -m agenttop.grading.python_child``.

A line of JSON for each question (:class:`Question`), a line for each answer (:class:`Said`), in order. What users' code
prints goes nowhere. It ends with its parent, whatever users' code does.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, BinaryIO

import msgspec

from agenttop.quality.answer import Answer
from agenttop.quality.case import Case
from agenttop.scripting.load import ScriptError, load_function
from agenttop.scripting.place import place_of, words_of

#: Seconds between two looks whether the parent is still there.
LOOK_S = 0.5
#: Characters of a reason.
MAX_REASON = 400


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is asked: a function of a file, about an answer; without one: to load it."""

    file: str
    function: str
    answer: Answer | None = None
    case: Case | None = None


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of it."""

    value: float | None = None
    """0 to 1; None: it is no score."""
    reason: str = ""


def answered(question: Question) -> Said:
    """Return what the function says. Whatever it does but to end the process is told, not raised."""
    try:
        function = _function(question.file, question.function)
        if question.answer is None or question.case is None:
            return Said(1.0)
        result = function(question.answer, question.case)
    except ScriptError as error:
        return Said(reason=str(error)[:MAX_REASON])
    except OSError as error:
        return Said(reason=(error.strerror or str(error))[:MAX_REASON])
    except BaseException as error:  # sys.exit() among them
        place = place_of(error, question.file)
        return Said(reason=(f"{place}: " if place else "") + words_of(error)[:MAX_REASON])
    return score_of(result)


@cache
def _function(file: str, name: str) -> Callable[..., Any]:
    """Return a function as it was when it was first asked for: all answers of a run are judged by one."""
    return load_function(file, name)


def score_of(result: object) -> Said:
    """Return what a function's result says: a bool, a number from 0 to 1, or a table with ``score`` and ``reason``."""
    reason = ""
    if isinstance(result, dict):
        unknown = [key for key in result if key not in ("score", "reason", "pass")]
        if unknown:
            return Said(reason=f"it returned a table with {unknown[0]!r}; a score has score and reason")
        reason = str(result.get("reason") or "")[:MAX_REASON]
        result = result.get("score", result.get("pass"))
    if isinstance(result, bool):
        return Said(float(result), reason)
    try:
        value = float(result)  # type: ignore[arg-type]  # whatever has a float, such as a number of numpy
    except (TypeError, ValueError):
        return Said(
            reason=f"it returned {_shown(result)}; return True, False, a number, or a table with score and reason"
        )
    if not 0.0 <= value <= 1.0:
        return Said(reason=f"it returned {value:g}; a score is from 0 to 1")
    return Said(value, reason)


def _shown(value: object) -> str:
    try:
        return repr(value)[:60]
    except Exception:
        return type(value).__name__


def serve(lines: BinaryIO, out: Callable[[bytes], Any]) -> None:
    """Answer questions until there are no more."""
    decoder, encoder = msgspec.json.Decoder(Question), msgspec.json.Encoder()
    for line in lines:
        out(encoder.encode(answered(decoder.decode(line))) + b"\n")


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, though users' code never comes back."""
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    os._exit(1)


def main() -> None:
    """Answer the questions on standard input."""
    parent = os.getppid()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    questions = os.fdopen(os.dup(0), "rb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.dont_write_bytecode = True
    with contextlib.suppress(BrokenPipeError):
        serve(questions, lambda data: os.write(answers, data))


if __name__ == "__main__":
    main()

"""Compiles the paths of ``[measure]``.

PATH                a JSONPath, or length(JSONPath): into every event and into whole bodies
event NAME          an SSE event of this name (WHATWG, 9.2.6; "message" is one without a name), whatever is in it
event NAME PATH     a path into the events of this name alone
"""

from __future__ import annotations

import re

from agenttop.dialects.json_ import Path
from agenttop.expressions.jsonpath import JsonPathSyntaxError, compile_calls, compile_measure, compile_path
from agenttop.schedule.quantities import MAX_EXPRESSION, MAX_NAME

_WORD = "event"
_LENGTH = "length"
#: Where a path begins behind an event's name.
_PATH = re.compile(r"\s(?=\$|length\s?\()")


def compile_measured(text: str, *, calls: bool = False) -> Path:
    """Compile a path of ``[measure]``; ``calls``: of a key that counts calls (:func:`compile_calls`).

    Raises:
        JsonPathSyntaxError: it is none.
    """
    event, path = event_and_path(text)
    measure = compile_measure(path or "$")
    return Path(
        compile_calls(path or "$") if calls else measure.first,
        event=None if event is None else event.encode(),
        words=event is not None and not path,
        counts=_counts(path),
    )


def is_of_event(text: str) -> bool:
    """Return whether a path of ``[measure]`` looks into SSE events of one name."""
    try:
        return event_and_path(text)[0] is not None
    except JsonPathSyntaxError:
        return False


def is_length(text: str) -> bool:
    """Return whether a path of ``[measure]`` is the length of what it finds, which is a number."""
    return event_and_path(text)[1].lstrip().startswith(_LENGTH)


def event_and_path(text: str) -> tuple[str | None, str]:
    """Return the event's name, None where there is none, and the path; empty where the event alone is meant.

    Raises:
        JsonPathSyntaxError: no name of an event is between them.
    """
    word, _, rest = text[: MAX_EXPRESSION + 1].strip().partition(" ")
    if word != _WORD or not rest.strip():
        return None, text
    begins = _PATH.search(rest)
    name = rest[: begins.start()] if begins else rest
    if len(name := name.strip()) > MAX_NAME or not name:
        raise JsonPathSyntaxError(f"expected the name of an event, of at most {MAX_NAME} characters", len(_WORD) + 2)
    return name, rest[begins.end() :].strip() if begins else ""


def _counts(path: str) -> bool:
    """Return whether it is the length of what may match more than once: 0 where nothing does."""
    if not path.lstrip().startswith(_LENGTH):
        return False
    return not compile_path(path.partition("(")[2].rpartition(")")[0].strip()).singular

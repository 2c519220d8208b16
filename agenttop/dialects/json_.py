"""Agents of no known dialect: the profile's ``[measure]`` table says what their answers mean, or nothing does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agenttop.dialects.base import DONE, OUTPUT, Reader
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.failure import MALFORMED, fail, may_fail, stray, stray_value

#: Given a JSON value, whether a path matches in it and the (first) match.
Extractor = Callable[[Any], tuple[bool, Any]]

#: The [measure] table with its paths compiled: ``phases`` is a mapping of extractors, all else are extractors.
Measure = Mapping[str, Extractor | Mapping[str, Extractor]]

# What each path does, on every stream event and on a whole body; "holds" is a match that is not null, false or empty:
#
#     first_token      holds: the event is output. Without this path every event with data is, unless it is [DONE], the
#                      event of done or of error
#     done             holds: the answer ends here. With this path, a stream that ends before is truncated
#     error            holds: the target failed, in the match's words. Without it, too, an event called error is a
#                      failure, and so is an object or a text under "error"
#     llm_calls, tool_calls, input_tokens, output_tokens, cached_tokens, reasoning_tokens
#                      a number: that many so far, so the last one counts; a list: its length; an object: one
#     phases.<name>    a number: seconds, the last one counts
#
# An event or body that is no JSON matches no path. It is not a failure: the profile never said that all of it is JSON.

COUNTS = ("llm_calls", "tool_calls", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
NAMES = frozenset({"first_token", "done", "error", "phases", *COUNTS})

_decode = msgspec.json.Decoder().decode
_NOT_JSON = object()

#: Nothing that is counted or timed comes near; what does is a mistake.
_MANY = 1e15


class JsonReader(Reader):
    """Reads one answer by paths."""

    __slots__ = ("_dialect",)

    def __init__(self, dialect: JsonDialect) -> None:
        super().__init__()
        self._dialect = dialect

    def event(self, data: bytes, event: bytes = b"") -> int:
        text = data.strip()
        if text == b"[DONE]":
            return DONE
        dialect = self._dialect
        if event == b"error":
            return stray(self, text, event)
        if not dialect.reads_body:
            return (may_fail(text) and stray(self, text)) or self._output(bool(data))
        value = _json(text)
        if value is _NOT_JSON:
            return self._output(bool(data) and dialect.first_token is None)
        flags = self._measure(value, text)
        if dialect.first_token is None:
            return flags or self._output(True)
        return flags | self._output(_holds(dialect.first_token, value)[0])

    def body(self, data: bytes) -> int:
        if self._dialect.reads_body and (value := _json(data)) is not _NOT_JSON:
            return self._measure(value, data) | DONE
        return DONE

    def _output(self, output: bool) -> int:
        if not output:
            return 0
        self.chunks += 1
        return OUTPUT

    def _measure(self, value: Any, data: bytes) -> int:
        dialect = self._dialect
        for name, extract in dialect.counts:
            found, match = extract(value)
            if found and (count := _count(match)) is not None:
                setattr(self, name, count)
        if self.input_tokens == 0:
            self.input_tokens = None
        if self.output_tokens == 0 and self.input_tokens is None:
            self.output_tokens = None
        for name, extract in dialect.phases:
            found, match = extract(value)
            if found and (seconds := _number(match)) is not None:
                if self.phases is None:
                    self.phases = {}
                self.phases[name] = seconds
        flags = 0
        holds, match = _holds(dialect.error, value) if dialect.error is not None else (False, None)
        if holds:
            flags = fail(self, match)
        elif may_fail(data):
            flags = stray_value(self, value)
        if dialect.done is not None and _holds(dialect.done, value)[0]:
            flags |= DONE
        return flags


def _json(data: bytes) -> Any:
    try:
        return _decode(data)
    except MALFORMED:
        return _NOT_JSON


def _holds(extract: Extractor, value: Any) -> tuple[bool, Any]:
    found, match = extract(value)
    # The number 0 is output: a stream of numbers has it.
    return found and match is not None and match is not False and match not in ("", [], {}), match


def _number(match: Any) -> float | None:
    if isinstance(match, int | float) and not isinstance(match, bool) and 0 <= match < _MANY:
        return float(match)
    return None


def _count(match: Any) -> int | None:
    if isinstance(match, dict):
        return 1  # one call, however many members it has
    if isinstance(match, list):
        return len(match)
    number = _number(match)
    return None if number is None else int(match)


class JsonDialect(Dialect):
    """The dialect ``json``, which can be called ``custom`` as well.

    Raises:
        ValueError: ``measure`` has a name that is not in ``NAMES``.
    """

    name = "json"
    read_by = JsonReader
    measured = True

    def __init__(self, measure: Measure | None = None) -> None:
        super().__init__()
        measure = measure or {}
        if unknown := sorted(set(measure) - NAMES):
            raise ValueError(f"nothing called {unknown[0]!r} can be measured; there are: {', '.join(sorted(NAMES))}")
        paths: dict[str, Extractor] = {}
        self.phases: tuple[tuple[str, Extractor], ...] = ()
        for key, value in measure.items():
            if isinstance(value, Mapping):
                self.phases = tuple(value.items())
            else:
                paths[key] = value
        self.first_token = paths.get("first_token")
        self.done = paths.get("done")
        self.error = paths.get("error")
        self.counts = tuple((key, paths[key]) for key in COUNTS if key in paths)
        self.terminal = self.done is not None
        self.reads_body = bool(paths or self.phases)

    def reader(self) -> Reader:
        return JsonReader(self)

"""Agents of no known dialect: the profile's ``[measure]`` table says what their answers mean, or nothing does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agenttop.dialects.base import DONE, OUTPUT, REASONING, Reader
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
#     reasoning        holds: the event is output of reasoning, unless first_token holds as well
#     done             holds: the answer ends here. With this path, a stream that ends before is truncated
#     error            holds: the target failed, in the match's words. Without it, too, an event called error is a
#                      failure, and so is an object or a text under "error"
#     input_tokens, output_tokens, cached_tokens, reasoning_tokens
#                      a number: that many so far, so the last one counts; a list: its length
#     llm_calls, tool_calls
#                      a number: that many so far; an object, a text (its name), or each item of a list: one call more.
#                      What comes again under an id, or goes on under an index alone, is one that was counted
#     phases.<name>    a number: seconds, the last one counts
#
# An event or body that is no JSON matches no path. It is not a failure: the profile never said that all of it is JSON.

CALLS = ("llm_calls", "tool_calls")
COUNTS = (*CALLS, "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
NAMES = frozenset({"first_token", "reasoning", "done", "error", "phases", *COUNTS})
#: By what a call is known again.
_IDS = ("id", "call_id", "tool_call_id", "callId", "toolCallId", "tool_use_id")
#: Calls of an answer that are known again; any more are counted as they come.
MAX_KNOWN = 10_000

_decode = msgspec.json.Decoder().decode
_NOT_JSON = object()

#: Nothing that is counted or timed comes near; what does is a mistake.
_MANY = 1e15


class JsonReader(Reader):
    """Reads one answer by paths."""

    __slots__ = ("_dialect", "_known")

    def __init__(self, dialect: JsonDialect) -> None:
        super().__init__()
        self._dialect = dialect
        self._known: set[tuple[str, str, int]] | None = None
        """Calls so far: which count, what they are known by, and a hash of that."""

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
        thinks = dialect.reasoning is not None and _holds(dialect.reasoning, value)[0]
        if dialect.first_token is None:
            return flags or self._output(True) | (REASONING if thinks else 0)
        speaks = _holds(dialect.first_token, value)[0]
        return flags | self._output(speaks or thinks) | (REASONING if thinks and not speaks else 0)

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
            if not found:
                continue
            if name in CALLS and isinstance(match, dict | list | str):
                self._add(name, match)
            elif (count := _count(match)) is not None:
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

    def _add(self, name: str, match: Any) -> None:
        """Count the calls that an event holds."""
        items = match if isinstance(match, list) else [match] if match else []
        count = sum(self._is_new(name, item) for item in items)
        if count or isinstance(match, list):
            setattr(self, name, (getattr(self, name) or 0) + count)

    def _is_new(self, name: str, call: Any) -> bool:
        """Whether a call was not counted before: it may come in pieces, or with all that came before it."""
        if not isinstance(call, dict):
            return True
        marks = [("id", value) for key in _IDS if isinstance(value := call.get(key), str | int) and value != ""][:1]
        if isinstance(index := call.get("index"), int):
            marks.append(("index", index))
        if not marks:
            return True
        known = self._known = self._known or set()
        keys = [(name, kind, hash(value)) for kind, value in marks]
        new = keys[0] not in known
        if len(known) < MAX_KNOWN:
            known.update(keys)
        return new


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
        self.reasoning = paths.get("reasoning")
        self.done = paths.get("done")
        self.error = paths.get("error")
        self.counts = tuple((key, paths[key]) for key in COUNTS if key in paths)
        self.terminal = self.done is not None
        self.reads_body = bool(paths or self.phases)

    def reader(self) -> Reader:
        return JsonReader(self)

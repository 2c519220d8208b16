"""Agents of no known dialect: the profile's ``[measure]`` table says what their answers mean, or nothing does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from agenttop.dialects.base import DONE, ERROR, OUTPUT, REASONING, Reader
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.failure import MALFORMED, fail, may_fail, stray, stray_value

#: Given a JSON value, whether a path matches in it and the (first) match.
Extractor = Callable[[Any], tuple[bool, Any]]


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path of ``[measure]``, where it is more than an extractor."""

    extract: Extractor
    event: bytes | None = None
    """It looks into SSE events of this name alone; None: into all, and into whole bodies."""
    words: bool = False
    """It is an event's name alone: data that is no JSON is found as text."""
    counts: bool = False
    """It counts matches, and finds a 0 (or an empty list) where there is none."""


#: The [measure] table with its paths compiled: ``phases`` is a mapping of such.
Measure = Mapping[str, Extractor | Path | Mapping[str, Extractor | Path]]

# What each path does, on every stream event and on a whole body; "holds" is a match that is not null, false or empty:
#
#     first_token      holds: the event is output. Without this path every event with data is, unless it is [DONE], the
#                      event of done or of error
#     reasoning        holds: the event is output of reasoning, unless first_token holds as well
#     done             holds: the answer ends here. With this path, a stream that ends before is truncated
#     finish           holds: why the answer ended; of no figure, for who grades it (heard_json)
#     error            holds: the target failed, in the match's words. Without it, too, an event called error is a
#                      failure, and so is an object or a text under "error"
#     input_tokens, output_tokens, cached_tokens, reasoning_tokens
#                      a number: that many so far, so the last one counts; a list: its length
#     llm_calls, tool_calls
#                      a number: that many so far; an object, a text (its name), or each item of a list: one call more.
#                      What comes again under an id, or goes on under an index alone, is one that was counted
#     phases.<name>    a number: seconds, the last one counts
#
# An event or body that is no JSON matches no path, but for that of an event's name alone, which finds its text. It is
# not a failure: the profile never said that all of it is JSON. A path of an event's name finds nothing in any other
# event: with such a first_token only events of that name are output. An event without a name is called "message", as
# the standard says.

CALLS = ("llm_calls", "tool_calls")
COUNTS = (*CALLS, "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
NAMES = frozenset({"first_token", "reasoning", "done", "finish", "error", "phases", *COUNTS})
#: Keys that say something of streams alone.
OF_STREAMS = frozenset({"first_token", "reasoning", "done"})
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
        paths = dialect.named.get(event)
        if paths is None:
            if event == b"error":
                return stray(self, text, event)
            paths = dialect.plain
        if not dialect.reads_body:
            return (may_fail(text) and stray(self, text)) or self._output(bool(data))
        value = _json(text)
        if value is _NOT_JSON:
            if paths.words is None:
                return self._output(bool(data) and paths.first_token is None)
            paths, value = paths.words, data.decode("utf-8", "replace")
        flags = self._measure(paths, value, text)
        if event == b"error" and not flags & ERROR:
            flags |= stray(self, text, event)
        thinks = paths.reasoning is not None and _holds(paths.reasoning, value)[0]
        if thinks:
            self.matched |= paths.reasoning_bit
        if paths.first_token is None:
            return flags or self._output(bool(data)) | (REASONING if thinks else 0)
        speaks = _holds(paths.first_token, value)[0]
        if speaks:
            self.matched |= paths.first_token_bit
        return flags | self._output(speaks or thinks) | (REASONING if thinks and not speaks else 0)

    def body(self, data: bytes) -> int:
        if self._dialect.reads_body and (value := _json(data)) is not _NOT_JSON:
            return self.decoded(value, data)
        return DONE

    def decoded(self, value: Any, data: bytes) -> int:
        """Read a whole body that somebody has decoded: ``value`` is its JSON, ``data`` its bytes."""
        return self._measure(self._dialect.plain, value, data) | DONE

    def _output(self, output: bool) -> int:
        if not output:
            return 0
        self.chunks += 1
        return OUTPUT

    def _measure(self, paths: _Paths, value: Any, data: bytes) -> int:
        for name, extract, bit, sure in paths.counts:
            found, match = extract(value)
            if not found:
                continue
            if name in CALLS and isinstance(match, dict | list | str):
                self._add(name, match)
            elif (count := _count(match)) is not None:
                setattr(self, name, count)
            else:
                continue
            if sure or match:
                self.matched |= bit
        if self.input_tokens == 0:
            self.input_tokens = None
        if self.output_tokens == 0 and self.input_tokens is None:
            self.output_tokens = None
        for name, extract, bit in paths.phases:
            found, match = extract(value)
            if found and (seconds := _number(match)) is not None:
                if self.phases is None:
                    self.phases = {}
                self.phases[name] = seconds
                self.matched |= bit
        flags = 0
        holds, match = _holds(paths.error, value) if paths.error is not None else (False, None)
        if holds:
            flags = fail(self, match)
        elif may_fail(data):
            flags = stray_value(self, value)
        if paths.finish is not None and _holds(paths.finish, value)[0]:
            self.matched |= paths.finish_bit
        if paths.done is not None and _holds(paths.done, value)[0]:
            self.matched |= paths.done_bit
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


@dataclass(slots=True)
class _Paths:
    """The paths that look into one event, each beside the bit that says of an answer that it matched."""

    first_token: Extractor | None = None
    first_token_bit: int = 0
    reasoning: Extractor | None = None
    reasoning_bit: int = 0
    done: Extractor | None = None
    done_bit: int = 0
    finish: Extractor | None = None
    finish_bit: int = 0
    error: Extractor | None = None
    counts: tuple[tuple[str, Extractor, int, bool], ...] = ()
    """The last says whether whatever is found is a match."""
    phases: tuple[tuple[str, Extractor, int], ...] = ()
    words: _Paths | None = None
    """Those of them that look into an event that is no JSON; None if none does."""


def _never(value: Any) -> tuple[bool, Any]:
    """The extractor of a path that looks into other events."""
    del value
    return False, None


def _whatever(extract: Extractor) -> Extractor:
    """An extractor by which an event is an end, or a failure, for its name, whatever is in it."""

    def found(value: Any) -> tuple[bool, Any]:
        holds, match = _holds(extract, value)
        return True, match if holds else True

    return found


def keys_of(measure: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of a ``[measure]`` table in their order, phases as ``phases.NAME``: bit i of ``Reader.matched``
    is of key i.
    """
    return tuple(
        name
        for key, value in measure.items()
        for name in ([f"{key}.{phase}" for phase in value] if isinstance(value, Mapping) else [key])
    )


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
        paths: dict[str, Path] = {}
        for key, value in measure.items():
            if isinstance(value, Mapping):
                paths |= {f"{key}.{phase}": _as_path(each) for phase, each in value.items()}
            else:
                paths[key] = _as_path(value)
        self._keys = {name: 1 << place for place, name in enumerate(keys_of(measure))}
        self.terminal = "done" in paths
        self.reads_body = bool(paths)
        self.plain = self._paths(paths, None)
        events = {path.event for path in paths.values()} - {None}
        self.named = {event: self._paths(paths, event) for event in events if event is not None}
        """Paths by the names of events that some of them are of."""
        if b"message" in self.named:
            self.named[b""] = self.named[b"message"]

    def reader(self) -> Reader:
        return JsonReader(self)

    def _paths(self, paths: Mapping[str, Path], event: bytes | None, *, words: bool = False) -> _Paths:
        """Return the paths that look into events of a name; ``words``: that look into their text."""
        found = _Paths()
        bits = self._keys
        counts, phases = {}, []
        for key, path in paths.items():
            looks = path.event == event and path.words if words else path.event in (None, event)
            if not looks:
                if key == "first_token":
                    found.first_token = _never
                continue
            if key.startswith("phases."):
                phases.append((key.removeprefix("phases."), path.extract, bits[key]))
            elif key in COUNTS:
                counts[key] = (key, path.extract, bits[key], not path.counts)
            else:
                ends = path.words and key in ("done", "error")
                setattr(found, key, _whatever(path.extract) if ends else path.extract)
                if key != "error":
                    setattr(found, f"{key}_bit", bits[key])
        found.counts = tuple(counts[key] for key in COUNTS if key in counts)
        found.phases = tuple(phases)
        if not words and any(path.words and path.event == event for path in paths.values()):
            found.words = self._paths(paths, event, words=True)
        return found


def _as_path(path: Extractor | Path) -> Path:
    return path if isinstance(path, Path) else Path(path)

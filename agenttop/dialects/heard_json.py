"""What an answer of no known dialect says: where the profile says that it stands.

A path finds its text in a whole body, and in the events of a stream a piece in each; so does it for a known dialect
whose answer is asked for in another place than usual.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from agenttop.dialects.heard import Call, Heard, Said, call_of, decoded, part, text_of

#: Given a JSON value, every match of a path in it.
Find = Callable[[Any], list[Any]]
#: What an SSE event without a name is called (WHATWG, 9.2.6).
_UNNAMED = b"message"
_NAMES = ("name", "tool", "tool_name", "toolName", "function")
_ARGUMENTS = ("arguments", "args", "input", "parameters")


class Place(NamedTuple):
    """Where something stands in an answer."""

    find: Find
    event: bytes | None = None
    """In SSE events of this name alone; None: in all, and in whole bodies."""
    words: bool = False
    """It is such an event, whatever is in it: data that is no JSON is found as text."""


class JsonHeard(Heard):
    """One answer.

    Args:
        text: where its text is; None: all of it is text.
        calls: where its tool calls are; None: nothing tells of them.
        inner: collects the rest in its dialect's way, where that is known.
        finish: where it says why it ended: the last match that says something; None: nothing tells, but for ``inner``.
    """

    __slots__ = ("_calls", "_finish", "_inner", "_text", "_where_calls", "_where_finish", "_where_text")

    def __init__(
        self,
        text: Place | None,
        calls: Place | None = None,
        inner: Callable[[], Heard] | None = None,
        finish: Place | None = None,
    ) -> None:
        super().__init__()
        self._where_text = text
        self._where_calls = calls
        self._where_finish = finish
        self._inner = inner() if inner is not None else None
        self._text: list[str] = []
        self._calls: list[Call] = []
        self._finish = ""

    def event(self, data: bytes, event: bytes = b"") -> None:
        if self._inner is not None:
            self._inner.event(data, event)
        self._read(data, event or _UNNAMED)

    def body(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.body(data)
        self._read(data, None)

    def said(self) -> Said:
        inner = self._inner.said() if self._inner is not None else Said()
        finish = self._finish or inner.finish
        return Said("".join(self._text), (*inner.calls, *self._calls), finish, self.full or inner.cut)

    def _read(self, data: bytes, event: bytes | None) -> None:
        """Read a body, or an event of this name."""
        if data.strip() == b"[DONE]":
            return
        if self._where_text is None:
            self.add(self._text, data.decode("utf-8", "replace"))
        places = [
            None if place is None or place.event not in (None, event) else place
            for place in (self._where_text, self._where_calls, self._where_finish)
        ]
        if not any(places):
            return
        value = decoded(data)
        texts, calls, reasons = (_matches(place, value, data) for place in places)
        for match in texts:
            self.add(self._text, _written(match))
        for match in calls:
            for each in match if isinstance(match, list) else [match]:
                if (call := _call(each)) is not None and not self.full:
                    self.spend(call.arguments)
                    self._calls.append(call)
        for match in reasons:
            self._finish = text_of(match) or self._finish


def _matches(place: Place | None, value: Any, data: bytes) -> list[Any]:
    """Return what stands in a place; ``value`` is the JSON of ``data``, None where it is none."""
    if place is None:
        return []
    if value is not None:
        return place.find(value)
    return [data.decode("utf-8", "replace")] if place.words and data.strip() != b"null" else []


def _written(match: Any) -> str:
    """Return a match as text: text as it is, nothing for null, anything else as JSON."""
    if isinstance(match, str):
        return match
    return "" if match is None else msgspec.json.encode(match).decode()


def _call(value: Any) -> Call | None:
    """Return a call by the names that its fields commonly have; None for what is none."""
    if isinstance(value, str):
        return Call(value, {}) if value else None
    if not isinstance(value, dict):
        return None
    inner = value.get("function")
    fields = inner if isinstance(inner, dict) else value
    name = next((text for each in _NAMES if (text := text_of(part(fields, each)))), "")
    given = next((fields[each] for each in _ARGUMENTS if each in fields), None)
    return call_of(name, given) if name else None

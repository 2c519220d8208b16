"""What an answer of no known dialect says: where the profile says that it stands.

A path finds its text in a whole body, and in the events of a stream a piece in each; so does it for a known dialect
whose answer is asked for in another place than usual.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from agenttop.dialects.heard import Call, Heard, Said, call_of, decoded, part, text_of

#: Given a JSON value, every match of a path in it.
Find = Callable[[Any], list[Any]]
_NAMES = ("name", "tool", "tool_name", "toolName", "function")
_ARGUMENTS = ("arguments", "args", "input", "parameters")


class JsonHeard(Heard):
    """One answer.

    Args:
        text: finds its text; None: all of it is text.
        calls: finds its tool calls; None: nothing tells of them.
        inner: collects the rest in its dialect's way, where that is known.
    """

    __slots__ = ("_calls", "_find_calls", "_find_text", "_inner", "_text")

    def __init__(self, text: Find | None, calls: Find | None = None, inner: Callable[[], Heard] | None = None) -> None:
        super().__init__()
        self._find_text = text
        self._find_calls = calls
        self._inner = inner() if inner is not None else None
        self._text: list[str] = []
        self._calls: list[Call] = []

    def event(self, data: bytes, event: bytes = b"") -> None:
        if self._inner is not None:
            self._inner.event(data, event)
        self._read(data)

    def body(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.body(data)
        self._read(data)

    def said(self) -> Said:
        inner = self._inner.said() if self._inner is not None else Said()
        return Said("".join(self._text), (*inner.calls, *self._calls), inner.finish, self.full or inner.cut)

    def _read(self, data: bytes) -> None:
        if self._find_text is None and data.strip() != b"[DONE]":
            self.add(self._text, data.decode("utf-8", "replace"))
        if self._find_text is None and self._find_calls is None:
            return
        value = decoded(data)
        if value is None:
            return
        for match in self._find_text(value) if self._find_text is not None else ():
            self.add(self._text, _written(match))
        for match in self._find_calls(value) if self._find_calls is not None else ():
            for each in match if isinstance(match, list) else [match]:
                if (call := _call(each)) is not None and not self.full:
                    self.spend(call.arguments)
                    self._calls.append(call)


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

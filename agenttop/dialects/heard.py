"""Collects what an answer says: its text, the tools it calls, why it ended.

Collectors are pure, like readers, and beside them: only requests whose answers are graded, or sent back as part of a
conversation (:mod:`agenttop.dialects.transcript`), are answered by a reader that has one, and the others cost what they
did. What they collect is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import msgspec

from agenttop.dialects import failure
from agenttop.dialects.failure import MALFORMED

#: Bytes that one answer may leave, and one conversation hold: what grows must end somewhere.
MAX_HEARD_BYTES = 1 << 20


class Call(NamedTuple):
    """A tool that an answer calls."""

    name: str
    arguments: Any
    """Decoded JSON; its text where it is none."""


class Said(NamedTuple):
    """What an answer says, as far as it has come."""

    text: str = ""
    """What it says last, where it speaks several times with tool calls between: its notes on the way are no answer."""
    calls: tuple[Call, ...] = ()
    finish: str | None = None
    """Why it ended, as its dialect names it."""
    cut: bool = False
    """It says more than is kept."""


class Heard:
    """Collects one answer from the events (or body) that its reader is fed. Malformed ones never raise."""

    __slots__ = ("_room", "inside")

    in_events: ClassVar[bool] = False
    """The reader takes a body apart into events, which come here as well."""

    def __init__(self) -> None:
        self._room = MAX_HEARD_BYTES
        self.inside = False
        """Its reader is reading an event, which may be mended and read once more."""

    def event(self, data: bytes, event: bytes = b"") -> None:
        """Take one streamed event, as a reader does."""
        value = decoded(data)
        if isinstance(value, dict):
            self.take(value, event)

    def take(self, value: dict[str, Any], event: bytes) -> None:
        """Take the JSON of one streamed event."""
        raise NotImplementedError

    def body(self, data: bytes) -> None:
        """Take a whole answer that was not streamed."""
        if not self.in_events:
            raise NotImplementedError

    def said(self) -> Said:
        """Return what the answer says. May be called at any time, and changes nothing."""
        raise NotImplementedError

    @property
    def full(self) -> bool:
        """Return whether the answer says too much to be kept."""
        return self._room < 0

    def lose(self) -> None:
        """Keep nothing more of the answer."""
        self._room = -1

    def spend(self, value: Any) -> None:
        """Take room for a part that is kept as it came, and that may be any JSON."""
        self._room -= len(msgspec.json.encode(value))

    def add(self, pieces: list[str], text: Any) -> None:
        """Add a piece of text, if it is one, as long as there is room."""
        if isinstance(text, str) and text:
            self._room -= len(text)
            if self._room >= 0:
                pieces.append(text)


def call_of(name: Any, arguments: Any) -> Call:
    """Return a call; arguments that are text are JSON, as most dialects have them."""
    if isinstance(arguments, str):
        value = strictly(arguments.encode("utf-8", "replace")) if arguments else {}
        arguments = arguments if value is None else value
    return Call(text_of(name), {} if arguments is None else arguments)


def words(content: Any) -> str:
    """Return the text of a message's content: text, or a list of typed parts of which some have text."""
    if isinstance(content, list):
        texts = [each if isinstance(each, str) else _text_of_part(each) for each in content]
        return "".join(texts)
    return text_of(content)


def _text_of_part(value: Any) -> str:
    if part(value, "type") in ("thinking", "reasoning", "reasoning_content"):
        return ""
    return next((text for name in ("text", "transcript", "refusal") if (text := text_of(part(value, name)))), "")


def strictly(data: bytes) -> Any:
    """Return JSON; None if it is none."""
    try:
        return msgspec.json.decode(data)
    except MALFORMED:
        return None


def decoded(data: bytes) -> Any:
    """Return JSON as a reader decodes it, broken UTF-8 replaced; None if it is none."""
    return failure.decoded(msgspec.json.decode, data)


def text_of(value: Any) -> str:
    """Return a field if it is text; else an empty text."""
    return value if isinstance(value, str) else ""


def part(value: Any, name: str) -> Any:
    """Return a field of a value that may be no object; None without it."""
    return value.get(name) if isinstance(value, Mapping) else None


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a value that may be no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

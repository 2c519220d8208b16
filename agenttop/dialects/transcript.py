"""Collects what an answer adds to a conversation: the turn that a client sends back with its next request.

Transcripts are pure, like readers, and beside them: only requests of a task with ``history`` are answered by a reader
that has one (:mod:`agenttop.dialects.transcripts`), and the others cost what they did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import msgspec

from agenttop.dialects.base import Reader
from agenttop.dialects.failure import MALFORMED

#: Bytes that one answer may leave, and one conversation hold: what grows must end somewhere.
MAX_TRANSCRIPT_BYTES = 1 << 20


class Owed(NamedTuple):
    """A tool call whose result the client owes, in the place of the result."""

    id: str
    name: str
    kind: str = ""
    """The type of the call, if there are several types."""


class Transcript:
    """Collects the turn of one answer from the events (or body) that its reader is fed. Malformed ones never raise."""

    __slots__ = ("_room",)

    key: ClassVar[str] = "messages"
    """The key of a request that holds its turns."""
    opening: ClassVar[frozenset[str]] = frozenset({"system", "developer"})
    """Roles of turns that open a conversation and are not repeated in it."""
    takes_text: ClassVar[bool] = False
    """The turns of a request may be one text."""
    kept_there: ClassVar[tuple[str, ...]] = ()
    """Keys of a request that make the target keep the conversation as well."""
    fixed: ClassVar[tuple[str, ...]] = ()
    """Keys of a request that stay what they were in the first of a conversation."""
    numbered: ClassVar[bool] = False
    """Every message has an id."""
    carries: ClassVar[bool] = False
    """Results of tools are blocks of the next user message, rather than turns of their own."""

    def __init__(self) -> None:
        self._room = MAX_TRANSCRIPT_BYTES

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
        raise NotImplementedError

    def turn(self) -> list[dict[str, Any] | Owed]:
        """Return the turns of the answer, in order, and the results owed; none if it says nothing, or too much."""
        return [] if self.full else self.turns()

    @property
    def full(self) -> bool:
        """Return whether the answer says too much to be kept."""
        return self._room < 0

    def turns(self) -> list[dict[str, Any] | Owed]:
        """See :meth:`turn`."""
        raise NotImplementedError

    @staticmethod
    def result(owed: Owed, text: str) -> dict[str, Any]:
        """Return a tool's result as the dialect has it."""
        raise NotImplementedError

    def lose(self) -> None:
        """Keep nothing of the answer."""
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


class Listening(Reader):
    """A mixin for a dialect's reader that feeds the transcript with what the reader is fed."""

    __slots__ = ()
    transcript: Transcript

    def event(self, data: bytes, event: bytes = b"") -> int:
        flags = super().event(data, event)
        try:
            self.transcript.event(data, event)
        except RecursionError:  # nested so deep that it could just be read
            self.transcript.lose()
        return flags

    def body(self, data: bytes) -> int:
        flags = super().body(data)
        try:
            self.transcript.body(data)
        except RecursionError:
            self.transcript.lose()
        return flags


def decoded(data: bytes) -> Any:
    """Return JSON as a reader decodes it, broken UTF-8 replaced; None if it is none."""
    try:
        return msgspec.json.decode(data)
    except MALFORMED:
        try:
            return msgspec.json.decode(data.decode("utf-8", "replace"))
        except MALFORMED:
            return None


def text_of(value: Any) -> str:
    """Return a field if it is text; else an empty text."""
    return value if isinstance(value, str) else ""


def part(value: Any, name: str) -> Any:
    """Return a field of a value that may be no object; None without it."""
    return value.get(name) if isinstance(value, Mapping) else None


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a value that may be no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

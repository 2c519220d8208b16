"""What an answer leaves in a conversation: the turn that a client sends back with its next request.

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
    """A tool call whose result the client owes, in the place where the result belongs."""

    id: str
    name: str
    kind: str = ""
    """The type of the call, where there are several."""


class Transcript:
    """One answer, fed the events (or the body) that its reader is fed. Malformed ones never raise."""

    __slots__ = ("_room",)

    key: ClassVar[str] = "messages"
    """Where a request has its turns."""
    opening: ClassVar[frozenset[str]] = frozenset({"system", "developer"})
    """Roles of turns that open a conversation and are not repeated in it."""
    takes_text: ClassVar[bool] = False
    """The turns of a request may be one text."""
    kept_there: ClassVar[tuple[str, ...]] = ()
    """Keys of a request that make the target keep the conversation as well."""
    fixed: ClassVar[tuple[str, ...]] = ()
    """Keys of a request that stay, through a conversation, what they were in its first."""
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
        """The turns that the answer leaves, in order, and the results owed; none where it says nothing, or too much."""
        return [] if self.full else self.turns()

    @property
    def full(self) -> bool:
        """The answer says too much to be kept."""
        return self._room < 0

    def turns(self) -> list[dict[str, Any] | Owed]:
        """See :meth:`turn`."""
        raise NotImplementedError

    @staticmethod
    def result(owed: Owed, text: str) -> dict[str, Any]:
        """What a tool returned, as the dialect has it."""
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
    """Mixed into a dialect's own reader: what that is fed, the transcript is fed too."""

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
    """JSON as a reader reads it, broken UTF-8 replaced; None where it is none."""
    try:
        return msgspec.json.decode(data)
    except MALFORMED:
        try:
            return msgspec.json.decode(data.decode("utf-8", "replace"))
        except MALFORMED:
            return None


def text_of(value: Any) -> str:
    """A field as text: empty where it is none."""
    return value if isinstance(value, str) else ""


def part(value: Any, name: str) -> Any:
    """A field of what may be no object."""
    return value.get(name) if isinstance(value, Mapping) else None


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of what may be no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

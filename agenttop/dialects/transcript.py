"""Collects what an answer adds to a conversation: the turn that a client sends back with its next request.

Transcripts are collectors (:mod:`agenttop.dialects.heard`) that keep all of an answer, in the form in which it goes
back.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from agenttop.dialects.base import Reader
from agenttop.dialects.heard import MAX_HEARD_BYTES as MAX_TRANSCRIPT_BYTES
from agenttop.dialects.heard import Heard

__all__ = ["MAX_TRANSCRIPT_BYTES", "Listening", "Owed", "Transcript"]


class Owed(NamedTuple):
    """A tool call whose result the client owes, in the place of the result."""

    id: str
    name: str
    kind: str = ""
    """The type of the call, if there are several types."""


class Transcript(Heard):
    """Collects the turn of one answer."""

    __slots__ = ()

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

    def turn(self) -> list[dict[str, Any] | Owed]:
        """Return the turns of the answer, in order, and the results owed; none if it says nothing, or too much."""
        return [] if self.full else self.turns()

    def turns(self) -> list[dict[str, Any] | Owed]:
        """See :meth:`turn`."""
        raise NotImplementedError

    @staticmethod
    def result(owed: Owed, text: str) -> dict[str, Any]:
        """Return a tool's result as the dialect has it."""
        raise NotImplementedError


class Listening(Reader):
    """A mixin for a dialect's reader that feeds a collector with what the reader is fed."""

    __slots__ = ()
    heard: Heard

    @property
    def transcript(self) -> Transcript:
        """Return the collector of a request that is a turn of a conversation."""
        assert isinstance(self.heard, Transcript)
        return self.heard

    def event(self, data: bytes, event: bytes = b"") -> int:
        if self.heard.inside:
            return super().event(data, event)
        self.heard.inside = True
        try:
            flags = super().event(data, event)
        finally:
            self.heard.inside = False
        try:
            self.heard.event(data, event)
        except RecursionError:  # nested so deep that it could just be read
            self.heard.lose()
        return flags

    def body(self, data: bytes) -> int:
        flags = super().body(data)
        try:
            self.heard.body(data)
        except RecursionError:
            self.heard.lose()
        return flags

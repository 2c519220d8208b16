"""The facts of a dialect in one place: how its answers are read, over which protocol, who keeps the conversation.

Whoever needs to know it of a dialect asks the dialect: profiles, ``hit``, users. So a new one is one file, and one line
in the table of ``dialects/__init__.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from agenttop.dialects.base import Reader
from agenttop.dialects.failure import forgets_session
from agenttop.dialects.heard import Heard
from agenttop.dialects.transcript import Transcript

#: How a target's own name for a conversation is taken from the answer that tells it.
SAVE = 'save = { session = "$.id" } in setup, and send {session} with every turn'


class Dialect:
    """One way agents speak.

    Args:
        measure: the ``[measure]`` table with its paths compiled; of use to those that are ``measured`` alone.
    """

    name: str
    read_by: ClassVar[type[Reader]]
    """The class that reads one answer."""
    terminal: bool = True
    """A stream of this dialect has a terminal event: without it the answer is truncated."""
    reads_body: bool = True
    """``Reader.body`` has something to read in an answer that was not streamed."""
    speaks: bool = True
    """Good answers have output or usage."""
    measured: ClassVar[bool] = False
    """The profile's ``[measure]`` says what its answers mean."""
    protocols: ClassVar[tuple[str, ...]] = ("http", "sse", "ws")
    """Protocols of pools that may speak it."""
    instead_of_others: ClassVar[str] = "is not spoken over WebSocket"
    """Why other protocols may not, as the end of a sentence about the dialect."""
    asks_to_stream: ClassVar[bool] = False
    """A request has to ask for a stream: ``stream = true`` in its JSON."""
    transcript: ClassVar[type[Transcript] | None] = None
    """What an answer adds to a conversation that the client keeps and sends along; None if the target keeps it, or
    nobody.
    """
    heard: ClassVar[type[Heard] | None] = None
    """What collects the text and the tool calls of an answer that is graded; None: ``transcript`` does, or the profile
    says where they are.
    """
    instead_of_history: ClassVar[str] = ""
    """What to write in a profile if the target keeps the conversation itself; empty if unknown."""

    def __init__(self, measure: Mapping[str, Any] | None = None) -> None:
        del measure

    def reader(self) -> Reader:
        """Return a fresh reader for one answer."""
        return self.read_by()

    @classmethod
    def collector(cls) -> type[Heard] | None:
        """Return what collects an answer's text and tool calls; None if the profile has to say where they are."""
        return cls.heard or cls.transcript

    @classmethod
    def forgets(cls, words: str) -> bool:
        """Return whether the words of a failure say that a session is not known any more."""
        return forgets_session(words)

    @classmethod
    def streams(cls, body: Any) -> bool:
        """Return whether the answer to a request is a stream; ``body`` is its JSON, else its text, or None."""
        return cls.asks_to_stream and isinstance(body, dict) and body.get("stream") is True

"""Reads an answer for a user's own code: all of it is kept, and returned as a value."""

from __future__ import annotations

from agenttop.scripting.answer import Answer as Given
from agenttop.users.answer import MAX_BODY, Answer
from agenttop.users.compiled import CompiledStep


class ScriptedAnswer(Answer):
    """Keeps what code may want to look at: every body, and every message."""

    __slots__ = ("messages",)

    def begin(self, step: CompiledStep) -> None:
        """See :class:`Answer`."""
        super().begin(step)
        self.messages: list[bytes] = []

    def head(self, status: int, headers: dict[str, str], now: int) -> bool:
        """See :class:`Answer`."""
        super().head(status, headers, now)
        self._keep = MAX_BODY
        return True

    def message(self, data: bytes, now: int) -> bool:
        """See :class:`Answer`."""
        self._size += len(data)
        if self._size <= MAX_BODY:
            self.messages.append(data)
        return super().message(data, now)


def handed_out(answer: ScriptedAnswer, outcome: str, error: str) -> Given:
    """Return an answer as users' own code gets it."""
    reader = answer.reader
    return Given(
        answer.status,
        str(outcome),
        error,
        answer.headers,
        answer.body,
        answer.messages,
        answer.latency_ns / 1e9,
        None if answer.ttfb_ns is None else answer.ttfb_ns / 1e9,
        None if answer.ttft_ns is None else answer.ttft_ns / 1e9,
        None if reader is None else reader.input_tokens,
        None if reader is None else reader.output_tokens,
    )

"""Keeps the graded answers of one worker until they are sent to the controller."""

from __future__ import annotations

from msgspec.structs import replace

from agenttop.quality.answer import Answer

#: Characters of texts that wait; what comes beyond them is kept without its text, and says so.
MAX_WAITING = 32 << 20
#: Characters of the texts that go in one message.
MAX_BATCH = 4 << 20


class Handover:
    """Answers in the order in which they ended: none is ever dropped."""

    __slots__ = ("_answers", "_waiting")

    def __init__(self) -> None:
        self._answers: list[Answer] = []
        self._waiting = 0

    def __len__(self) -> int:
        return len(self._answers)

    def put(self, answer: Answer) -> None:
        """Keep an answer."""
        size = _size(answer)
        if self._waiting + size > MAX_WAITING:
            answer = replace(answer, text="", tools=(), cut=True)
            size = 0
        self._waiting += size
        self._answers.append(answer)

    def take(self) -> list[Answer]:
        """Return what fits one message, the oldest first; empty if nothing waits."""
        size = count = 0
        for answer in self._answers:
            size += _size(answer)
            if count and size > MAX_BATCH:
                size -= _size(answer)
                break
            count += 1
        batch, self._answers = self._answers[:count], self._answers[count:]
        self._waiting -= size
        return batch


def _size(answer: Answer) -> int:
    """Return about how many characters an answer has; arguments of tools are bounded by what a collector keeps."""
    return len(answer.text) + sum(len(str(call.arguments)) for call in answer.tools)

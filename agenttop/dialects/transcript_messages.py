"""The turn that a message of Anthropic's leaves: its content blocks, as they came.

https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking#preserving-thinking-blocks. Thinking goes back
whole and unchanged, with its signature: beside a tool call the API demands it, elsewhere it skips it. Thinking without
a signature, which no server could accept as its own, is left out, and so is text without any, which the API refuses.

A ``tool_use`` is answered by a ``tool_result`` at the begin of the next user message. Tools that the server ran itself
stand with their results in the same content.
"""

from __future__ import annotations

from typing import Any

from agenttop.dialects.heard import Call, Said, call_of, decoded, objects, part, text_of
from agenttop.dialects.transcript import Owed, Transcript

_THOUGHTS = ("thinking", "redacted_thinking")


class _Block:
    """A content block, as far as its pieces have come."""

    __slots__ = ("fields", "input", "text", "thinking")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.text: list[str] = []
        self.thinking: list[str] = []
        self.input: list[str] = []

    def cite(self, citation: dict[str, Any]) -> None:
        """Add a citation."""
        found = self.fields.get("citations")
        if isinstance(found, list):
            found.append(citation)
        else:
            self.fields["citations"] = [citation]

    @property
    def words(self) -> str:
        """Return its text, if it is one."""
        return text_of(self.fields.get("text")) + "".join(self.text) if self.fields.get("type") == "text" else ""

    @property
    def call(self) -> Call | None:
        """Return the call that it is, if it is one."""
        if not text_of(self.fields.get("type")).endswith("tool_use"):
            return None
        return call_of(self.fields.get("name"), "".join(self.input) if self.input else self.fields.get("input"))

    def whole(self) -> dict[str, Any] | None:
        """Return the block; None if there is nothing in it to send back."""
        fields, kind = self.fields, text_of(self.fields.get("type"))
        for name, pieces in (("text", self.text), ("thinking", self.thinking)):
            if pieces:
                fields[name] = text_of(fields.get(name)) + "".join(pieces)
        if kind.endswith("tool_use"):
            given = decoded("".join(self.input).encode()) if self.input else fields.get("input")
            fields["input"] = given if isinstance(given, dict) else {}
        if (kind == "text" and not text_of(fields.get("text")).strip()) or (
            kind == "thinking" and not fields.get("signature")
        ):
            return None
        return fields if kind else None


class MessagesTranscript(Transcript):
    """One message."""

    __slots__ = ("_blocks", "_finish")

    opening = frozenset()  # the system prompt is a key of its own
    carries = True

    def __init__(self) -> None:
        super().__init__()
        self._blocks: dict[Any, _Block] = {}
        self._finish = ""

    def take(self, value: dict[str, Any], event: bytes) -> None:
        kind = value.get("type") or event.decode(errors="replace")
        if kind == "message_delta":
            self._finish = text_of(part(value.get("delta"), "stop_reason")) or self._finish
        elif self.full:
            return
        elif kind == "content_block_start":
            self._begin(value.get("index"), value.get("content_block"))
        elif kind == "content_block_delta":
            block = self._blocks.get(_index(value.get("index")))
            if block is not None and isinstance(delta := value.get("delta"), dict):
                self._delta(block, delta)

    def body(self, data: bytes) -> None:
        message = decoded(data)
        for index, block in enumerate(objects(part(message, "content"))):
            self._begin(index, block)
        self._finish = text_of(part(message, "stop_reason"))

    def said(self) -> Said:
        blocks = list(self._blocks.values())
        calls = tuple(call for block in blocks if (call := block.call) is not None)
        return Said("".join(block.words for block in blocks), calls, self._finish or None, self.full)

    def turns(self) -> list[dict[str, Any] | Owed]:
        content = [block for each in self._blocks.values() if (block := each.whole()) is not None]
        if all(block["type"] in _THOUGHTS for block in content):
            return []
        calls = [block for block in content if block["type"] == "tool_use"]
        for number, block in enumerate(calls, 1):
            block["id"] = text_of(block.get("id")) or f"toolu_{number}"
        owed = [Owed(block["id"], text_of(block.get("name"))) for block in calls]
        return [{"role": "assistant", "content": content}, *owed]

    @staticmethod
    def result(owed: Owed, text: str) -> dict[str, Any]:
        return {"type": "tool_result", "tool_use_id": owed.id, "content": text}

    def _begin(self, index: Any, fields: Any) -> None:
        if isinstance(fields, dict):
            self._blocks[_index(index)] = _Block(fields)
            self.spend(fields)

    def _delta(self, block: _Block, delta: dict[str, Any]) -> None:
        self.add(block.text, delta.get("text"))
        self.add(block.thinking, delta.get("thinking"))
        self.add(block.input, delta.get("partial_json"))
        for name in ("signature", "content"):  # whole, of thinking and of a compaction
            if isinstance(whole := delta.get(name), str):
                self.spend(whole)
                block.fields[name] = whole
        if isinstance(citation := delta.get("citation"), dict):
            self.spend(citation)
            block.cite(citation)


def _index(value: Any) -> int | str:
    return value if isinstance(value, int | str) else 0

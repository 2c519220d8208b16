"""What a response of the Realtime API says: its text, or what its audio says in words, and its calls of functions.

The end holds all of it; what was cut before it has only its pieces.
"""

from __future__ import annotations

from typing import Any

from agenttop.dialects.heard import Heard, Said, objects, text_of
from agenttop.dialects.transcript_responses import calls_in, end_of, said_by

_TEXT = frozenset({
    "response.output_text.delta", "response.text.delta",
    "response.output_audio_transcript.delta", "response.audio_transcript.delta",
})  # fmt: skip

_ARGUMENTS = ("response.function_call_arguments.done", "response.mcp_call_arguments.done")
_WORDS = ("type", "text", "transcript")


class RealtimeHeard(Heard):
    """One response of a session."""

    __slots__ = ("_arguments", "_items", "_response", "_text")

    def __init__(self) -> None:
        super().__init__()
        self._text: list[str] = []
        self._arguments: dict[str, list[str]] = {}
        """By the id of the item, for servers that leave them out of it."""
        self._items: list[dict[str, Any]] = []
        self._response: dict[str, Any] = {}

    def take(self, value: dict[str, Any], event: bytes) -> None:
        kind = text_of(value.get("type"))
        if kind in _TEXT:
            self.add(self._text, value.get("delta"))
        elif kind in _ARGUMENTS:
            self.add(self._arguments.setdefault(text_of(value.get("item_id")), []), value.get("arguments"))
        elif kind == "response.output_item.done" and isinstance(item := value.get("item"), dict):
            self._item(self._items, item)
        elif kind == "response.done" and isinstance(response := value.get("response"), dict):
            output: list[dict[str, Any]] = []
            for item in objects(response.get("output")):
                self._item(output, item)
            self._response = {name: response.get(name) for name in ("status", "status_details")} | {"output": output}

    def body(self, data: bytes) -> None:
        """Do nothing: a handshake that was refused says nothing."""

    def said(self) -> Said:
        items = objects(self._response.get("output")) or self._items
        text = "".join(map(said_by, items)) or "".join(self._text)
        whole = [item if item.get("arguments") else {**item, "arguments": self._of(item)} for item in items]
        return Said(text, calls_in(whole), end_of(self._response), self.full)

    def _of(self, item: dict[str, Any]) -> str:
        return "".join(self._arguments.get(text_of(item.get("id")), ()))

    def _item(self, items: list[dict[str, Any]], item: dict[str, Any]) -> None:
        if item.get("type") == "message":  # its audio is long and none of it is asked for
            content = [{name: each.get(name) for name in _WORDS} for each in objects(item.get("content"))]
            item = {"type": "message", "content": content}
        self.spend(item)
        if not self.full:
            items.append(item)

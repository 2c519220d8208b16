"""What a request to an MCP server brings: the text of its result's content, else its structured content as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from agenttop.dialects.heard import Heard, Said, decoded, objects, part, text_of


class McpHeard(Heard):
    """The answer to one request."""

    __slots__ = ("_results",)

    in_events = True

    def __init__(self) -> None:
        super().__init__()
        self._results: list[str] = []

    def event(self, data: bytes, event: bytes = b"") -> None:
        value = decoded(data)
        for message in objects(value if isinstance(value, list) else [value]):
            self.take(message, event)

    def take(self, value: dict[str, Any], event: bytes) -> None:
        result = value.get("result")
        if not isinstance(result, dict):
            return
        items = [*objects(result.get("content")), *objects(result.get("contents"))]
        items += [part(message, "content") for message in objects(result.get("messages"))]
        text = "\n".join(filter(None, (text_of(part(item, "text")) for item in items)))
        if not text and (structured := result.get("structuredContent")) is not None:
            text = msgspec.json.encode(structured).decode()
        self.add(self._results, text)

    def said(self) -> Said:
        return Said("\n".join(self._results), (), None, self.full)

"""The turn that a response of OpenAI's leaves: its output items, as they came, for the ``input`` of the next request.

https://platform.openai.com/docs/guides/conversation-state and https://platform.openai.com/docs/guides/reasoning. That
is what clients do whose requests are not stored (``store = false``, as a load test's should be); with
``previous_response_id``, which works only where they are, the growing input would not be on the wire. Calls are
answered by ``function_call_output``.

Reasoning goes back where the server can read it again: with ``encrypted_content``, which a request asks for by
``include = ["reasoning.encrypted_content"]``, or because the response is stored. Else it is left out: the API would
look its id up and find nothing. Calls that want a client's computer, shell or approval are left out too, for no made-up
text can answer them.
"""

from __future__ import annotations

from typing import Any

from agenttop.dialects.heard import Call, Said, call_of, decoded, objects, part, text_of, words
from agenttop.dialects.transcript import MAX_TRANSCRIPT_BYTES, Owed, Transcript

_ENDS = ("response.completed", "response.incomplete", "response.done")
#: What says of a response why it ended.
_OF_END = ("status", "incomplete_details", "status_details")
_CALLS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
_UNANSWERABLE = frozenset({
    "computer_call", "local_shell_call", "shell_call", "shell_call_output", "apply_patch_call", "mcp_approval_request",
})  # fmt: skip


class ResponsesTranscript(Transcript):
    """One response."""

    __slots__ = ("_items", "_refusal", "_response", "_text")

    key = "input"
    takes_text = True
    kept_there = ("previous_response_id", "conversation")

    def __init__(self) -> None:
        super().__init__()
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._items: list[dict[str, Any]] = []
        self._response: dict[str, Any] = {}

    def take(self, value: dict[str, Any], event: bytes) -> None:
        kind = value.get("type") or event.decode(errors="replace")
        if kind == "response.output_text.delta":
            self.add(self._text, value.get("delta"))
        elif kind == "response.refusal.delta":
            self.add(self._refusal, value.get("delta"))
        elif kind == "response.output_item.done" and isinstance(item := value.get("item"), dict):
            self.spend(item)
            if not self.full:
                self._items.append(item)
        elif kind in _ENDS and isinstance(response := value.get("response"), dict):
            self._end(response)

    def body(self, data: bytes) -> None:
        value = decoded(data)
        if isinstance(value, dict):
            self._end(value)

    def _end(self, response: dict[str, Any]) -> None:
        self._response = {name: response.get(name) for name in ("output", "store", *_OF_END)}
        if objects(response.get("output")):
            self._room = MAX_TRANSCRIPT_BYTES  # what came in pieces comes here again, and takes no room of its own
        self.spend(response.get("output"))

    def turns(self) -> list[dict[str, Any] | Owed]:
        # The end holds all of it; some servers leave it out there, and a few tell of no items at all.
        items = objects(self._response.get("output")) or self._items
        if not items and self._text:
            items = [{"role": "assistant", "content": "".join(self._text)}]
        stored = self._response.get("store") is True
        kept = [item for item in items if _goes_back(item, stored)]
        if all(item.get("type") == "reasoning" for item in kept):
            return []
        owed = [
            Owed(text_of(item.get("call_id")), text_of(item.get("name")), _CALLS[kind])
            for item in kept
            if (kind := text_of(item.get("type"))) in _CALLS
        ]
        return [*kept, *owed]

    def said(self) -> Said:
        items = objects(self._response.get("output")) or self._items
        text = "".join(map(said_by, items)) or "".join(self._text) or "".join(self._refusal)
        return Said(text, calls_in(items), end_of(self._response), self.full)

    @staticmethod
    def result(owed: Owed, text: str) -> dict[str, Any]:
        return {"type": owed.kind, "call_id": owed.id, "output": text}


def _goes_back(item: dict[str, Any], stored: bool) -> bool:
    kind = text_of(item.get("type"))
    if kind == "reasoning":
        return stored or bool(item.get("encrypted_content"))
    return kind not in _UNANSWERABLE and not (kind in _CALLS and not part(item, "call_id"))


def said_by(item: dict[str, Any]) -> str:
    """Return the text of an output item; empty if it is no message."""
    return words(item.get("content")) if item.get("type") == "message" else ""


def calls_in(items: list[dict[str, Any]]) -> tuple[Call, ...]:
    """Return the tool calls among output items; those of hosted tools have the name of their type."""
    return tuple(
        call_of(item.get("name") or kind.removesuffix("_call"), _arguments(item))
        for item in items
        if (kind := text_of(item.get("type"))).endswith("_call")
    )


def end_of(response: dict[str, Any]) -> str | None:
    """Return why a response ended: the reason for an incomplete one, else its status."""
    details = response.get("incomplete_details") or response.get("status_details")
    return text_of(part(details, "reason")) or text_of(response.get("status")) or None


def _arguments(item: dict[str, Any]) -> Any:
    return next((item[name] for name in ("arguments", "input", "action") if item.get(name) is not None), None)

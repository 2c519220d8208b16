"""The turn that a chat completion leaves: the assistant's message with its text and tool calls.

https://platform.openai.com/docs/guides/function-calling. Each call is answered by a message of role ``tool``. Reasoning
is not sent back: servers that show it refuse it or ignore it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from agenttop.dialects.heard import Said, call_of, decoded, objects, part, text_of
from agenttop.dialects.transcript import Owed, Transcript


class _Call:
    """A tool call, as far as its pieces have come."""

    __slots__ = ("arguments", "id", "kind", "name")

    def __init__(self) -> None:
        self.id = self.name = ""
        self.kind = "function"
        self.arguments: list[str] = []


class ChatTranscript(Transcript):
    """One completion: its first choice, which is all that most ask for."""

    __slots__ = ("_by_index", "_calls", "_finish", "_function", "_refusal", "_text")

    def __init__(self) -> None:
        super().__init__()
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._calls: list[_Call] = []
        self._by_index: dict[int | str, _Call] = {}
        self._function: _Call | None = None
        """A call of the form before tools, which no turn has any more."""
        self._finish = ""

    def take(self, value: dict[str, Any], event: bytes) -> None:
        for choice in objects(value.get("choices")):
            if not choice.get("index"):
                self._message(choice.get("delta"))
                self._finish = text_of(choice.get("finish_reason")) or self._finish

    def body(self, data: bytes) -> None:
        for choice in objects(part(decoded(data), "choices")):
            if not choice.get("index"):
                self._message(choice.get("message"))
                self._finish = text_of(choice.get("finish_reason")) or self._finish

    def turns(self) -> list[dict[str, Any] | Owed]:
        text, refusal = "".join(self._text), "".join(self._refusal)
        if not (text or refusal or self._calls):
            return []
        message: dict[str, Any] = {"role": "assistant", "content": text or None}
        if refusal:
            message["refusal"] = refusal
        if not self._calls:
            return [message]
        for number, call in enumerate(self._calls, 1):
            call.id = call.id or f"call_{number}"
        message["tool_calls"] = [_written(call) for call in self._calls]
        return [message, *(Owed(call.id, call.name) for call in self._calls)]

    def said(self) -> Said:
        calls = [*self._calls, *([self._function] if self._function is not None else ())]
        return Said(
            "".join(self._text) or "".join(self._refusal),
            tuple(call_of(call.name, "".join(call.arguments)) for call in calls),
            self._finish or None,
            self.full,
        )

    @staticmethod
    def result(owed: Owed, text: str) -> dict[str, Any]:
        return {"role": "tool", "tool_call_id": owed.id, "content": text}

    def _message(self, message: Any) -> None:
        """Take a message, or a piece of one."""
        if self.full:
            return
        content = part(message, "content")
        self.add(self._text, content)
        for piece in objects(content):  # typed parts, as Mistral has them; thinking has no text of its own
            self.add(self._text, piece.get("text"))
        self.add(self._refusal, part(message, "refusal"))
        for position, call in enumerate(objects(part(message, "tool_calls"))):
            self._call(call, position)
        if isinstance(function := part(message, "function_call"), dict):
            asked = self._function = self._function or _Call()
            asked.name = asked.name or text_of(function.get("name"))
            self.add(asked.arguments, function.get("arguments"))

    def _call(self, piece: dict[str, Any], position: int) -> None:
        index = piece.get("index")
        index = index if isinstance(index, int | str) else position
        kind = "custom" if isinstance(piece.get("custom"), dict) else "function"
        function = piece.get(kind)
        identity, name = text_of(piece.get("id")), text_of(part(function, "name"))
        call = self._by_index.get(index)
        # Another call under the same index: see the reader.
        if call is None or (name and call.id and identity and identity != call.id):
            call = self._by_index[index] = _Call()
            call.kind = kind
            self._calls.append(call)
            self.spend([identity, name])
        call.id = call.id or identity
        call.name = call.name or name
        arguments = part(function, "input" if kind == "custom" else "arguments")
        if isinstance(arguments, dict):  # of servers that do not write them as text
            arguments = msgspec.json.encode(arguments).decode()
        self.add(call.arguments, arguments)


def _written(call: _Call) -> dict[str, Any]:
    text = "".join(call.arguments)
    if call.kind == "custom":
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": text}}
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": text or "{}"}}

"""The messages that a run of an AG-UI agent leaves: the client of the protocol keeps all of them, and sends all.

https://docs.ag-ui.com/concepts/messages. The agent's text, its tool calls (as messages of their own, where they name no
parent) and the results of the tools that it ran itself. A call without a result is the client's to run: its result
stands behind the call. Of a snapshot, which holds the whole conversation, what follows the client's own last message
replaces what came before it. Activities and state are not sent back, and reasoning
only where it comes in a snapshot.
"""

from __future__ import annotations

import re
from typing import Any

from agenttop.dialects.heard import Said, call_of, objects, part, text_of
from agenttop.dialects.transcript import MAX_TRANSCRIPT_BYTES, Owed, Transcript

#: How the ids of the results that clients add begin.
OURS = "agenttop-result-"

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])|[-. ]")
_OTHERS = frozenset({"user", "system", "developer"})


class _Message:
    """A message, as far as its pieces have come."""

    __slots__ = ("calls", "fields", "text")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.text: list[str] = []
        self.calls: list[_Call] = []


class _Call:
    __slots__ = ("arguments", "id", "name")

    def __init__(self, identity: str, name: str) -> None:
        self.id = identity
        self.name = name
        self.arguments: list[str] = []

    def written(self) -> dict[str, Any]:
        function = {"name": self.name, "arguments": "".join(self.arguments) or "{}"}
        return {"id": self.id, "type": "function", "function": function}


class AgUiTranscript(Transcript):
    """One run."""

    __slots__ = ("_answered", "_by_id", "_call", "_calls", "_finish", "_messages", "_not_ours", "_text_id")

    fixed = ("threadId",)
    numbered = True
    in_events = True

    def __init__(self) -> None:
        super().__init__()
        self._messages: list[_Message] = []
        self._by_id: dict[str, _Message] = {}
        self._calls: dict[str, _Call] = {}
        self._answered: set[str] = set()
        """Ids of the calls whose results have come."""
        self._not_ours: set[str] = set()
        """Ids of messages that are not the agent's: some servers repeat the user's."""
        self._text_id = ""
        self._call: _Call | None = None
        self._finish = ""

    def take(self, value: dict[str, Any], event: bytes) -> None:
        kind = text_of(value.get("type")) or event.decode(errors="replace")
        kind = kind if kind.isupper() else _WORD.sub("_", kind).upper()
        if kind == "MESSAGES_SNAPSHOT":
            self._snapshot(objects(value.get("messages")))
        elif kind == "RUN_FINISHED":
            outcome = value.get("outcome")
            self._finish = text_of(outcome) or text_of(part(outcome, "type"))
        elif self.full:
            return
        elif kind.startswith("TEXT_MESSAGE_"):
            self._say(value)
        elif kind == "TOOL_CALL_RESULT":
            self._result(value)
        elif kind.startswith("TOOL_CALL_"):
            self._tool(value)

    def turns(self) -> list[dict[str, Any] | Owed]:
        found: list[dict[str, Any] | Owed] = []
        said = False
        for message in self._messages:
            fields = message.fields
            if message.text:
                fields["content"] = text_of(fields.get("content")) + "".join(message.text)
            if message.calls:
                fields["toolCalls"] = [call.written() for call in message.calls]
            if fields.get("role") == "assistant":
                if not fields.get("content") and not message.calls:
                    continue
                said = True
            found.append(fields)
            found += [Owed(call.id, call.name) for call in message.calls if call.id not in self._answered]
        return found if said else []

    def said(self) -> Said:
        ours = [message for message in self._messages if message.fields.get("role") == "assistant"]
        texts = [text_of(message.fields.get("content")) + "".join(message.text) for message in ours]
        calls = tuple(call_of(call.name, "".join(call.arguments)) for message in ours for call in message.calls)
        return Said(next(filter(None, reversed(texts)), ""), calls, self._finish or None, self.full)

    @staticmethod
    def result(owed: Owed, text: str) -> dict[str, Any]:
        return {"id": f"{OURS}{owed.id}", "role": "tool", "toolCallId": owed.id, "content": text}

    def _say(self, value: dict[str, Any]) -> None:
        """Take the begin, a piece or the end of a message; a piece without an id continues the one before it."""
        identity = _field(value, "messageId", "message_id") or self._text_id or f"message-{len(self._messages) + 1}"
        self._text_id = identity
        if text_of(value.get("role")) in _OTHERS and identity not in self._not_ours:
            self._not_ours.add(identity)
            self.spend(identity)
        if identity not in self._not_ours:
            self.add(self._message(identity).text, value.get("delta"))

    def _message(self, identity: str) -> _Message:
        message = self._by_id.get(identity)
        if message is None:
            message = self._keep({"id": identity, "role": "assistant"})
        return message

    def _keep(self, fields: dict[str, Any]) -> _Message:
        self.spend(fields)
        message = self._by_id[text_of(fields.get("id"))] = _Message(fields)
        self._messages.append(message)
        return message

    def _tool(self, value: dict[str, Any]) -> None:
        """Take the begin, a piece or the end of a call; a piece without an id continues the one before it."""
        identity = _field(value, "toolCallId", "tool_call_id")
        call = self._call
        if identity and (call is None or call.id != identity):
            call = self._calls.get(identity)
            if call is None:
                call = self._calls[identity] = _Call(identity, _field(value, "toolCallName", "tool_call_name"))
                parent = _field(value, "parentMessageId", "parent_message_id")
                self._message(parent or identity).calls.append(call)
                self.spend(call.written())
        if call is not None:
            self._call = call
            self.add(call.arguments, value.get("delta"))

    def _result(self, value: dict[str, Any]) -> None:
        call_id = _field(value, "toolCallId", "tool_call_id")
        identity = _field(value, "messageId", "message_id") or f"result-{call_id}"
        self._answered.add(call_id)
        self._keep({"id": identity, "role": "tool", "toolCallId": call_id, "content": text_of(value.get("content"))})

    def _snapshot(self, messages: list[dict[str, Any]]) -> None:
        self._begin_again()
        for fields in messages:
            role = text_of(fields.get("role"))
            if role in _OTHERS or text_of(fields.get("id")).startswith(OURS):
                self._begin_again()
            elif role != "activity":
                self._whole(fields)

    def _begin_again(self) -> None:
        self._messages, self._by_id, self._calls, self._answered = [], {}, {}, set()
        self._call = None
        self._room = MAX_TRANSCRIPT_BYTES

    def _whole(self, fields: dict[str, Any]) -> None:
        """Take a message of a snapshot."""
        message = self._keep({name: value for name, value in fields.items() if name not in ("toolCalls", "tool_calls")})
        self._answered.add(_field(fields, "toolCallId", "tool_call_id"))
        for each in objects(fields.get("toolCalls") or fields.get("tool_calls")):
            function = each.get("function")
            call = _Call(text_of(each.get("id")), text_of(part(function, "name")))
            call.arguments = [text_of(part(function, "arguments"))]
            self.spend(call.written())
            self._calls[call.id] = call
            message.calls.append(call)


def _field(value: Any, name: str, other: str) -> str:
    """Return a text by its name in camelCase or in snake_case: SDKs differ."""
    return text_of(value.get(name)) or text_of(value.get(other))

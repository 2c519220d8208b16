"""What a LangGraph run says: the last AI message that has text, as it stands at the end of the graph's state.

A message comes in pieces, or whole and again and again; which, the names of the events say (see the reader). Messages
that were there before the run are none of its answer.
"""

from __future__ import annotations

from typing import Any

from agenttop.dialects.heard import Call, Heard, Said, call_of, decoded, objects, part, text_of, words

_AI = frozenset({"ai", "AIMessage", "AIMessageChunk", "assistant"})
_HUMAN = frozenset({"human", "HumanMessage", "user"})


class _Message:
    """An AI message, as far as it has come."""

    __slots__ = ("calls", "pieces", "whole")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.calls: dict[str, tuple[list[str], list[str]]] = {}
        """Names and arguments of calls that come in pieces, by index."""
        self.whole: tuple[Call, ...] = ()


class LangGraphHeard(Heard):
    """One run."""

    __slots__ = ("_begun", "_finish", "_messages")

    def __init__(self) -> None:
        super().__init__()
        self._messages: dict[Any, _Message | None] = {}
        """By id; None for one that was there before."""
        self._begun: set[bytes] = set()
        self._finish = ""

    def event(self, data: bytes, event: bytes = b"") -> None:
        kind, _, space = event.partition(b"|")
        value = decoded(data)
        if kind == b"messages":
            self._message(value[0] if isinstance(value, list) and value else None)
        elif kind in (b"messages/partial", b"messages/complete"):
            for message in objects(value):
                self._message(message)
        elif kind == b"updates" and isinstance(value, dict):
            for update in value.values():
                for node in update if isinstance(update, list) else (update,):
                    self._turn(part(node, "messages"))
        elif kind == b"values":
            messages = _listed(part(value, "messages"))
            if space not in self._begun:
                self._begun.add(space)
                for message in messages:
                    self._messages.setdefault(str(message.get("id")), None)
            for message in messages:
                if message.get("id") is not None:
                    self._message(message)

    def body(self, data: bytes) -> None:
        self._turn(part(decoded(data), "messages"), named=False)

    def said(self) -> Said:
        found = [message for message in self._messages.values() if message is not None]
        texts = ("".join(message.pieces) for message in reversed(found))
        calls = [call for message in found for call in _calls(message)]
        return Said(next(filter(None, texts), ""), tuple(calls), self._finish or None, self.full)

    def _turn(self, messages: Any, *, named: bool = True) -> None:
        """Take whole messages after the last one of a human; in a stream those without an id come again with one."""
        found = _listed(messages)
        last = max((at for at, message in enumerate(found) if _kind(message) in _HUMAN), default=-1)
        for number, message in enumerate(found[last + 1 :]):
            if message.get("id") is not None:
                self._message(message)
            elif not named:
                self._message({**message, "id": f"#{number}"})

    def _message(self, value: Any) -> None:
        if not isinstance(value, dict) or _kind(value) not in _AI:
            return
        identity = str(value.get("id"))
        if identity in self._messages and self._messages[identity] is None:
            return
        known = self._messages.get(identity)
        if known is None:
            known = self._messages[identity] = _Message()
        metadata = value.get("response_metadata")
        finish = text_of(part(metadata, "finish_reason")) or text_of(part(metadata, "stop_reason"))
        self._finish = finish or self._finish
        text = words(value.get("content"))
        if _kind(value) == "AIMessageChunk":
            self.add(known.pieces, text)
            for position, call in enumerate(objects(value.get("tool_call_chunks"))):
                index = call.get("index")
                names, arguments = known.calls.setdefault(str(position if index is None else index), ([], []))
                self.add(names, call.get("name"))
                self.add(arguments, call.get("args"))
            return
        if text and text != "".join(known.pieces):
            self._room += sum(map(len, known.pieces))  # what was there of it has gone
            known.pieces.clear()
            self.add(known.pieces, text)
        calls = tuple(call_of(call.get("name"), call.get("args")) for call in objects(value.get("tool_calls")))
        if calls != known.whole:
            self.spend([call.arguments for call in calls])
            known.whole = known.whole if self.full else calls


def _calls(message: _Message) -> tuple[Call, ...]:
    pieces = message.calls.values()
    return message.whole or tuple(call_of("".join(names), "".join(arguments)) for names, arguments in pieces)


def _listed(messages: Any) -> list[dict[str, Any]]:
    return [messages] if isinstance(messages, dict) else objects(messages)


def _kind(message: dict[str, Any]) -> str:
    return text_of(message.get("type")) or text_of(message.get("role"))

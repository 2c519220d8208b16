"""AG-UI, the Agent-User Interaction protocol: one run, from RUN_STARTED to RUN_FINISHED.

https://docs.ag-ui.com/concepts/events. A stream is ``data:`` events of JSON objects that say their ``type``.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from agenttop.dialects.base import DONE, OUTPUT, REASONING, STEP, Reader
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.failure import MALFORMED, stray
from agenttop.dialects.generic import fail_in_words, malformed, read_usage, repaired
from agenttop.dialects.transcript_ag_ui import AgUiTranscript

# What is read of an event:
#
#     TEXT_MESSAGE_CONTENT / _CHUNK               delta: output, if not empty and the message is the agent's
#     REASONING_MESSAGE_CONTENT / _CHUNK          delta: reasoning
#     THINKING_TEXT_MESSAGE_CONTENT               delta: reasoning, by its older name
#     TOOL_CALL_ARGS / _CHUNK                     delta: output
#     TOOL_CALL_START / _CHUNK                    toolCallId: one tool call each
#     STEP_STARTED, STEP_FINISHED                 stepName: a step begins, ends
#     MESSAGES_SNAPSHOT                           output where the agent's words come in it alone; after pieces it
#                                                 repeats them, and before them it repeats what the user sent
#     RUN_FINISHED                                the end, also where it is an interrupt; usage
#     RUN_ERROR                                   failure, and the end; usage
#
# Everything else says nothing about the answer: state, activity, results of tools, RAW, CUSTOM. Names of fields are
# read in camelCase and in snake_case, types in any case: SDKs differ, and so do servers written without one.

_TEXT, _THOUGHT, _ARGUMENTS, _RARE = 1, 2, 3, 4

_KINDS = {
    "TEXT_MESSAGE_CONTENT": _TEXT,
    "TEXT_MESSAGE_CHUNK": _TEXT,
    "REASONING_MESSAGE_CONTENT": _THOUGHT,
    "REASONING_MESSAGE_CHUNK": _THOUGHT,
    "THINKING_TEXT_MESSAGE_CONTENT": _THOUGHT,
    "TOOL_CALL_ARGS": _ARGUMENTS,
    "TOOL_CALL_START": _RARE,
    "TOOL_CALL_CHUNK": _RARE,
    "TEXT_MESSAGE_START": _RARE,
    "STEP_STARTED": _RARE,
    "STEP_FINISHED": _RARE,
    "MESSAGES_SNAPSHOT": _RARE,
    "RUN_STARTED": _RARE,
    "RUN_FINISHED": _RARE,
    "RUN_ERROR": _RARE,
}
_OTHERS = frozenset({"user", "system", "developer"})

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])|[-. ]")
_QUOTE = ord('"')

#: Characters of a step's name that are kept.
_MAX_NAME = 120


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    delta: msgspec.Raw = msgspec.Raw()
    message_id: Any = msgspec.field(default=None, name="messageId")
    role: Any = None


class _Whole(msgspec.Struct):
    """Members that few events have."""

    tool_call_id: Any = msgspec.field(default=None, name="toolCallId")
    tool_call_id_: Any = msgspec.field(default=None, name="tool_call_id")
    step_name: Any = msgspec.field(default=None, name="stepName")
    step_name_: Any = msgspec.field(default=None, name="step_name")
    message_id_: Any = msgspec.field(default=None, name="message_id")
    messages: Any = None
    message: Any = None
    code: Any = None
    error: Any = None
    usage: Any = None
    result: Any = None


_decode = msgspec.json.Decoder(_Event).decode
_decode_whole = msgspec.json.Decoder(_Whole).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class AgUiReader(Reader):
    """Reads one run."""

    __slots__ = ("_calls", "_not_ours")

    def __init__(self) -> None:
        super().__init__()
        self._calls: set[str] = set()
        self._not_ours: set[str] = set()
        """Ids of messages that are not the agent's: some servers repeat the user's."""

    def event(self, data: bytes, event: bytes = b"") -> int:
        if not data:
            return 0
        try:
            message = _decode(data)
            kind = _KINDS.get(message.type)
            if kind is not None and kind <= _ARGUMENTS and not self._not_ours and message.role is None:
                return self._output(message, kind)
            return self._event(message, data, event)
        except MALFORMED:
            return self._unreadable(data, event)

    def body(self, data: bytes) -> int:
        """Read an answer that was not streamed: a list of events, one of them, or an error of the server's
        framework.
        """
        if not data.strip():
            return DONE
        flags = DONE
        try:
            events: list[msgspec.Raw] = _decode_list(data) if data.lstrip()[:1] == b"[" else [msgspec.Raw(data)]
            for each in events:
                flags |= self.event(bytes(each))
        except MALFORMED:
            flags |= self._unreadable(data, b"")
        return flags

    def _output(self, message: _Event, kind: int) -> int:
        if self.tool_calls is None:
            self.tool_calls = 0
        # Raw, for STATE_DELTA has a whole patch there, and only its being there is asked for.
        delta = memoryview(message.delta)
        if len(delta) < 3 or delta[0] != _QUOTE:
            return 0
        self.chunks += 1
        return OUTPUT | REASONING if kind == _THOUGHT else OUTPUT

    def _event(self, message: _Event, data: bytes, event: bytes) -> int:
        name = message.type or event.decode("ascii", "replace")
        if name not in _KINDS:
            name = _WORD.sub("_", name).upper()
        kind = _KINDS.get(name)
        if kind is None:
            whole = _decode_whole(data) if name in ("", "ERROR") else None
            if whole and (whole.error or name):
                return fail_in_words(self, whole.error or whole.message)
            return stray(self, data, event) if event == b"error" or not message.type else 0
        if self.tool_calls is None:
            self.tool_calls = 0
        whole = _decode_whole(data)
        if name.startswith("TEXT_"):
            return self._text(message, whole, kind)
        if kind != _RARE:
            return self._output(message, kind)
        if name.startswith("TOOL_CALL_"):
            return self._tool(message, whole, name)
        if name.startswith("STEP_"):
            return self._step(whole, name == "STEP_STARTED")
        if name == "MESSAGES_SNAPSHOT":
            return self._snapshot(whole.messages)
        if name == "RUN_STARTED":
            return 0
        return self._end(whole, failed=name == "RUN_ERROR")

    def _text(self, message: _Event, whole: _Whole, kind: int) -> int:
        """Read text, or the start of a message. A chunk without an id continues the message before it."""
        message_id = str(message.message_id or whole.message_id_)
        if str(message.role) in _OTHERS:
            self._not_ours.add(message_id)
        if kind == _RARE or message_id in self._not_ours:
            return 0
        return self._output(message, kind)

    def _tool(self, message: _Event, whole: _Whole, name: str) -> int:
        call_id = whole.tool_call_id or whole.tool_call_id_
        if call_id is None and name == "TOOL_CALL_START":
            call_id = f"#{len(self._calls)}"
        if call_id is not None:
            self._calls.add(str(call_id))
            self.tool_calls = len(self._calls)
        return self._output(message, _ARGUMENTS) if name == "TOOL_CALL_CHUNK" else 0

    def _step(self, whole: _Whole, begins: bool) -> int:
        name = whole.step_name or whole.step_name_
        text = "".join(filter(str.isprintable, name))[:_MAX_NAME].strip() if isinstance(name, str) else ""
        if not text:
            return 0
        self.step = (text, begins)
        return STEP

    def _snapshot(self, messages: Any) -> int:
        last = messages[-1] if isinstance(messages, list) and messages else None
        if self.chunks or not isinstance(last, dict) or last.get("role") != "assistant":
            return 0
        calls = last.get("toolCalls") or last.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            self._calls.add(str(call.get("id") if isinstance(call, dict) else call))
        self.tool_calls = len(self._calls)
        if not last.get("content") and not calls:
            return 0
        self.chunks += 1
        return OUTPUT

    def _end(self, whole: _Whole, *, failed: bool) -> int:
        usage = whole.usage
        if usage is None and isinstance(whole.result, dict):
            usage = whole.result.get("usage")
        read_usage(self, usage)
        if not failed:
            return DONE
        error = whole.error if isinstance(whole.error, dict) else {}
        return DONE | fail_in_words(self, {"message": whole.message or whole.error, "code": whole.code, **error})

    def _unreadable(self, data: bytes, event: bytes) -> int:
        text = data.strip()
        if text == b"[DONE]":
            return DONE
        if not text or event not in (b"", b"message", b"error"):
            return 0
        better = repaired(text)
        return malformed(self, "an AG-UI event", text) if better is None else self.event(better, event)


class AgUi(Dialect):
    """The dialect ``ag-ui``."""

    name = "ag-ui"
    read_by = AgUiReader
    transcript = AgUiTranscript

    @classmethod
    def streams(cls, body: Any) -> bool:
        """Return True for every run: a run is always answered with a stream."""
        return body is not None

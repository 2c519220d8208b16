"""The Responses API of OpenAI, over SSE, as one JSON body, or over its WebSocket; and of those that speak it.

https://platform.openai.com/docs/api-reference/responses-streaming. Every event is a JSON object that names its own
``type``; an answer begins with ``response.created`` and ends with a ``response.…`` event that holds the whole of it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from agenttop.dialects.base import DONE, ERROR, OUTPUT, REASONING, Reader
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.failure import MALFORMED, decoded, fail, gave_up, repaired, stray
from agenttop.dialects.transcript_responses import ResponsesTranscript
from agenttop.dialects.usage import take_parts

# What is read of an event:
#
#     *.delta of the tables below         output, if not empty; the text that is repeated by *.done is none
#     response.output_item.added, .done   a tool call, where the type of the item says so
#     response.completed, .incomplete     the end, with usage; incomplete is fine: cut by its own limit of tokens or by
#                                         a content filter
#     response.failed, .cancelled         the end, and a failure
#     error                               failure, flat as documented or nested as it is sent; the end if nothing has
#                                         begun. response.failed may tell it again
#     [DONE]                              the end, for the servers that carried it over from chat completions
#
# Input tokens hold the cached ones already. However often a hosted tool made the model think, the answer does not tell:
# one response is one LLM call.

_TEXT = frozenset({
    "response.output_text.delta", "response.refusal.delta",
    "response.audio.delta", "response.audio.transcript.delta",
    "response.output_audio.delta", "response.output_audio_transcript.delta",
})  # fmt: skip

#: What a tool is called with. A hosted shell's output is no word of the model's.
_ARGUMENTS = frozenset({
    "response.function_call_arguments.delta", "response.custom_tool_call_input.delta",
    "response.mcp_call_arguments.delta", "response.mcp_call.arguments_delta",
    "response.code_interpreter_call_code.delta", "response.code_interpreter_call.code.delta",
    "response.shell_call_command.delta", "response.apply_patch_call_operation_diff.delta",
})  # fmt: skip

_REASONING = frozenset({
    "response.reasoning_text.delta", "response.reasoning_summary_text.delta",
    "response.reasoning.delta", "response.reasoning_summary.delta",
})  # fmt: skip

#: The last events of an answer, and whether they are a failure.
_ENDS = {"response.completed": False, "response.incomplete": False, "response.done": False,
         "response.failed": True, "response.cancelled": True}  # fmt: skip

_FAILED = ("failed", "cancelled")


class _Event(msgspec.Struct, gc=False):
    type: str | None = None
    delta: Any = None
    item: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()
    error: Any = None


class _Item(msgspec.Struct, gc=False):
    type: Any = None
    arguments: Any = None
    input: Any = None


class _Response(msgspec.Struct, gc=False):
    object: Any = None
    status: Any = None
    output: list[_Item] | None = None
    usage: Any = None
    error: Any = None
    incomplete_details: Any = None


_decode = msgspec.json.Decoder(_Event).decode
_decode_item = msgspec.json.Decoder(_Item).decode
_decode_response = msgspec.json.Decoder(_Response).decode
_decode_any = msgspec.json.Decoder().decode


class ResponsesReader(Reader):
    """Reads one response, streamed or whole."""

    __slots__ = ("_added", "_finished")

    def __init__(self) -> None:
        super().__init__()
        self._added = 0
        self._finished = 0
        """Tool calls that were told to begin, and to be complete."""

    def event(self, data: bytes, event: bytes = b"") -> int:
        if data == b"[DONE]":
            return DONE
        try:
            message = _decode(data)
        except MALFORMED:
            mended = repaired(_decode, data)
            if mended is None:
                return self._unreadable(data, event)
            message = mended
        kind = message.type or event.decode(errors="replace")
        if kind in _TEXT:
            if not message.delta:
                return 0
            if self.llm_calls is None:
                self._begin()
            self.chunks += 1
            return OUTPUT
        try:
            return self._rare("error" if event == b"error" else kind, message, data)
        except MALFORMED:
            return self._unreadable(data, b"")

    def body(self, data: bytes) -> int:
        if not data.strip():
            self.spoke = False
            return DONE
        response = decoded(_decode_response, data)
        if response is None:
            return DONE | self._unreadable(data, b"")
        if response.object == "response" or response.output is not None:
            self.spoke = bool(response.output)
            return DONE | self._end(response, failed=False)
        return DONE | fail(self, response.error) if response.error else DONE | stray(self, data)

    def _begin(self) -> None:
        self.llm_calls = 1
        self.tool_calls = self.tool_calls or 0

    def _rare(self, kind: str, message: _Event, data: bytes) -> int:
        """Read an event that is no piece of the answer's text."""
        if kind in _ARGUMENTS:
            return self._piece(message.delta, tool=True)
        if kind in _REASONING:
            return self._piece(message.delta) and OUTPUT | REASONING
        if kind == "response.output_item.added":
            return self._item(_decode_item(message.item))
        if kind == "response.output_item.done":
            self._finished += _is_call(_decode_item(message.item))
            self._count(self._finished)
        elif kind in _ENDS:
            return DONE | self._end(_whole(bytes(message.response)), failed=_ENDS[kind])
        elif kind in ("error", "response.error") or (message.error and not kind.startswith("response.")):
            flags = fail(self, message.error or _decode_any(data.decode(errors="replace")))
            return flags if self.llm_calls else DONE | flags
        elif kind == "response.created":
            self._begin()
        elif not kind.startswith("response."):
            return stray(self, data)
        return 0

    def _piece(self, delta: Any, *, tool: bool = False) -> int:
        self._begin()
        if tool:
            self._count(1)
        if not delta:
            return 0
        self.chunks += 1
        return OUTPUT

    def _item(self, item: _Item) -> int:
        if not _is_call(item):
            return 0
        self._added += 1
        self._count(self._added)
        # Some servers have the arguments at once and stream no pieces of them.
        return self._piece(item.arguments or item.input)

    def _count(self, calls: int) -> None:
        """Count tool calls: servers tell them in several places, some in few of them; the most that any tells
        counts.
        """
        self._begin()
        self.tool_calls = max(self.tool_calls or 0, calls)

    def _end(self, response: _Response, *, failed: bool) -> int:
        self._count(sum(map(_is_call, response.output or ())))
        if isinstance(response.usage, dict):
            take_parts(self, response.usage, "input_tokens_details", "output_tokens_details")
        details = response.incomplete_details
        reason = details.get("reason") if isinstance(details, dict) else None
        if not (failed or response.status in _FAILED or response.error or gave_up(reason)):
            return 0
        return fail(self, response.error or reason or response.status or "failed")

    def _unreadable(self, data: bytes, event: bytes) -> int:
        """Handle unreadable data: an end written with spaces, a keep-alive, or else a failure."""
        text = data.strip()
        if text == b"[DONE]":
            return DONE
        known = event in (b"", b"message", b"error") or event.startswith(b"response.")
        if not text or not known:
            return 0
        if self.error is None:
            self.error = f"not a response: {data[:200].decode(errors='replace')}"
        return ERROR


def _whole(data: bytes) -> _Response:
    """Return the response in an event; an empty one if there is none."""
    return _decode_response(data.decode(errors="replace")) if data not in (b"", b"null") else _Response()


def _is_call(item: _Item) -> bool:
    """Return whether it is a call: function_call, custom_tool_call, mcp_call, web_search_call, shell_call, …"""
    return isinstance(item.type, str) and item.type.endswith("_call")


class OpenAIResponses(Dialect):
    """The dialect ``openai.responses``."""

    name = "openai.responses"
    read_by = ResponsesReader
    asks_to_stream = True
    transcript = ResponsesTranscript

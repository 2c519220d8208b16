"""The Realtime API of OpenAI over a WebSocket, as it is and as its beta was.

https://platform.openai.com/docs/api-reference/realtime-server-events. Every message is one JSON event. A session has
many responses: an answer is one of them, from ``response.create`` to ``response.done``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from agenttop.dialects.base import DONE, ERROR, OUTPUT, QUOTA, Reader
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.failure import MALFORMED, fail
from agenttop.dialects.heard_realtime import RealtimeHeard
from agenttop.dialects.quota import MAX_NAME_LENGTH, MAX_QUOTAS, Quota
from agenttop.dialects.ratelimit_field import DEFAULT
from agenttop.dialects.usage import take_parts

# What is read of an event:
#
#     response.*.delta of the table below      output, if not empty
#     response.output_item.added               a tool call, where the item is one
#     response.created                         the response has begun: its end is still to come
#     response.done                            the end, with usage and a status
#         completed                            fine
#         incomplete                           fine: cut by its own limit of tokens or by a content filter
#         failed, cancelled                    failure: this answer is not what was asked for
#     error                                    failure; and the end if no response has begun, for none will
#     rate_limits.updated                      what remains; comes with a response, before its end or after it
#
# Everything else says nothing about the answer: the session, the user's own audio.

#: Events whose ``delta`` is output; the name of the beta follows the one that took its place.
_OUTPUT = frozenset({
    "response.output_text.delta", "response.text.delta",
    "response.output_audio.delta", "response.audio.delta",
    "response.output_audio_transcript.delta", "response.audio_transcript.delta",
    "response.function_call_arguments.delta", "response.mcp_call_arguments.delta",
})  # fmt: skip

_ARGUMENTS = frozenset({
    "response.function_call_arguments.delta", "response.function_call_arguments.done",
    "response.mcp_call_arguments.delta", "response.mcp_call_arguments.done",
})  # fmt: skip

_QUOTE = ord('"')

_TOOLS = frozenset({"function_call", "mcp_call"})


class _Item(msgspec.Struct, gc=False):
    id: Any = None
    type: Any = None


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    delta: msgspec.Raw = msgspec.Raw()
    item_id: Any = None
    item: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()
    error: Any = None
    rate_limits: Any = None


class _Response(msgspec.Struct, gc=False):
    status: Any = None
    status_details: Any = None
    output: list[_Item] | None = None
    usage: Any = None


_decode = msgspec.json.Decoder(_Event).decode
_decode_item = msgspec.json.Decoder(_Item).decode
_decode_response = msgspec.json.Decoder(_Response).decode


class RealtimeReader(Reader):
    """Reads one response of a session."""

    __slots__ = ("_begun", "_items", "_limits")

    def __init__(self) -> None:
        super().__init__()
        self._begun = False
        self._limits: Any = None
        self._items: set[str] = set()
        """Ids of the items that are tool calls."""

    def event(self, data: bytes, event: bytes = b"") -> int:
        try:
            message = _decode(data)
            kind = message.type
            if kind in _OUTPUT:
                self._begun = True
                if kind in _ARGUMENTS:
                    self._tool(message.item_id)
                # Raw, because audio is long and only its being there is asked for: more than "" and no null.
                delta = memoryview(message.delta)
                if len(delta) < 3 or delta[0] != _QUOTE:
                    return 0
                self.chunks += 1
                return OUTPUT
            return self._rare(message)
        except MALFORMED:
            if self.error is None:
                self.error = f"not a realtime event: {data[:200].decode(errors='replace')}"
            return ERROR

    def body(self, data: bytes) -> int:
        """Read the answer to a handshake that was refused."""
        if not data.strip():
            return DONE
        try:
            error = _decode(data).error
        except MALFORMED:
            self.error = self.error or data[:200].decode(errors="replace")
            return DONE | ERROR
        return DONE | fail(self, error) if error else DONE

    def _rare(self, message: _Event) -> int:
        kind = message.type
        if kind == "response.done":
            return DONE | self._done(_decode_response(message.response))
        if kind == "response.created":
            self._begun = True
            self.llm_calls = 1
        elif kind == "response.output_item.added":
            self._begun = True
            item = _decode_item(message.item)
            if str(item.type) in _TOOLS:
                self._tool(item.id)
        elif kind in _ARGUMENTS:
            self._tool(message.item_id)
        elif kind == "rate_limits.updated":
            self._limits = message.rate_limits
            return QUOTA
        elif kind == "error" or (not kind and message.error):
            return fail(self, message.error) if self._begun else DONE | fail(self, message.error)
        return 0

    @property
    def quotas(self) -> list[Quota]:
        limits = self._limits if isinstance(self._limits, list) else []
        return [
            quota for limit in limits[:MAX_QUOTAS] if isinstance(limit, dict) and (quota := _quota(limit)) is not None
        ]

    def _tool(self, item_id: Any) -> None:
        self._items.add(str(item_id))
        self.tool_calls = len(self._items)

    def _done(self, response: _Response) -> int:
        self.llm_calls = 1
        self.tool_calls = max(len(self._items), sum(str(item.type) in _TOOLS for item in response.output or ()))
        if isinstance(usage := response.usage, dict):
            take_parts(self, usage, "input_token_details", "output_token_details")
        if response.status not in ("failed", "cancelled"):
            return 0
        details = response.status_details if isinstance(response.status_details, dict) else {}
        reason = details.get("reason")
        return fail(self, details.get("error") or (f"{response.status}: {reason}" if reason else str(response.status)))


def _quota(limit: dict[str, Any]) -> Quota | None:
    """Return the quota of ``{"name": "tokens", "limit": 30000, "remaining": 29500, "reset_seconds": 1.2}``; None
    without remaining.
    """
    whole, remaining, reset_s = (
        value if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15 else None
        for value in (limit.get("limit"), limit.get("remaining"), limit.get("reset_seconds"))
    )
    if remaining is None:
        return None
    name = str(limit.get("name") or DEFAULT)[:MAX_NAME_LENGTH]
    return Quota(name, None if whole is None else int(whole), int(remaining), reset_s)


class OpenAIRealtime(Dialect):
    """The dialect ``openai.realtime``."""

    name = "openai.realtime"
    read_by = RealtimeReader
    heard = RealtimeHeard
    reads_body = False
    protocols = ("ws",)
    instead_of_others = "is spoken over WebSocket"
    instead_of_history = "it lasts as long as the WebSocket, so that history can be left out"

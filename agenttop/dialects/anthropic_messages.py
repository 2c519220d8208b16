"""The Messages API of Anthropic, and of all that speak it: Vertex, Bedrock's gateways, vLLM, LiteLLM, OpenRouter.

https://docs.anthropic.com/en/docs/build-with-claude/streaming. A stream is events that name their own ``type``, from
``message_start`` to ``message_stop``: content blocks, each opened, filled by deltas and closed.
"""

from __future__ import annotations

from typing import Any

import msgspec

from agenttop.dialects.base import DONE, ERROR, OUTPUT, REASONING, Reader
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.failure import MALFORMED, decoded, fail, gave_up, repaired, stray
from agenttop.dialects.transcript_messages import MessagesTranscript
from agenttop.dialects.usage import count, take_usage

# What is read of an event:
#
#     content_block_delta     output, if its text, thinking (reasoning) or partial_json is not empty. Signatures,
#                             citations and summaries of a compaction are none
#     content_block_start     a tool call, where the type of the block ends with tool_use (tool_use, server_tool_use,
#                             mcp_tool_use); output, where a server puts a whole block here. Redacted thinking is none
#     message_start           the answer has begun; usage of the input
#     message_delta           usage, cumulative. Whatever its stop_reason (refusal, max_tokens, …), the answer is one;
#                             but servers that speak it after another protocol have "abort" and "error" there
#     message_stop, [DONE]    the end; the latter of gateways
#     error                   failure: overloaded_error, api_error, …; rate_limit_error is a limit
#
# ping and events yet to come say nothing. Their ``input_tokens`` is only what no cache had to do with: the whole input
# is that, what was written to the cache (billed dearer) and what was read from it (billed cheaper: the cached tokens).

_KINDS = frozenset({
    b"", b"message", b"error", b"message_start", b"message_delta", b"message_stop",
    b"content_block_start", b"content_block_delta", b"content_block_stop",
})  # fmt: skip

_INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


class _Delta(msgspec.Struct, gc=False):
    text: Any = None
    thinking: Any = None
    partial_json: Any = None
    stop_reason: Any = None


class _Block(msgspec.Struct, gc=False):
    type: Any = None
    text: Any = None
    thinking: Any = None
    input: Any = None


class _Message(msgspec.Struct, gc=False):
    type: Any = None
    content: list[_Block] | None = None
    stop_reason: Any = None
    usage: Any = None
    error: Any = None


class _Event(msgspec.Struct, gc=False):
    type: str | None = None
    delta: _Delta | None = None
    content_block: _Block | None = None
    message: msgspec.Raw = msgspec.Raw()
    usage: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Event).decode
_decode_message = msgspec.json.Decoder(_Message).decode
_decode_any = msgspec.json.Decoder().decode


class MessagesReader(Reader):
    """Reads one message, streamed or whole."""

    __slots__ = ("_input",)

    def __init__(self) -> None:
        super().__init__()
        self._input: dict[str, int] = {}
        """The parts of the input's tokens, as last told."""

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
        if kind == "content_block_delta":
            delta = message.delta
            if delta is None:
                return 0
            if delta.text:
                self.chunks += 1
                return OUTPUT
            return self._delta(delta)
        try:
            return self._rare("error" if event == b"error" else kind, message, data)
        except MALFORMED:
            return self._unreadable(data, b"")

    def body(self, data: bytes) -> int:
        if not data.strip():
            self.spoke = False
            return DONE
        message = decoded(_decode_message, data)
        if message is None:
            return DONE | self._unreadable(data, b"")
        if message.error or message.type == "error":
            return DONE | fail(self, message.error or _decode_any(data.decode(errors="replace")))
        if message.type == "message" or message.content is not None:
            self.llm_calls = 1
            self.spoke = bool(message.content)
            self.tool_calls = sum(map(_is_call, message.content or ()))
            self._usage(message.usage, final=True)
            if gave_up(message.stop_reason):
                return DONE | fail(self, f"stop_reason: {message.stop_reason}")
            return DONE
        return DONE | stray(self, data)

    def _delta(self, delta: _Delta) -> int:
        if delta.thinking:
            self.chunks += 1
            return OUTPUT | REASONING
        if delta.partial_json:
            self.tool_calls = self.tool_calls or 1
            self.chunks += 1
            return OUTPUT
        return 0

    def _rare(self, kind: str, message: _Event, data: bytes) -> int:
        """Read an event that is no piece of a block."""
        if kind == "error" or message.error:
            return fail(self, message.error or _decode_any(data.decode(errors="replace")))
        if kind == "content_block_start" and message.content_block is not None:
            return self._block(message.content_block)
        if kind == "message_delta":
            self._usage(message.usage, final=True)
            if message.delta is not None and gave_up(message.delta.stop_reason):
                return fail(self, f"stop_reason: {message.delta.stop_reason}")
        elif kind == "message_start":
            self.llm_calls = 1
            self.tool_calls = 0
            # Its output tokens are those of the moment: were the stream cut, they would look like all there were.
            self._usage(_decode_message(message.message).usage, final=False)
        elif kind == "message_stop":
            return DONE
        elif not kind or kind.encode() not in _KINDS:
            return stray(self, data)
        return 0

    def _block(self, block: _Block) -> int:
        if _is_call(block):
            self.tool_calls = (self.tool_calls or 0) + 1
            if not block.input:
                return 0
        elif block.type == "thinking" and block.thinking:
            self.chunks += 1
            return OUTPUT | REASONING
        elif block.type != "text" or not block.text:
            return 0
        self.chunks += 1
        return OUTPUT

    def _usage(self, usage: Any, *, final: bool) -> None:
        """Read tokens as the server counts them so far. Counts do not fall: a 0 after more only means that none is
        told.
        """
        if not isinstance(usage, dict):
            return
        for name in _INPUT:
            value = count(usage.get(name))
            if value or (value == 0 and name not in self._input):
                self._input[name] = value
        if "input_tokens" in self._input:
            self.input_tokens = sum(self._input.values()) or None
        self.cached_tokens = self._input.get("cache_read_input_tokens")
        if final:
            details = usage.get("output_tokens_details")
            output = count(usage.get("output_tokens"))
            thinking = count(details.get("thinking_tokens")) if isinstance(details, dict) else None
            take_usage(self, self.input_tokens, output, reasoning=thinking)

    def _unreadable(self, data: bytes, event: bytes) -> int:
        """Handle unreadable data: an end written with spaces, a keep-alive, or else a failure."""
        text = data.strip()
        if text == b"[DONE]":
            return DONE
        if not text or event not in _KINDS:
            return 0
        if self.error is None:
            self.error = f"not a message: {data[:200].decode(errors='replace')}"
        return ERROR


def _is_call(block: _Block) -> bool:
    return isinstance(block.type, str) and block.type.endswith("tool_use")


class AnthropicMessages(Dialect):
    """The dialect ``anthropic.messages``."""

    name = "anthropic.messages"
    read_by = MessagesReader
    protocols = ("http", "sse")
    asks_to_stream = True
    transcript = MessagesTranscript

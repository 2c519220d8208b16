"""The Model Context Protocol over streamable HTTP: one JSON-RPC request, answered as JSON or as an event stream.

https://modelcontextprotocol.io/specification. Pools that speak it are ``protocol = "http"``, for the server chooses how
to answer.
"""

from __future__ import annotations

from typing import Any

import msgspec

from agenttop.dialects.base import DONE, OUTPUT, Reader
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.failure import MALFORMED
from agenttop.dialects.generic import fail_in_words, fail_rpc, malformed, repaired
from agenttop.dialects.heard_mcp import McpHeard

# What is read of a message (of each, where several come as a list):
#
#     method                                  a notification (progress, logging) or a request of the server's own:
#                                             nothing, the response is still to come
#     error                                   failure, and the end
#     result                                  the end
#         content, structuredContent          output, if not empty: what a tool returned
#         contents, messages                  output, if not empty: what a resource or a prompt holds
#         isError                             failure, in the words of content
#
# Only answers are seen here, so a tool call is known by its result: one that has content, structuredContent or isError.
# Results of initialize, tools/list and the like have none of them, and are 0 tool calls. An event without data, which
# servers send first to give a stream an id, is nothing. Chunks are not counted: what a tool returns is one piece, which
# estimates no tokens.

#: Bodies that some servers send with a 202, where the protocol has none.
_ACCEPTED = frozenset({b"", b"null", b"{}", b"accepted", b'"accepted"', b"ok"})

_WHAT = "a JSON-RPC message"


class _Message(msgspec.Struct):
    method: Any = None
    result: msgspec.Raw = msgspec.Raw()
    error: Any = None


class _Result(msgspec.Struct):
    content: Any = None
    structured: Any = msgspec.field(default=None, name="structuredContent")
    is_error: Any = msgspec.field(default=None, name="isError")
    contents: Any = None
    messages: Any = None


_decode = msgspec.json.Decoder(_Message).decode
_decode_result = msgspec.json.Decoder(_Result).decode
_decode_list = msgspec.json.Decoder(list[_Message]).decode


class McpReader(Reader):
    """Reads the answer to one request."""

    __slots__ = ()

    def event(self, data: bytes, event: bytes = b"") -> int:
        if event not in (b"", b"message", b"error") or not data.strip():
            return 0
        try:
            return self._messages(data)
        except MALFORMED:
            better = repaired(data)
            return malformed(self, _WHAT, data) if better is None else self.event(better, event)

    def body(self, data: bytes) -> int:
        if data.strip().lower() in _ACCEPTED:
            return DONE
        return DONE | self.event(data)

    def _messages(self, data: bytes) -> int:
        flags = 0
        for message in _decode_list(data) if data.lstrip()[:1] == b"[" else [_decode(data)]:
            flags |= self._message(message, data)
        return flags

    def _message(self, message: _Message, data: bytes) -> int:
        if message.error is not None:
            return DONE | fail_rpc(self, message.error)
        result = bytes(message.result)
        if result:
            # A result is an object; one that is null is as good as an empty one.
            if result[:1] != b"{":
                return DONE
            return DONE | self._result(_decode_result(result))
        return 0 if message.method is not None else malformed(self, _WHAT, data)

    def _result(self, result: _Result) -> int:
        is_call = result.content is not None or result.structured is not None or result.is_error is not None
        self.tool_calls = (self.tool_calls or 0) + is_call
        if result.is_error:
            return fail_in_words(self, _words(result.content) or "isError")
        if not (_holds(result.content) or result.structured is not None or result.contents or result.messages):
            return 0
        return OUTPUT


def _holds(content: Any) -> bool:
    """Return whether some item of a result's content is more than an empty text."""
    if not isinstance(content, list):
        return bool(content)
    return any(item.get("text") != "" for item in content if isinstance(item, dict))


def _words(content: Any) -> str:
    if isinstance(content, str):
        return content
    texts = [item.get("text") for item in content if isinstance(item, dict)] if isinstance(content, list) else []
    return " ".join(text for text in texts if isinstance(text, str)).strip()


class Mcp(Dialect):
    """The dialect ``mcp``."""

    name = "mcp"
    read_by = McpReader
    heard = McpHeard
    speaks = False  # most requests are answered with a list or with nothing
    protocols = ("http",)
    instead_of_others = "servers answer as JSON or as a stream, as they like"
    instead_of_history = 'write save = { session = "header Mcp-Session-Id" } in setup, and send it as a header'

"""A fast realtime server (``openai.realtime``): ``python -m tests.benchmarks.ws_server``.

Every text message is answered at once by one output delta and ``response.done``, two frames in one write. ``GET
/stats`` says how many. The frames are read by a codec of our own that knows just what it needs: whole frames of less
than 64 KiB, and close.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from typing import cast

from tests.benchmarks.serve import serve

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(rb"sec-websocket-key: *(\S+)", re.IGNORECASE)
_TEXT, _CLOSE = 1, 8


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    head = bytes((0x80 | opcode, size)) if size < 126 else bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big")
    return head + payload


def _text(event: dict[str, object]) -> bytes:
    return _frame(_TEXT, json.dumps(event, separators=(",", ":")).encode())


_ANSWER = _text(
    {"type": "response.output_text.delta", "response_id": "r", "item_id": "i", "output_index": 0, "delta": "A token"}
) + _text(
    {
        "type": "response.done",
        "response": {
            "id": "r",
            "status": "completed",
            "output": [],
            "usage": {"input_tokens": 8, "output_tokens": 2, "total_tokens": 10},
        },
    }
)

counts = {"messages": 0}


class Session(asyncio.Protocol):
    """A connection: the upgrade, then frames."""

    __slots__ = ("_rest", "_upgraded", "transport")

    def __init__(self) -> None:
        self._rest = b""
        self._upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._upgraded:
            self._frames(self._rest + data if self._rest else data)
            return
        key = _KEY.search(data)
        if key is None:
            body = json.dumps(counts).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            return
        accept = base64.b64encode(hashlib.sha1(key[1] + _GUID).digest())
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            b"sec-websocket-accept: " + accept + b"\r\n\r\n"
        )
        self._upgraded = True

    def _frames(self, data: bytes) -> None:
        at, answers = 0, 0
        while len(data) - at >= 6:
            size, head = data[at + 1] & 0x7F, 6
            if size == 126:
                size, head = int.from_bytes(data[at + 2 : at + 4], "big"), 8
            if len(data) - at < head + size:
                break
            opcode = data[at] & 0x0F
            at += head + size
            if opcode == _TEXT:
                answers += 1
            elif opcode == _CLOSE:
                self.transport.write(_frame(_CLOSE, (1000).to_bytes(2, "big")))
                self.transport.close()
        self._rest = data[at:]
        if answers:
            counts["messages"] += answers
            self.transport.write(_ANSWER * answers)


if __name__ == "__main__":
    serve(Session)

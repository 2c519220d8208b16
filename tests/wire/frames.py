"""WebSocket as a server speaks it, byte for byte (RFC 6455)."""

from __future__ import annotations

import base64
import hashlib
import struct

from tests.wire.server import Reader, Writer, read_request

TEXT, CONT, CLOSE, PING, PONG = 1, 0, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, mask: bool = False) -> bytes:
    """A frame as a server sends it, or must not."""
    size, bit = len(payload), 0x80 if mask else 0
    head = bytes([(0x80 if fin else 0) | opcode])
    if size < 126:
        head += bytes([bit | size])
    elif size < 1 << 16:
        head += bytes([bit | 126]) + struct.pack("!H", size)
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", size)
    return head + (bytes(4) if mask else b"") + payload


async def read_frame(reader: Reader) -> tuple[int, bytes]:
    """A frame of a client: opcode and payload; it must be masked."""
    first, second = await reader.readexactly(2)
    assert second & 0x80
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack("!H", await reader.readexactly(2))
    mask = await reader.readexactly(4)
    data = await reader.readexactly(size)
    return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))


async def accept(reader: Reader, writer: Writer, more: bytes = b"") -> None:
    """Answer an upgrade; ``more`` comes in the same segment."""
    writer.write(accepting(await read_request(reader)) + more)


def accepting(request: bytes, headers: bytes = b"") -> bytes:
    """The answer to an upgrade; ``headers`` are lines of their own."""
    key = request.lower().index(b"sec-websocket-key: ")
    given = request[key:].split(b"\r\n")[0].partition(b": ")[2]
    answer = base64.b64encode(hashlib.sha1(given + GUID).digest())
    head = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    return head + headers + b"sec-websocket-accept: " + answer + b"\r\n\r\n"

"""One client of the hostile server: raw bytes in and out, bounded in bytes and in time."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping

MAX_BYTES = 96 << 20
"""Bytes that one behaviour sends at most."""
MAX_S = 20.0
"""How long one behaviour lasts at most, where its client does not leave."""
BLOCK = 1 << 16
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Act = bytes | Callable[["Peer"], Awaitable[None]]
"""What happens once a request was read: these bytes, or whatever the function does. The connection stays open."""


class Gone(Exception):
    """The client has left, or has had all that it gets."""


class Peer:
    """A connection, and the request that was read last: ``head`` and ``turn`` (its number on this connection)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ports: Mapping[str, int]) -> None:
        self.reader, self.writer = reader, writer
        self.ports = ports
        """Where those listen that misbehave before anything was asked, by name."""
        self.head = b""
        self.turn = 0
        self._sent = 0

    async def request(self) -> str:
        """Read a request with its body and return its path without the query.

        Raises:
            Gone: the client has left; or what came is no request.
        """
        self._sent = 0
        try:
            self.head = await self.reader.readuntil(b"\r\n\r\n")
            await self.reader.readexactly(int(self.field(b"content-length") or 0))
            path = self.head.split(b" ", 2)[1].decode("latin-1")
        except (OSError, ValueError, IndexError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise Gone from error
        self.turn += 1
        return path.partition("?")[0]

    def field(self, name: bytes) -> bytes:
        """Return a header of the request; empty where it is not there."""
        for line in self.head.split(b"\r\n"):
            key, _, value = line.partition(b":")
            if key.lower() == name:
                return value.strip()
        return b""

    @property
    def query(self) -> int:
        """The number behind the path's question mark; 0 where there is none."""
        return int(self.head.split(b" ", 2)[1].partition(b"?")[2] or 0)

    async def act(self, act: Act) -> None:
        """Behave."""
        await (self.send(act) if isinstance(act, bytes) else act(self))

    async def send(self, data: bytes) -> None:
        """Send bytes as fast as the client takes them.

        Raises:
            Gone: it takes no more, or has had enough.
        """
        for at in range(0, len(data), BLOCK):
            piece = data[at : at + BLOCK]
            self._sent += len(piece)
            if self._sent > MAX_BYTES or self.writer.is_closing():
                raise Gone
            self.writer.write(piece)
            try:
                await self.writer.drain()
            except OSError as error:
                raise Gone from error

    async def left(self) -> None:
        """Wait until the client leaves; what it says is not listened to."""
        try:
            while await self.reader.read(BLOCK):
                pass
        except OSError:
            pass
        raise Gone

    async def close(self) -> None:
        """Close in good order: what was sent arrives."""
        self.writer.close()
        raise Gone

    async def reset(self) -> None:
        """Close with a reset; what was sent may not arrive."""
        own = self.writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        raise Gone

    # -- WebSocket (RFC 6455)

    @property
    def accept(self) -> bytes:
        """The right answer to the client's key."""
        return base64.b64encode(hashlib.sha1(self.field(b"sec-websocket-key") + _GUID).digest())

    async def message(self) -> bytes:
        """Read frames until one that is no control frame; return its payload.

        Raises:
            Gone: the client has left.
        """
        self._sent = 0
        try:
            while True:
                first, second = await self.reader.readexactly(2)
                length = second & 0x7F
                if length > 125:
                    length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
                mask = await self.reader.readexactly(4) if second & 0x80 else bytes(4)
                payload = await self.reader.readexactly(length)
                if first & 0x0F == 8:
                    raise Gone
                if first & 0x0F < 3:
                    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Gone from error

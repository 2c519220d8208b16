"""The bytes under httpcore: an asyncio protocol that remembers when they came, behind httpcore's stream interface."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from time import perf_counter_ns
from typing import Any, cast

import httpcore

from agenttop.wire.dial import why_not
from agenttop.wire.http1 import FAST_NS, MAX_PIECE, MIN_PIECE, SLOW_NS, SMALL
from agenttop.wire.turns import TURNS

_MAX_HELD = 1 << 16
"""Bytes that may wait to be read before reading from the target is paused."""


class Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection. ``read_ns`` is when the bytes last read came; ``sent_ns`` is the first write since
    :meth:`begin`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._held: deque[tuple[int, bytes]] = deque()
        self._size = 0
        self._reader: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self.ended = False
        """The target has closed, or is gone; what it sent before can still be read."""
        self.only_http2 = False
        """An answer in HTTP/1 is an error; h2 would take it for the beginning of a frame of four megabytes."""
        self.sent_ns = self.read_ns = 0
        self.received = 0
        self._whose = ""
        self._piece = SMALL
        self._given_ns = self._used_ns = 0
        """When the last piece was handed out, and how much time was taken since the loop last turned, ns."""

    @property
    def behind_ns(self) -> int:
        """Return when the first byte that is not looked at yet came; 0 if all are."""
        return self._held[0][0] if self._held else 0

    def begin(self, whose: str = "") -> None:
        """Begin an exchange of a pool's connection: reset times and counts."""
        self._whose = whose
        self.sent_ns = 0
        self.received = 0
        self._piece = SMALL

    def abort(self) -> None:
        """Close at once; harmless if closed."""
        if self.transport is not None:
            self.transport.abort()

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        now = perf_counter_ns()
        self.received += len(data)
        self._held.append((now, data))
        self._size += len(data)
        if self._size > _MAX_HELD:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self.ended = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self._error = exc
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    # -- httpcore.AsyncNetworkStream. Timeouts are the business of whoever watches the exchange.

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return bytes, empty at the end. Raises httpcore.ReadError, httpcore.RemoteProtocolError."""
        if self._held and self._given_ns:
            await self._take_turns()
        while not self._held:
            if self._error is not None:
                raise httpcore.ReadError(why_not(self._error))
            if self.ended:
                return b""
            self._reader = self._loop.create_future()
            await self._reader
            self._reader = None
            self._used_ns = 0
        first, (self.read_ns, data) = not self.read_ns, self._held.popleft()
        if first and self.only_http2 and data.startswith(b"HTTP/1"):
            raise httpcore.RemoteProtocolError("the target answers in HTTP/1")
        max_bytes = min(max_bytes, self._piece)
        if len(data) > max_bytes:
            self._held.appendleft((self.read_ns, data[max_bytes:]))
            data = data[:max_bytes]
        before, self._size = self._size, self._size - len(data)
        if before > _MAX_HELD >= self._size and not self.transport.is_closing():
            self.transport.resume_reading()
        self._given_ns = perf_counter_ns() if self._held else 0
        return data

    async def _take_turns(self) -> None:
        """Let the loop turn if the pieces before have taken their share (``wire.turns``)."""
        took = perf_counter_ns() - self._given_ns
        if took < FAST_NS:
            self._piece = min(self._piece * 2, MAX_PIECE)
        elif took > SLOW_NS:
            self._piece = max(self._piece // 2, MIN_PIECE)
        self._used_ns += took
        TURNS.took(self._whose, took)
        if self._used_ns >= TURNS.room(self._loop):
            self._used_ns = 0
            await asyncio.sleep(0)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write bytes. Raises httpcore.WriteError."""
        if not buffer:
            return
        if self.transport.is_closing():
            raise httpcore.WriteError(why_not(self._error) if self._error is not None else "")
        if not self.sent_ns:
            self.sent_ns = perf_counter_ns()
        self.transport.write(buffer)

    async def aclose(self) -> None:
        """Close at once."""
        self.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Stream:
        """Begin TLS with a target behind a proxy, and return its stream.

        Raises:
            OSError: ``ssl.SSLError`` among others.
        """
        inner = Stream(self._loop)
        transport = await self._loop.start_tls(self.transport, inner, ssl_context, server_hostname=server_hostname)
        if transport is None:
            raise ConnectionResetError("connection closed during the TLS handshake")
        inner.transport = transport
        return inner

    def get_extra_info(self, info: str) -> Any:
        """Answer httpcore's question whether an idle connection was closed."""
        return (self.ended or bool(self._held)) if info == "is_readable" else None

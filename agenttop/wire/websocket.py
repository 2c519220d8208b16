"""A WebSocket over the same connection class: our bytes and times, the frames of ``websockets``' sans-I/O half (RFC
6455).

The upgrade is an ordinary exchange of :class:`~agenttop.wire.http1.Http1Connection`; after a 101 this object takes the
bytes over. One exchange (a message sent, its answer awaited) is in flight at a time; messages that come unasked are in
none.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import os
from collections.abc import Callable
from time import perf_counter_ns
from typing import Protocol

from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Opcode
from websockets.protocol import Protocol as Frames
from websockets.protocol import Side, State

from agenttop.metrics.outcome import Outcome
from agenttop.wire.dial import Failure
from agenttop.wire.http1 import CLOSED, Http1Connection
from agenttop.wire.room import LARGE, MAX_HELD, ROOM

MAX_MESSAGE = MAX_HELD
"""Bytes of one message beyond which the connection is given up; a limit of ours, and reported as one."""

TOO_LARGE = (
    f"a message of more than {MAX_MESSAGE >> 20} MiB, or more of them at once than there is room for: "
    "a limit of agenttop, not a fault of the target"
)
_PONG = b"\x8a"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_QUIET = logging.getLogger("agenttop.wire.websocket")
_QUIET.disabled = True


class MessageSink(Protocol):
    """The reader of messages."""

    def message(self, data: bytes, now: int) -> bool:
        """Take one whole message, text or binary; return whether the exchange is complete."""


def upgrade_key() -> tuple[str, str]:
    """Return a fresh ``Sec-WebSocket-Key`` and the ``Sec-WebSocket-Accept`` that answers it (RFC 6455, 4.2.2)."""
    key = base64.b64encode(os.urandom(16))
    return key.decode(), base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()


class WebSocket:
    """An upgraded connection. The fields of the exchange mean what they mean on the HTTP connection."""

    __slots__ = (
        "_frames",
        "_part",
        "_text",
        "_took",
        "_waiter",
        "connection",
        "end_ns",
        "ended",
        "failure",
        "first_ns",
        "last_ns",
        "received",
        "sent",
        "sent_ns",
        "sink",
        "unasked",
    )

    def __init__(self, connection: Http1Connection) -> None:
        self.connection = connection
        self._frames = Frames(Side.CLIENT, state=State.OPEN, max_size=MAX_MESSAGE, logger=_QUIET)
        self._part = bytearray()
        """The fragments of a message so far."""
        self._took = 0
        """Bytes that room was taken for (``wire.room``)."""
        self._waiter: asyncio.Future[None] | None = None
        self._text = False
        """The message under way is text."""
        self.ended: Failure | None = None
        """How the connection ended, if it ended between two exchanges, so that none of them has reported it."""
        self.sink: MessageSink | None = None
        self.unasked: Callable[[bytes, int], None] | None = None
        """Takes messages that come while nothing is awaited; without it they are dropped."""
        self.sent_ns = self.first_ns = self.last_ns = self.end_ns = 0
        self.sent = 0
        """Bytes of the last message on the wire."""
        self.received = 0
        self.failure: Failure | None = None

    @property
    def open(self) -> bool:
        """Return whether messages can be sent."""
        return self.connection.state != CLOSED and self._frames.state is State.OPEN

    @property
    def interim_ns(self) -> int:
        """Return 0: a message has no interim answer."""
        return 0

    @property
    def left_out(self) -> int:
        """Return the header lines of the upgrade's answer that were not read."""
        return self.connection.left_out

    @property
    def behind_ns(self) -> int:
        """Return when the first byte that is not parsed yet came; 0 if all are."""
        return self.connection.behind_ns

    @property
    def waiting(self) -> bool:
        """Return whether an exchange is in flight."""
        return self._waiter is not None

    def write(self, data: bytes) -> int:
        """Send one text message and await nothing. Return the bytes that it takes on the wire."""
        self.connection.write(self._framed(data))
        return self.sent

    def send(self, data: bytes, sink: MessageSink, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """Send one text message; the future is done when the sink calls the exchange complete, or it has failed."""
        self.expect(sink, loop)
        out = self._framed(data)
        self.sent_ns = self.last_ns = perf_counter_ns()
        self.connection.write(out)
        assert self._waiter is not None
        return self._waiter

    def _framed(self, data: bytes) -> bytes:
        self._frames.send_text(data)
        out = b"".join(self._frames.data_to_send())
        self.sent = len(out)
        return out

    def expect(self, sink: MessageSink, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """Await messages without sending one."""
        self.sink = sink
        self.failure = None
        self.first_ns = self.end_ns = 0
        self.received = 0
        self.sent_ns = self.last_ns = perf_counter_ns()
        waiter = self._waiter = loop.create_future()
        return waiter

    def receive(self, data: bytes, now: int) -> None:
        """Take bytes from the connection; none mean that it is gone."""
        if not data:
            self._end(Outcome.TRUNCATED, "connection closed without a close frame")
            return
        self.received += len(data)
        self.last_ns = now
        frames = self._frames
        frames.receive_data(data)
        for frame in frames.events_received():
            opcode = frame.opcode  # type: ignore[union-attr]
            if opcode is Opcode.TEXT or opcode is Opcode.BINARY or opcode is Opcode.CONT:
                payload = bytes(frame.data)  # type: ignore[union-attr]
                if opcode is not Opcode.CONT:
                    self._text = opcode is Opcode.TEXT
                if not frame.fin:  # type: ignore[union-attr]
                    self._part += payload
                    continue
                if self._part:
                    payload = bytes(self._part) + payload
                    self._part = bytearray()
                if self._text and not payload.isascii() and not _is_utf8(payload):
                    frames.fail(CloseCode.INVALID_DATA)
                    self.connection.write(b"".join(frames.data_to_send()))
                    self._end(Outcome.PROTOCOL_ERROR, "a text message that is not UTF-8")
                    return
                if self._waiter is not None and self.sink is not None:
                    if self.first_ns == 0:
                        self.first_ns = now
                    if self.sink.message(payload, now):
                        self.end_ns = now
                        self._wake()
                elif self.unasked is not None:
                    self.unasked(payload, now)
        out = frames.data_to_send()
        if len(out) > 1:
            # Of many pings the last may be answered for all (RFC 6455, 5.5.3): who floods does not read our pongs.
            pongs = [data for data in out if data[:1] == _PONG]
            out = pongs[-1:] + [data for data in out if data[:1] != _PONG]
        if out and self.connection.state != CLOSED:
            self.connection.write(b"".join(out))
        takes = len(self._part) + len(frames.reader.buffer)
        if (takes > LARGE or self._took) and self._takes(takes):
            return
        if isinstance(frames.parser_exc, PayloadTooBig):
            self._end(Outcome.PROTOCOL_ERROR, TOO_LARGE)
        elif frames.parser_exc is not None:
            self._end(Outcome.PROTOCOL_ERROR, f"malformed WebSocket frame: {frames.parser_exc}")
        elif frames.state is not State.OPEN:
            close = frames.close_rcvd
            reason = f": {close.reason}" if close is not None and close.reason else ""
            self._end(Outcome.TRUNCATED, f"closed by the target with code {close.code if close else 1006}{reason}")

    def _takes(self, takes: int) -> bool:
        """Take room for the message under way; return True if there is none, so that the connection is given up."""
        if ROOM.change(self._took, takes):
            self._took = takes
            return False
        self._end(Outcome.PROTOCOL_ERROR, TOO_LARGE)
        return True

    def fail(self, outcome: Outcome, message: str) -> None:
        """End the exchange as a failure, and the connection with it."""
        self._end(outcome, message)

    def close(self) -> None:
        """Send a close frame (code 1000) and close; does not wait for the other side."""
        if self.open:
            self._frames.send_close(1000)
            self.connection.write(b"".join(self._frames.data_to_send()))
            self.connection.transport.close()
            self.connection.state = CLOSED
        self._give_back()

    def _end(self, outcome: Outcome, message: str) -> None:
        if self._waiter is not None:
            self.end_ns = perf_counter_ns()
            if self.failure is None:
                self.failure = (outcome, message)
        elif self.ended is None:
            self.ended = (outcome, message)
        self._give_back()
        self.connection.close()
        self._wake()

    def _give_back(self) -> None:
        ROOM.change(self._took, 0)
        self._took = 0

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True

"""The interface to connections, and the transport of our own: each user has one connection to a target."""

from __future__ import annotations

import asyncio
import ssl
from time import perf_counter_ns
from typing import Protocol

from agenttop.metrics.outcome import Outcome
from agenttop.wire.dial import Dialer, Failure
from agenttop.wire.http1 import Http1Connection, Sink, opened_connection
from agenttop.wire.target import Target


class Connection(Protocol):
    """What a user needs of a connection, whatever it speaks: one request at a time, and the fields of the last one.

    Times are ``perf_counter_ns``, 0 is never. ``opened_ns`` is a duration, ``received`` counts bytes.
    """

    opened_ns: int
    sent_ns: int
    first_ns: int
    last_ns: int
    end_ns: int
    status: int
    received: int
    lean: bool
    unanswered: bool
    dropped: bool
    failure: Failure | None
    interim_ns: int
    left_out: int
    whose: str

    @property
    def behind_ns(self) -> int:
        """Return when the first byte that is not looked at yet came; 0 if all are."""

    @property
    def state(self) -> int:
        """Return one of the states of :mod:`agenttop.wire.http1`."""

    @property
    def waiting(self) -> bool:
        """Return whether an exchange is in flight."""

    def send(self, data: bytes, sink: Sink | None, lean: bool) -> asyncio.Future[None]:
        """Send a request in the form of HTTP/1.1; the future is done when its answer has ended, well or badly."""

    async def settle(self, patience_s: float) -> bool:
        """Wait for the rest of an answer that was complete before its last byte; return False if it does not come."""

    def fail(self, outcome: Outcome, message: str) -> None:
        """End the exchange as a failure and close the connection."""

    def close(self) -> None:
        """Close at once; harmless if closed."""


class Connector(Protocol):
    """Opens connections."""

    @property
    def dialer(self) -> Dialer:
        """Return the dialer that opens them."""

    async def connect(self, target: Target) -> Connection:
        """Return a new connection. Its ``failure`` says why there is none, ``opened_ns`` how long opening it took."""


class Transport:
    """Opens HTTP/1.1 connections of our own."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, context: ssl.SSLContext | None, connect_timeout_s: float
    ) -> None:
        self._loop = loop
        self._context = context
        self.dialer = Dialer(loop, connect_timeout_s)

    async def connect(self, target: Target) -> Http1Connection:
        """Return a new connection. Its ``failure`` says why there is none, ``opened_ns`` what DNS, TCP and TLS took."""
        began = perf_counter_ns()
        context = self._context if target.tls else None
        opened = await self.dialer.dial(target, context, lambda: Http1Connection(self._loop))
        return opened_connection(self._loop, opened, began)

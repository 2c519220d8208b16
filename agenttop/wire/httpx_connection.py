"""A connection over HTTP/2, or over HTTP/1.1 through a forward proxy, which the fast connection does not speak.

httpx's own engine (``httpcore``) speaks the protocol. An ``httpx.AsyncClient`` around it would connect with the first
request only, so that connecting would be part of a latency; it would keep cookies and add headers, so that the same
profile would say something else. Bytes go through a stream of ours, which takes the times as they arrive.

Requests come in the form of HTTP/1.1 and are taken apart here; that is cheap next to the rest.
"""

from __future__ import annotations

import asyncio
from time import perf_counter_ns
from typing import Any

import h2.errors
import h2.events
import httpcore

from agenttop.metrics.outcome import Outcome
from agenttop.wire.dial import Failure
from agenttop.wire.http1 import (
    CLOSED,
    DRAINING,
    IDLE,
    MAX_HEADER_TEXT,
    MAX_HEADERS,
    READING,
    WAITING,
    Sink,
    in_race,
    joined,
)
from agenttop.wire.inflate import InflateError, decoder, not_read
from agenttop.wire.stream import Stream

#: Headers that are about an HTTP/1.1 connection (RFC 9113, 8.2.2).
_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}


class HttpxConnection:
    """One user's connection, with the surface of :class:`~agenttop.wire.http1.Http1Connection`.

    Args:
        loop: the event loop.
        stream: the open connection; None where there is none (``failure`` says why).
        speaker: httpcore's side of it.
        url: scheme, host and port as httpcore wants them for every request.
        absolute: what goes before the path, in requests to a forward proxy.
        extra: headers of every request, for a forward proxy.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        stream: Stream | None = None,
        speaker: httpcore.AsyncConnectionInterface | None = None,
        url: tuple[bytes, bytes, int] = (b"http", b"", 0),
        absolute: bytes = b"",
        extra: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        self._loop = loop
        self._stream = stream
        self._speaker = speaker
        self._url = url
        self._absolute = absolute
        self._extra = extra
        self._state = IDLE if stream is not None else CLOSED
        self._task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.opened_ns = 0
        self.sent_ns = self.first_ns = self.last_ns = self.end_ns = 0
        self.status = self.received = 0
        self.lean = False
        self.unanswered = False
        self.dropped = False
        self.failure: Failure | None = None
        self.left_out = self.interim_ns = 0
        self.whose = ""

    # -- what users read

    @property
    def state(self) -> int:
        """Return one of the states of :mod:`agenttop.wire.http1`."""
        if self._state == IDLE:
            stream, speaker = self._stream, self._speaker
            if stream is None or speaker is None or stream.ended or speaker.is_closed() or speaker.has_expired():
                self.dropped = True
                self.close()
        return self._state

    @property
    def behind_ns(self) -> int:
        """Return when the first byte that is not looked at yet came; 0 if all are."""
        return self._stream.behind_ns if self._stream is not None else 0

    @property
    def waiting(self) -> bool:
        """Return whether an exchange is in flight."""
        return self._waiter is not None

    # -- what users do

    def send(self, data: bytes, sink: Sink | None, lean: bool) -> asyncio.Future[None]:
        """Send one request; the future is done when its answer has ended, well or badly.

        Args:
            data: the whole request as HTTP/1.1 writes it.
            sink: who reads the answer.
            lean: for the fast connection; every answer is read here.
        """
        assert self._stream is not None
        self.failure = None
        self.unanswered = False
        self.first_ns = self.end_ns = 0
        self.status = self.received = self.left_out = 0
        self._state = WAITING
        self._stream.begin(self.whose)
        self.sent_ns = self.last_ns = perf_counter_ns()
        waiter = self._waiter = self._loop.create_future()
        self._task = self._loop.create_task(self._exchange(self._request(data), sink))
        return waiter

    async def settle(self, patience_s: float) -> bool:
        """Wait for the rest of an answer that was complete before its last byte; return False if it does not come."""
        if self._state == DRAINING:
            self._waiter = self._loop.create_future()
            handle = self._loop.call_later(patience_s, self._wake)
            await self._waiter
            handle.cancel()
        return self.state == IDLE

    def fail(self, outcome: Outcome, message: str) -> None:
        """End the exchange as a failure and close the connection."""
        if self.end_ns == 0:
            self.end_ns = perf_counter_ns()
        self._count()
        if self.failure is None:
            self.failure = (outcome, message)
        self.close()
        self._wake()

    def close(self) -> None:
        """Close at once; harmless if closed."""
        self._state = CLOSED
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task(self._loop):
            task.cancel()
        if self._stream is not None:
            self._stream.abort()

    # -- one exchange

    def _request(self, data: bytes) -> httpcore.Request:
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        method, path, _ = first.split(b" ", 2)
        headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines) if name not in _HOP]
        scheme, host, port = self._url
        url = httpcore.URL(scheme=scheme, host=host, port=port, target=self._absolute + path)
        return httpcore.Request(method, url, headers=[*headers, *self._extra], content=body)

    async def _exchange(self, request: httpcore.Request, sink: Sink | None) -> None:
        """Do everything from the first byte sent to the last byte read; whatever happens, nothing is raised."""
        try:
            await self._converse(request, sink)
        except asyncio.CancelledError:
            # Our own doing: whoever closed the connection has said why.
            self._wake()
            raise
        except InflateError as error:
            self._broken(Outcome.PROTOCOL_ERROR, f"malformed compression: {error}")
        except (httpcore.NetworkError, httpcore.ConnectionNotAvailable) as error:
            self._cut(str(error))
        except httpcore.ProtocolError as error:
            self._judge(error)
        except Exception as error:  # h2 has its own, and a user must hear of any
            self._broken(Outcome.PROTOCOL_ERROR, f"malformed response: {str(error) or type(error).__name__}")

    async def _converse(self, request: httpcore.Request, sink: Sink | None) -> None:
        speaker, stream = self._speaker, self._stream
        assert speaker is not None
        assert stream is not None
        response = await speaker.handle_async_request(request)
        self._state = READING
        self.sent_ns = stream.sent_ns
        self.first_ns = stream.read_ns
        self._count()
        self.status = response.status
        headers: dict[str, str] = {}
        size = 0
        for line, (name, value) in enumerate(response.headers):
            size += len(name) + len(value)
            if line >= MAX_HEADERS or size > MAX_HEADER_TEXT:
                self.left_out += 1
                continue
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            headers[key] = joined(headers[key], text, key) if key in headers else text
        if response.status < 200:
            self.fail(Outcome.PROTOCOL_ERROR, f"the target switched protocols unasked (status {response.status})")
            return
        wanted = sink is not None and sink.head(response.status, headers, self.first_ns)
        inflate, unread = decoder(headers.get("content-encoding", ""))
        if unread and wanted:
            wanted = False
            if response.status < 400:
                self.fail(Outcome.PROTOCOL_ERROR, not_read(unread))
                return
        async for data in response.aiter_stream():
            self._count()
            if not wanted or sink is None or self._state != READING:
                continue
            pieces = (data,) if inflate is None else inflate.feed(data)
            if any(sink.data(piece, stream.read_ns) for piece in pieces):
                # The answer has ended, though the message has not: what a user waits for is here.
                self.end_ns = stream.read_ns
                self._state = DRAINING
                self._wake()
        await response.aclose()
        self._count()
        if self._state == READING and wanted and inflate is not None and not inflate.finished:
            self.fail(Outcome.TRUNCATED, "the compressed body ends early")
            return
        if self.end_ns == 0:
            self.end_ns = stream.read_ns
        self._task = None
        self._state = IDLE
        self._wake()

    def _judge(self, error: httpcore.ProtocolError) -> None:
        """End the exchange for a breach of protocol; ``httpcore`` reports the loss of a connection as one, too."""
        cause: Any = error.args[0] if error.args else ""
        if isinstance(cause, h2.events.StreamReset):
            code = _code(cause.error_code)
            if cause.error_code == h2.errors.ErrorCodes.REFUSED_STREAM and not self.first_ns:
                self.unanswered = in_race(self.sent_ns)  # RFC 9113, 8.7: not processed at all
            outcome = Outcome.TRUNCATED if self.first_ns else Outcome.PROTOCOL_ERROR
            self._broken(outcome, f"the target reset the stream ({code})")
        elif isinstance(cause, h2.events.ConnectionTerminated):
            self._cut(f"the target ended the connection ({_code(cause.error_code)})")
        elif self._stream is not None and self._stream.ended:
            self._cut("")
        else:
            self._broken(Outcome.PROTOCOL_ERROR, f"malformed response: {cause}")

    def _cut(self, why: str) -> None:
        """End the exchange because the connection is gone."""
        why = f": {why}" if why else ""
        if self.first_ns:
            self._broken(Outcome.TRUNCATED, f"connection closed in the middle of the answer{why}")
        else:
            self.unanswered = in_race(self.sent_ns)
            self._broken(Outcome.PROTOCOL_ERROR, f"connection closed before an answer{why}")

    def _broken(self, outcome: Outcome, message: str) -> None:
        if self._state in (WAITING, READING):
            self.fail(outcome, message)
        else:
            self.close()
            self._wake()

    def _count(self) -> None:
        """Update times and bytes from the last read."""
        if self._stream is not None and self._state != DRAINING:
            self.last_ns = max(self._stream.read_ns, self.sent_ns)
            self.received = self._stream.received

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


def _code(number: int | h2.errors.ErrorCodes | None) -> str:
    """Return the name of an error code of HTTP/2."""
    try:
        return h2.errors.ErrorCodes(number or 0).name
    except ValueError:
        return str(number)

"""One user's HTTP/1.1 connection: bytes out, bytes in, and their times.

Why our own: on one core a keep-alive request costs about 8 µs here, 80 µs with aiohttp and 8 ms with a shared httpx
pool of 64. It is an ``asyncio.Protocol`` with llhttp (``httptools``) behind it. One exchange is in flight at a time,
whose fields are read after the awaited future is done; there is no object per response, and no exception for what a
target does wrong: ``failure`` says it. It is one long class, since each call on its path is paid for by every request.

    IDLE ──send──► WAITING ──first byte──► READING ──end of message──► IDLE
                      │                       ├──sink says it has all──► DRAINING ──end of message──► IDLE
                      └── close, error, timeout ──► CLOSED ◄──────────────┴── (any state)
                                              └──101──► UPGRADED (``wire.websocket`` takes the bytes over)
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections import deque
from time import perf_counter_ns
from typing import Any, Protocol, cast

import httptools

from agenttop.metrics.outcome import Outcome
from agenttop.wire.dial import Failure, why_not
from agenttop.wire.heads import HEADS, KnownHead, is_lean
from agenttop.wire.inflate import Decoder, InflateError, decoder, not_read
from agenttop.wire.turns import TURNS

MAX_HEAD = 256 * 1024
"""Bytes of header beyond which an answer counts as malformed."""
NO_LIMIT = -(1 << 62)
"""Bytes of header to begin with if they are not counted: those of a lean answer, whose body is not told from them."""

MAX_HEADERS, MAX_HEADER_TEXT = 500, 64 * 1024
"""Header lines of one answer that are read, and their bytes; the rest is counted and left out."""

SMALL = 1024
"""Bytes of a read that are parsed at once: at worst, with the smallest chunks or frames, a millisecond or two."""
MIN_PIECE, MAX_PIECE = 256, 64 * 1024
FAST_NS, SLOW_NS = 50_000, 200_000
"""A piece of a larger read is doubled if parsing took less than the first, halved if more than the second."""

RACE_NS = 100_000_000
"""How soon after the write a kept connection must be lost for its request to be sent again.

A target that closes an idle connection as a request is on its way to it (RFC 9112, 9.3.1) has done so before that
arrives: the news is here within one round trip, and 100 ms is more than most; a stall of our own loop is excused. One
that closes later has had the request: that is an answer that did not come, and no client should ask for the same work
twice.
"""
EXCUSED_NS = 1_000_000_000
"""What is lost later is not sent again though our loop stood still: the target may have been at it all the while."""

IDLE, WAITING, READING, DRAINING, UPGRADED, CLOSED = range(6)


class Sink(Protocol):
    """The reader of an answer. Times are ``perf_counter_ns`` of the read that brought the bytes."""

    def head(self, status: int, headers: dict[str, str], now: int) -> bool:
        """Take the headers, which are complete (names in lower case). Return whether the body is to be read."""

    def data(self, data: bytes, now: int) -> bool:
        """Take a piece of the body, decompressed. Return whether the answer is complete, whatever else may come."""

    def trailers(self, headers: dict[str, str]) -> None:
        """Take headers that came after the body."""

    def again(self) -> bytes | None:
        """Return the next request to send at once after a lean answer, on the same future; None ends the exchange."""


def joined(before: str, value: str, name: str) -> str:
    """Return the value of a header that is repeated (RFC 9110, 5.3); cookies, which hold commas, are a line each."""
    return f"{before}\n{value}" if name == "set-cookie" else f"{before}, {value}"


class _Lean:
    """llhttp's callbacks for an answer of which only status, size and times matter."""

    __slots__ = ("connection",)

    def __init__(self, connection: Http1Connection) -> None:
        self.connection = connection

    def on_message_begin(self) -> None:
        connection = self.connection
        if connection.state != READING:
            connection.close()
        elif not connection.first_ns:
            connection.first_ns = connection.last_ns

    def on_message_complete(self) -> None:
        self.connection._complete()


class _Full:
    """llhttp's callbacks for an answer that is read."""

    __slots__ = ("connection", "headers", "lines", "on_body", "size")

    def __init__(self, connection: Http1Connection) -> None:
        self.connection = connection
        self.on_body = connection._body  # without a call between: it is what comes most
        self.headers: dict[str, str] = {}
        self.lines = self.size = 0

    def on_message_begin(self) -> None:
        self.headers = {}
        self.lines = self.size = 0
        if self.connection.state != READING:
            # An answer too many: nobody asked, and the next could not be told from it.
            self.connection.close()
        elif not self.connection.first_ns:
            self.connection.first_ns = self.connection.last_ns

    def on_header(self, name: bytes, value: bytes) -> None:
        self.lines += 1
        self.size += len(name) + len(value)
        if self.lines > MAX_HEADERS or self.size > MAX_HEADER_TEXT:
            self.connection.left_out += 1
            # As each is read, for an answer may end with the piece that has too much of them. ": " and the line's end.
            if self.size + 4 * self.lines > MAX_HEAD:
                self.connection._too_long()
            return
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        self.headers[key] = joined(self.headers[key], text, key) if key in self.headers else text

    def on_headers_complete(self) -> None:
        self.connection._headers(self.headers)
        self.headers = {}

    def on_message_complete(self) -> None:
        connection = self.connection
        if self.headers and connection.sink is not None and connection.state in (READING, DRAINING):
            connection.sink.trailers(self.headers)
        connection._whole()
        connection._complete()


class Http1Connection(asyncio.Protocol):
    """A keep-alive connection of one virtual user. The fields of the exchange are valid after awaiting what
    :meth:`send` returned.
    """

    __slots__ = (
        "_at",
        "_fd",
        "_full",
        "_head",
        "_head_bytes",
        "_held",
        "_inflate",
        "_last_headers",
        "_lean",
        "_loop",
        "_lost",
        "_parser",
        "_paused",
        "_piece",
        "_until_eof",
        "_waiter",
        "_wanted",
        "dropped",
        "end_ns",
        "failure",
        "first_ns",
        "interim_ns",
        "last_ns",
        "lean",
        "lean_allowed",
        "left_out",
        "on_upgraded",
        "opened_ns",
        "received",
        "sent_ns",
        "sink",
        "state",
        "status",
        "transport",
        "unanswered",
        "whose",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self.state = CLOSED
        self._fd = -1
        self.sink: Sink | None = None
        self.lean_allowed = False
        self._waiter: asyncio.Future[None] | None = None
        self._full: Any = None
        self._lean: Any = None
        self._parser: Any = None
        self._inflate: Decoder | None = None
        self._head = b""
        self._lost: Exception | None = None
        self._until_eof = False
        self._wanted = False
        self._last_headers: dict[str, str] | None = None
        self._head_bytes = 0
        """Bytes since the last of a body: of headers, trailers, chunk extensions."""
        self._held: deque[tuple[int, bytes]] | None = None
        """Received bytes that wait to be parsed, and when they came; reading is paused."""
        self._at = 0
        """How many bytes of the first of them have been parsed."""
        self._piece = SMALL
        self._paused = False
        self.on_upgraded: Any = None
        self.left_out = 0
        """Header lines of the answer that were not read."""
        self.whose = ""
        """The pool whose connection it is."""
        # The exchange, valid once the waiter is done.
        self.opened_ns = 0
        """Nanoseconds that DNS, TCP and TLS took; 0 on a reused connection."""
        self.sent_ns = 0
        self.first_ns = 0
        """When the first byte of the final answer came."""
        self.interim_ns = 0
        """When the first byte of the first interim answer (100 Continue, 103 Early Hints) came, if there was one."""
        self.last_ns = 0
        self.end_ns = 0
        self.status = 0
        self.received = 0
        """Bytes read for this exchange."""
        self.lean = False
        """The answer was not read, only timed: its head says nothing of interest."""
        self.failure: tuple[Outcome, str] | None = None
        self.unanswered = False
        """The connection was lost within :data:`RACE_NS` of the write, before the first byte of an answer."""
        self.dropped = False
        """The target closed the connection between two requests, without having announced it."""

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        socket = transport.get_extra_info("socket")
        if socket is not None and transport.get_extra_info("sslcontext") is None:
            self._fd = socket.fileno()
        self.state = IDLE

    def data_received(self, data: bytes) -> None:
        now = perf_counter_ns()
        size = len(data)
        self.received += size
        if self._held is not None:
            self._held.append((now, data))
            return
        self.last_ns = now
        state = self.state
        end = 0
        if state == READING:
            pass
        elif state == WAITING:
            self.first_ns = now
            self.state = READING
            end = data.find(b"\r\n\r\n")
            if end > 0:
                known = HEADS.find(data[:end])
                if known is not None and known.length == size - end - 4 and self._whole_answer(known, data, end):
                    return
                # Headers that nobody reads are not taken apart: a callback for each costs 2 µs an answer.
                self._head = data[:end].lower()
            self.lean = self.lean_allowed and end > 0 and is_lean(self._head)
            self._parser = self._parser_of(self.lean)
            self._piece = SMALL  # of another kind of body than the one before, perhaps: compressed a thousandfold
            self._head_bytes = NO_LIMIT if self.lean else 0
            self._last_headers = None
        elif state == UPGRADED:
            if size <= SMALL:
                self.on_upgraded(data, now)
                return
        elif state != DRAINING:
            # Bytes nobody asked for: whatever they are, the next answer could not be told from them.
            self.close()
            return
        if size <= SMALL:
            try:  # as in _feed: a call more costs as much as the rest
                self._parser.feed_data(data)
            except (httptools.HttpParserUpgrade, httptools.HttpParserError) as error:
                self._not_fed(error, data, now)
                return
            self._head_bytes += size
            if self._head_bytes > MAX_HEAD:
                self._too_long()
        elif size <= self._piece and TURNS.room(self._loop) > 0:
            self._feed(data, now)
            self._took(perf_counter_ns() - now)
        else:
            self._held = deque(((now, data),))
            if self.go_on():
                self._paused = True
                if not self.transport.is_closing():
                    self.transport.pause_reading()
                TURNS.wait(self)
                return
        if end > 0 and self.state == IDLE:
            HEADS.learn(data[:end], self.status, size - end - 4, self._last_headers)

    def _took(self, ns: int) -> None:
        """Note what parsing a piece took: of the turn, and for the size of the next."""
        TURNS.took(self.whose, ns)
        if ns < FAST_NS:
            self._piece = min(self._piece * 2, MAX_PIECE)
        elif ns > SLOW_NS:
            self._piece = max(self._piece // 2, MIN_PIECE)

    def go_on(self) -> bool:
        """Parse what is held, as long as the turn has room (``wire.turns``); return whether something is left."""
        held = self._held
        if held is None:
            return False
        clock = perf_counter_ns()
        until = clock + TURNS.room(self._loop)
        while held and clock < until:
            now, data = held[0]
            at, to = self._at, self._at + self._piece
            if to < len(data):
                # Behind the end of a line, if there is one: an event that is cut takes twice the work.
                to = data.rfind(b"\n", at + 1, to) + 1 or to
            piece = data[at:to]
            self._at = to
            if to >= len(data):
                held.popleft()
                self._at = 0
            self.last_ns = now
            try:
                self._feed(piece, now)
            except BaseException:
                # Of who reads it. The loop ends a connection whose data_received raises; here nobody else does.
                self._held = None
                self.transport.abort()
                raise
            before, clock = clock, perf_counter_ns()
            self._took(clock - before)
            if self._held is not held:
                break  # it was closed
            if held and self.state in (IDLE, CLOSED):
                self.close()  # as of an answer too many
                break
        if self._held is not None and held:
            return True
        ours, paused = self._held is None, self._paused
        self._held, self._paused = None, False
        if self._lost is not None and not ours:
            self.connection_lost(None if isinstance(self._lost, EOFError) else self._lost)
        elif paused and not self.transport.is_closing():
            self.transport.resume_reading()
        return False

    @property
    def behind_ns(self) -> int:
        """Return when the first byte that is not parsed yet came; 0 if all are."""
        return self._held[0][0] if self._held else 0

    def _feed(self, data: bytes, now: int) -> None:
        """Parse a piece of what came."""
        if self.state == UPGRADED:
            self.on_upgraded(data, now)
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserUpgrade, httptools.HttpParserError) as error:
            self._not_fed(error, data, now)
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD:
            self._too_long()

    def _not_fed(self, error: Exception, data: bytes, now: int) -> None:
        """Handle what llhttp does not read: the bytes of another protocol, or of none."""
        if isinstance(error, httptools.HttpParserUpgrade):
            self._upgraded(data[error.args[0] :], now)
        elif self.state != READING:
            self.close()
        elif self.status == 0 and data[:2] == b"\x15\x03":
            self.fail(Outcome.PROTOCOL_ERROR, "the target speaks TLS: its URL begins with https")
        else:
            self.fail(Outcome.PROTOCOL_ERROR, f"malformed response: {error}")

    def _too_long(self) -> None:
        """Fail, if the answer has not ended with that, for more headers, trailers and chunk extensions than one has."""
        if self.state in (READING, DRAINING):
            self.fail(Outcome.PROTOCOL_ERROR, f"more than {MAX_HEAD // 1024} KiB of headers")

    def eof_received(self) -> bool:
        # The transport closes, but says so only later; until then nobody must take this for a connection.
        if self._held is not None:
            return False  # what came before is looked at first
        if self.state == IDLE:
            self.state = CLOSED
            self.dropped = True
        elif self.state == UPGRADED:
            self.state = CLOSED
            self.on_upgraded(b"", perf_counter_ns())
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._held is not None:
            self._lost = exc or EOFError()  # and what came before is looked at first
            return
        state, self.state = self.state, CLOSED
        self._lost = exc
        if state == IDLE:
            self.dropped = True
        if state == UPGRADED:
            self.on_upgraded(b"", perf_counter_ns())
        elif state == WAITING:
            self.unanswered = in_race(self.sent_ns)
            self.fail(*self.lost())
        elif state == READING:
            if exc is None and (self._lean_until_eof() if self.lean else self._until_eof):
                # RFC 9112, 6.3: without a length the body ends where the connection does.
                self.end_ns = perf_counter_ns()
                self.status = self._parser.get_status_code()
                self._whole()
                self._wake()
            else:
                why = f": {why_not(exc)}" if exc is not None else ""
                self.fail(Outcome.TRUNCATED, f"connection closed in the middle of the answer{why}")
        else:
            self._wake()

    def lost(self) -> Failure:
        """Return the failure of a connection that was lost without an answer."""
        if isinstance(self._lost, ssl.SSLError):
            # With TLS 1.3 a target says only now that it wants another certificate of us.
            return Outcome.CONNECT_ERROR, why_not(self._lost)
        if self._lost is not None:
            return Outcome.PROTOCOL_ERROR, f"connection closed before an answer: {why_not(self._lost)}"
        if self.received:
            return Outcome.PROTOCOL_ERROR, "the target spoke before it was asked"
        return Outcome.PROTOCOL_ERROR, "connection closed before an answer"

    # -- for the user

    def send(self, data: bytes, sink: Sink | None, lean: bool) -> asyncio.Future[None]:
        """Send one request; the future is done when its answer has ended, well or badly.

        Args:
            data: the whole request as it goes on the wire.
            sink: who reads the answer; asked only where the answer is not lean.
            lean: an answer without an event stream and without Server-Timing need not be read.
        """
        self.sink = sink
        self.lean_allowed = lean
        self.failure = None
        self.unanswered = False
        self.first_ns = self.end_ns = self.interim_ns = 0
        self.received = 0
        self.status = self.left_out = 0
        self._inflate = None
        self._until_eof = False
        self.state = WAITING
        waiter = self._waiter = self._loop.create_future()
        self.sent_ns = self.last_ns = perf_counter_ns()
        self.write(data)
        return waiter

    def write(self, data: bytes) -> None:
        """Write bytes to the socket now; the connection must not be closed.

        uvloop's own ``write`` keeps them until the end of the loop's turn, so a request would be sent later than it
        says.
        """
        if self._fd >= 0:
            try:
                sent = os.write(self._fd, data)
            except OSError:
                sent = 0  # full or gone; the transport finds out which, and says so
            if sent == len(data):
                return
            self._fd = -1  # from now on the transport holds bytes that go first
            data = data[sent:]
        self.transport.write(data)

    async def settle(self, patience_s: float) -> bool:
        """Wait for the rest of an answer that was complete before its last byte; return False if it does not come in
        time.
        """
        if self.state == DRAINING:
            self._waiter = self._loop.create_future()
            handle = self._loop.call_later(patience_s, self._wake)
            await self._waiter
            handle.cancel()
        return self.state == IDLE

    def fail(self, outcome: Outcome, message: str) -> None:
        """End the exchange as a failure and close the connection."""
        if self.end_ns == 0:
            self.end_ns = perf_counter_ns()
        if self.lean and self.first_ns:
            self.status = self._parser.get_status_code()
        if self.failure is None:
            self.failure = (outcome, message)
        self.close()
        self._wake()

    def close(self) -> None:
        """Close at once; harmless if closed."""
        self._held = None
        if self.state != CLOSED or (self.transport is not None and not self.transport.is_closing()):
            self.state = CLOSED
            self.transport.abort()

    @property
    def waiting(self) -> bool:
        """Return whether an exchange is in flight."""
        return self._waiter is not None

    # -- llhttp and its callbacks

    def _parser_of(self, lean: bool) -> Any:
        """Return the parser, made when it is first needed: saves 1.6 kB a user if all heads are known, or one of the
        two suffices.
        """
        parser = self._lean if lean else self._full
        if parser is None:
            parser = httptools.HttpResponseParser(_Lean(self) if lean else _Full(self))
            # Folded headers (RFC 9112, 5.2: to be unfolded), padded chunk sizes and lines that end with LF alone (2.2),
            # which every client reads.
            parser.set_dangerous_leniencies(
                lenient_headers=True, lenient_spaces_after_chunk_size=True, lenient_optional_cr_before_lf=True
            )
            if lean:
                self._lean = parser
            else:
                self._full = parser
        return parser

    def _headers(self, headers: dict[str, str]) -> None:
        if self.end_ns:
            return
        status = self._full.get_status_code()
        if status < 200 and status != 101:
            return
        self.status = status
        unread = ""
        if "content-encoding" in headers:
            self._inflate, unread = decoder(headers["content-encoding"])
        self._last_headers = headers
        chunked = headers.get("transfer-encoding", "").rstrip().lower().endswith("chunked")
        self._until_eof = "content-length" not in headers and not chunked
        self._wanted = self.sink is not None and self.sink.head(status, headers, self.last_ns)
        if unread and self._wanted:
            self._wanted = False
            if status < 400:
                self.fail(Outcome.PROTOCOL_ERROR, not_read(unread))

    def _whole_answer(self, known: KnownHead, data: bytes, end: int) -> bool:
        """Take an answer that came in one read behind a known head; return False if it must be parsed."""
        self.lean = known.lean and self.lean_allowed
        sink = self.sink
        if not self.lean:
            if known.headers is None:
                return False
            if sink is not None and sink.head(known.status, known.headers, self.last_ns) and known.length:
                sink.data(data[end + 4 :], self.last_ns)
        self.status = known.status
        self.end_ns = self.last_ns
        if self.lean and sink is not None and (request := sink.again()) is not None:
            self.state = WAITING
            self.first_ns = self.end_ns = 0
            self.received = self.status = 0
            self.sent_ns = self.last_ns = perf_counter_ns()
            self.write(request)
            return True
        self.state = IDLE
        self._wake()
        return True

    def _body(self, data: bytes) -> None:
        self._head_bytes = 0
        sink = self.sink
        if not self._wanted or self.state != READING or sink is None:
            return
        if self._inflate is None:
            if sink.data(data, self.last_ns):
                self._enough()
            return
        try:
            for piece in self._inflate.feed(data):
                if sink.data(piece, self.last_ns):
                    self._enough()
                    return
        except InflateError as error:
            self.fail(Outcome.PROTOCOL_ERROR, f"malformed compression: {error}")

    def _enough(self) -> None:
        """End the exchange though the message goes on: all that the user waits for is here."""
        self.end_ns = self.last_ns
        self.state = DRAINING
        self._wake()

    def _whole(self) -> None:
        """Fail if the message has ended but the compressed data in it has not."""
        if self._inflate is not None and self._wanted and self.state != DRAINING and not self._inflate.finished:
            self.fail(Outcome.TRUNCATED, "the compressed body ends early")

    def _lean_until_eof(self) -> bool:
        """Return whether the body of a lean answer has no length of its own."""
        return b"\ncontent-length:" not in self._head and b"\ntransfer-encoding:" not in self._head

    def _complete(self) -> None:
        parser = self._parser
        status = parser.get_status_code()
        if status < 200:
            # 100 Continue, 103 Early Hints: the answer is still to come.
            if status == 101 and not parser.should_upgrade():
                self.fail(Outcome.PROTOCOL_ERROR, "status 101 without the headers of an upgrade")
            elif not self.interim_ns:
                self.interim_ns = self.first_ns
            self.first_ns = 0  # that of the answer itself is what counts
            return
        if not parser.should_keep_alive():
            self.state = CLOSED
            self.transport.close()
        elif self.state != CLOSED:
            self.state = IDLE
        if self.end_ns == 0:
            self.end_ns = self.last_ns
            self.status = status
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def _upgraded(self, rest: bytes, now: int) -> None:
        if self.state != READING:
            self.close()
            return
        self.status = self._full.get_status_code()
        self.end_ns = now
        if self.on_upgraded is None or self.status != 101:
            self.fail(Outcome.PROTOCOL_ERROR, f"the target switched protocols unasked (status {self.status})")
            return
        self.state = UPGRADED
        self._wake()
        if rest:
            self.on_upgraded(rest, now)

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


def in_race(sent_ns: int) -> bool:
    """Return whether a connection lost now, unanswered, may have been closed before its request arrived.

    A loop of ours that stood still meanwhile hears of it later than it came, and that is no fault of the target.
    """
    now = perf_counter_ns()
    took = now - sent_ns
    return took <= RACE_NS or (took <= EXCUSED_NS and TURNS.excuses(sent_ns + RACE_NS, now))


def opened_connection(
    loop: asyncio.AbstractEventLoop, opened: Http1Connection | Failure, began_ns: int
) -> Http1Connection:
    """Return the result of dialling as a connection with ``failure`` and ``opened_ns``."""
    if isinstance(opened, tuple):
        connection = Http1Connection(loop)
        connection.failure = opened
    else:
        connection = opened
        if connection.state != IDLE:
            # Gone before anything was sent: there is no point in sending.
            connection.failure = connection.lost()
    connection.opened_ns = perf_counter_ns() - began_ns
    return connection

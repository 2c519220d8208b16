"""Tests of agenttop.wire.httpx_connection, agenttop.wire.httpx_transport, agenttop.wire.stream.

HTTP/2, and HTTP/1.1 through a proxy, on the surface that users know from HTTP/1.1.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import Awaitable, Callable

import pytest

from agenttop.metrics.outcome import Outcome
from agenttop.wire import http1
from agenttop.wire.http1 import CLOSED, DRAINING, IDLE
from agenttop.wire.httpx_connection import HttpxConnection
from agenttop.wire.httpx_transport import HttpxTransport
from agenttop.wire.tls import client_context
from tests.wire.authority import Authority
from tests.wire.h2_server import Stream, hold, plain, speaking_h2
from tests.wire.reading import GET, Keeper, exchange, to, until_closed
from tests.wire.server import Reader, Server, Writer, answering, ok, serving


def h2_transport(context: ssl.SSLContext | None = None) -> HttpxTransport:
    return HttpxTransport(asyncio.get_running_loop(), context, 5.0, http2=True)


async def h2_connected(server: Server) -> HttpxConnection:
    connection = await h2_transport().connect(to(server.port))
    assert connection.failure is None
    assert connection.opened_ns > 0
    return connection


async def test_http2_without_tls() -> None:
    seen: list[Stream] = []

    async def script(stream: Stream) -> None:
        seen.append(stream)
        stream.answer(("x-a", "1"), ("x-a", "2"), ("set-cookie", "a=1"), ("set-cookie", "b=2"))
        stream.data(b"hello ")
        stream.data(b"world", end=True)

    async with serving(speaking_h2(script)) as server:
        connection = await h2_connected(server)
        request = b"POST /a?b=c HTTP/1.1\r\nhost: agent\r\nconnection: keep-alive\r\ncontent-length: 4\r\n\r\nbody"
        for _ in range(3):
            sink = Keeper()
            assert await exchange(connection, sink, data=request) is None
            assert (connection.status, connection.state, connection.lean) == (200, IDLE, False)
            assert (sink.body, sink.headers["x-a"]) == (b"hello world", "1, 2")
            assert sink.headers["set-cookie"] == "a=1\nb=2"
            assert connection.sent_ns <= connection.first_ns <= connection.last_ns == connection.end_ns
            assert connection.received > len(b"hello world")
        assert server.connections == 1
        connection.close()
    for stream in seen:
        assert stream.body == b"body"
        assert stream.headers[b":method"] == b"POST"
        assert stream.headers[b":path"] == b"/a?b=c"
        assert stream.headers[b":authority"] == b"agent"
        assert b"connection" not in stream.headers
        assert not {b"user-agent", b"accept", b"cookie"} & set(stream.headers)


async def test_http2_over_tls(authority: Authority) -> None:
    context = authority.server()
    context.set_alpn_protocols(["h2", "http/1.1"])
    async with serving(speaking_h2(plain(b"x")), context) as server:
        connection = await h2_transport(client_context(authority.ca, None, None, True)).connect(
            to(server.port, "https")
        )
        assert connection.failure is None
        sink = Keeper()
        assert await exchange(connection, sink) is None
        assert sink.body == b"x"
        connection.close()


async def test_a_target_that_has_no_http2(authority: Authority) -> None:
    async with serving(answering(ok(b"x")), authority.server()) as server:
        connection = await h2_transport(client_context(authority.ca, None, None, True)).connect(
            to(server.port, "https")
        )
        assert connection.failure == (Outcome.CONNECT_ERROR, "the target does not speak HTTP/2")
    async with serving(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        connection = await h2_connected(server)
        failure = await exchange(connection)
        assert failure == (Outcome.PROTOCOL_ERROR, "malformed response: the target answers in HTTP/1")


async def test_nobody_listens() -> None:
    async with serving(answering(b"")) as server:
        port = server.port
    connection = await h2_transport().connect(to(port))
    assert connection.failure is not None
    assert connection.failure[0] is Outcome.CONNECT_ERROR
    assert connection.state == CLOSED
    connection.close()


@pytest.mark.parametrize("status", [204, 404, 429, 503])
async def test_statuses(status: int) -> None:
    async with serving(speaking_h2(plain(b"", ("retry-after", "3"), status=status))) as server:
        connection = await h2_connected(server)
        sink = Keeper()
        assert await exchange(connection, sink) is None
        assert (connection.status, sink.headers["retry-after"]) == (status, "3")
        connection.close()


async def test_the_sink_ends_the_exchange() -> None:
    more = asyncio.Event()

    async def script(stream: Stream) -> None:
        stream.answer(("content-type", "text/event-stream"))
        stream.data(b"data: [DONE]\n\n")
        await more.wait()
        stream.data(b"rest", end=True)

    async with serving(speaking_h2(script)) as server:
        connection = await h2_connected(server)
        sink = Keeper(until=b"[DONE]")
        assert await exchange(connection, sink) is None
        ended = connection.end_ns
        assert connection.state == DRAINING
        assert not await connection.settle(0.0)
        more.set()
        assert await connection.settle(20)
        assert (connection.state, connection.end_ns, sink.body) == (IDLE, ended, b"data: [DONE]\n\n")
        more.clear()
        assert await exchange(connection, Keeper(until=b"[DONE]")) is None
        connection.close()
        assert connection.state == CLOSED


async def test_compression() -> None:
    body = b"words " * 500
    async with serving(speaking_h2(plain(gzip.compress(body), ("content-encoding", "gzip")))) as server:
        connection = await h2_connected(server)
        sink = Keeper()
        assert await exchange(connection, sink) is None
        assert sink.body == body
        connection.close()
    for packed, outcome in ((gzip.compress(body)[:-3], Outcome.TRUNCATED), (b"no gzip", Outcome.PROTOCOL_ERROR)):
        async with serving(speaking_h2(plain(packed, ("content-encoding", "gzip")))) as server:
            connection = await h2_connected(server)
            failure = await exchange(connection, Keeper())
            assert failure is not None
            assert failure[0] is outcome


#: A frame of data for the connection itself, which has none.
NONSENSE = b"\0\0\x01\0\0\0\0\0\0x"


async def resets(stream: Stream) -> None:
    stream.state.reset_stream(stream.number, 2)
    stream.flush()


async def refuses(stream: Stream) -> None:
    stream.state.reset_stream(stream.number, 7)
    stream.flush()


async def resets_midway(stream: Stream) -> None:
    stream.answer()
    stream.data(b"half")
    await resets(stream)


async def goes_away(stream: Stream) -> None:
    stream.state.close_connection(0, last_stream_id=0)
    stream.flush()


async def hangs_up(stream: Stream) -> None:
    stream.writer.close()


async def hangs_up_midway(stream: Stream) -> None:
    stream.answer()
    stream.data(b"half")
    stream.writer.close()


async def talks_nonsense(stream: Stream) -> None:
    stream.writer.write(NONSENSE)


async def talks_nonsense_midway(stream: Stream) -> None:
    stream.answer()
    stream.data(b"half")
    stream.writer.write(NONSENSE)


async def goes_away_midway(stream: Stream) -> None:
    stream.answer()
    stream.data(b"half")
    stream.state.close_connection(2)
    stream.flush()
    stream.writer.close()


def frame(kind: int, flags: int, number: int, payload: bytes) -> bytes:
    """A frame as it goes on the wire (RFC 9113, 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + number.to_bytes(4, "big") + payload


async def bombs_with_headers(stream: Stream) -> None:
    """A line of 4 000 bytes goes into the table, and is named 60 000 times in a byte each: 240 MB (HPACK bomb)."""
    line = b"\x40\x01a\x7f\xa1\x1e" + b"x" * 4000
    stream.writer.write(frame(1, 4, stream.number, (b"\x88" + line + b"\xbe" * 12_000)))


async def never_ends_its_headers(stream: Stream) -> None:
    """A head goes on and on in CONTINUATION frames (CVE-2024-27316)."""
    stream.writer.write(frame(1, 0, stream.number, b"\x88"))
    with contextlib.suppress(OSError):
        for _ in range(2000):
            stream.writer.write(frame(9, 0, stream.number, b"\x00\x01a\x7f\x69" + b"y" * 232))
            await stream.writer.drain()


BAD = {
    goes_away_midway: (Outcome.TRUNCATED, False, "in the middle of the answer"),
    bombs_with_headers: (Outcome.PROTOCOL_ERROR, False, "malformed"),
    never_ends_its_headers: (Outcome.PROTOCOL_ERROR, False, "malformed"),
    resets: (Outcome.PROTOCOL_ERROR, False, "INTERNAL_ERROR"),
    refuses: (Outcome.PROTOCOL_ERROR, True, "REFUSED_STREAM"),
    resets_midway: (Outcome.TRUNCATED, False, "INTERNAL_ERROR"),
    goes_away: (Outcome.PROTOCOL_ERROR, True, "closed before an answer"),
    hangs_up: (Outcome.PROTOCOL_ERROR, True, "closed before an answer"),
    hangs_up_midway: (Outcome.TRUNCATED, False, "in the middle of the answer"),
    talks_nonsense: (Outcome.PROTOCOL_ERROR, False, "malformed"),
    talks_nonsense_midway: (Outcome.PROTOCOL_ERROR, False, "malformed"),
}


@pytest.mark.parametrize("script", BAD, ids=lambda script: script.__name__)
async def test_what_goes_wrong(script: object) -> None:
    outcome, unanswered, words = BAD[script]  # type: ignore[index]
    async with serving(speaking_h2(script)) as server:  # type: ignore[arg-type]
        connection = await h2_connected(server)
        failure = await exchange(connection, Keeper())
        assert failure is not None
        assert failure[0] is outcome
        assert words in failure[1]
        assert (connection.unanswered, connection.state) == (unanswered, CLOSED)


@pytest.mark.parametrize("script", [refuses, goes_away, hangs_up], ids=lambda script: script.__name__)
async def test_what_a_target_has_had_for_a_while_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, script: Callable[[Stream], Awaitable[None]]
) -> None:
    monkeypatch.setattr(http1, "RACE_NS", -1)
    async with serving(speaking_h2(script)) as server:
        connection = await h2_connected(server)
        assert await exchange(connection, Keeper()) is not None
        assert (connection.unanswered, connection.state) == (False, CLOSED)


async def test_failing_from_outside() -> None:
    async with serving(speaking_h2(hold)) as server:
        connection = await h2_connected(server)
        waiter = connection.send(GET, Keeper(), False)
        assert connection.waiting
        connection.fail(Outcome.TIMEOUT, "too long")
        await waiter
        assert connection.failure == (Outcome.TIMEOUT, "too long")
        assert connection.state == CLOSED


async def test_a_target_that_closes_between_requests_is_noticed() -> None:
    async def script(stream: Stream) -> None:
        await plain(b"x")(stream)
        stream.writer.close()

    async with serving(speaking_h2(script)) as server:
        connection = await h2_connected(server)
        assert await exchange(connection) is None
        await until_closed(connection)
        assert connection.failure is None


async def floods(stream: Stream) -> None:
    """Settings and pings, 20 000 of each, and only then an answer."""
    for _ in range(20):
        stream.writer.write(frame(4, 0, 0, b"\0\x03\0\0\0\x64") * 1000 + frame(6, 0, 0, b"12345678") * 1000)
        await stream.writer.drain()
    await plain(b"x")(stream)


async def test_a_flood_of_settings_and_pings_is_read_over() -> None:
    async with serving(speaking_h2(floods)) as server:
        connection = await h2_connected(server)
        sink = Keeper()
        assert await exchange(connection, sink) is None
        assert sink.body == b"x"
        connection.close()


async def test_a_window_that_never_opens_holds_a_request_until_its_timeout() -> None:
    async def handle(reader: Reader, writer: Writer) -> None:
        writer.write(frame(4, 0, 0, b"\0\x04\0\0\0\0"))  # SETTINGS_INITIAL_WINDOW_SIZE = 0
        while await reader.read(1 << 16):
            pass

    async with serving(handle) as server:
        connection = await h2_connected(server)
        data = b"POST / HTTP/1.1\r\nhost: agent\r\ncontent-length: 100000\r\n\r\n" + b"x" * 100_000
        waiting = connection.send(data, Keeper(), False)
        for _ in range(20):
            await asyncio.sleep(0)
        assert connection.waiting
        connection.fail(Outcome.TIMEOUT, "as its user's watch says")
        await waiting
        assert (connection.failure, connection.state) == ((Outcome.TIMEOUT, "as its user's watch says"), CLOSED)

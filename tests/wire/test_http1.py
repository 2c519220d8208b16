"""Http1Connection against good, odd and bad servers."""

from __future__ import annotations

import asyncio
import socket

import pytest

from agenttop.metrics.outcome import Outcome
from agenttop.wire import http1
from agenttop.wire.http1 import CLOSED, DRAINING, IDLE
from agenttop.wire.turns import Turns
from tests.wire.reading import GET, Keeper, connected, exchange, until, until_closed
from tests.wire.server import Reader, Writer, answering, chunked, ok, read_request, reset, serving

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("lean", [False, True])
async def test_a_kept_connection_answers_again_and_again(lean: bool) -> None:
    async with serving(answering(ok(b"one"), ok(b"second"), ok(b""))) as server:
        connection = await connected(server.port)
        for body in (b"one", b"second", b""):
            sink = Keeper()
            assert await exchange(connection, sink, lean=lean) is None
            assert (connection.status, connection.state, connection.lean) == (200, IDLE, lean)
            assert connection.received == len(ok(body))
            assert connection.sent_ns <= connection.first_ns <= connection.end_ns == connection.last_ns
            if not lean:
                assert (sink.body, sink.headers["content-length"]) == (body, str(len(body)))
        assert server.connections == 1
        connection.close()


# What a server sends, and the status and body that we make of it.
GOOD = {
    "chunks": (chunked(b"ab", b"c"), 200, b"abc"),
    "chunk extensions": (HEAD + b'transfer-encoding: chunked\r\n\r\n2;a=b;c="d"\r\nab\r\n0\r\n\r\n', 200, b"ab"),
    "100 before": (b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"x"), 200, b"x"),
    "103 before": (b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + ok(b"x"), 200, b"x"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "304 with a length": (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 40\r\n\r\n", 304, b""),
    "no reason": (b"HTTP/1.1 200\r\ncontent-length: 1\r\n\r\nx", 200, b"x"),
    "odd status": (b"HTTP/1.1 799 Odd\r\ncontent-length: 1\r\n\r\nx", 799, b"x"),
    "invalid UTF-8": (ok(b"\xff\xfe", "x-name: \xe9"), 200, b"\xff\xfe"),
    "upgrade offered": (ok(b"x", "connection: Upgrade", "upgrade: h2c"), 200, b"x"),
}


@pytest.mark.parametrize("name", GOOD)
async def test_unusual_answers_are_answers(name: str) -> None:
    raw, status, body = GOOD[name]
    async with serving(answering(raw)) as server:
        connection = await connected(server.port)
        for _ in range(2):
            sink = Keeper()
            assert await exchange(connection, sink) is None
            assert (sink.status, sink.body, sink.heads) == (status, body, 1)
            assert connection.state == IDLE
        for _ in range(2):
            assert await exchange(connection, Keeper(), lean=True) is None
            assert connection.status == status
        assert server.connections == 1
        connection.close()


# What a server sends, and the failure that it is.
BAD = {
    "no HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n", Outcome.PROTOCOL_ERROR, "malformed response"),
    "TLS": (b"\x15\x03\x01\x00\x02\x02\x16", Outcome.PROTOCOL_ERROR, "speaks TLS"),
    "bad chunk size": (HEAD + b"transfer-encoding: chunked\r\n\r\nxyz\r\n", Outcome.PROTOCOL_ERROR, "chunk"),
    "huge chunk size": (HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"f" * 17, Outcome.PROTOCOL_ERROR, "malformed"),
    "two lengths": (HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\nab", Outcome.PROTOCOL_ERROR, "malformed"),
    "length no number": (HEAD + b"content-length: 1x\r\n\r\nab", Outcome.PROTOCOL_ERROR, "malformed"),
    "length and chunks": (
        HEAD + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        Outcome.PROTOCOL_ERROR,
        "malformed",
    ),
    "101 unasked": (
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        Outcome.PROTOCOL_ERROR,
        "unasked",
    ),
    "101 bare": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", Outcome.PROTOCOL_ERROR, "without the headers"),
    "endless header": (HEAD + b"a: " + b"x" * 400_000, Outcome.PROTOCOL_ERROR, "256 KiB"),
    "endless 1xx": (b"HTTP/1.1 102 Processing\r\n\r\n" * 12_000, Outcome.PROTOCOL_ERROR, "256 KiB"),
    "endless trailer": (
        HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\na: " + b"x" * 400_000,
        Outcome.PROTOCOL_ERROR,
        "256 KiB",
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_nonsense_is_a_protocol_error(name: str) -> None:
    raw, outcome, words = BAD[name]
    async with serving(answering(raw)) as server:
        connection = await connected(server.port)
        failure = await exchange(connection, Keeper())
        assert failure is not None
        assert failure[0] is outcome
        assert words in failure[1]
        assert connection.state == CLOSED


CUT = {
    "before the answer": (b"", Outcome.PROTOCOL_ERROR, True),
    "in the head": (b"HTTP/1.1 200 OK\r\ncontent-le", Outcome.TRUNCATED, False),
    "length too long": (HEAD + b"content-length: 10\r\n\r\nabc", Outcome.TRUNCATED, False),
    "in a chunk": (HEAD + b"transfer-encoding: chunked\r\n\r\na\r\nabc", Outcome.TRUNCATED, False),
    "before the last chunk": (HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", Outcome.TRUNCATED, False),
}


@pytest.mark.parametrize("lean", [False, True])
@pytest.mark.parametrize("rst", [False, True])
@pytest.mark.parametrize("name", CUT)
async def test_a_connection_that_ends_too_early(name: str, rst: bool, lean: bool) -> None:
    raw, outcome, unanswered = CUT[name]

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(raw)
        await writer.drain()
        await gone.wait()
        if rst:
            reset(writer)

    gone = asyncio.Event()
    async with serving(handle) as server:
        connection = await connected(server.port)
        waiter = connection.send(GET, Keeper(), lean)
        await until(lambda: connection.received == len(raw))
        gone.set()
        await waiter
        assert connection.failure is not None
        assert connection.failure[0] is outcome
        assert "closed" in connection.failure[1]
        assert (connection.unanswered, connection.state) == (unanswered, CLOSED)
        if b"\r\n\r\n" in raw:
            assert connection.status == 200


@pytest.mark.parametrize("lean", [False, True])
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_a_body_without_length_ends_with_the_connection(version: bytes, lean: bool) -> None:
    raw = b"HTTP/" + version + b" 200 OK\r\nconnection: close\r\n\r\nall of it"
    async with serving(answering(raw, then_close=True)) as server:
        connection = await connected(server.port)
        sink = Keeper()
        assert await exchange(connection, sink, lean=lean) is None
        assert (connection.status, connection.state, connection.lean) == (200, CLOSED, lean)
        assert lean or sink.body == b"all of it"


@pytest.mark.parametrize("lean", [False, True])
async def test_a_connection_that_the_target_does_not_keep_is_closed(lean: bool) -> None:
    async with serving(answering(ok(b"x", "connection: close"))) as server:
        connection = await connected(server.port)
        assert await exchange(connection, Keeper(), lean=lean) is None
        assert connection.state == CLOSED


@pytest.mark.parametrize("lean", [False, True])
@pytest.mark.parametrize(
    "surplus", [b"junk", ok(b"another"), b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\npart", b"H"]
)
async def test_what_comes_after_an_answer_is_not_the_next_answer(surplus: bytes, lean: bool) -> None:
    async with serving(answering(ok(b"x") + surplus)) as server:
        connection = await connected(server.port)
        sink = Keeper()
        assert await exchange(connection, sink, lean=lean) is None
        assert connection.status == 200
        assert lean or sink.body == b"x"
        assert connection.state == CLOSED


async def test_bytes_on_an_idle_connection_close_it() -> None:
    more = asyncio.Event()

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(ok(b"x"))
        await more.wait()
        writer.write(ok(b"unasked"))
        await reader.read()

    async with serving(handle) as server:
        connection = await connected(server.port)
        assert await exchange(connection) is None
        more.set()
        await until_closed(connection)
        assert connection.failure is None


async def test_a_target_that_speaks_first() -> None:
    async def handle(reader: Reader, writer: Writer) -> None:
        writer.write(b"220 mail ready\r\n")
        await reader.read()

    async with serving(handle) as server:
        connection = await connected(server.port)
        await until_closed(connection)
        assert connection.lost() == (Outcome.PROTOCOL_ERROR, "the target spoke before it was asked")


async def test_a_target_that_closes_between_requests_is_noticed() -> None:
    async with serving(answering(ok(b"x"), then_close=True)) as server:
        connection = await connected(server.port)
        assert await exchange(connection) is None
        await until_closed(connection)
        assert connection.failure is None


async def test_half_closed_before_the_answer() -> None:
    async def handle(reader: Reader, writer: Writer) -> None:
        writer.write_eof()
        await reader.read()

    async with serving(handle) as server:
        connection = await connected(server.port)
        if connection.state == IDLE:
            failure = await exchange(connection)
            assert connection.unanswered
        else:
            failure = connection.lost()
        assert failure == (Outcome.PROTOCOL_ERROR, "connection closed before an answer")


async def test_an_answer_may_be_complete_before_its_message() -> None:
    more = asyncio.Event()

    async def handle(reader: Reader, writer: Writer) -> None:
        for _ in range(2):
            await read_request(reader)
            whole = chunked(b"data: [DONE]\n\n", b"rest", trailers=("x-late: 1",))
            writer.write(whole[:-20])
            await more.wait()
            writer.write(whole[-20:])
        await reader.read()

    async with serving(handle) as server:
        connection = await connected(server.port)
        sink = Keeper(until=b"[DONE]")
        assert await exchange(connection, sink) is None
        ended = connection.end_ns
        assert connection.state == DRAINING
        more.set()
        assert await connection.settle(20)
        assert (connection.state, connection.end_ns) == (IDLE, ended)
        assert b"rest" not in sink.body
        assert await exchange(connection, Keeper(until=b"[DONE]")) is None
        connection.close()


async def test_settling_ends_with_patience_or_with_the_connection() -> None:
    cut = asyncio.Event()

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nend\r\n")
        await cut.wait()

    async with serving(handle) as server:
        connection = await connected(server.port)
        assert await exchange(connection, Keeper(until=b"end")) is None
        assert not await connection.settle(0.0)
        assert connection.state == DRAINING
        cut.set()
        async with asyncio.timeout(20):
            assert not await connection.settle(1000.0)
        assert connection.state == CLOSED


async def test_failing_an_exchange_ends_it_and_the_connection() -> None:
    async with serving(answering(b"HTTP/1.1 200 OK\r\n")) as server:
        connection = await connected(server.port)
        waiter = connection.send(GET, None, False)
        assert connection.waiting
        connection.fail(Outcome.TIMEOUT, "too long")
        connection.fail(Outcome.CANCELLED, "said too late")
        await waiter
        assert connection.failure == (Outcome.TIMEOUT, "too long")
        assert connection.state == CLOSED
        connection.close()


async def test_trailers_reach_the_sink() -> None:
    raw = chunked(b"x", trailers=("Server-Timing: db;dur=5", "x-a: 1"))
    async with serving(answering(raw)) as server:
        connection = await connected(server.port)
        sink = Keeper()
        assert await exchange(connection, sink) is None
        assert sink.trailing == {"server-timing": "db;dur=5", "x-a": "1"}
        connection.close()


@pytest.mark.parametrize(
    "headers", [("server-timing: a;dur=1",), ("content-type: text/event-stream",)], ids=["phases", "stream"]
)
async def test_a_lean_answer_is_read_after_all_where_its_head_says_so(headers: tuple[str, ...]) -> None:
    async with serving(answering(ok(b"body", *headers), ok(b"no", status="500 Oops"))) as server:
        connection = await connected(server.port)
        for body in (b"body", b"no"):
            sink = Keeper()
            assert await exchange(connection, sink, lean=True) is None
            assert (connection.lean, sink.body) == (False, body)
        connection.close()


async def test_a_body_of_no_interest_is_not_handed_over() -> None:
    async with serving(answering(ok(b"x" * 1000))) as server:
        connection = await connected(server.port)
        sink = Keeper(wanted=False)
        assert await exchange(connection, sink) is None
        assert (sink.body, connection.received) == (b"", len(ok(b"x" * 1000)))
        connection.close()


async def test_a_request_is_in_the_socket_when_send_returns() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = await connected(listener.getsockname()[1])
        accepted, _ = listener.accept()
        with accepted:
            waiter = connection.send(GET, None, False)
            accepted.setblocking(False)
            assert accepted.recv(100) == GET  # the loop has not had a turn
            connection.close()
            await waiter


async def test_a_request_larger_than_the_socket_holds_arrives_whole() -> None:
    large = b"POST / HTTP/1.1\r\nhost: target\r\ncontent-length: 8000000\r\n\r\n" + bytes(range(250)) * 32_000
    sent = asyncio.Event()
    seen: list[bytes] = []

    async def read_late(reader: Reader, writer: Writer) -> None:
        await sent.wait()
        for size in (len(large), len(GET)):
            seen.append(await reader.readexactly(size))
            writer.write(ok(b"x"))

    async with serving(read_late) as server:
        connection = await connected(server.port)
        waiter = connection.send(large, None, False)
        sent.set()
        async with asyncio.timeout(20):
            await waiter
        assert await exchange(connection) is None
        assert seen == [large, GET]
        connection.close()


@pytest.mark.parametrize(
    ("stall_ms", "lost_ms", "race"),
    [
        ((0, 0), 99, True),
        ((0, 0), 101, False),
        ((40, 600), 610, True),  # it came while our loop stood still, and may have come at once
        ((40, 600), 700, False),  # the loop goes on, and still nothing for long
        ((200, 600), 610, False),  # the loop was there when the race was over
        ((40, 1500), 1510, False),  # too long for anybody to tell
    ],
)
def test_a_stall_of_our_own_does_not_end_the_keep_alive_race(
    monkeypatch: pytest.MonkeyPatch, stall_ms: tuple[int, int], lost_ms: int, race: bool
) -> None:
    sent = 10**12
    turns = Turns()
    monkeypatch.setattr(http1, "RACE_NS", 100_000_000)
    turns.stalled(*(sent + ms * 1_000_000 for ms in stall_ms))
    monkeypatch.setattr(http1, "TURNS", turns)
    monkeypatch.setattr(http1, "perf_counter_ns", lambda: sent + lost_ms * 1_000_000)
    assert http1.in_race(sent) is race

"""WebSocket over a scripted server: frames byte for byte (RFC 6455, 5.2)."""

from __future__ import annotations

import asyncio
import struct

import pytest

from agenttop.metrics.outcome import Outcome
from agenttop.wire.http1 import CLOSED, UPGRADED
from agenttop.wire.room import ROOM
from agenttop.wire.websocket import MAX_MESSAGE, WebSocket, upgrade_key
from tests.wire.frames import CLOSE, CONT, PING, PONG, TEXT, accept, frame, read_frame
from tests.wire.reading import Keeper, connected, exchange, until
from tests.wire.server import Handler, Reader, Writer, ok, read_request, reset, serving
from tests.wire.test_http1_cuts import offline

HELLO = b'{"hello": 1}'


def speaking(*replies: bytes, more: bytes = b"", cut: str = "") -> Handler:
    """After the upgrade each message gets the next reply; then the connection ends, or waits."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer, more)
        for reply in replies:
            assert (await read_frame(reader))[0] == TEXT
            writer.write(reply)
        await writer.drain()
        if cut == "rst":
            reset(writer)
        elif not cut:
            await reader.read()

    return handle


class Messages:
    """Keeps messages; ``enough`` of them complete the exchange."""

    def __init__(self, enough: int = 1) -> None:
        self.got: list[bytes] = []
        self._enough = enough

    def message(self, data: bytes, now: int) -> bool:
        self.got.append(data)
        return len(self.got) >= self._enough


async def upgraded(port: int) -> WebSocket:
    connection = await connected(port)
    key, accepted = upgrade_key()
    socket = WebSocket(connection)
    connection.on_upgraded = socket.receive
    request = (
        f"GET /ws HTTP/1.1\r\nhost: t\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
        f"sec-websocket-key: {key}\r\n\r\n"
    )
    sink = Keeper()
    assert await exchange(connection, sink, data=request.encode()) is None
    assert (connection.status, sink.headers["sec-websocket-accept"]) == (101, accepted)
    return socket


async def ask(socket: WebSocket, sink: Messages) -> tuple[Outcome, str] | None:
    async with asyncio.timeout(20):
        await socket.send(b"question", sink, asyncio.get_running_loop())
    assert socket.end_ns >= socket.sent_ns > 0
    assert not socket.waiting
    return socket.failure


ANSWERS = {
    "one frame": frame(TEXT, HELLO),
    "binary": frame(2, HELLO),
    "fragments": frame(TEXT, b'{"hel', fin=False) + frame(CONT, b'lo": ', fin=False) + frame(CONT, b"1}"),
    "control frames between": frame(TEXT, b'{"hello"', fin=False)
    + frame(PING, b"there?")
    + frame(PONG)
    + frame(CONT, b": 1}"),
    "16 bits of length": frame(TEXT, HELLO + b" " * 300),
    "64 bits of length": frame(TEXT, HELLO + b" " * 70_000),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
async def test_messages(name: str, step: int) -> None:
    raw = ANSWERS[name]

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        for _ in range(2):
            while (await read_frame(reader))[0] != TEXT:
                pass
            # Only the beginning in small steps: the headers of the frames are there.
            for start in range(0, 100, step):
                writer.write(raw[:100][start : start + step])
                await asyncio.sleep(0)
            writer.write(raw[100:])
        await reader.read()

    async with serving(handle) as server:
        socket = await upgraded(server.port)
        for _ in range(2):
            sink = Messages()
            assert await ask(socket, sink) is None
            assert [message.rstrip() for message in sink.got] == [HELLO]
            assert socket.received == len(raw)
            assert socket.sent_ns <= socket.first_ns <= socket.end_ns
        assert socket.open
        socket.close()
        assert socket.connection.state == CLOSED


async def test_a_ping_is_answered() -> None:
    pongs: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        writer.write(frame(PING, b"here?"))
        pongs.put_nowait(await read_frame(reader))
        await reader.read()

    async with serving(handle) as server:
        socket = await upgraded(server.port)
        async with asyncio.timeout(20):
            assert await pongs.get() == (PONG, b"here?")
        assert socket.open
        socket.close()


async def test_messages_beside_the_answer_are_dropped() -> None:
    replies = frame(TEXT, b"1") + frame(TEXT, b"2") + frame(TEXT, b"late")
    async with serving(speaking(replies, more=frame(TEXT, b"hi"))) as server:
        socket = await upgraded(server.port)
        sink = Messages(2)
        assert await ask(socket, sink) is None
        assert sink.got == [b"1", b"2"]
        assert socket.open
        socket.close()


async def test_who_wants_them_gets_messages_that_nobody_awaits() -> None:
    replies = frame(TEXT, b"1") + frame(TEXT, b"la", fin=False) + frame(CONT, b"te")
    async with serving(speaking(replies)) as server:
        socket = await upgraded(server.port)
        late: asyncio.Queue[bytes] = asyncio.Queue()
        socket.unasked = lambda data, now: late.put_nowait(data)
        sink = Messages()
        assert await ask(socket, sink) is None
        async with asyncio.timeout(20):
            assert await late.get() == b"late"
        assert sink.got == [b"1"]
        socket.close()


BAD = {
    "masked": (frame(TEXT, HELLO, mask=True), Outcome.PROTOCOL_ERROR, "malformed WebSocket frame"),
    "reserved bits": (b"\xf1\x01a", Outcome.PROTOCOL_ERROR, "malformed WebSocket frame"),
    "unknown opcode": (frame(5, b"a"), Outcome.PROTOCOL_ERROR, "malformed WebSocket frame"),
    "continuation of nothing": (frame(CONT, b"a"), Outcome.PROTOCOL_ERROR, "malformed WebSocket frame"),
    "fragmented control": (frame(PING, b"a", fin=False), Outcome.PROTOCOL_ERROR, "malformed WebSocket frame"),
    "oversized": (frame(TEXT, bytes(MAX_MESSAGE + 1))[:20], Outcome.PROTOCOL_ERROR, "a limit of agenttop"),
    "oversized in fragments": (
        frame(TEXT, bytes(MAX_MESSAGE), fin=False) + frame(CONT, b"x"),
        Outcome.PROTOCOL_ERROR,
        "a limit of agenttop",
    ),
    "closed": (frame(CLOSE), Outcome.TRUNCATED, "code 1005"),
    "closed with a reason": (
        frame(CLOSE, struct.pack("!H", 1013) + b"try later"),
        Outcome.TRUNCATED,
        "code 1013: try later",
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_ends_an_exchange(name: str) -> None:
    raw, outcome, words = BAD[name]
    async with serving(speaking(raw)) as server:
        socket = await upgraded(server.port)
        failure = await ask(socket, Messages())
        assert failure is not None
        assert failure[0] is outcome
        assert words in failure[1]
        assert not socket.open
        assert socket.connection.state == CLOSED


@pytest.mark.parametrize("cut", ["fin", "rst"])
async def test_the_end_of_the_connection_without_a_close_frame(cut: str) -> None:
    async with serving(speaking(frame(TEXT, b"half", fin=False), cut=cut)) as server:
        socket = await upgraded(server.port)
        failure = await ask(socket, Messages())
        assert failure == (Outcome.TRUNCATED, "connection closed without a close frame")
        assert not socket.open


async def test_closed_while_nobody_waits() -> None:
    async with serving(speaking(more=frame(CLOSE, struct.pack("!H", 1001)))) as server:
        socket = await upgraded(server.port)
        await until(lambda: not socket.open)
        assert socket.failure is None
        socket.close()


async def test_an_answer_followed_by_a_close_is_an_answer() -> None:
    async with serving(speaking(frame(TEXT, HELLO) + frame(CLOSE))) as server:
        socket = await upgraded(server.port)
        sink = Messages()
        assert await ask(socket, sink) is None
        assert sink.got == [HELLO]
        assert not socket.open


async def test_failing_from_outside() -> None:
    async with serving(speaking(b"")) as server:
        socket = await upgraded(server.port)
        waiter = socket.send(b"question", Messages(), asyncio.get_running_loop())
        socket.fail(Outcome.TIMEOUT, "too long")
        await waiter
        assert socket.failure == (Outcome.TIMEOUT, "too long")
        assert not socket.open


async def test_a_close_says_goodbye() -> None:
    said: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        said.put_nowait(await read_frame(reader))

    async with serving(handle) as server:
        socket = await upgraded(server.port)
        socket.close()
        async with asyncio.timeout(20):
            assert await said.get() == (CLOSE, struct.pack("!H", 1000))


async def test_a_close_gives_back_what_a_message_under_way_took() -> None:
    connection = offline()[0]
    connection.state = UPGRADED
    socket = WebSocket(connection)
    socket.receive(frame(TEXT, b"x" * (3 << 20), fin=False), 1)
    assert ROOM.used > 0
    socket.close()
    assert ROOM.used == 0


async def test_a_refused_upgrade_is_an_ordinary_answer() -> None:
    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(ok(b"later", "retry-after: 3", status="429 Too Many Requests"))
        await reader.read()

    async with serving(handle) as server:
        connection = await connected(server.port)
        connection.on_upgraded = WebSocket(connection).receive
        sink = Keeper()
        assert await exchange(connection, sink) is None
        assert (sink.status, sink.body, sink.headers["retry-after"]) == (429, b"later", "3")
        assert connection.state != UPGRADED
        connection.close()

"""Tests of agenttop.users.pool: ``idle_timeout`` counts from the last bytes, over every kind of connection."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agenttop.wire.httpx_transport import HttpxTransport
from tests.users.playing import Play, ended, pool_of, profile
from tests.wire.frames import TEXT, accept, frame, read_frame
from tests.wire.h2_server import Stream, speaking_h2
from tests.wire.reading import until
from tests.wire.server import Handler, Reader, Writer, read_request, serving

LIMIT_NS = 5 * 10**9
TOP = 'timeout = "100000s"\nidle_timeout = "5s"\n'
POST = profile('post = "/"\njson = {}', top=TOP, pool='protocol = "sse"\ndialect = "openai.chat"')
TALK = profile(
    'send = { type = "response.create" }',
    top=TOP,
    pool='protocol = "ws"\ndialect = "openai.realtime"',
    before='[[pools.setup]]\nconnect = "/"',
)
HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\n"
EVENT = b'data: {"choices": [{"delta": {"content": "We"}}]}\n\n'
CHUNK = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)
MESSAGE = frame(TEXT, b'{"type": "response.output_text.delta", "delta": "We"}')


def handler(protocol: str, more: asyncio.Event) -> Handler:
    """A target that says two things, the second once there is ``more``, and then nothing."""

    async def http1(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(HEAD + CHUNK)
        await more.wait()
        writer.write(CHUNK)
        await reader.read()

    async def websocket(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        await read_frame(reader)
        writer.write(MESSAGE)
        await more.wait()
        writer.write(MESSAGE)
        await reader.read()

    async def http2(stream: Stream) -> None:
        stream.answer(("content-type", "text/event-stream"))
        stream.data(EVENT)
        await more.wait()
        stream.data(EVENT)

    return {"http1": http1, "websocket": websocket, "http2": speaking_h2(http2)}[protocol]


@pytest.mark.parametrize("protocol", ["http1", "http2", "websocket"])
async def test_a_stream_that_goes_on_may_last_longer_than_it(tmp_path: Path, protocol: str) -> None:
    more = asyncio.Event()
    text = TALK if protocol == "websocket" else POST
    async with serving(handler(protocol, more)) as server:
        pool, layout, recorder = pool_of(tmp_path, text.replace("{port}", str(server.port)))
        if protocol == "http2":
            pool.transport = HttpxTransport(asyncio.get_running_loop(), None, 5.0, http2=True)
        pool.aim(1)
        (user,) = pool.tasks
        await until(lambda: user.answer.step is not None and user.answer.first_output)
        more.set()
        await until(lambda: user.answer.gaps)
        exchange = user.exchange
        assert exchange is not None
        assert exchange.waiting
        last = exchange.last_ns
        assert exchange.first_ns < last
        pool.watch(last + LIMIT_NS)
        assert exchange.waiting, exchange.failure
        pool.finish(sending=True)
        pool.watch(last + LIMIT_NS + 1)
        await ended(pool)
        played = Play(layout, recorder)
    assert played.leaves["ask"].outcomes == {"timeout": 1}
    assert played.message() == "nothing more for 5s"

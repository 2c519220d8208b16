"""Bytes that come in: a lean HTTP answer, a piece of an event stream."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from agenttop.metrics.outcome import Outcome
from agenttop.wire.http1 import IDLE, Http1Connection
from agenttop.wire.sse import SseParser
from tests.benchmarks.fakes import FakeTransport

_REQUEST = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
_RESPONSE = (
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.26.0\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 3\r\nConnection: keep-alive\r\n\r\nok\n"
)
_CHUNK = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m",'
    b'"choices":[{"index":0,"delta":{"content":" token"},"finish_reason":null}]}\n\n'
)


@pytest.fixture
def connection() -> Iterator[Http1Connection]:
    """A connection that is open, to nowhere."""
    loop = asyncio.new_event_loop()
    connection = Http1Connection(loop)
    connection.connection_made(FakeTransport())
    yield connection
    loop.close()


def test_lean_response(connection: Http1Connection, benchmark: BenchmarkFixture) -> None:
    def exchange() -> asyncio.Future[None]:
        done = connection.send(_REQUEST, None, True)
        connection.data_received(_RESPONSE)
        return done

    done = benchmark(exchange)

    assert done.done()
    assert (connection.state, connection.status, connection.lean) == (IDLE, 200, True)
    assert connection.received == len(_RESPONSE)
    assert connection.sent_ns <= connection.first_ns == connection.end_ns
    assert connection.failure is None


def test_lean_response_cut_anywhere(connection: Http1Connection) -> None:
    """What the benchmark takes as one read is the same answer in two."""
    for cut in range(1, len(_RESPONSE)):
        done = connection.send(_REQUEST, None, True)
        connection.data_received(_RESPONSE[:cut])
        assert not done.done()
        connection.data_received(_RESPONSE[cut:])
        assert done.done()
        assert (connection.state, connection.status, connection.received) == (IDLE, 200, len(_RESPONSE))


def test_malformed_response(connection: Http1Connection) -> None:
    done = connection.send(_REQUEST, None, True)

    connection.data_received(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    assert done.done()
    assert connection.failure is not None
    assert connection.failure[0] is Outcome.PROTOCOL_ERROR


def test_one_event(benchmark: BenchmarkFixture) -> None:
    parser = SseParser()
    parser.feed(_CHUNK)

    assert benchmark(parser.feed, _CHUNK) == [(b"", _CHUNK[6:-2])]


def test_ten_events_at_once(benchmark: BenchmarkFixture) -> None:
    parser = SseParser()

    assert benchmark(parser.feed, _CHUNK * 10) == [(b"", _CHUNK[6:-2])] * 10


def test_events_with_types_cut_in_the_middle(benchmark: BenchmarkFixture) -> None:
    stream = b"event: content_block_delta\n" + _CHUNK
    parser = SseParser()

    def feed() -> list[tuple[bytes, bytes]]:
        return parser.feed(stream[:60]) + parser.feed(stream[60:])

    assert benchmark(feed) == [(b"content_block_delta", _CHUNK[6:-2])]

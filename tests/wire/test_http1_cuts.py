"""However the network cuts an answer, it is the same answer."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.outcome import Outcome
from agenttop.wire.http1 import Http1Connection
from tests.wire.reading import GET, Keeper
from tests.wire.server import chunked, ok
from tests.wire.test_http1 import BAD, GOOD


async def test_a_long_body_right_behind_its_head_is_no_long_head() -> None:
    """The largest read there is, after a head that came in two pieces."""
    connection, _ = offline()
    sink = Keeper()
    waiter = connection.send(GET, sink, False)
    connection.data_received(b"HTTP/1.1 200 OK\r\n")
    connection.data_received(b"content-length: 300000\r\n\r\n" + b"x" * 262_118)
    connection.data_received(b"x" * (300_000 - 262_118))
    await waiter
    assert connection.failure is None
    assert len(sink.body) == 300_000


class _NoTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.closed = False
        self.paused = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def write(self, data: object) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def offline() -> tuple[Http1Connection, _NoTransport]:
    """A connection whose bytes the test brings itself."""
    connection = Http1Connection(asyncio.get_running_loop())
    transport = _NoTransport()
    connection.connection_made(transport)
    return connection, transport


ANSWERS = [raw for raw, _, _ in GOOD.values()] + [
    chunked(b"data: a\n\n", b"data: [DONE]\n\n", headers=("content-type: text/event-stream",), trailers=("x-t: 1",)),
    ok(b"some body", "server-timing: a;dur=1"),
    *(raw for raw, _, _ in BAD.values() if len(raw) < 1000),
]


@given(raw=st.sampled_from(ANSWERS), cuts=st.lists(st.integers(1, 400), max_size=8), lean=st.booleans())
def test_however_an_answer_is_cut_it_is_the_same(raw: bytes, cuts: list[int], lean: bool) -> None:
    async def result(pieces: list[bytes], lean: bool) -> tuple[object, ...]:
        connection, transport = offline()
        sink = Keeper()
        waiter = connection.send(GET, sink, lean)
        for piece in pieces:
            if not transport.closed:
                connection.data_received(piece)
        connection.connection_lost(None)
        await waiter
        kept = () if lean else (sink.body, sink.headers, sink.trailing)
        failure = connection.failure and connection.failure[0]
        status = 0 if failure is Outcome.PROTOCOL_ERROR else connection.status
        return (status, failure, transport.closed, *kept)

    places = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    pieces = [raw[start:end] for start, end in pairwise(places)]
    assert asyncio.run(result(pieces, lean)) == asyncio.run(result([raw], lean))

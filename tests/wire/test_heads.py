"""An answer behind a head that is known is the answer that the parser would have read."""

from __future__ import annotations

import asyncio

import pytest

from agenttop.metrics.outcome import Outcome
from agenttop.wire import http1
from agenttop.wire.heads import Heads
from agenttop.wire.http1 import CLOSED, IDLE, READING
from tests.wire.reading import GET, Keeper, until
from tests.wire.server import chunked, ok
from tests.wire.test_http1 import BAD, GOOD
from tests.wire.test_http1_cuts import offline

ANSWERS = {name: raw for name, (raw, *_) in (GOOD | BAD).items()} | {
    "plain": ok(b"a body"),
    "without a body": ok(b""),
    "stream": chunked(b"data: a\n\n", headers=("content-type: text/event-stream",)),
    "stream with a length": ok(b"data: a\n\n", "content-type: text/event-stream"),
    "phases": ok(b"some body", "server-timing: a;dur=1"),
    "cookies": ok(b"some body", "Set-Cookie: a=1, b", "set-cookie: c=2"),
    "limits": ok(b"some body", "X-RateLimit-Remaining-Requests: 5"),
    "refused": b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 4\r\n\r\nwait",
    "not kept": ok(b"x", "connection: close"),
    "too much": ok(b"x") + b"HTTP/1.1 200 OK\r\n",
    "two at once": ok(b"x") + ok(b"x"),
}


@pytest.fixture(autouse=True)
def heads(monkeypatch: pytest.MonkeyPatch) -> Heads:
    """A memory with nothing in it."""
    fresh = Heads()
    monkeypatch.setattr(http1, "HEADS", fresh)
    return fresh


async def outcome(raw: bytes, lean: bool) -> tuple[object, ...]:
    """One exchange of which all bytes come at once."""
    connection, transport = offline()
    sink = Keeper()
    waiter = connection.send(GET, sink, lean)
    connection.data_received(raw)
    await until(lambda: not connection.behind_ns)
    state = connection.state
    connection.connection_lost(None)
    await waiter
    kept = () if connection.lean else (sink.status, sink.body, sink.headers, sink.heads)
    return connection.status, connection.failure, state, transport.closed, connection.received, connection.lean, *kept


@pytest.mark.parametrize("before", [(False,), (True,), (False, True), (True, False)])
@pytest.mark.parametrize("name", ANSWERS)
async def test_a_known_head_changes_nothing(
    name: str, before: tuple[bool, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = {}
    for lean in (False, True):
        monkeypatch.setattr(http1, "HEADS", Heads())
        expected[lean] = await outcome(ANSWERS[name], lean)
    monkeypatch.setattr(http1, "HEADS", Heads())
    for lean in before:
        await outcome(ANSWERS[name], lean)
    for lean in (False, True, False):
        assert await outcome(ANSWERS[name], lean) == expected[lean]


async def test_the_head_of_a_whole_answer_is_known_from_then_on(heads: Heads) -> None:
    raw = ok(b"a body", "x-name: y")
    head = raw.partition(b"\r\n\r\n")[0]
    assert heads.find(head) is None
    await outcome(raw, True)
    known = heads.find(head)
    assert known is not None
    assert (known.status, known.length, known.lean, known.headers) == (200, 6, True, None)
    await outcome(raw, False)
    known = heads.find(head)
    assert known is not None
    assert known.headers is not None
    assert known.headers["x-name"] == "y"


@pytest.mark.parametrize("lean", [False, True])
async def test_a_known_head_does_not_make_a_body_whole(lean: bool) -> None:
    raw = ok(b"a longer body")
    await outcome(raw, lean)
    connection, _ = offline()
    sink = Keeper()
    waiter = connection.send(GET, sink, lean)
    connection.data_received(raw[:-3])
    assert (connection.state, waiter.done()) == (READING, False)
    connection.data_received(raw[-3:])
    await waiter
    assert (connection.state, connection.failure, connection.received) == (IDLE, None, len(raw))
    assert lean or sink.body == b"a longer body"


@pytest.mark.parametrize("lean", [False, True])
async def test_what_comes_behind_a_known_answer_is_not_the_next_one(lean: bool) -> None:
    await outcome(ok(b"x"), lean)
    connection, transport = offline()
    waiter = connection.send(GET, Keeper(), lean)
    connection.data_received(ok(b"x") + b"surplus")
    await waiter
    assert (connection.state, transport.closed) == (CLOSED, True)


async def test_an_exchange_after_a_known_answer_can_fail(heads: Heads) -> None:
    await outcome(ok(b"x"), False)
    connection, _ = offline()
    await _send(connection, ok(b"x"))
    assert connection.failure is None
    waiter = connection.send(GET, Keeper(), False)
    connection.data_received(b"nonsense\r\n\r\n")
    await waiter
    assert connection.failure is not None
    assert connection.failure[0] is Outcome.PROTOCOL_ERROR
    assert heads.find(b"nonsense") is None


async def _send(connection: http1.Http1Connection, raw: bytes) -> None:
    waiter = connection.send(GET, Keeper(), False)
    connection.data_received(raw)
    async with asyncio.timeout(20):
        await waiter


def test_the_memory_is_bounded_and_still_learns() -> None:
    heads = Heads()
    names = [b"HTTP/1.1 200 OK\r\nx-request-id: %d" % number for number in range(1000)]
    for name in names:
        heads.learn(name, 200, 0, None)
    assert 0 < sum(heads.find(name) is not None for name in names) <= Heads.MAX_KNOWN
    # The same head, after all: it is known before it has come seventeen times.
    tries = 0
    while heads.find(b"HTTP/1.1 200 OK") is None and tries < 17:
        heads.learn(b"HTTP/1.1 200 OK", 200, 0, None)
        tries += 1
    assert heads.find(b"HTTP/1.1 200 OK") is not None
    heads.learn(b"HTTP/1.1 200 OK\r\nx: " + b"y" * Heads.MAX_LENGTH, 200, 0, None)
    assert heads.find(b"HTTP/1.1 200 OK\r\nx: " + b"y" * Heads.MAX_LENGTH) is None


async def test_an_answer_that_sets_cookies_is_read() -> None:
    for _ in range(2):
        *_, lean, status, _, headers, _ = await outcome(ANSWERS["cookies"], lean=True)
        assert (lean, status) == (False, 200)
        assert headers == {"content-length": "9", "set-cookie": "a=1, b\nc=2"}

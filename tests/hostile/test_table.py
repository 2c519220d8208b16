"""Tests of the hostile server itself: its table, and that whatever it does ends when its client leaves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from agenttop.metrics.outcome import Outcome
from tests.hostile.acts import answer
from tests.hostile.profile import ASKS
from tests.hostile.runs import matches
from tests.hostile.server import HOST, listen
from tests.hostile.table import LISTENERS, ROWS, Row

REQUEST = (
    b"GET %b HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: a\r\n\r\n"
    b"\x81\x80\0\0\0\0"  # and a message, for those that upgrade
)
PATIENCE_S = 10.0
"""Less than a behaviour may last by itself (``peer.MAX_S``)."""


def test_the_table() -> None:
    assert len(ROWS) >= 100
    assert [name for name, count in Counter(row.name for row in ROWS).items() if count > 1] == []
    assert min(Counter(row.kind for row in ROWS).values()) >= 5
    for row in ROWS:
        assert row.does, row.path
        assert set(row.outcome.replace("|", " ").split()) <= {outcome.value for outcome in Outcome}, row.path
        assert row.asks in ASKS, row.path
        assert row.at in LISTENERS if row.at else row.act != b"", row.path


def test_outcomes_in_turn_and_in_place_of_each_other() -> None:
    assert matches("ok", {"ok"})
    assert not matches("ok", {"ok", "timeout"})
    assert not matches("ok timeout", {"ok"})
    assert matches("ok timeout", {"ok", "timeout"})
    assert matches("ok|timeout", {"timeout"})
    assert not matches("ok", set())


async def bothered(row: Row, ports: dict[str, int]) -> bytes:
    """Ask, take the beginning of what comes, and leave."""
    reader, writer = await asyncio.open_connection(HOST, ports[row.at or "paths"])
    said = b""
    with suppress(OSError, TimeoutError):
        writer.write(REQUEST % row.path.encode())
        async with asyncio.timeout(0.2):
            said = await reader.read(1 << 16)
    writer.transport.abort()
    return said


@asynccontextmanager
async def listening() -> AsyncIterator[dict[str, int]]:
    """The hostile server in this process; at the end every connection has ended by itself."""
    before = asyncio.all_tasks()
    ports, servers = await listen()
    yield ports
    for server in servers:
        server.close()
    async with asyncio.timeout(PATIENCE_S):
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left)


async def test_every_behaviour_ends_when_its_client_leaves() -> None:
    async with listening() as ports:
        for at in range(0, len(ROWS), 32):
            await asyncio.gather(*(bothered(row, ports) for row in ROWS[at : at + 32]))


async def test_any_other_path_is_answered_well() -> None:
    async with listening() as ports:
        assert await bothered(Row("/well", "answers", "ok"), ports) == answer()

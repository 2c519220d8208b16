"""A sink that keeps what it is told, and short ways to one exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agenttop.metrics.outcome import Outcome
from agenttop.wire.http1 import CLOSED, Http1Connection, Sink
from agenttop.wire.target import Target, parse_target
from agenttop.wire.transport import Connection, Transport

GET = b"GET / HTTP/1.1\r\nhost: target\r\n\r\n"


class Keeper:
    """Keeps everything; calls the answer complete once ``until`` is in the body."""

    def __init__(self, until: bytes | None = None, wanted: bool = True) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self.trailing: dict[str, str] = {}
        self.heads = 0
        self.largest = 0
        self.times: list[int] = []
        self._until = until
        self._wanted = wanted

    @property
    def body(self) -> bytes:
        return b"".join(self._pieces)

    def head(self, status: int, headers: dict[str, str], now: int) -> bool:
        self.heads += 1
        self.status, self.headers = status, headers
        self.times.append(now)
        return self._wanted

    def data(self, data: bytes, now: int) -> bool:
        self._pieces.append(data)
        self.largest = max(self.largest, len(data))
        self.times.append(now)
        return self._until is not None and self._until in self.body

    def trailers(self, headers: dict[str, str]) -> None:
        self.trailing = headers

    def again(self) -> bytes | None:
        return None


def to(port: int, scheme: str = "http", host: str = "127.0.0.1") -> Target:
    """A target on this machine."""
    return parse_target(f"{scheme}://{host}:{port}")


async def connected(port: int) -> Http1Connection:
    """A plain connection that works."""
    connection = await Transport(asyncio.get_running_loop(), None, 5.0).connect(to(port))
    assert connection.failure is None
    return connection


async def exchange(
    connection: Connection, sink: Sink | None = None, *, lean: bool = False, data: bytes = GET
) -> tuple[Outcome, str] | None:
    """One request; what went wrong, or None."""
    async with asyncio.timeout(20):
        await connection.send(data, sink, lean)
    assert not connection.waiting
    assert connection.end_ns >= connection.sent_ns > 0
    return connection.failure


async def until(holds: Callable[[], object]) -> None:
    """Let the loop go on until something holds that no event tells of."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def until_closed(connection: Connection) -> None:
    """Wait until the connection knows that it is closed."""
    await until(lambda: connection.state == CLOSED)

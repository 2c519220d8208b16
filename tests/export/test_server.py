"""Whoever scrapes is served, and never waited for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from agenttop.export import server as server_module
from agenttop.export.server import MAX_CONNECTIONS, ScrapeServer


class Made:
    """Counts how often the text is made; its clock stands until told."""

    def __init__(self) -> None:
        self.count = 0
        self.now = 0.0

    def text(self) -> str:
        self.count += 1
        return f"made {self.count}\n"


@pytest.fixture
def made() -> Made:
    return Made()


@pytest.fixture
async def server(made: Made) -> AsyncIterator[ScrapeServer]:
    found = ScrapeServer(made.text, "text/plain", clock=lambda: made.now)
    yield found
    await found.close()


async def ask(address: str, head: str = "GET /metrics HTTP/1.1") -> str:
    host, _, port = address.removeprefix("http://").removesuffix("/metrics").rpartition(":")
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    answer = b""
    with contextlib.suppress(ConnectionError):  # one that is ended
        writer.write(f"{head}\r\nHost: x\r\n\r\n".encode())
        answer = await reader.read()
    writer.close()
    return answer.decode()


async def test_the_text_is_made_once_a_second_however_many_ask(server: ScrapeServer, made: Made) -> None:
    address = await server.open("127.0.0.1", 0)
    answers = await asyncio.gather(*(ask(address) for _ in range(10)))
    assert {answer.partition("\r\n\r\n")[2] for answer in answers} == {"made 1\n"}
    made.now += 1.0
    assert (await ask(address)).endswith("made 2\n")
    assert "Content-Type: text/plain\r\nContent-Length: 7\r\nConnection: close" in await ask(address)


async def test_what_else_is_asked_is_refused(server: ScrapeServer, made: Made) -> None:
    address = await server.open("127.0.0.1", 0)
    assert (await ask(address, "GET / HTTP/1.1")).startswith("HTTP/1.1 404")
    assert (await ask(address, "POST /metrics HTTP/1.1")).startswith("HTTP/1.1 405")
    assert (await ask(address, "HEAD /metrics HTTP/1.1")).endswith("close\r\n\r\n")
    assert await ask(address, "GET /metrics HTTP/1.1\r\nX: " + "x" * 100_000) == ""
    assert made.count == 1


async def test_who_says_nothing_holds_nothing_for_long(
    server: ScrapeServer, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "PATIENCE_S", 0.2)
    address = await server.open("127.0.0.1", 0)
    port = int(address.removesuffix("/metrics").rpartition(":")[2])
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MAX_CONNECTIONS)]
    for reader, writer in silent:  # each is ended by the server
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
    assert (await ask(address)).endswith("made 1\n")


async def test_more_connections_than_there_is_room_for_are_ended(
    server: ScrapeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MAX_CONNECTIONS", 0)
    address = await server.open("127.0.0.1", 0)
    assert await ask(address) == ""


async def test_the_last_figures_wait_for_who_fetched_before(server: ScrapeServer, made: Made) -> None:
    address = await server.open("127.0.0.1", 0)
    await server.linger()  # nobody asked: nobody is waited for
    await ask(address)
    waiting = asyncio.create_task(server.linger())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert (await ask(address)).endswith("made 2\n")  # as they are now, though no second has passed
    await waiting


async def test_a_port_that_is_taken_is_said(server: ScrapeServer) -> None:
    address = await server.open("127.0.0.1", 0)
    port = int(address.removesuffix("/metrics").rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        await ScrapeServer(str, "t").open("127.0.0.1", port)

"""Tests of agenttop.fleet.certificates, agenttop.fleet.settings: who has no certificate of a run is refused by it."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from agenttop.fleet.certificates import Authority, Identity
from agenttop.fleet.settings import security


async def asks(listener: Identity, caller: Identity) -> bytes:
    """What who calls hears of a listener that says hello to whoever is let in."""

    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    theirs = security(listener).get_listen_args("scheduler")["ssl_context"]
    ours = security(caller).get_connection_args("worker")["ssl_context"]
    server = await asyncio.start_server(hello, "127.0.0.1", 0, ssl=theirs)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ours, server_hostname="")
        try:
            return await reader.read()
        finally:
            writer.close()


async def test_those_of_a_run_know_each_other() -> None:
    authority = Authority("run")
    assert await asks(authority.identity("controller"), authority.identity("b1")) == b"hello"


async def test_nobody_else_is_let_in_or_believed() -> None:
    one, other = Authority("run"), Authority("run")
    for listener, caller in ((one, other), (other, one)):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asks(listener.identity("controller"), caller.identity("b1"))
    mixed = Identity(one.identity("x").ca, other.identity("b1").cert, other.identity("b1").key)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asks(one.identity("controller"), mixed)


def test_every_box_has_a_key_of_its_own_that_no_text_shows() -> None:
    authority = Authority("run")
    first, second = authority.identity("b1"), authority.identity("b2")
    assert first.key != second.key
    assert first.ca == second.ca
    assert "PRIVATE" in first.key
    assert "PRIVATE" not in f"{first!r} {first}"

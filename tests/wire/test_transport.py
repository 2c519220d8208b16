"""Tests of agenttop.wire.transport, agenttop.wire.dial, agenttop.wire.resolve, agenttop.wire.target,
agenttop.wire.tls.

Connecting: names, addresses, TLS, and everything that can go wrong before the first request.
"""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from agenttop.metrics.outcome import Outcome
from agenttop.wire import dial
from agenttop.wire.dial import Dialer
from agenttop.wire.http1 import IDLE
from agenttop.wire.resolve import TTL_S, Resolver
from agenttop.wire.target import parse_target
from agenttop.wire.tls import client_context
from agenttop.wire.transport import Transport
from tests.wire.authority import Authority
from tests.wire.reading import GET, Keeper, exchange, to, until
from tests.wire.server import Reader, Writer, answering, ok, serving


def transport(context: ssl.SSLContext | None = None, timeout_s: float = 5.0) -> Transport:
    return Transport(asyncio.get_running_loop(), context, timeout_s)


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def test_it_connects() -> None:
    async with serving(answering(ok(b"x"))) as server:
        connection = await transport().connect(to(server.port))
        assert (connection.failure, connection.state) == (None, IDLE)
        assert connection.opened_ns > 0
        assert await exchange(connection) is None
        connection.close()


async def test_nobody_listens() -> None:
    connection = await transport().connect(to(closed_port()))
    assert connection.failure is not None
    assert connection.failure[0] is Outcome.CONNECT_ERROR
    assert "refused" in connection.failure[1] or "connect" in connection.failure[1]
    assert connection.opened_ns > 0


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 64 + ".example", "."])
async def test_a_name_that_does_not_resolve(host: str) -> None:
    connection = await transport().connect(to(80, host=host))
    assert connection.failure is not None
    assert connection.failure[0] in (Outcome.CONNECT_ERROR, Outcome.TIMEOUT)
    assert host in connection.failure[1]


async def test_a_handshake_that_never_ends_is_a_timeout(authority: Authority) -> None:
    async def silent(reader: Reader, writer: Writer) -> None:
        await reader.read()

    async with serving(silent) as server:
        connection = await transport(client_context(authority.ca, None, None, True), 0.05).connect(
            to(server.port, "https")
        )
        assert connection.failure == (Outcome.TIMEOUT, "no connection within 0.05s")


async def test_an_own_authority(authority: Authority) -> None:
    async with serving(answering(ok(b"secret")), authority.server()) as server:
        connection = await transport(client_context(authority.ca, None, None, True)).connect(to(server.port, "https"))
        assert connection.failure is None
        sink = Keeper()
        assert await exchange(connection, sink) is None
        assert sink.body == b"secret"
        connection.close()


@pytest.mark.parametrize("case", ["unknown authority", "wrong name", "expired"])
async def test_a_certificate_that_is_not_accepted(authority: Authority, case: str) -> None:
    expired: dict[str, Any] = {"not_after": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)}
    context = (
        authority.server("elsewhere.example")
        if case == "wrong name"
        else authority.server("127.0.0.1", **(expired if case == "expired" else {}))
    )
    ca = None if case == "unknown authority" else authority.ca
    async with serving(answering(ok(b"x")), context) as server:
        connection = await transport(client_context(ca, None, None, True)).connect(to(server.port, "https"))
        assert connection.failure is not None
        assert connection.failure[0] is Outcome.CONNECT_ERROR
        assert connection.failure[1].startswith("TLS: certificate not accepted: ")
        connection = await transport(client_context(ca, None, None, False)).connect(to(server.port, "https"))
        assert connection.failure is None
        assert await exchange(connection) is None
        connection.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_target_that_wants_our_certificate(authority: Authority, version: ssl.TLSVersion) -> None:
    context = authority.server()
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version
    authority.authority.configure_trust(context)
    async with serving(answering(ok(b"x")), context) as server:
        ours = client_context(authority.ca, authority.cert, authority.key, True)
        connection = await transport(ours).connect(to(server.port, "https"))
        assert connection.failure is None
        assert await exchange(connection) is None
        connection.close()
        connection = await transport(client_context(authority.ca, None, None, True)).connect(to(server.port, "https"))
        failure = connection.failure or await exchange(connection)
        assert failure is not None
        assert failure[0] in (Outcome.CONNECT_ERROR, Outcome.PROTOCOL_ERROR)


async def test_a_plain_target_where_tls_is_spoken(authority: Authority) -> None:
    async with serving(answering(ok(b"x")), authority.server()) as server:
        connection = await transport().connect(to(server.port))
        failure = connection.failure or await exchange(connection, data=GET)
        assert failure is not None
        assert failure[0] is Outcome.PROTOCOL_ERROR


async def test_a_tls_target_where_it_is_not_spoken(authority: Authority) -> None:
    async def plain(reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read()

    async with serving(plain) as server:
        connection = await transport(client_context(authority.ca, None, None, True)).connect(to(server.port, "https"))
        assert connection.failure == (Outcome.CONNECT_ERROR, "TLS: the target does not speak TLS")


def test_an_encrypted_key_is_an_error_and_no_question(authority: Authority, tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(Path(authority.key).read_bytes(), None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    with pytest.raises(ssl.SSLError):
        client_context(None, authority.cert, str(locked), True)


async def test_a_name_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    asked: list[str] = []
    answer: asyncio.Future[Any] = loop.create_future()

    async def getaddrinfo(host: str, port: int, **_: Any) -> Any:
        asked.append(host)
        return await answer

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    resolver = Resolver(loop, first=-1)
    users = [asyncio.ensure_future(resolver.addresses("agent.example", 80)) for _ in range(10)]
    await until(lambda: asked)
    users[0].cancel()
    answer.set_result([(0, 0, 0, "", ("192.0.2.1", 80)), (0, 0, 0, "", ("192.0.2.2", 80))])
    found = await asyncio.gather(*users[1:])
    assert found[::2] == [("192.0.2.1", "192.0.2.2")] * 5  # in turn
    assert found[1::2] == [("192.0.2.2", "192.0.2.1")] * 4
    first = await resolver.addresses("agent.example", 80)
    assert await resolver.addresses("agent.example", 80) == first[::-1]
    for _ in range(3):
        resolver.skip("agent.example", 80, "192.0.2.1")
        assert await resolver.addresses("agent.example", 80) == ("192.0.2.2", "192.0.2.1")
    assert asked == ["agent.example"]


async def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()

    async def getaddrinfo(host: str, port: int, **_: Any) -> Any:
        return [(0, 0, 0, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    async with serving(answering(ok(b"x"))) as server:
        ours = transport()
        with monkeypatch.context() as patch:
            patch.setattr(loop, "getaddrinfo", getaddrinfo)
            connection = await ours.connect(parse_target(f"http://agent.example:{server.port}"))
        assert connection.failure is None
        assert connection.transport.get_extra_info("peername")[0] == "127.0.0.1"
        connection.close()


@pytest.mark.parametrize("dead", [(), ("192.0.2.2",), ("192.0.2.1", "2001:db8::1")])
async def test_connections_go_round_the_addresses(monkeypatch: pytest.MonkeyPatch, dead: tuple[str, ...]) -> None:
    loop = asyncio.get_running_loop()
    addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    tried: list[str] = []

    async def getaddrinfo(host: str, port: int, **_: Any) -> Any:
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    async def dial_address(_: Any, address: str, *__: Any) -> Any:
        tried.append(address)
        return (Outcome.CONNECT_ERROR, "connection refused") if address in dead else asyncio.Protocol()

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(dial, "dial_address", dial_address)
    dialer = Dialer(loop, 5.0)
    target = parse_target("http://agent.example:8000")
    for _ in range(30):
        assert not isinstance(await dialer.dial(target, None, asyncio.Protocol), tuple)
    alive = [f"[{one}]:8000" if ":" in one else f"{one}:8000" for one in addresses if one not in dead]
    opened = dialer.take_opened()
    assert set(opened) == set(alive)
    assert max(opened.values()) - min(opened.values()) <= 2
    assert len(tried) <= 30 + len(dead)  # who did not answer is not asked every time
    assert sorted(dialer.take_notes()) == (["agent.example"] if dead else [])
    assert dialer.take_opened() == {}


async def test_a_name_is_asked_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    now, answers = 0.0, [["192.0.2.1"], ["192.0.2.9"]]

    async def getaddrinfo(host: str, port: int, **_: Any) -> Any:
        return [(0, 0, 0, "", (address, port)) for address in answers.pop(0)]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr("agenttop.wire.resolve.monotonic", lambda: now)
    resolver = Resolver(loop)
    assert await resolver.addresses("agent.example", 80) == ("192.0.2.1",)
    now = TTL_S - 1
    assert await resolver.addresses("agent.example", 80) == ("192.0.2.1",)
    now = TTL_S + 1
    assert await resolver.addresses("agent.example", 80) == ("192.0.2.9",)

"""Through a forward proxy: CONNECT to https targets, whole URLs to plain ones."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from agenttop.metrics.outcome import Outcome
from agenttop.wire.http1 import IDLE
from agenttop.wire.httpx_connection import HttpxConnection
from agenttop.wire.httpx_transport import HttpxTransport
from agenttop.wire.tls import client_context
from tests.wire.authority import Authority
from tests.wire.h2_server import plain, speaking_h2
from tests.wire.reading import Keeper, exchange, to
from tests.wire.server import Handler, Reader, Writer, answering, ok, read_request, serving


def proxy(requests: list[bytes], refusal: bytes = b"") -> Handler:
    """A forward proxy: CONNECT, and requests that name their target whole."""

    async def pump(reader: Reader, writer: Writer) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
        writer.close()

    async def handle(reader: Reader, writer: Writer) -> None:
        request = await read_request(reader)
        while True:
            requests.append(request)
            if refusal:
                writer.write(refusal)
                return
            method, where, _ = request.split(b" ", 2)
            host, _, port = where.removeprefix(b"http://").partition(b"/")[0].partition(b":")
            far_reader, far_writer = await asyncio.open_connection(host.decode(), int(port))
            try:
                if method == b"CONNECT":
                    writer.write(b"HTTP/1.1 200 Established\r\n\r\n")
                    await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer), return_exceptions=True)
                    return
                far_writer.write(request)
                writer.write(await far_reader.read(1 << 16))
            finally:
                far_writer.close()
            request = await read_request(reader)

    return handle


async def through(
    port: int, target_port: int, *, context: ssl.SSLContext | None = None, http2: bool = False, user: str = ""
) -> HttpxConnection:
    transport = HttpxTransport(
        asyncio.get_running_loop(), context, 5.0, http2=http2, proxy=f"http://{user}127.0.0.1:{port}"
    )
    return await transport.connect(to(target_port, "https" if context is not None else "http"))


async def test_a_plain_target_behind_a_proxy() -> None:
    requests: list[bytes] = []
    async with serving(answering(ok(b"far"))) as server, serving(proxy(requests)) as between:
        connection = await through(between.port, server.port, user="me:p%40ss@")
        assert connection.failure is None
        for _ in range(2):
            sink = Keeper()
            assert await exchange(connection, sink) is None
            assert (sink.body, connection.state) == (b"far", IDLE)
        connection.close()
        assert between.connections == 1
        for request in requests:
            assert request.startswith(b"GET http://127.0.0.1:%d/ HTTP/1.1\r\n" % server.port)
            assert b"Basic bWU6cEBzcw==\r\n" in request


@pytest.mark.parametrize("http2", [False, True])
async def test_a_tls_target_behind_a_proxy(authority: Authority, http2: bool) -> None:
    requests: list[bytes] = []
    context = authority.server()
    context.set_alpn_protocols(["h2" if http2 else "http/1.1"])
    handler = speaking_h2(plain(b"far")) if http2 else answering(ok(b"far"))
    async with serving(handler, context) as server, serving(proxy(requests)) as between:
        ours = client_context(authority.ca, None, None, True)
        connection = await through(between.port, server.port, context=ours, http2=http2, user="me:secret@")
        assert connection.failure is None
        for _ in range(2):
            sink = Keeper()
            assert await exchange(connection, sink) is None
            assert (sink.body, connection.state) == (b"far", IDLE)
        connection.close()
        (request,) = requests
        assert request.startswith(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n" % server.port)
        assert b"proxy-authorization" in request.lower()


async def test_a_proxy_that_refuses(authority: Authority) -> None:
    refusal = ok(b"", status="407 Proxy Authentication Required")
    async with serving(proxy([], refusal)) as between:
        ours = client_context(authority.ca, None, None, True)
        connection = await through(between.port, 9, context=ours)
        assert connection.failure == (
            Outcome.CONNECT_ERROR,
            "the proxy refuses: 407 Proxy Authentication Required",
        )


async def test_a_proxy_that_is_not_there(authority: Authority) -> None:
    async with serving(answering(b"")) as server:
        port = server.port
    connection = await through(port, 9)
    assert connection.failure is not None
    assert connection.failure[0] is Outcome.CONNECT_ERROR
    assert connection.failure[1].startswith("proxy: ")


async def test_a_plain_target_cannot_have_http2_behind_a_proxy() -> None:
    async with serving(proxy([])) as between:
        connection = await through(between.port, 9, http2=True)
        assert connection.failure is not None
        assert connection.failure[0] is Outcome.CONNECT_ERROR


async def test_what_a_certificate_must_say_holds_behind_a_proxy(authority: Authority) -> None:
    async with (
        serving(answering(ok(b"x")), authority.server("elsewhere.example")) as server,
        serving(proxy([])) as between,
    ):
        ours = client_context(authority.ca, None, None, True)
        connection = await through(between.port, server.port, context=ours)
        assert connection.failure is not None
        assert connection.failure[0] is Outcome.CONNECT_ERROR
        assert connection.failure[1].startswith("TLS: certificate not accepted")

"""Opens connections for HTTP/2 and through forward proxies (see :mod:`agenttop.wire.httpx_connection`)."""

from __future__ import annotations

import asyncio
import base64
import ssl
from time import perf_counter_ns
from urllib.parse import unquote, urlsplit

import httpcore

from agenttop.metrics.outcome import Outcome
from agenttop.wire.dial import Dialer, Failure, why_not
from agenttop.wire.httpx_connection import HttpxConnection
from agenttop.wire.stream import Stream
from agenttop.wire.target import Target, parse_target


class HttpxTransport:
    """Connects like :class:`~agenttop.wire.transport.Transport`.

    Args:
        loop: the event loop.
        context: TLS to targets; ALPN is set on it here, so it is not to be shared. None: no target speaks TLS.
        connect_timeout_s: what opening a connection may take, a proxy's part of it included.
        http2: speak HTTP/2: negotiated by TLS, known beforehand (h2c) without.
        proxy: URL of a forward proxy, with ``user:password@`` where it wants them.
        proxy_context: TLS to a proxy whose URL begins with https.

    Raises:
        ValueError: ``proxy`` is no http or https URL.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        context: ssl.SSLContext | None,
        connect_timeout_s: float,
        *,
        http2: bool = False,
        proxy: str | None = None,
        proxy_context: ssl.SSLContext | None = None,
    ) -> None:
        self._loop = loop
        self._context = context
        self._timeout = connect_timeout_s
        self._http2 = http2
        self.dialer = Dialer(loop, connect_timeout_s)
        self._proxy = parse_target(proxy) if proxy is not None else None
        self._proxy_context = proxy_context
        self._proxy_headers = _credentials(proxy) if proxy is not None else ()
        if context is not None:
            # Only what the profile wants is offered: a silent fall back to HTTP/1.1 would measure something else.
            context.set_alpn_protocols(["h2"] if http2 else ["http/1.1"])

    async def connect(self, target: Target) -> HttpxConnection:
        """Return a new connection. Its ``failure`` says why there is none, ``opened_ns`` how long opening it took."""
        began = perf_counter_ns()
        try:
            async with asyncio.timeout(self._timeout):
                opened = await (self._direct(target) if self._proxy is None else self._proxied(target, self._proxy))
        except UnicodeError as error:
            opened = (Outcome.CONNECT_ERROR, f"{target.host} is no host name: {error}")
        except TimeoutError:
            opened = (Outcome.TIMEOUT, f"no connection within {self._timeout:g}s")
        if isinstance(opened, tuple):
            connection = HttpxConnection(self._loop)
            connection.failure = opened
        else:
            connection = opened
        connection.opened_ns = perf_counter_ns() - began
        return connection

    async def _direct(self, target: Target) -> HttpxConnection | Failure:
        context = self._context if target.tls else None
        stream = await self.dialer.dial(target, context, lambda: Stream(self._loop))
        return stream if isinstance(stream, tuple) else self._speak(target, stream)

    async def _proxied(self, target: Target, proxy: Target) -> HttpxConnection | Failure:
        context = self._proxy_context if proxy.tls else None
        stream = await self.dialer.dial(proxy, context, lambda: Stream(self._loop))
        if isinstance(stream, tuple):
            return stream[0], f"proxy: {stream[1]}"
        if not target.tls:
            if self._http2:
                stream.abort()
                return Outcome.CONNECT_ERROR, "HTTP/2 goes through a proxy to https targets only"
            return self._forward(target, proxy, stream)
        try:
            refused = await self._tunnel(target, proxy, stream)
            if refused is not None:
                stream.abort()
                return refused
            assert self._context is not None
            inner = await stream.start_tls(self._context, target.host)
        except httpcore.ProtocolError as error:
            stream.abort()
            return Outcome.CONNECT_ERROR, f"proxy: {error}"
        except (httpcore.NetworkError, OSError, ValueError) as error:
            stream.abort()
            return Outcome.CONNECT_ERROR, why_not(error)
        except asyncio.CancelledError:
            stream.abort()
            raise
        return self._speak(target, inner)

    async def _tunnel(self, target: Target, proxy: Target, stream: Stream) -> Failure | None:
        """Ask a proxy to pass everything on to a target (RFC 9110, 9.3.6); return why it refuses, or None."""
        host = f"[{target.host}]" if ":" in target.host else target.host
        where = f"{host}:{target.port}".encode("idna" if host.isascii() is False else "ascii")
        scheme, name, port = _url(proxy)
        asking = httpcore.AsyncHTTP11Connection(httpcore.Origin(scheme, name, port), stream)
        url = httpcore.URL(scheme=scheme, host=name, port=port, target=where)
        response = await asking.handle_async_request(
            httpcore.Request(b"CONNECT", url, headers=[(b"host", where), *self._proxy_headers])
        )
        if 200 <= response.status < 300:
            return None
        reason = bytes(response.extensions.get("reason_phrase", b"")).decode("latin-1")
        return Outcome.CONNECT_ERROR, f"the proxy refuses: {response.status} {reason}".rstrip()

    def _forward(self, target: Target, proxy: Target, stream: Stream) -> HttpxConnection:
        """Return a connection to a plain target, whose requests name the target whole (RFC 9112, 3.2.2)."""
        url = _url(proxy)
        speaker = httpcore.AsyncHTTP11Connection(httpcore.Origin(*url), stream)
        absolute = target.origin.encode("ascii")
        return HttpxConnection(self._loop, stream, speaker, url, absolute, self._proxy_headers)

    def _speak(self, target: Target, stream: Stream) -> HttpxConnection | Failure:
        url = _url(target)
        origin = httpcore.Origin(*url)
        if not self._http2:
            return HttpxConnection(self._loop, stream, httpcore.AsyncHTTP11Connection(origin, stream), url)
        if target.tls:
            tls = stream.transport.get_extra_info("ssl_object")
            if tls is None or tls.selected_alpn_protocol() != "h2":
                stream.abort()
                return Outcome.CONNECT_ERROR, "the target does not speak HTTP/2"
        stream.only_http2 = True
        return HttpxConnection(self._loop, stream, httpcore.AsyncHTTP2Connection(origin, stream), url)


def _url(target: Target) -> tuple[bytes, bytes, int]:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return (b"https" if target.tls else b"http"), host.encode("ascii" if host.isascii() else "idna"), target.port


def _credentials(proxy: str) -> tuple[tuple[bytes, bytes], ...]:
    parts = urlsplit(proxy)
    if parts.username is None:
        return ()
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return ((b"proxy-authorization", b"Basic " + base64.b64encode(pair)),)

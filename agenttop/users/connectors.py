"""Chooses what opens a pool's connections: our own HTTP/1.1 if it suffices, httpx for HTTP/2 and through proxies."""

from __future__ import annotations

import asyncio
import ssl

from agenttop.profile.model import Profile
from agenttop.wire.dial import Dialer
from agenttop.wire.tls import client_context
from agenttop.wire.transport import Connector, Transport


class Connectors:
    """The connectors of one process; TLS contexts are made once, and only if needed.

    Raises:
        OSError: a file of ``[tls]`` cannot be read (ssl.SSLError among them: it is no certificate).
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, profile: Profile) -> None:
        urls = [pool.target or profile.target for pool in profile.pools]
        wants_tls = profile.follow_redirects or any(url.startswith(("https:", "wss:")) for url in urls)
        self._profile = profile
        self._own = Transport(loop, self._context() if wants_tls else None, profile.connect_timeout)
        self._httpx: Connector | None = None
        if profile.http_version == "2" or profile.proxy is not None:
            from agenttop.wire.httpx_transport import HttpxTransport  # 60 ms that most runs need not pay

            proxy = profile.proxy.url if profile.proxy is not None else None
            self._httpx = HttpxTransport(
                loop,
                self._context() if wants_tls else None,
                profile.connect_timeout,
                http2=profile.http_version == "2",
                proxy=proxy,
                proxy_context=self._context() if proxy and proxy.startswith("https:") else None,
            )

    def of(self, protocol: str) -> Connector:
        """Return the connector of a pool; a WebSocket is an upgrade of HTTP/1.1 in any case."""
        return self._own if self._httpx is None or protocol == "ws" else self._httpx

    def dialers(self) -> list[Dialer]:
        """Return the dialers that open the connections."""
        return [connector.dialer for connector in (self._own, self._httpx) if connector is not None]

    def _context(self) -> ssl.SSLContext:
        tls = self._profile.tls
        return client_context(tls.ca, tls.cert, tls.key, tls.verify)

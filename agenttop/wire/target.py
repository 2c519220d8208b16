"""Parses target URLs: where requests go."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """Scheme, host and port of a target, and the path every request path is appended to."""

    scheme: str
    host: str
    port: int
    prefix: str
    tls: bool

    @property
    def authority(self) -> str:
        """Return the Host header, without the port if it is the scheme's own (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Return ``http(s)://authority``, for libraries that want a URL."""
        return f"{'https' if self.tls else 'http'}://{self.authority}"


def parse_target(url: str) -> Target:
    """Parse a target URL.

    Raises:
        ValueError: it is no http, https, ws or wss URL with a host.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{url!r} is no http, https, ws or wss URL with a host")
    return Target(
        scheme=parts.scheme,
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        prefix=parts.path.rstrip("/"),
        tls=parts.scheme in ("https", "wss"),
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """Timeouts of one request in nanoseconds; 0 is none.

    ``total`` runs from the send to the end of the answer; ``first_byte`` and ``first_token`` from the send; ``idle``
    between two reads.
    """

    total: int
    first_byte: int = 0
    first_token: int = 0
    idle: int = 0

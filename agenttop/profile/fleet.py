"""The boxes of a fleet as they are written: ``b1``, ``b2:2222``, ``user@b3``, ``[fe80::1]:22``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: Boxes of one run at most.
MAX_BOXES = 100
_HOST = re.compile(
    r"(?:(?P<user>[^@\s:\[\]]+)@)?(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^@\s:\[\]]+))(?::(?P<port>\d{1,5}))?"
)


class NoBoxError(ValueError):
    """A text is no box; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class Host:
    """One box. What is None is left to ``~/.ssh/config``."""

    name: str
    """What the run calls it."""
    host: str
    """A name or an address; it may be an alias of ``~/.ssh/config``."""
    user: str | None = None
    port: int | None = None


def parse_host(text: str) -> Host:
    """Return the box of ``[USER@]HOST[:PORT]``.

    Raises:
        NoBoxError: it is none.
    """
    match = _HOST.fullmatch(text.strip())
    port = int(match["port"]) if match is not None and match["port"] else None
    host = (match["six"] or match["host"]) if match is not None else ""
    # A leading dash would be an option to whoever passes it on.
    if match is None or host.startswith("-") or (port is not None and not 1 <= port <= 65535):
        raise NoBoxError(f'expected a box such as "b1", "b2:2222" or "user@b3", not {text[:60]!r}')
    return Host(host, host, match["user"], port)


def parse_hosts(texts: Sequence[str]) -> tuple[Host, ...]:
    """Return the boxes, each with a name of its own: its host, with user and port as written where hosts are the same.

    Raises:
        NoBoxError: one of them is none.
        ValueError: one is there twice, there are too many, or there is none.
    """
    found = [parse_host(text) for text in texts]
    hosts = [host.host for host in found]
    named = [
        Host(text.strip() if hosts.count(host.host) > 1 else host.name, host.host, host.user, host.port)
        for host, text in zip(found, texts, strict=True)
    ]
    for index, host in enumerate(named):
        if host.name in [other.name for other in named[:index]]:
            raise ValueError(f"{host.name} is there twice")
    if not named:
        raise ValueError("names no box")
    if len(named) > MAX_BOXES:
        raise ValueError(f"at most {MAX_BOXES} boxes, not {len(named)}")
    return tuple(named)

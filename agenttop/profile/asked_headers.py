"""Finds headers of a profile that ask for what cannot be read, when it is loaded and not by a thousand failures."""

from __future__ import annotations

from collections.abc import Iterator

from agenttop.profile.normalise import Table
from agenttop.profile.problems import Fault, Loc
from agenttop.profile.tables import steps_of, tables

#: Content codings that are read (``wire.inflate``), and those that ask for nothing.
READ = frozenset({"gzip", "x-gzip", "deflate", "identity", "*", ""})


def check_asked(data: Table) -> Iterator[Fault]:
    """Yield the faults of ``Accept-Encoding`` and ``Sec-WebSocket-Extensions``, wherever headers stand."""
    places: list[tuple[Loc, Table]] = [((), data)]
    for index, pool in enumerate(tables(data.get("pools"))):
        places += [(("pools", index), pool), *steps_of(pool, ("pools", index))]
    for loc, table in places:
        headers = table.get("headers")
        for name, value in headers.items() if isinstance(headers, dict) else ():
            if not isinstance(name, str) or not isinstance(value, str):
                continue
            if name.lower() == "sec-websocket-extensions" and value.strip():
                yield Fault((*loc, "headers", name), "extensions of WebSockets are not spoken here; leave it out")
            elif name.lower() == "accept-encoding":
                unread = [coding for coding in _asked(value) if coding not in READ and "{" not in coding]
                if unread:
                    text = f"asks for {unread[0]}, which is not read here; write gzip, deflate or identity"
                    yield Fault((*loc, "headers", name), text)


def _asked(value: str) -> Iterator[str]:
    """Yield the codings of an ``Accept-Encoding`` that are not refused with ``q=0`` (RFC 9110, 12.5.3)."""
    for item in value.lower().split(","):
        coding, _, weight = item.partition(";")
        quality = weight.replace(" ", "").removeprefix("q=")
        if not weight or quality.strip("0.") or not quality:
            yield coding.strip()

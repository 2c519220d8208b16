"""Resolves names to addresses, for a while from memory, and takes addresses in turn.

So ten thousand users do not ask ten thousand times, and a service that a name balances is loaded as its clients would
load it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from time import monotonic

TTL_S = 30.0
"""Seconds that an answer is used: as in the resolvers of JVMs, Go and nginx, and a common TTL of balanced names.

An address added to a name is found this soon, and one taken out of it is not used any more.
"""
SKIP_S = 5.0
"""Seconds that an address which did not answer is left for last."""


class Resolver:
    """A cache in front of the system's resolver. Equal questions that are under way share one answer.

    Args:
        loop: the event loop.
        first: which address of a name the first connection takes; by default another one in every process.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, first: int | None = None) -> None:
        self._loop = loop
        self._first = os.getpid() if first is None else first
        self._known: dict[tuple[str, int], tuple[float, tuple[str, ...]]] = {}
        self._turn: dict[tuple[str, int], int] = {}
        self._skipped: dict[tuple[str, int, str], float] = {}
        self._asking: dict[tuple[str, int], asyncio.Task[tuple[str, ...]]] = {}

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses of a host, IPv6 and IPv4 alike: the one whose turn it is first, those that did not
        answer lately last.

        Raises:
            OSError: the name does not resolve.
            ValueError: it cannot be a name.
        """
        key = (host, port)
        known = self._known.get(key)
        if known is not None and monotonic() < known[0]:
            found = known[1]
        else:
            try:
                found = (str(ipaddress.ip_address(host)),)
            except ValueError:
                asking = self._asking.get(key)
                if asking is None:
                    asking = self._asking[key] = self._loop.create_task(self._ask(host, port))
                    asking.add_done_callback(lambda _: self._asking.pop(key, None))
                # One user that gives up does not take the answer from the others.
                found = await asyncio.shield(asking)
            self._known[key] = (monotonic() + TTL_S, found)
        if len(found) == 1:
            return found
        now = monotonic()
        well = [one for one in found if self._skipped.get((host, port, one), 0.0) <= now]
        turn = self._turn[key] = self._turn.get(key, self._first) + 1
        at = turn % len(well) if well else 0
        return (*well[at:], *well[:at], *(one for one in found if one not in well))

    def skip(self, host: str, port: int, address: str) -> None:
        """Note that an address did not answer: the others are tried before it for :data:`SKIP_S`."""
        self._skipped[host, port, address] = monotonic() + SKIP_S

    async def _ask(self, host: str, port: int) -> tuple[str, ...]:
        answers = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))

"""Names to addresses, remembered for a minute so that ten thousand users do not ask ten thousand times."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from time import monotonic

TTL_S = 60.0


class Resolver:
    """A cache in front of the system's resolver. Who asks for what is being asked already waits for the same answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._known: dict[tuple[str, int], tuple[float, list[str]]] = {}
        self._asking: dict[tuple[str, int], asyncio.Task[list[str]]] = {}

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of a host, the one that worked last first.

        Raises:
            OSError: the name does not resolve.
            ValueError: it cannot be a name.
        """
        key = (host, port)
        known = self._known.get(key)
        if known is not None and monotonic() < known[0]:
            return tuple(known[1])
        try:
            found = [str(ipaddress.ip_address(host))]
        except ValueError:
            asking = self._asking.get(key)
            if asking is None:
                asking = self._asking[key] = self._loop.create_task(self._ask(host, port))
                asking.add_done_callback(lambda _: self._asking.pop(key, None))
            # One user that gives up does not take the answer from the others.
            found = await asyncio.shield(asking)
        self._known[key] = (monotonic() + TTL_S, found)
        return tuple(found)

    def prefer(self, host: str, port: int, address: str) -> None:
        """This address answered: try it first from now on."""
        known = self._known.get((host, port))
        if known is not None and known[1][0] != address and address in known[1]:
            known[1].remove(address)
            known[1].insert(0, address)

    async def _ask(self, host: str, port: int) -> list[str]:
        answers = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(answer[4][0]) for answer in answers))

"""Opens connections: name, addresses, TCP, TLS, within one time limit. Failures are values, not exceptions."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from agenttop.metrics.outcome import Outcome
from agenttop.wire.resolve import Resolver
from agenttop.wire.target import Target

MAX_ADDRESSES, OTHERS = 200, "(other)"
"""Addresses that are counted separately, and the key that the rest is counted under."""
Failure = tuple[Outcome, str]
ProtocolT = TypeVar("ProtocolT", bound=asyncio.Protocol)


class Dialer:
    """Connects to targets; names are resolved once for all users, whose connections go round the addresses.

    Args:
        loop: the event loop.
        connect_timeout_s: what name, TCP and TLS together may take.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, connect_timeout_s: float) -> None:
        self._loop = loop
        self._timeout = connect_timeout_s
        self._resolver = Resolver(loop)
        self._opened: Counter[str] = Counter()
        self._notes: dict[str, str] = {}

    async def dial(
        self, target: Target, context: ssl.SSLContext | None, make: Callable[[], ProtocolT]
    ) -> ProtocolT | Failure:
        """Connect a fresh protocol to the next address of the target, or to the first after it that answers.

        A silent address does not use up the time of the next: each has an equal share of what is left.
        """
        late = (Outcome.TIMEOUT, f"no connection within {self._timeout:g}s")
        deadline = self._loop.time() + self._timeout
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await self._resolver.addresses(target.host, target.port)
        except TimeoutError:
            return Outcome.TIMEOUT, f"{target.host} did not resolve within {self._timeout:g}s"
        except (OSError, ValueError) as error:  # a name that IDNA cannot encode is a ValueError
            return Outcome.CONNECT_ERROR, f"{target.host} does not resolve: {getattr(error, 'strerror', None) or error}"
        failure: Failure = (Outcome.CONNECT_ERROR, f"{target.host} has no address")
        for index, address in enumerate(addresses):
            share = (deadline - self._loop.time()) / (len(addresses) - index)
            opened = await dial_address(self._loop, address, target, context, share, make)
            if not isinstance(opened, tuple):
                where = f"[{address}]:{target.port}" if ":" in address else f"{address}:{target.port}"
                self._opened[where if where in self._opened or len(self._opened) < MAX_ADDRESSES else OTHERS] += 1
                if index:
                    self._skipped(target, addresses[:index], failure)
                return opened
            self._resolver.skip(target.host, target.port, address)
            failure = late if opened[0] is Outcome.TIMEOUT else opened
        return failure

    def take_opened(self) -> dict[str, int]:
        """Return how many connections were opened to which ``ip:port`` since the last call."""
        opened, self._opened = self._opened, Counter()
        return dict(opened)

    def take_notes(self) -> dict[str, str]:
        """Return notes about addresses that do not answer, by host, since the last call."""
        notes, self._notes = self._notes, {}
        return notes

    def _skipped(self, target: Target, addresses: tuple[str, ...], failure: Failure) -> None:
        """Note an address that was skipped for another; not of ``localhost``, which answers on only one on most
        machines.
        """
        if target.host != "localhost":
            self._notes[target.host] = f"{target.host}: {addresses[-1]} does not answer and is skipped: {failure[1]}"


async def dial_address(
    loop: asyncio.AbstractEventLoop,
    address: str,
    target: Target,
    context: ssl.SSLContext | None,
    timeout_s: float,
    make: Callable[[], ProtocolT],
) -> ProtocolT | Failure:
    """Connect a fresh protocol to one address of a target."""
    hostname = target.host if context is not None else None
    try:
        async with asyncio.timeout(timeout_s):
            _, protocol = await loop.create_connection(
                make, address, target.port, ssl=context, server_hostname=hostname
            )
    except TimeoutError:
        return Outcome.TIMEOUT, f"no connection within {timeout_s:g}s"
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; a host that is no server name, a ValueError
        return Outcome.CONNECT_ERROR, why_not(error)
    return protocol


def why_not(error: BaseException) -> str:
    """Return why a connection could not be made or was lost, in one line, without addresses of objects."""
    verify = getattr(error, "verify_message", "")
    if verify:
        return f"TLS: certificate not accepted: {verify}"
    if isinstance(error, ssl.SSLError) and error.reason:
        if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"):
            return "TLS: the target does not speak TLS"
        return f"TLS: {error.reason.replace('_', ' ').lower()}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__

"""Opening connections: name, addresses, TCP, TLS, within one time limit. What goes wrong is a value, no exception."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TypeVar

from agenttop.metrics.outcome import Outcome
from agenttop.wire.resolve import Resolver
from agenttop.wire.target import Target

Failure = tuple[Outcome, str]
ProtocolT = TypeVar("ProtocolT", bound=asyncio.Protocol)


class Dialer:
    """Connects to targets; names are resolved once for all users.

    Args:
        loop: the event loop.
        connect_timeout_s: what name, TCP and TLS together may take.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, connect_timeout_s: float) -> None:
        self._loop = loop
        self._timeout = connect_timeout_s
        self._resolver = Resolver(loop)

    async def dial(
        self, target: Target, context: ssl.SSLContext | None, make: Callable[[], ProtocolT]
    ) -> ProtocolT | Failure:
        """Connect a fresh protocol to the first address of the target that answers.

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
                self._resolver.prefer(target.host, target.port, address)
                return opened
            failure = late if opened[0] is Outcome.TIMEOUT else opened
        return failure


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
    """Why a connection could not be made or was lost, in one line, without addresses of objects."""
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

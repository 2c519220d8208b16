"""Checks before a run whether its targets can be reached."""

from __future__ import annotations

import asyncio
import errno
import os

from agenttop.metrics.outcome import Outcome
from agenttop.profile.model import Profile
from agenttop.users.connectors import Connectors
from agenttop.wire.target import Target, parse_target

#: Of a connection that is there: one that is not wanted is refused.
_RESET = os.strerror(errno.ECONNRESET).lower()


async def unreachable(profile: Profile) -> str | None:
    """Connect to every target once, as its users will, and close again.

    Returns:
        One line that says what cannot be reached and what to do, or None.
    """
    connectors = Connectors(asyncio.get_running_loop(), profile)
    ways = {(pool.target or profile.target, pool.protocol == "ws"): pool.protocol for pool in profile.pools}
    for (url, _), protocol in sorted(ways.items()):
        target = parse_target(url)
        connection = await connectors.of(protocol).connect(target)
        failure = connection.failure
        if failure is not None and not _reached(target, *failure):
            return _problem(target, *failure)
        connection.close()
    return None


def _reached(target: Target, outcome: Outcome, why: str) -> bool:
    """Return whether a connection was made, and closed, reset or spoken on at once: when that is heard of is chance."""
    return outcome is Outcome.PROTOCOL_ERROR or (not target.tls and why == _RESET)


def _problem(target: Target, outcome: Outcome, why: str) -> str:
    remedy = "is it running, and is target (or --target) right?"
    if "does not resolve" in why:
        return f"cannot connect to {target.host}: {why}; is the name in target (or --target) right?"
    if why.startswith("TLS"):
        remedy = "see ca and verify under [tls]"
    elif outcome is Outcome.TIMEOUT:
        remedy = "is it reachable from here? connect_timeout says how long to wait"
    where = f"[{target.host}]" if ":" in target.host else target.host
    return f"cannot connect to {where}:{target.port}: {why}; {remedy}"

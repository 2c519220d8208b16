"""A real script, ``profiles.SCRIPT``, where tools have scripts: a session, weighted tasks, values kept, checks."""

from __future__ import annotations

from tests.benchmarks.peers import clients, scripts
from tests.benchmarks.peers.clients import Peer
from tests.benchmarks.program import BenchmarkError


def script_rate_locust(url: str, users: int, seconds: int) -> float:
    """Requests per second of Locust's FastHttpUser against ``nginx.SCRIPT_LOCATIONS``, without think time.

    Raises:
        Missing: Locust cannot be had.
        BenchmarkError: it failed, or a request or a check did.
    """
    return _rate(clients.locust("FastHttpUser", scripts.LOCUST_SCRIPT), url, users, seconds)


def script_rate_k6(url: str, users: int, seconds: int) -> float:
    """Like :func:`script_rate_locust`, of k6."""
    return _rate(clients.k6(scripts.K6_SCRIPT), url, users, seconds)


def _rate(peer: Peer, url: str, users: int, seconds: int) -> float:
    measured = peer.run(url, users, seconds)
    if measured.failed:
        raise BenchmarkError(f"{peer.name}: {measured.failed} requests or checks failed")
    return measured.requests_per_s

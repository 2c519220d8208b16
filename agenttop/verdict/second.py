"""What a verdict is made of: the figures of one closed second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agenttop.metrics.delta import HistDelta
from agenttop.metrics.snapshot import QuotaGauge

USERS = "users"
RATE = "rate"
#: The outcome of a request that nobody answered: the client gave up.
UNANSWERED = "timeout"


@dataclass(frozen=True, slots=True)
class Answers:
    """What ended of one request in one second."""

    ok: int = 0
    refused: int = 0
    """Rate-limited answers, those whose request was sent again among them."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """All other failures by outcome."""
    latency: HistDelta | None = None
    """Of ok answers; None without any."""
    ttft: HistDelta | None = None

    @property
    def failed(self) -> int:
        """Return the failures that are no rate limit."""
        return sum(self.failures.values())


@dataclass(frozen=True, slots=True)
class Second:
    """One closed second. Times are seconds since the run began."""

    t_s: float
    """Its end."""
    seconds: float
    """Its length."""
    load: float
    """Users there are at its end, or iterations per second that are wanted: see ``unit``."""
    answers: Mapping[int, Answers]
    """By request; only those of which something ended."""
    unit: str = USERS
    in_flight: int = 0
    oldest_s: float = 0.0
    """Age of the oldest request in flight."""
    phases: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    """By phase: sum of its durations in µs, and records."""
    driven: frozenset[int] | None = None
    """Requests that ``load`` is of; None for all."""
    sending: bool = True
    """New work is begun."""
    warmup: bool = False
    doubts: str = ""
    """Why the load generator's times cannot be trusted; empty if they can."""
    blocked: bool = False
    """The load generator could not open connections for want of files or ports: failures are its own."""
    quotas: tuple[QuotaGauge, ...] = ()
    stage: int = -1

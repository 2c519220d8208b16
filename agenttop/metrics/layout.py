"""The fixed shape of a run: its pools, requests and stages by index, so that deltas can speak in small integers."""

from __future__ import annotations

import msgspec

from agenttop.metrics.snapshot import StageInfo


class PoolInfo(msgspec.Struct, frozen=True):
    """One pool. ``open`` pools are driven by arrivals, closed ones by a number of users."""

    name: str
    protocol: str
    dialect: str
    open: bool


class RequestInfo(msgspec.Struct, frozen=True):
    """One request of the profile: the row every such request is counted under."""

    pool: int
    name: str
    optional: bool = False
    """It may be that nothing is ever counted under it, and until something is it is not shown."""


class Caps(msgspec.Struct, frozen=True):
    """The caps of a budget; None where there is none."""

    requests: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None


class Price(msgspec.Struct, frozen=True):
    """USD per million tokens."""

    input: float
    output: float
    cached: float
    """Of input that was read from a cache."""


class Layout(msgspec.Struct, frozen=True):
    """``requests[i]`` is what ``LeafDelta.request == i`` means; likewise pools and stages."""

    pools: tuple[PoolInfo, ...]
    requests: tuple[RequestInfo, ...]
    stages: tuple[StageInfo, ...]
    warmup_s: float = 0.0
    objectives: bool = False
    """Requests are good or not: there is a goodput."""
    rate_limit: bool = False
    """Rate-limited answers conform to what the profile wants of them, or not."""
    retries: bool = False
    """Rate-limited requests are sent again, from the beginning on."""
    budget: Caps | None = None
    price: Price | None = None
    traceparent: bool = False
    """Requests carry the id of a trace: the slowest are kept with it."""

    @property
    def closed(self) -> tuple[bool, ...]:
        """Whether each request is of a closed pool."""
        return tuple(not self.pools[request.pool].open for request in self.requests)

"""The fixed shape of a run: its pools, requests and stages by index, so that deltas address them by small integers."""

from __future__ import annotations

import msgspec

from agenttop.metrics.snapshot import StageInfo


class PoolInfo(msgspec.Struct, frozen=True):
    """One pool. ``open`` pools are driven by arrivals, closed ones by a number of users."""

    name: str
    protocol: str
    dialect: str
    open: bool
    measured: tuple[str, ...] = ()
    """Keys of ``[measure]`` that its good answers are to match."""


class RequestInfo(msgspec.Struct, frozen=True):
    """One request of the profile: the row that its figures are counted under."""

    pool: int
    name: str
    optional: bool = False
    """It may never be sent; until something is counted under it, it is not shown."""
    setup: bool = False
    """It is sent only as a user is set up or torn down: its times are not among those of the live picture."""


class Caps(msgspec.Struct, frozen=True):
    """The caps of a budget; None if there is none."""

    requests: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None


class Price(msgspec.Struct, frozen=True):
    """USD per million tokens."""

    input: float
    output: float
    cached: float
    """For input that was read from a cache."""


class Layout(msgspec.Struct, frozen=True):
    """Pools, requests and stages by the indices that deltas use: ``LeafDelta.request == i`` means ``requests[i]``."""

    pools: tuple[PoolInfo, ...]
    requests: tuple[RequestInfo, ...]
    stages: tuple[StageInfo, ...]
    warmup_s: float = 0.0
    objectives: bool = False
    """The profile has objectives: requests are good or not, and there is a goodput."""
    rate_limit: bool = False
    """The profile says how rate-limited answers must look: they conform or not."""
    retries: bool = False
    """The profile has rate-limited requests sent again from the start of the run."""
    budget: Caps | None = None
    price: Price | None = None
    traceparent: bool = False
    """Requests carry the id of a trace: the slowest are kept with it."""

    @property
    def closed(self) -> tuple[bool, ...]:
        """Return for each request whether it belongs to a closed pool."""
        return tuple(not self.pools[request.pool].open for request in self.requests)

"""Deltas of a worker under strain, and a run of them."""

from __future__ import annotations

from array import array

from agenttop.metrics.delta import Delta, ErrorDelta, Health, HistDelta, Network
from agenttop.metrics.histogram import fold
from agenttop.metrics.saturation import Saturation


def lags(milliseconds: tuple[float, ...]) -> HistDelta | None:
    """Records of a lag; None where there are none."""
    return fold(array("q", [int(ms * 1e6) for ms in milliseconds])) if milliseconds else None


def strained(
    t_s: float,
    *,
    worker: int = 1,
    cpu: float = 10.0,
    lag_ms: tuple[float, ...] = (),
    arrivals_ms: tuple[float, ...] = (),
    files: tuple[int, int] = (20, 1_024),
    connections: int = 0,
    network: Network | None = None,
    failed: tuple[str, int] | None = None,
) -> Delta:
    """A delta of ``worker``. ``files``: open and allowed; ``failed``: what connections failed with, and how many."""
    health = Health(lags(lag_ms), cpu, 50.0, *files, lags(arrivals_ms), connections, network)
    errors = [] if failed is None else [ErrorDelta(0, 0, "connect_error", *failed, t_s - 0.2, t_s)]
    return Delta(worker, 0, t_s, [], [], errors, {}, [], 0.0, health)


def play(*seconds: Delta) -> Saturation:
    """One delta a second, judged at its end."""
    saturation = Saturation()
    for n, delta in enumerate(seconds, 1):
        saturation.observe(delta)
        saturation.judge(float(n))
    return saturation

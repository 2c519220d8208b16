"""The past of one request as ticks, made of what is kept of it while somebody looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from agenttop.metrics.request_trends import RequestTick, unpack
from agenttop.metrics.snapshot import Tick


class Unpacked(Sequence[Tick]):
    """Ticks of one request, the newest last. They have no users, no target and nothing in flight: those are not of a
    request.
    """

    def __init__(self, kept: Sequence[bytes]) -> None:
        self._kept = kept

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, index: int) -> Tick: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Tick]: ...
    def __getitem__(self, index: int | slice) -> Tick | Sequence[Tick]:
        if isinstance(index, slice):
            return [self[at] for at in range(len(self))[index]]
        return as_tick(unpack(self._kept[index]))

    def __iter__(self) -> Iterator[Tick]:
        return (as_tick(unpack(packed)) for packed in self._kept)

    def __reversed__(self) -> Iterator[Tick]:
        return (as_tick(unpack(packed)) for packed in reversed(self._kept))


NOTHING = Unpacked(())


def as_tick(of: RequestTick) -> Tick:
    """Return seconds of a request as those of a run."""
    per_s = 1 / of.seconds if of.seconds > 0 else 0.0
    return Tick(
        of.t_s,
        -1,
        0,
        0.0,
        0,
        of.requests * per_s,
        of.failed * per_s,
        of.rate_limited * per_s,
        of.latency_p50_ms,
        of.latency_p95_ms,
        of.latency_p99_ms,
        of.ttft_p50_ms,
        of.ttft_p95_ms,
        of.ttft_p99_ms,
        of.inter_chunk_p95_ms,
        of.output_tokens * per_s,
        latency_counts=of.latency_counts,
        ttft_counts=of.ttft_counts,
        inter_chunk_counts=of.inter_chunk_counts,
    )

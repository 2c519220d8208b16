"""Keeps the slowest requests with their trace ids, so that the user can look them up at the target."""

from __future__ import annotations

from heapq import heappush, heappushpop
from typing import Any

from agenttop.metrics.delta import SlowRequest
from agenttop.metrics.layout import Layout

#: Requests kept by latency, and as many by time to first token.
MAX_SLOWEST = 10

_Entry = tuple[float, float, str, SlowRequest]
#: Of these the least slow is the first, so that it is the one that gives way.
_Heap = list[_Entry]


class Slowest:
    """The slowest by latency and by time to first token; of equal ones those that were sent first."""

    __slots__ = ("_by_latency", "_by_ttft", "_new")

    def __init__(self) -> None:
        self._by_latency: _Heap = []
        self._by_ttft: _Heap = []
        self._new: list[SlowRequest] = []

    def lets_in(self, latency_ms: float, ttft_ms: float | None) -> bool:
        """Return whether such a request would be among the slowest."""
        return _lets_in(self._by_latency, latency_ms) or (ttft_ms is not None and _lets_in(self._by_ttft, ttft_ms))

    def add(self, row: SlowRequest) -> None:
        """Keep a request if it is among the slowest."""
        kept = _add(self._by_latency, row.latency_ms, row)
        if row.ttft_ms is not None and _add(self._by_ttft, row.ttft_ms, row):
            kept = True
        if kept:
            self._new.append(row)

    def take(self) -> list[SlowRequest]:
        """Return those that came since the last call and are still among them: at most twice :data:`MAX_SLOWEST`."""
        if not self._new:
            return []
        there = {id(row) for heap in (self._by_latency, self._by_ttft) for *_, row in heap}
        new, self._new = self._new, []
        return [row for row in new if id(row) in there]

    def summary(self, layout: Layout) -> dict[str, list[dict[str, Any]]]:
        """Return the summary's ``slowest``: both lists, the slowest first."""
        return {
            "by_latency": [_row(row, layout) for *_, row in sorted(self._by_latency, reverse=True)],
            "by_ttft": [_row(row, layout) for *_, row in sorted(self._by_ttft, reverse=True)],
        }


def _lets_in(heap: _Heap, value: float) -> bool:
    return len(heap) < MAX_SLOWEST or value >= heap[0][0]


def _add(heap: _Heap, value: float, row: SlowRequest) -> bool:
    entry = (value, -row.t_s, row.trace_id, row)
    if len(heap) < MAX_SLOWEST:
        heappush(heap, entry)
        return True
    return heappushpop(heap, entry) is not entry


def _row(row: SlowRequest, layout: Layout) -> dict[str, Any]:
    request = layout.requests[row.request]
    return {
        "request": f"{layout.pools[request.pool].name}/{request.name}",
        "stage": row.stage,
        "t_s": round(row.t_s, 3),
        "latency_ms": row.latency_ms,
        "ttft_ms": row.ttft_ms,
        "status": row.status,
        "trace_id": row.trace_id,
    }

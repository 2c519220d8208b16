"""Keeps what remains of the limits that a pool's target tells of, as one worker has seen it last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import perf_counter_ns, time

from agenttop.dialects.quota import MAX_QUOTAS, Quota, read_quotas
from agenttop.metrics.delta import QuotaState

#: Of a request whose answers tell of no limit so far one is looked at as often as this.
LOOK_NS = 100_000_000


class Quotas:
    """Gauges by the name of the limit.

    Of a request whose answers tell nothing a look every tenth of a second is all it costs. Of one that does, the newest
    headers are kept, and read when :meth:`states` is asked for: what stands there is then the newest there is, and of
    the lowest that was seen no more than those in between is missed.
    """

    __slots__ = ("_epoch_ns", "_found", "_kept", "due_ns", "measured")

    def __init__(self, epoch_ns: int) -> None:
        self._epoch_ns = epoch_ns
        self._found: dict[str, QuotaState] = {}
        self._kept: dict[int, tuple[Mapping[str, str], int, bool]] = {}
        self.due_ns: dict[int, int] = {}
        """When the headers of a request are looked at next; 0 (always) for requests whose answers tell of limits."""
        self.measured = True
        """False during the warm-up, whose figures are only shown live."""

    def look(self, request: int, headers: Mapping[str, str], now: int) -> None:
        """Look at the headers of an answer that began at ``now`` (``perf_counter_ns``)."""
        if request in self._kept:
            self._kept[request] = (headers, now, self.measured)
        elif found := self._read(headers, now):
            self._kept[request] = ({}, now, self.measured)
            self.due_ns[request] = 0
            self.take(found, now)
        else:
            self.due_ns[request] = now + LOOK_NS

    def take(self, quotas: Iterable[Quota], now: int, measured: bool | None = None) -> None:
        """Note what an answer or an event told at ``now``."""
        seen_s = (now - self._epoch_ns) / 1e9
        measured = self.measured if measured is None else measured
        for name, limit, remaining, reset_s in quotas:
            before = self._found.get(name)
            if before is None and len(self._found) >= MAX_QUOTAS:
                continue
            lowest = None if before is None else before.lowest
            if measured:
                lowest = remaining if lowest is None else min(lowest, remaining)
            if before is not None and before.seen_s > seen_s:
                limit, remaining, seen_s, until_s = before.limit, before.remaining, before.seen_s, before.reset_at_s
            else:
                until_s = None if reset_s is None else seen_s + reset_s
            self._found[name] = QuotaState(name, limit, remaining, lowest, seen_s, until_s)

    def states(self) -> tuple[QuotaState, ...]:
        """Return every limit as it was seen last."""
        for request, (headers, now, measured) in self._kept.items():
            if headers:
                self._kept[request] = ({}, now, measured)
                self.take(self._read(headers, now), now, measured)
        return tuple(self._found.values())

    @staticmethod
    def _read(headers: Mapping[str, str], now: int) -> list[Quota]:
        return read_quotas(headers, time() - (perf_counter_ns() - now) / 1e9)

"""How the workers stand right now, and the worst they have been."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from agenttop.metrics.boxes import Gauge
from agenttop.metrics.compact import mean_cpu
from agenttop.metrics.delta import Delta, PoolState
from agenttop.metrics.scope import clean_text

#: Distinct warnings of workers that are kept.
MAX_WARNINGS = 50


@dataclass(slots=True)
class _Worker:
    pools: list[PoolState] = field(default_factory=list)
    oldest_s: float = 0.0
    rss_mb: float = 0.0
    open_files: int = 0
    cpu: list[tuple[float, float]] = field(default_factory=list)
    cpu_percent: float = 0.0
    """Mean of the last second: a quarter of a second alone is mostly noise."""


class Workers:
    """Gauges of all workers. ``*_max`` are the worst of the run, ``users_max`` by pool."""

    def __init__(self, pools: int) -> None:
        self._workers: dict[int, _Worker] = {}
        self._pools = pools
        self.users_max = [0] * pools
        self.users_most = 0
        """The most users of all pools together at once."""
        self.cpu_percent_max = 0.0
        self.rss_mb_max = 0.0
        """Of all workers together."""
        self.open_files_max = 0
        """Of one worker: the system's limit is one of a process."""
        self.warnings: list[str] = []
        self.matched: list[set[str]] = [set() for _ in range(pools)]
        """Keys of ``[measure]`` that have matched, by pool."""
        self.addresses: Counter[str] = Counter()
        """Connections opened, by ``ip:port``."""

    def observe(self, delta: Delta) -> None:
        """Take a worker's newest state."""
        worker = self._workers.setdefault(delta.worker, _Worker())
        worker.pools, worker.oldest_s = delta.states, delta.oldest_s
        for state in delta.states:
            self.matched[state.pool].update(state.matched)
        worker.rss_mb, worker.open_files = delta.health.rss_mb, delta.health.open_files
        self.addresses.update(delta.addresses)
        worker.cpu.append((delta.health.cpu_percent, delta.lasted_s))

    def warn(self, text: str) -> None:
        """Keep a warning for the summary, each once."""
        text = clean_text(text)
        if text not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(text)

    def forget(self, worker: int) -> None:
        """Forget a lost worker and its users."""
        self._workers.pop(worker, None)

    def close(self) -> None:
        """Close a second: update the means and maxima."""
        for worker in self._workers.values():
            if worker.cpu:
                worker.cpu_percent = mean_cpu(worker.cpu)
                worker.cpu = []
        self.cpu_percent_max = max(self.cpu_percent_max, self.cpu_percent)
        self.rss_mb_max = max(self.rss_mb_max, self.rss_mb)
        self.open_files_max = max(self.open_files_max, self.open_files)
        users, _ = self.by_pool()
        self.users_most = max(self.users_most, sum(users))
        self.users_max = [max(pair) for pair in zip(self.users_max, users, strict=True)]

    def gauges(self) -> dict[int, Gauge]:
        """Return the gauges of each worker."""
        return {
            number: (
                sum(state.users for state in worker.pools),
                sum(state.in_flight for state in worker.pools),
                worker.cpu_percent,
            )
            for number, worker in self._workers.items()
        }

    def by_pool(self) -> tuple[list[int], list[int]]:
        """Return (users, requests in flight), each by pool."""
        users, in_flight = [0] * self._pools, [0] * self._pools
        for worker in self._workers.values():
            for state in worker.pools:
                users[state.pool] += state.users
                in_flight[state.pool] += state.in_flight
        return users, in_flight

    @property
    def oldest_s(self) -> float:
        """Return the age of the oldest request in flight in seconds, 0 if there is none."""
        return max((worker.oldest_s for worker in self._workers.values()), default=0.0)

    @property
    def cpu_percent(self) -> float:
        """Return the CPU percent of the busiest worker."""
        return max((worker.cpu_percent for worker in self._workers.values()), default=0.0)

    @property
    def rss_mb(self) -> float:
        """Return the memory of all workers together, in MB."""
        return sum(worker.rss_mb for worker in self._workers.values())

    @property
    def open_files(self) -> int:
        """Return the open files of the worker that has most."""
        return max((worker.open_files for worker in self._workers.values()), default=0)

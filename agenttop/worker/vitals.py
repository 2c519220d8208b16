"""Measures a worker: its lags, CPU, memory and files, and once a second its machine's network."""

from __future__ import annotations

import contextlib
from array import array
from time import process_time_ns

import psutil

from agenttop.metrics.delta import Health
from agenttop.metrics.histogram import fold
from agenttop.wire.turns import TURNS
from agenttop.worker.busy_loop import Spin
from agenttop.worker.files import count_open_files, file_limit, open_files
from agenttop.worker.network import NetworkGauge

TICK_NS = 10_000_000
"""Nanoseconds between two ticks that loop lag is measured with."""


class Vitals:
    """Measures between two deltas; all times are ``perf_counter_ns``.

    Args:
        now: the present.
    """

    def __init__(self, now: int) -> None:
        self.arrival_lags = array("q")
        """How late arrivals were started, ns."""
        self.spin = Spin()
        self._lags = array("q")
        self._due = 0
        self._ticked_cpu = process_time_ns()
        self._longest = (0, "")
        """The longest turn since the last delta, ns, and the pool whose bytes took most of it."""
        self._cpu = (now, process_time_ns())
        self._process = psutil.Process()
        self._rss_mb = self._process.memory_info().rss / 1e6
        self._base_files = count_open_files()
        self._network = NetworkGauge(now)

    def begin(self, epoch_ns: int) -> None:
        """Set the first tick to the epoch."""
        self._due = epoch_ns

    def tick(self, now: int) -> float:
        """Take a tick; return in how many seconds the next is due.

        Ticks that were missed altogether were late too, each by 10 ms less than the one before.
        """
        late = max(now - self._due, 0)  # uvloop's timers may fire a millisecond early
        cpu, self._ticked_cpu = self._ticked_cpu, process_time_ns()
        if late > TICK_NS:
            TURNS.stalled(self._due - TICK_NS, now)
            # Only where it was our own work that took so long: who is kept from the processor is judged by its lags.
            if 2 * (self._ticked_cpu - cpu) >= late > self._longest[0]:
                whose, took = TURNS.busiest()
                self._longest = (late, whose if 2 * took >= late else "")
        TURNS.busiest()
        self._lags.extend(range(late, -1, -TICK_NS))
        self._due += (late // TICK_NS + 1) * TICK_NS
        return (self._due - now) / 1e9

    def take(self, now: int, users: list[int], *, network: bool) -> Health:
        """Return everything measured since the last call, and reset.

        Args:
            now: the present.
            users: how many there are, by the address they connect to.
            network: this worker measures its machine's network too.
        """
        lags, self._lags = self._lags, array("q")
        arrival_lags, self.arrival_lags = self.arrival_lags, array("q")
        longest, self._longest = self._longest, (0, "")
        wall, cpu = self._cpu
        self._cpu = (now, process_time_ns())
        busy = self._cpu[1] - cpu - self.spin.take()
        opened = open_files(self._base_files + sum(users))
        with contextlib.suppress(OSError):  # no file left to look with: what we are here to tell
            self._rss_mb = self._process.memory_info().rss / 1e6
        return Health(
            loop_lag=fold(lags) if lags else None,
            cpu_percent=100.0 * max(busy, 0) / max(now - wall, 1),
            rss_mb=self._rss_mb,
            open_files=opened,
            file_limit=file_limit(),
            arrival_lag=fold(arrival_lags) if arrival_lags else None,
            connections=min(max(users, default=0), max(opened - self._base_files, 0)),
            longest_turn_ms=longest[0] / 1e6,
            turn_of=longest[1],
            network=self._network.measure(now) if network else None,
        )

"""Whether the load generator itself can be trusted: a worker that is short of time measures its own delay.

Measured on one core: above about 70 % CPU timing begins to lie, long before the rate stops growing. Every rule asks for
lateness that lasts, so that one garbage collection or a start-up raises no alarm.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from agenttop.metrics.delta import Delta, HistDelta
from agenttop.metrics.histogram import Hist, merge, percentiles_of

CPU_PERCENT = 70.0
LAG_US = 5_000.0
#: How long the CPU must have been that busy on average.
CPU_SECONDS = 3.0
#: Lag is judged over this long, and must have shown in at least :data:`LATE_SECONDS` different seconds of it.
LAG_SECONDS = 10.0
LATE_SECONDS = 3
_ADVICE = "timings are too long; use more workers or another machine"


@dataclass(slots=True)
class _Lag:
    """One kind of lag of one worker, second by second: (end of the second, records)."""

    pending: list[HistDelta] = field(default_factory=list)
    seconds: deque[tuple[float, HistDelta]] = field(default_factory=deque)

    def close(self, t_s: float) -> float | None:
        """p99 over the last seconds (µs) where it is too high and has been in enough of them, else None."""
        if self.pending:
            self.seconds.append((t_s, merge(self.pending)))
            self.pending = []
        while self.seconds and self.seconds[0][0] <= t_s - LAG_SECONDS:
            self.seconds.popleft()
        if sum(records.high > LAG_US for _, records in self.seconds) < LATE_SECONDS:
            return None
        (p99,) = percentiles_of(merge([records for _, records in self.seconds]), (99.0,))
        return p99 if p99 > LAG_US else None


@dataclass(slots=True)
class _Worker:
    cpu: deque[tuple[float, float]] = field(default_factory=deque)
    loop_lag: _Lag = field(default_factory=_Lag)
    schedule_lag: _Lag = field(default_factory=_Lag)
    first_s: float | None = None

    def busy(self, t_s: float) -> float | None:
        """Mean CPU percent over the last seconds where it is too high, else None."""
        while self.cpu and self.cpu[0][0] <= t_s - CPU_SECONDS:
            self.cpu.popleft()
        if not self.cpu or self.first_s is None or t_s - self.first_s < CPU_SECONDS:
            return None
        mean = sum(percent for _, percent in self.cpu) / len(self.cpu)
        return mean if mean > CPU_PERCENT else None


@dataclass(slots=True)
class _Warning:
    """What has been wrong with one worker: since when, for how long, how bad at worst."""

    first_s: float
    worst: float
    seconds: float = 0.0


class Saturation:
    """Judges the workers once a second, and remembers."""

    def __init__(self) -> None:
        self._workers: dict[int, _Worker] = {}
        self._warnings: dict[tuple[int, str], _Warning] = {}
        self._closed_s = 0.0
        self.loop_lag = Hist()
        """Of the whole run and all workers, µs."""
        self.reasons: tuple[str, ...] = ()
        """Why the generator is saturated now; empty when it is not."""

    @property
    def ever(self) -> bool:
        """It was saturated at some time of the run."""
        return bool(self._warnings)

    def observe(self, delta: Delta) -> None:
        """Take note of a worker's health and of the schedule lag of its requests."""
        worker = self._workers.setdefault(delta.worker, _Worker())
        if worker.first_s is None:
            worker.first_s = delta.t_s
        worker.cpu.append((delta.t_s, delta.health.cpu_percent))
        if delta.health.loop_lag is not None:
            worker.loop_lag.pending.append(delta.health.loop_lag)
            self.loop_lag.add(delta.health.loop_lag)
        for leaf in delta.leaves:
            lag = leaf.hists.get("schedule_lag")
            if lag is not None:
                worker.schedule_lag.pending.append(lag)

    def forget(self, worker: int) -> None:
        """The worker is gone; what it did stays in :meth:`warnings`."""
        self._workers.pop(worker, None)

    def judge(self, t_s: float) -> None:
        """Close a second: set :attr:`reasons`, and remember them."""
        reasons = []
        elapsed, self._closed_s = max(0.0, t_s - self._closed_s), t_s
        for number, worker in sorted(self._workers.items()):
            found = (
                ("CPU", worker.busy(t_s)),
                ("loop lag", worker.loop_lag.close(t_s)),
                ("schedule lag", worker.schedule_lag.close(t_s)),
            )
            for kind, value in found:
                if value is None:
                    continue
                warning = self._warnings.setdefault((number, kind), _Warning(t_s, value))
                warning.worst = max(warning.worst, value)
                warning.seconds += elapsed
                reasons.append(f"worker {number}: {_figure(kind, value)}")
        self.reasons = tuple(reasons)

    def warnings(self) -> list[str]:
        """One line for each worker and rule, the earliest first."""
        rows = sorted(self._warnings.items(), key=lambda item: (item[1].first_s, item[0]))
        return [
            f"worker {number}: {_figure(kind, row.worst)} at worst, too much for {row.seconds:.0f} s, "
            f"first at {row.first_s:.0f} s: {_ADVICE}"
            for (number, kind), row in rows
        ]


def _figure(kind: str, value: float) -> str:
    if kind == "CPU":
        return f"CPU {value:.0f} % of its core (over {CPU_PERCENT:.0f} %)"
    return f"{kind} p99 {value / 1000:.0f} ms (over {LAG_US / 1000:.0f} ms)"

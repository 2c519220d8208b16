"""Judges whether the load generator can be trusted: a worker that is short of time measures its own delay.

    CPU            > 70 % of its core over 3 s
    loop lag       p99 > 4 ms over 10 s, in at least 3 different seconds of them; or p90 > 4 ms in each of 2 seconds
    schedule lag   the same, of arrivals
    a turn         of the loop of 100 ms or more, at once: nobody else was served meanwhile
    open files     ≥ 95 % of the limit, or a connection failed for want of one            ┐
    ephemeral ports  ≥ 95 % taken by connections to one address, or a connection failed   ├ see metrics.exhaustion
    network        ≥ 90 % of an interface's speed for 3 s                                 ┘
    silence        a worker has reported nothing for 2 s, of the four reports a second that it owes

What must not go unsaid is a timing error of 5 ms at p99. What arrives waits for the loop as a timer does, and then for
its turn: the error is more than the lag, so that 4 ms of it are too many.

Measured on one core: above about 70 % CPU timing begins to lie, long before the rate stops growing. Every rule of time
asks for lateness that lasts, so that one garbage collection or a start-up raises no alarm.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from agenttop.metrics.boxes import Boxes
from agenttop.metrics.delta import Delta, HistDelta
from agenttop.metrics.exhaustion import Files, Machine, Reason
from agenttop.metrics.histogram import Hist, merge, percentiles_of

CPU_PERCENT = 70.0
LAG_US = 4_000.0
#: Kinds of reason that tell by how many µs (p99) something was late.
LAGS = ("loop lag", "schedule lag")
#: How long the CPU must have been that busy on average.
CPU_SECONDS = 3.0
#: Lag is judged over this long, and must have shown in at least :data:`LATE_SECONDS` different seconds of it.
LAG_SECONDS = 10.0
LATE_SECONDS = 3
#: So many seconds on end with a tenth of each too late are enough: the rest of the ten would hide them.
BAD_SECONDS = 2
#: Below this the worker itself was not what kept it from its core.
SPARE_CPU_PERCENT = 50.0
#: After so long a worker that says nothing is stopped, or starved of its core.
SILENT_S = 2.0
_ADVICE_SILENT = "its users were not driven, what it measured is late or missing; see what stopped or starved it"
#: Milliseconds of one turn of the loop that are too many at once.
TURN_MS = 100.0
_ADVICE = "timings are longer for it; use more workers or another machine"
_ADVICE_SPARE = (
    "timings are longer for it; the worker used less than half of its core: something else took it (another program, a "
    "neighbour of this virtual machine, swapping)"
)
_ADVICE_TURN = "nobody else was served meanwhile; use more workers, or give such a pool a run of its own"
#: Of what belongs to no worker, but to the first machine; others have the numbers below.
_MACHINE = -1


@dataclass(slots=True)
class _Lag:
    """One kind of lag of one worker, second by second: (end of the second, records, p90)."""

    pending: list[HistDelta] = field(default_factory=list)
    seconds: deque[tuple[float, HistDelta, float]] = field(default_factory=deque)

    def close(self, t_s: float) -> float | None:
        """Return p99 over the last seconds (µs) if it was too high for too long, else None."""
        if self.pending:
            records = merge(self.pending)
            (p90,) = percentiles_of(records, (90.0,))
            self.seconds.append((t_s, records, p90))
            self.pending = []
        while self.seconds and self.seconds[0][0] <= t_s - LAG_SECONDS:
            self.seconds.popleft()
        late = sum(records.high > LAG_US for _, records, _ in self.seconds)
        newest = list(self.seconds)[-BAD_SECONDS:]
        on_end = len(newest) == BAD_SECONDS and newest[-1][0] - newest[0][0] < BAD_SECONDS - 0.5
        bad = on_end and all(p90 > LAG_US for _, _, p90 in newest)
        if late < LATE_SECONDS and not bad:
            return None
        (p99,) = percentiles_of(merge([records for _, records, _ in self.seconds]), (99.0,))
        return p99 if p99 > LAG_US else None


@dataclass(slots=True)
class _Worker:
    cpu: deque[tuple[float, float]] = field(default_factory=deque)
    loop_lag: _Lag = field(default_factory=_Lag)
    arrival_lag: _Lag = field(default_factory=_Lag)
    files: Files = field(default_factory=Files)
    connections: int = 0
    turn: tuple[float, str] = (0.0, "")
    """The longest turn of this second in ms, and the pool whose answers took it."""
    first_s: float | None = None

    def observe(self, delta: Delta) -> None:
        health = delta.health
        if self.first_s is None:
            self.first_s = delta.t_s
        self.cpu.append((delta.t_s, health.cpu_percent))
        self.connections = health.connections
        self.files.observe(delta)
        self.turn = max(self.turn, (health.longest_turn_ms, health.turn_of))
        for lag, records in ((self.loop_lag, health.loop_lag), (self.arrival_lag, health.arrival_lag)):
            if records is not None:
                lag.pending.append(records)

    def judge(self, t_s: float) -> list[Reason]:
        """Return why this worker is saturated. Causes of failed connections come first: a narrow screen cuts
        the rest.
        """
        files = self.files.judge(t_s)
        found = [files] if files is not None else []
        mean = self._mean_cpu(t_s)
        if mean > CPU_PERCENT and self.first_s is not None and t_s - self.first_s >= CPU_SECONDS:
            found.append(Reason("CPU", mean, f"CPU {mean:.0f} % of its core (over {CPU_PERCENT:.0f} %)", _ADVICE))
        advice = _ADVICE_SPARE if mean < SPARE_CPU_PERCENT else _ADVICE
        for kind, lag in zip(LAGS, (self.loop_lag, self.arrival_lag), strict=True):
            p99 = lag.close(t_s)
            if p99 is not None:
                figure = f"{p99 / 1000:.1f}" if p99 < 10_000 else f"{p99 / 1000:.0f}"
                text = f"{kind} p99 {figure} ms (over {LAG_US / 1000:.0f} ms)"
                found.append(Reason(kind, p99, text, advice))
        (turn, whose), self.turn = self.turn, (0.0, "")
        if turn >= TURN_MS:
            taken = f", taken by the answers of pool {whose}" if whose else ""
            found.append(Reason("turn", turn, f"a turn of the loop took {turn:.0f} ms{taken}", _ADVICE_TURN))
        return found

    def _mean_cpu(self, t_s: float) -> float:
        """Return the mean percent over the last seconds."""
        while self.cpu and self.cpu[0][0] <= t_s - CPU_SECONDS:
            self.cpu.popleft()
        return sum(percent for _, percent in self.cpu) / len(self.cpu) if self.cpu else 0.0


@dataclass(slots=True)
class _Warning:
    """One thing that was wrong: when first, for how long, and its worst value."""

    first_s: float
    worst: Reason
    seconds: float = 0.0


class Saturation:
    """Judges the workers and their machines once a second, and remembers warnings.

    Args:
        boxes: which machine each worker is on.
    """

    def __init__(self, boxes: Boxes | None = None) -> None:
        self._boxes = Boxes() if boxes is None else boxes
        self._workers: dict[int, _Worker] = {}
        self._machines = [Machine() for _ in range(self._boxes.machines)]
        self._warnings: dict[tuple[int, str], _Warning] = {}
        self._closed_s = 0.0
        self.loop_lag = Hist()
        """Loop lag of the whole run and all workers, µs."""
        self.current: tuple[Reason, ...] = ()
        """Every reason that holds now."""
        self.reasons: tuple[str, ...] = ()
        """The same as text; empty if the generator is not saturated now."""
        self.silent: list[int] = []
        """Numbers of the workers that are silent now."""
        self._heard: dict[int, float] = {}
        """When each worker was last heard, by its own clock."""
        self._gone: set[int] = set()

    @property
    def ever(self) -> bool:
        """Return whether it was saturated at any time of the run."""
        return bool(self._warnings)

    def observe(self, delta: Delta) -> None:
        """Take a worker's health, and the connections it could not open."""
        self._workers.setdefault(delta.worker, _Worker()).observe(delta)
        self._heard[delta.worker] = delta.t_s
        self._machines[self._boxes.machine_of(delta.worker)].observe(delta)
        if delta.health.loop_lag is not None:
            self.loop_lag.add(delta.health.loop_lag)

    def forget(self, worker: int) -> None:
        """Forget a lost worker; its :meth:`warnings` stay."""
        self._workers.pop(worker, None)
        self._gone.add(worker)

    def judge(self, t_s: float, workers: int = 0) -> None:
        """Close a second: set :attr:`reasons`, and remember them.

        Args:
            t_s: end of the second, in seconds since the run began.
            workers: how many should report; 0 while the run is coming to its end.
        """
        elapsed, self._closed_s = max(0.0, t_s - self._closed_s), t_s
        connections = [0] * len(self._machines)
        for number, worker in self._workers.items():
            connections[self._boxes.machine_of(number)] += worker.connections
        found = [
            (_MACHINE - index, reason)
            for index, machine in enumerate(self._machines)
            for reason in machine.judge(t_s, connections[index])
        ]
        self.silent = [
            number
            for number in range(workers)
            if number not in self._gone and t_s - self._heard.get(number, 0.0) >= SILENT_S
        ]
        for number in self.silent:
            since = self._heard.get(number, 0.0)
            text = f"has said nothing since {since:.0f} s: its users are not counted"
            found.append((number, Reason("silence", t_s - since, text, _ADVICE_SILENT)))
        found += [(number, reason) for number, worker in sorted(self._workers.items()) for reason in worker.judge(t_s)]
        for number, reason in found:
            warning = self._warnings.setdefault((number, reason.kind), _Warning(t_s, reason))
            if reason.value > warning.worst.value:
                warning.worst = reason
            warning.seconds += elapsed
        self.current = tuple(reason for _, reason in found)
        self.reasons = tuple(self._of(number) + reason.text for number, reason in found)

    def warnings(self) -> list[str]:
        """Return one line for each worker and rule, the earliest first."""
        rows = sorted(self._warnings.items(), key=lambda item: (item[1].first_s, item[0]))
        return [
            f"{self._of(number)}{row.worst.text} at worst, too much for {row.seconds:.0f} s, "
            f"first at {row.first_s:.0f} s: {row.worst.advice}"
            for (number, _), row in rows
        ]

    def _of(self, number: int) -> str:
        name = self._boxes.worker(number) if number > _MACHINE else self._boxes.machine(_MACHINE - number)
        return f"{name}: " if name else ""

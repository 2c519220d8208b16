"""The boxes of a fleet: what each of them does, from the deltas of its workers. A run on one machine has none."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from agenttop.metrics.delta import WARMUP, Delta, HistDelta
from agenttop.metrics.histogram import Hist, merge, percentiles_of
from agenttop.metrics.outcome import NOT_FINISHED

#: Seconds that rates and percentiles of a box are of.
WINDOW_S = 10
UP, SILENT, OFF, LOST = "up", "silent", "off", "lost"
"""States of a box: it answers; it has not for a second; it was left out by a command; it is gone for good."""
#: Users, requests in flight, and CPU percent of one worker.
Gauge = tuple[int, int, float]
_KINDS = ("lag", "ttft", "latency")
#: A clock that may be off by more than this is said to be.
CLOCK_ERROR_MS = 5.0


class BoxInfo(msgspec.Struct, frozen=True):
    """One box of a run, as it was when that began."""

    name: str
    first: int
    """Number of its first worker; the others follow."""
    count: int
    cores: int
    host: str
    """What it calls itself."""
    file_limit: int = 0
    """Open files that each of its workers may have; 0 where nobody asked."""


class BoxState(msgspec.Struct, frozen=True):
    """How a box stands, as the controller sees it."""

    name: str
    state: str
    """:data:`UP`, :data:`SILENT`, :data:`OFF` or :data:`LOST`."""
    trip_ms: float | None = None
    """Quickest recent round trip to it."""
    clock_error_ms: float | None = None
    """What its times can be off by at most."""
    clock_offset_ms: float | None = None
    """How far its clock is ahead of the controller's; it is accounted for."""
    off: bool = False
    """It was left out by a command, be it silent or not."""


class BoxRow(msgspec.Struct, frozen=True):
    """One box in a snapshot. Rates and percentiles are of the last seconds."""

    name: str
    state: str
    workers: int
    users: int
    in_flight: int
    rps: float
    cpu_percent: float
    """Of its busiest worker."""
    loop_lag_p99_ms: float | None
    ttft_p95_ms: float | None
    latency_p95_ms: float | None
    trip_ms: float | None
    clock_error_ms: float | None


class _Box:
    def __init__(self, info: BoxInfo) -> None:
        self.numbers = range(info.first, info.first + info.count)
        self.info = info
        self.requests = 0
        self.users_max = 0
        self.cpu_max = 0.0
        self.clock_error_ms = 0.0
        self.lost_s: float | None = None
        self.state = BoxState(info.name, UP)
        self.row: BoxRow | None = None
        self._measured = {kind: Hist() for kind in _KINDS}
        self._new: dict[str, list[HistDelta]] = {kind: [] for kind in _KINDS}
        self._finished = 0
        self._window: deque[tuple[float, int, dict[str, HistDelta | None]]] = deque(maxlen=WINDOW_S)

    def fold(self, delta: Delta) -> None:
        """Take what is new on one of its workers."""
        for leaf in delta.leaves:
            finished = sum(count for name, count in leaf.outcomes.items() if name not in NOT_FINISHED)
            self._finished += finished
            measured = leaf.stage != WARMUP
            self.requests += finished if measured else 0
            for kind in ("latency", "ttft"):
                if (hist := leaf.hists.get(kind)) is not None:
                    self._new[kind].append(hist)
                    if measured:
                        self._measured[kind].add(hist)
        if (lag := delta.health.loop_lag) is not None:
            self._new["lag"].append(lag)
            self._measured["lag"].add(lag)

    def close(self, t_s: float, seconds: float, state: BoxState, gauges: dict[int, Gauge]) -> None:
        """Close a second."""
        self._window.append(
            (seconds, self._finished, {kind: merge(new) if new else None for kind, new in self._new.items()})
        )
        self._finished, self._new = 0, {kind: [] for kind in _KINDS}
        self.state = state
        if state.state == LOST and self.lost_s is None:
            self.lost_s = t_s
        found = [gauges[number] for number in self.numbers if number in gauges]
        lasted = sum(each for each, _, _ in self._window)
        self.row = BoxRow(
            name=self.info.name,
            state=state.state,
            workers=len(found),
            users=sum(users for users, _, _ in found),
            in_flight=sum(in_flight for _, in_flight, _ in found),
            rps=sum(count for _, count, _ in self._window) / lasted if lasted > 0 else 0.0,
            cpu_percent=max((cpu for _, _, cpu in found), default=0.0),
            loop_lag_p99_ms=self._percentile("lag", 99.0),
            ttft_p95_ms=self._percentile("ttft", 95.0),
            latency_p95_ms=self._percentile("latency", 95.0),
            trip_ms=state.trip_ms,
            clock_error_ms=state.clock_error_ms,
        )
        self.users_max, self.cpu_max = max(self.users_max, self.row.users), max(self.cpu_max, self.row.cpu_percent)
        self.clock_error_ms = max(self.clock_error_ms, state.clock_error_ms or 0.0)

    def summary(self) -> dict[str, Any]:
        """Return its part of the summary."""
        measured = {kind: hist.dist() for kind, hist in self._measured.items()}
        return {
            "name": self.info.name,
            "host": self.info.host,
            "workers": self.info.count,
            "cpu_count": self.info.cores,
            "state": self.state.state,
            "lost_s": self.lost_s,
            "requests": self.requests,
            "users_max": self.users_max,
            "cpu_percent_max": round(self.cpu_max, 1),
            "loop_lag_ms": measured["lag"],
            "latency_ms": measured["latency"],
            "ttft_ms": measured["ttft"],
            "clock_error_ms": round(self.clock_error_ms, 3),
        }

    def _percentile(self, kind: str, percent: float) -> float | None:
        """Return a percentile of the last seconds, in ms."""
        found = [one for _, _, whole in self._window if (one := whole[kind]) is not None]
        return percentiles_of(merge(found), (percent,))[0] / 1000 if found else None


class Boxes:
    """The boxes of one run; falsy where it has none.

    Args:
        infos: of them.
    """

    def __init__(self, infos: Sequence[BoxInfo] = ()) -> None:
        self._boxes = [_Box(info) for info in infos]
        self._of = {number: index for index, box in enumerate(self._boxes) for number in box.numbers}
        self._closed_s = 0.0

    def __bool__(self) -> bool:
        return bool(self._boxes)

    @property
    def machines(self) -> int:
        """Return how many machines there are: one, where there are no boxes."""
        return len(self._boxes) or 1

    def machine_of(self, worker: int) -> int:
        """Return the index of a worker's machine."""
        return self._of.get(worker, 0)

    def machine(self, index: int) -> str:
        """Return a machine's name; empty where there is only one."""
        return self._boxes[index].info.name if self._boxes else ""

    def worker(self, number: int) -> str:
        """Return a worker in words, with its box where there are some."""
        return f"{self.machine(self.machine_of(number))} worker {number}".lstrip()

    def fold(self, delta: Delta) -> None:
        """Take what is new on one worker."""
        if self._boxes:
            self._boxes[self.machine_of(delta.worker)].fold(delta)

    def close(self, t_s: float, states: Sequence[BoxState], gauges: dict[int, Gauge]) -> None:
        """Close a second that ends ``t_s`` seconds after the run began; ``gauges`` are of the workers that are heard.

        A box whose state is not told stays as it was.
        """
        seconds, self._closed_s = t_s - self._closed_s, t_s
        by_name = {state.name: state for state in states}
        for box in self._boxes:
            box.close(t_s, seconds, by_name.get(box.info.name, box.state), gauges)

    @property
    def rows(self) -> tuple[BoxRow, ...]:
        """Return the boxes as they were when the last second was closed."""
        return tuple(box.row for box in self._boxes if box.row is not None)

    def summary(self) -> list[dict[str, Any]]:
        """Return the summary's ``generator.boxes``."""
        return [box.summary() for box in self._boxes]

"""What the workers of a run did, second by second, as its journal has it.

Answers per second of the workers' own CPU time is the figure that other processes on the machine disturb least.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agenttop.journal.journal import Second
from agenttop.metrics.histogram import merge, percentiles_of
from tests.benchmarks.machine import Cores
from tests.benchmarks.program import started

#: Seconds at the begin of a run that are not looked at: connections are opened, the workers warm up.
START_S = 1.0


@dataclass(frozen=True, slots=True)
class Work:
    """What the workers did over some seconds, all together."""

    seconds: int
    ok: int
    """Answers that ended well."""
    cpu_s: float
    """CPU time, without what an idle worker spins away."""
    lag_p99_ms: float | None
    """Of the workers' 10 ms timers; None where nothing was measured."""

    @property
    def per_s(self) -> float:
        """Answers per second."""
        return self.ok / self.seconds

    @property
    def per_cpu_s(self) -> float:
        """Answers per second of CPU time."""
        return self.ok / self.cpu_s


def run_and_work(
    profile: str, *, lasts_s: float, workers: int = 1, where: Cores | None = None
) -> tuple[dict[str, Any], Work]:
    """Run a profile; its summary, and the work from its first second to the end of its stages.

    Args:
        profile: the text of the profile.
        lasts_s: how long its stages take.
        workers: how many.
        where: the cores for all processes of the program; the client's by default.

    Raises:
        BenchmarkError: it did not end as it should, or not in time.
    """
    with started(profile, workers=workers, where=where) as program:
        summary = program.finish(lasts_s)
        return summary, work_of(program.seconds(), START_S, lasts_s)


def work_of(seconds: Iterable[Second], after_s: float, until_s: float) -> Work:
    """What was done in the whole seconds from ``after_s`` to ``until_s``, counted from the begin of the run.

    Raises:
        ValueError: there is none.
    """
    chosen = [second for second in seconds if after_s + 1 <= second.situation.t_s <= until_s]
    if not chosen:
        raise ValueError("no whole second to look at")
    deltas = [delta for second in chosen for delta in second.deltas]
    lags = [delta.health.loop_lag for delta in deltas if delta.health.loop_lag is not None]
    return Work(
        seconds=len(chosen),
        ok=sum(leaf.outcomes.get("ok", 0) for delta in deltas for leaf in delta.leaves),
        cpu_s=sum(delta.health.cpu_percent for delta in deltas) / 100,
        lag_p99_ms=percentiles_of(merge(lags), (99.0,))[0] / 1000 if lags else None,
    )

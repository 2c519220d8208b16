"""Whether memory stays as it is: of the figures of a long run, simulated, and of the whole program under load."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import psutil

from tests.benchmarks import profiles
from tests.benchmarks.nginx import nginx
from tests.benchmarks.options import Options, begin
from tests.benchmarks.program import BenchmarkError, started
from tests.benchmarks.results import Results
from tests.benchmarks.simulate import TICK_BYTES, Weight, simulate
from tests.benchmarks.targets import judge

USERS = 64
#: What may come on top of the timeline between a tenth of a run and its end, in MB.
TARGET_MB = 3.0

#: (seconds since the run began, bytes)
Sample = tuple[float, int]


def memory(options: Options) -> Results:
    """Growth of 50 million samples, of a day's seconds, and of ten minutes under load."""
    results = begin("memory: resident memory as a run goes on")
    results.note("simulated: everything but the network, in one process; growth is from a tenth of the run to its end")
    results.note(f"but timeline: without the timeline's columns, which grow by {TICK_BYTES} bytes a second of the run")
    cases = {"50 million samples in an hour": (50_000_000, 3600), "24 hours, 100 samples/s": (8_640_000, 86_400)}
    if options.quick:
        cases = {"5 million samples in 6 minutes": (5_000_000, 360), "30 minutes, 100 samples/s": (180_000, 1800)}
    for case, (samples, seconds) in cases.items():
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
            weights = fresh.submit(simulate, samples, seconds).result()
        _add_simulated(results, case, weights)
        judge(results, case, "but_timeline_MB", at_most=TARGET_MB)
    if options.quick:
        results.note("half a minute is too short to tell growth by the minute: see the full run")
    _under_load(results, *((30, 10, 0.5) if options.quick else (600, 60, 2.0)))
    return results


def _add_simulated(results: Results, case: str, weights: Sequence[Weight]) -> None:
    first, last = weights[0], weights[-1]
    growth = last.rss_bytes - first.rss_bytes
    results.add(
        case,
        begin_MB=first.rss_bytes / 1e6,
        half_MB=weights[1].rss_bytes / 1e6,
        end_MB=last.rss_bytes / 1e6,
        growth_MB=growth / 1e6,
        but_timeline_MB=(growth - last.timeline_bytes + first.timeline_bytes) / 1e6,
        million_samples=last.samples / 1e6,
    )


def _under_load(results: Results, lasts_s: int, settled_s: int, every_s: float) -> None:
    """A script without think time, its processes weighed every ``every_s`` seconds."""
    results.note(
        f"under load: a script of {USERS} users without think time for {lasts_s} s, from {settled_s} s to the end"
    )
    with nginx() as url:
        profile = profiles.SCRIPT.format(url=url, users=USERS, seconds=lasts_s, think_time="0s")
        with started(profile) as program:
            (worker,) = program.workers()
            processes = {"worker": worker, "controller": program.controller()}
            processes["viewer (plain lines)"] = psutil.Process(program.process.pid)
            weighed: dict[str, list[Sample]] = {name: [] for name in processes}
            began = time.monotonic()
            while (elapsed := time.monotonic() - began) < lasts_s - 2:
                for name, process in processes.items():
                    weighed[name].append((elapsed, process.memory_info().rss))
                time.sleep(every_s)
            summary = program.finish(2)
    failed = summary["totals"]["failed"]
    results.expect(not failed, f"{failed} requests failed: {summary['totals']['errors'][:1]}")
    for name, samples in weighed.items():
        late = [sample for sample in samples if sample[0] >= settled_s]
        results.add(
            f"{name}, under load",
            begin_MB=late[0][1] / 1e6,
            half_MB=late[len(late) // 2][1] / 1e6,
            end_MB=late[-1][1] / 1e6,
            growth_MB=(late[-1][1] - late[0][1]) / 1e6,
            kB_per_min=slope(late) * 60 / 1e3,
            kB_per_min_of_second_half=slope(late[len(late) // 2 :]) * 60 / 1e3,
        )


def slope(samples: Sequence[Sample]) -> float:
    """Bytes per second of the line that fits the samples best (least squares).

    Raises:
        BenchmarkError: one sample has no slope.
    """
    if len(samples) < 2:
        raise BenchmarkError("too few samples of memory")
    times, weights = np.array(samples, float).T
    return float(np.polyfit(times, weights, 1)[0])

"""Many users on one worker, who mostly think: how fast they are there, what they weigh, how late the loop is."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence

from tests.benchmarks import profiles
from tests.benchmarks.nginx import Missing, nginx, served
from tests.benchmarks.options import Options, begin
from tests.benchmarks.program import started
from tests.benchmarks.results import Results
from tests.benchmarks.targets import judge
from tests.benchmarks.work import work_of

FEW, MANY = 10, 10_000
#: Seconds with few users, before the many come.
FEW_S = 5
#: A user's longest pause: after it everyone has asked twice.
THINK_S = 15
LOOK_S = 0.05

#: (seconds on our clock, connections that nginx has)
Look = tuple[float, int]


def users(options: Options) -> Results:
    """10 000 users with think time: seconds until all are connected, bytes of memory each, lag of the loop."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if limit != resource.RLIM_INFINITY and limit < MANY + 200:
        raise Missing(f"{MANY} users need more open files than this shell allows: ulimit -n {MANY + 200}")
    results = begin(f"users: {MANY} users who think 5 to 15 s, one worker, against nginx")
    results.note("connected: from the last look at which nginx had the few to the first at which it had all")
    results.note(f"lag: of the worker's 10 ms timer, from {THINK_S} s after the step to the end")
    settled_s = THINK_S + (10 if options.quick else 30)
    for _ in range(options.rounds):
        _round(results, settled_s)
    judge(results, "until all are connected, s", "figure", at_most=5)
    judge(results, "worker's memory for one user, bytes", "figure", at_most=8_000)
    judge(results, "loop lag p99, ms", "figure", at_most=5)
    return results


def _round(results: Results, settled_s: int) -> None:
    with nginx() as url:
        profile = profiles.USERS.format(url=url, few=FEW, many=MANY, few_s=FEW_S, many_s=settled_s)
        with started(profile) as program:
            (worker,) = program.workers()
            looks, began = [], time.monotonic()
            light = worker.memory_info().rss
            while time.monotonic() < began + FEW_S + settled_s - 1:
                looks.append((time.monotonic(), served(url).active - 1))
                if looks[-1][1] <= FEW:
                    light = worker.memory_info().rss
                time.sleep(LOOK_S)
            heavy = worker.memory_info().rss
            summary, seconds = program.finish(10), program.seconds()
    totals = summary["totals"]
    results.expect(not totals["failed"], f"{totals['failed']} requests failed: {totals['errors'][:1]}")
    results.expect(totals["connections_opened"] == MANY, f"{totals['connections_opened']} connections of {MANY} users")
    took_s = opened_within(looks, FEW, MANY)
    results.expect(took_s is not None, f"nginx never had {MANY} connections: {max(n for _, n in looks)} at most")
    results.add("until all are connected, s", figure=took_s)
    results.add("worker's memory for one user, bytes", figure=(heavy - light) / (MANY - FEW))
    results.add("worker's memory with few users, MB", figure=light / 1e6)
    results.add("worker's memory with all, MB", figure=heavy / 1e6)
    opening, settled = work_of(seconds, FEW_S, FEW_S + 5), work_of(seconds, FEW_S + THINK_S, FEW_S + settled_s)
    results.add("loop lag p99, ms", figure=settled.lag_p99_ms)
    results.add("loop lag p99 while they come, ms", figure=opening.lag_p99_ms)
    results.add("requests/s", figure=settled.per_s)
    results.add("CPU of the worker, %", figure=100 * settled.cpu_s / settled.seconds)


def opened_within(looks: Sequence[Look], few: int, many: int) -> float | None:
    """Seconds from the last look at ``few`` connections or less before there were more, to the first at ``many``; None
    where there never were so many.
    """
    full = next((at for at, count in looks if count >= many), None)
    if full is None:
        return None
    return full - max((at for at, count in looks if count <= few and at < full), default=looks[0][0])

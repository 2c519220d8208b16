"""What a second worker brings.

The target sends whole answers of 200 events in one write each, so that nearly all the work is the workers'. Where
there are fewer than three cores the server and the controller still take some of theirs. Three figures tell the causes
apart: ``x one`` is what a user sees; ``by CPU`` is events per CPU second of the workers, twice what one has in it being
what two would do on cores of their own; ``machine`` is what two processes that only compute do against one.
"""

from __future__ import annotations

import subprocess
import sys

from tests.benchmarks import profiles
from tests.benchmarks.machine import Cores, client_cores, cores, started_on
from tests.benchmarks.nginx import STREAM_EVENTS, nginx
from tests.benchmarks.options import Options, begin
from tests.benchmarks.results import Results
from tests.benchmarks.targets import judge
from tests.benchmarks.work import Work, run_and_work

TARGET_X = 1.8
_COMPUTE = """
import time
began, count = time.perf_counter(), 0
while time.perf_counter() < began + 1:
    for _ in range(10000):
        count += 1
print(count)
"""


def workers(options: Options) -> Results:
    """Streamed events per second of two workers against one."""
    results = begin("workers: two workers against one, openai.chat streams of 200 events that come at once")
    where = _client()
    shared = bool(where) and where == cores()
    if shared:
        results.note("too few cores: nginx and the controller share them with the workers; see 'by CPU'")
    seconds = 4 if options.quick else 10
    with nginx() as url:
        for _ in range(options.rounds):
            found = {count: _run(results, url, count, seconds, where) for count in (1, 2)}
            machine = {count: compute(count, where) for count in (1, 2)}
            for count, work in found.items():
                results.add(
                    f"{count} worker" + "s" * (count > 1),
                    events_per_s=work.per_s * STREAM_EVENTS,
                    x_one=work.per_s / found[1].per_s,
                    by_CPU=count * work.per_cpu_s / found[1].per_cpu_s,
                    machine=machine[count] / machine[1],
                    events_per_CPU_s=work.per_cpu_s * STREAM_EVENTS,
                    cores_busy=work.cpu_s / work.seconds,
                )
    judge(results, "2 workers", "by_CPU" if shared else "x_one", at_least=TARGET_X)
    return results


def compute(count: int, where: Cores) -> float:
    """What so many processes that only compute get done in a second, together."""
    with started_on(where):
        processes = [
            subprocess.Popen([sys.executable, "-c", _COMPUTE], stdout=subprocess.PIPE, text=True) for _ in range(count)
        ]
    return float(sum(int(process.communicate()[0]) for process in processes))


def _run(results: Results, url: str, count: int, seconds: int, where: Cores) -> Work:
    profile = profiles.WORKERS.format(url=url, seconds=seconds)
    summary, work = run_and_work(profile, lasts_s=seconds, workers=count, where=where)
    totals = summary["totals"]
    results.expect(not totals["failed"], f"{count} workers: {totals['failed']} failed: {totals['errors'][:1]}")
    tokens, expected = totals["tokens"]["output"], totals["ok"] * STREAM_EVENTS
    results.expect(tokens == expected, f"{count} workers: {tokens} tokens read of {expected} sent")
    return work


def _client() -> Cores:
    """The client's cores where they are enough for two workers, else all."""
    return client_cores() if len(client_cores()) > 1 else cores()

"""Where one worker's capacity ends, and whether it says so: the load grows step by step, and beside it goes a probe.

A probe is an answer of one event that says how long the server took for it: what the program adds is the error of its
timing. No step with an error over 5 ms at p99 may go without ``saturated``, and no light one may be called so, unless
its error was over 5 ms all the same: then something else had the core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.benchmarks import profiles
from tests.benchmarks.nginx import nginx
from tests.benchmarks.options import Options, begin
from tests.benchmarks.program import ask, figure, run_program
from tests.benchmarks.results import Results
from tests.benchmarks.stream_server import serving_streams

ERROR_MS = 5.0
LIGHT_PERCENT = 50.0
#: A server that is itself so late (p99) makes the error of a probe its own, or tells of a machine that is busy with
#: something else: of such a step nothing is expected.
SERVER_LAG_MS = 2.5

_PROBE = """
[[pools]]
name = "probe"
target = "http://127.0.0.1:{port}"
protocol = "sse"
dialect = "json"
stages = [ {{ duration = "{seconds}s", users = 25, ramp = "step" }} ]
think_time = "0ms..50ms"
  [[pools.tasks]]
  name = "one token"
  post = "/probe?tokens=1&rate=1"
  json = {{ content = "Hello" }}
  [pools.measure]
  first_token = "$.delta"
  done = "$.done"
  phases = {{ server = "$.total_s" }}
"""

_HEAD = """
name = "benchmark-capacity"
target = "{url}"
graceful_stop = "10s"
"""

_ARRIVALS = """
[[pools]]
name = "load"
arrivals = "poisson"
max_users = 2000
stages = [ {{ duration = "{seconds}s", rate = {size}, ramp = "step" }} ]
[[pools.tasks]]
get = "/"
"""

_USERS = """
[[pools]]
name = "load"
stages = [ {{ duration = "{seconds}s", users = {size}, ramp = "step" }} ]
think_time = "20ms..60ms"
[[pools.tasks]]
get = "/"
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of load and its steps, light first; ``{}`` in ``name`` is the size of a step."""

    name: str
    sizes: tuple[int, ...]
    profile: Callable[[str, int, int, float], str]
    """Of nginx's URL, the probe's port, the size and the seconds."""


def _streams(url: str, port: int, size: int, seconds: float) -> str:
    ramp = min(2.0, seconds / 4)
    return profiles.SSE.format(port=port, ramp=ramp, hold=seconds - ramp, streams=size, rate=40, tokens=80)


def _mixed(load: str) -> Callable[[str, int, int, float], str]:
    text = _HEAD + load + _PROBE
    return lambda url, port, size, seconds: text.format(url=url, port=port, size=size, seconds=seconds)


CASES = (
    Case("{} streams x 40/s", (100, 250, 500, 750, 1000, 1500, 2000), _streams),
    Case("{} arrivals/s", (1000, 2500, 5000, 10_000, 15_000, 20_000), _mixed(_ARRIVALS)),
    Case("{} users, 40 ms apart", (50, 100, 200, 400, 800, 1600), _mixed(_USERS)),
)
#: A run too short for ten seconds' percentiles must say it as well: so many streams for so many seconds.
SHORT = (2000, 5.0)


def capacity(options: Options) -> Results:
    """The staircase of every kind of load, and a short run far past the end of one."""
    results = begin("capacity: where timing begins to lie, and whether the run says so (one worker, times in ms)")
    results.note("error: p99 of what the program adds to a probe's time; of arrivals how late they are sent, if more")
    seconds = 5.0 if options.quick else 10.0
    with nginx() as url:
        for _ in range(options.rounds):
            for case in CASES:
                for size in case.sizes[::2] if options.quick else case.sizes:
                    _step(results, case, size, url, seconds)
            _step(results, CASES[0], SHORT[0], url, SHORT[1], ", short")
    return results


def _step(results: Results, case: Case, size: int, url: str, seconds: float, note: str = "") -> None:
    name = case.name.format(size) + note
    with serving_streams(results, spread_ms=25) as port:
        summary = run_program(case.profile(url, port, size, seconds), lasts_s=seconds)
        server = ask(port, "/stats")
    generator = summary["generator"]
    error = timing_error(summary)
    cpu, lag = generator["cpu_percent_max"], server["lag_ms"]["p99"]
    marked, why = generator["saturated"], "; ".join(generator["warnings"])
    totals = summary["totals"]
    results.expect(not totals["failed"], f"{name}: {totals['failed']} failed: {totals['errors'][:1]}")
    probe = summary["pools"]["probe"]
    results.expect(probe["ok"] > 0, f"{name}: no probe was answered")
    timed = figure(probe["unattributed_ms"], "count") or 0
    results.expect(timed == probe["ok"], f"{name}: {timed:g} of {probe['ok']} probes with the server's time")
    if lag > SERVER_LAG_MS:
        results.note(f"{name}: the server was late itself (p99 {lag:.1f} ms): nothing is expected of this step")
    else:
        light = cpu < LIGHT_PERCENT and error <= ERROR_MS
        results.expect(not (light and marked), f"{name}: called saturated at {cpu:.0f} % CPU, {error:.1f} ms: {why}")
        results.expect(error <= ERROR_MS or marked, f"{name}: error p99 {error:.1f} ms, and nobody said so")
    results.add(
        name,
        error_p99=error,
        loop_lag_p99=figure(generator["loop_lag_ms"], "p99"),
        cpu_percent=cpu,
        requests_per_s=totals["rps"],
        server_lag_p99=lag,
        saturated=float(marked),
        since_s=first_warned_s(generator["warnings"]),
    )
    if why:
        results.note(f"{name}: {why}")


def timing_error(summary: dict[str, Any]) -> float:
    """p99 of how wrong the times of a run with a probe are, ms."""
    probe = figure(summary["pools"]["probe"]["unattributed_ms"], "p99") or 0.0
    return max(probe, figure(summary["totals"]["schedule_lag_ms"], "p99") or 0.0)


def first_warned_s(warnings: list[str]) -> float | None:
    """The second in which the first warning came; None without any."""
    found = [float(words[0]) for warning in warnings if (words := warning.partition("first at ")[2].split())]
    return min(found, default=None)

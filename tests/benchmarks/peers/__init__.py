"""agenttop beside the load tools a user would otherwise pick: the same load, from one core, in turn."""

from __future__ import annotations

from tests.benchmarks import profiles
from tests.benchmarks.machine import client_cores
from tests.benchmarks.nginx import Missing, nginx
from tests.benchmarks.options import Options, begin
from tests.benchmarks.peers import clients, streams
from tests.benchmarks.peers.clients import Peer
from tests.benchmarks.peers.meter import metered
from tests.benchmarks.peers.outputs import Measured
from tests.benchmarks.program import BenchmarkError, figure, run_program
from tests.benchmarks.results import Results

__all__ = ["peers"]

OURS = "agenttop"


def peers(options: Options) -> Results:
    """Requests per second against nginx and what they cost the client, then token streams, beside other tools.

    Raises:
        Missing: nginx is not installed.
        BenchmarkError: agenttop itself failed.
    """
    results = begin("peers: keep-alive requests against nginx from one core, no think time; then token streams")
    results.note("x agenttop: so many times the tool's rate is ours; latencies are as each tool reports them")
    results.note("CPU per request: cores in use under load by the rate, all processes of the client; rss likewise")
    results.note("users of Locust are there before it is measured; those of Artillery come in its first second")
    if len(client_cores()) > 1:
        results.note("the controller of agenttop is not confined to the core of its worker; the other tools have one")
    tools = _available(results)
    seconds = 3 if options.quick else 6
    with nginx() as url:
        for turn in range(options.rounds):
            for users in (64, 1000):
                _round(results, tools if turn % 2 == 0 else tools[::-1], url, users, seconds)
    try:
        streams.rows(options, results)
    except Missing as missing:
        results.note(f"streams skipped: {missing}")
    return results


def _available(results: Results) -> list[Peer | None]:
    """Those that can be had; None is agenttop, first. Their versions are noted, and who is missing."""
    tools: list[Peer | None] = [None]
    for make in clients.ALL:
        try:
            tools.append(make())
        except Missing as missing:
            results.note(f"skipped: {missing}")
    results.note(", ".join(f"{tool.name} {tool.version}" for tool in tools if tool is not None))
    return tools


def _round(results: Results, tools: list[Peer | None], url: str, users: int, seconds: int) -> None:
    """All tools in turn with one number of users."""
    rates = {}
    for tool in tools:
        name = OURS if tool is None else tool.name
        case = f"{users} users, {name}"
        with metered() as usage:
            try:
                measured = _agenttop(url, users, seconds) if tool is None else tool.run(url, users, seconds)
            except BenchmarkError as error:
                if tool is None:
                    raise
                results.expect(False, f"{case}: {error}")
                continue
        results.expect(not measured.failed, f"{case}: {measured.failed} requests failed")
        rates[name] = rate = measured.requests_per_s
        results.add(
            case,
            requests_per_s=rate,
            p50_ms=measured.p50_ms,
            p99_ms=measured.p99_ms,
            cpu_us_per_request=usage.cpu_share * 1e6 / rate if usage.cpu_share is not None and rate else None,
            rss_mb=usage.rss_mb,
        )
    for name, rate in rates.items():
        results.add(f"{users} users, {name}", x_agenttop=rates[OURS] / rate if rate else None)


def _agenttop(url: str, users: int, seconds: int) -> Measured:
    profile = profiles.HTTP.format(url=url, users=users, seconds=seconds + 1)
    totals = run_program(profile, lasts_s=seconds + 1)["totals"]
    latency = totals["latency_ms"]
    return Measured(totals["rps"], figure(latency, "p50"), figure(latency, "p99"), totals["failed"])

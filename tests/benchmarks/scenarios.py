"""The oldest benchmarks, one function each: load something with the whole program, compare its figures."""

from __future__ import annotations

from typing import Any

from agenttop.agent.process import AgentProcess
from tests.benchmarks import profiles
from tests.benchmarks.machine import server_cores, started_on
from tests.benchmarks.nginx import Missing, find, nginx, rate_of
from tests.benchmarks.options import Options, begin
from tests.benchmarks.program import ask, figure, run_program, serving
from tests.benchmarks.results import Results
from tests.benchmarks.stream_server import serving_streams


def http(options: Options) -> Results:
    """Requests per second against nginx, beside wrk and hey."""
    results = begin("http: keep-alive requests against nginx, no think time")
    seconds = 2 if options.quick else 5
    tools = ["wrk", "hey"]
    with nginx() as url:
        for tool in list(tools):
            try:
                find(tool)
            except Missing as missing:
                tools.remove(tool)
                results.note(f"skipped: {missing}")
        for turn in range(options.rounds):
            for users in (1, 64, 1000):
                rates = {tool: rate_of(tool, url, users, seconds) for tool in tools}
                programs = list(options.programs.items())
                for name, root in programs if turn % 2 == 0 else reversed(programs):
                    profile = profiles.HTTP.format(url=url, users=users, seconds=seconds + 1)
                    summary = run_program(profile, lasts_s=seconds + 1, root=root)
                    totals = summary["totals"]
                    rates[name] = totals["rps"]
                    results.expect(not totals["failed"], f"{totals['failed']} requests of {users} users failed")
                    results.add(
                        f"{users} users, {name}",
                        requests_per_s=rates[name],
                        x_wrk=rates[name] / rates["wrk"] if "wrk" in rates else None,
                        x_hey=rates[name] / rates["hey"] if "hey" in rates else None,
                        p50_ms=figure(totals["latency_ms"], "p50"),
                        p99_ms=figure(totals["latency_ms"], "p99"),
                        lag_p99_ms=figure(summary["generator"]["loop_lag_ms"], "p99"),
                    )
                if options.against:
                    results.add(f"{users} users, agenttop", x_against=rates["agenttop"] / rates["against"])
                for tool in tools:
                    results.add(f"{users} users, {tool}", requests_per_s=rates[tool])
    return results


def sse(options: Options) -> Results:
    """Token streams: what the program measures against what the server knows."""
    results = begin("sse: openai.chat streams, true time to first token 200 ms and up to one gap (ms)")
    results.note(
        "ttft error: of one-token answers beside the load, each against its server time, the server's delay in it"
    )
    ramp, hold = (2, 4) if options.quick else (3, 8)
    for turn in range(options.rounds):
        for streams, rate in ((100, 40), (1000, 50), (1000, 100)):
            programs = list(options.programs.items())
            for name, root in programs if turn % 2 == 0 else reversed(programs):
                profile = {"ramp": ramp, "hold": hold, "streams": streams, "rate": rate, "tokens": rate * 2}
                with serving_streams(results, spread_ms=1000 / rate) as port:
                    summary = run_program(profiles.SSE.format(port=port, **profile), lasts_s=ramp + hold + 3, root=root)
                    server = ask(port, "/stats")
                case = f"{streams} x {rate}/s" + (f", {name}" if options.against else "")
                _compare_streams(results, case, summary, server)
    return results


def _compare_streams(results: Results, case: str, summary: dict[str, Any], server: dict[str, Any]) -> None:
    totals, probe = summary["totals"], summary["pools"]["probe"]
    chunks = totals["ttft_ms"]["count"] + totals["inter_chunk_ms"]["count"]
    results.expect(not totals["failed"], f"{case}: {totals['failed']} streams failed: {totals['errors'][:1]}")
    results.expect(totals["ok"] == server["streams"], f"{case}: {totals['ok']} streams of {server['streams']}")
    results.expect(chunks == server["chunks"], f"{case}: {chunks} chunks read of {server['chunks']} sent")
    error = probe["unattributed_ms"] or {}
    results.expect(error.get("count") == probe["ok"], f"{case}: a probe without the server's time")
    results.add(
        case,
        events_per_s=server["chunks_per_s"],
        ttft_error_p50=error.get("p50"),
        ttft_error_p99=error.get("p99"),
        ttft_p50=totals["ttft_ms"]["p50"],
        server_p50=server["ttft_ms"]["p50"],
        ttft_p99=totals["ttft_ms"]["p99"],
        server_p99=server["ttft_ms"]["p99"],
        gap_p50=totals["inter_chunk_ms"]["p50"],
        server_gap_p50=server["gap_ms"]["p50"],
        gap_p99=totals["inter_chunk_ms"]["p99"],
        server_gap_p99=server["gap_ms"]["p99"],
        loop_lag_p99=figure(summary["generator"]["loop_lag_ms"], "p99"),
        cpu_percent=summary["generator"]["cpu_percent_max"],
        server_cpu_percent=server["cpu_percent"],
    )


def ws(options: Options) -> Results:
    """Realtime turns: one message out, two in."""
    results = begin("ws: openai.realtime turns (one message out; a delta and response.done back), no think time")
    seconds = 2 if options.quick else 5
    for turn in range(options.rounds):
        for users in (64, 500):
            rates = {}
            programs = list(options.programs.items())
            for name, root in programs if turn % 2 == 0 else reversed(programs):
                with serving("ws_server") as port:
                    profile = profiles.WS.format(port=port, users=users, seconds=seconds + 1)
                    summary = run_program(profile, lasts_s=seconds + 1, root=root)
                row = summary["requests"]["voice/turn"]
                rates[name] = row["rps"]
                results.expect(not row["failed"], f"{row['failed']} turns of {users} users failed: {row['errors'][:1]}")
                results.add(
                    f"{users} users" + (f", {name}" if options.against else ""),
                    turns_per_s=row["rps"],
                    messages_per_s=row["rps"] * 3,
                    p50_ms=figure(row["latency_ms"], "p50"),
                    p99_ms=figure(row["latency_ms"], "p99"),
                    loop_lag_p99_ms=figure(summary["generator"]["loop_lag_ms"], "p99"),
                )
            if options.against:
                results.add(f"{users} users, agenttop", x_against=rates["agenttop"] / rates["against"])
    return results


def open_(options: Options) -> Results:
    """Arrivals: how many of the planned ones came, and how late."""
    results = begin("open: arrivals against nginx")
    results.note("a Poisson count varies by chance: its standard deviation is the root of the planned number")
    seconds = 3 if options.quick else 8
    with nginx() as url:
        for _ in range(options.rounds):
            for arrivals in ("constant", "poisson"):
                for rate in (1000, 10_000):
                    profile = profiles.OPEN.format(url=url, arrivals=arrivals, seconds=seconds, rate=rate)
                    summary = run_program(profile, lasts_s=seconds)
                    totals = summary["totals"]
                    planned = rate * seconds
                    results.expect(
                        not totals["failed"],
                        f"{arrivals} {rate}/s: {totals['failed']} requests failed: {totals['errors'][:2]}",
                    )
                    slack = 2 if arrivals == "constant" else 5 * planned**0.5
                    came = totals["iterations"] + totals["dropped_iterations"]
                    results.expect(abs(came - planned) <= slack, f"{arrivals} {rate}/s: {came} of {planned} arrivals")
                    results.add(
                        f"{arrivals} {rate}/s",
                        achieved=totals["iterations"],
                        planned=planned,
                        dropped=totals["dropped_iterations"],
                        schedule_lag_p50_ms=figure(totals["schedule_lag_ms"], "p50"),
                        schedule_lag_p99_ms=figure(totals["schedule_lag_ms"], "p99"),
                        latency_p50_ms=figure(totals["latency_ms"], "p50"),
                        response_time_p99_ms=figure(totals["response_time_ms"], "p99"),
                        loop_lag_p99_ms=figure(summary["generator"]["loop_lag_ms"], "p99"),
                        cpu_percent=summary["generator"]["cpu_percent_max"],
                    )
    return results


def agent(options: Options) -> Results:
    """The embedded agent at its fastest: what we counted against what it counted."""
    results = begin("agent: the program's counts against the embedded agent's own (must be equal)")
    seconds = 3 if options.quick else 6
    for _ in range(options.rounds):
        with started_on(server_cores()):
            target = AgentProcess({"preset": "quiet"})
            target.start()
        try:
            summary = run_program(profiles.AGENT.format(url=target.url, seconds=seconds), lasts_s=seconds)
            stats = target.stats()
        finally:
            target.stop()
        rows, served = summary["requests"], stats["requests"]
        pairs = {
            "sessions": (rows["chat/open session"]["ok"], served["POST /api/sessions"]),
            "messages": (rows["chat/message"]["ok"], served["POST /api/sessions/{id}/messages"]),
            "streams": (rows["stream/completion"]["ok"], served["POST /v1/chat/completions"]),
            "upgrades": (rows["voice/connect"]["ok"], stats["websocket"]["connections"]),
            "turns": (rows["voice/turn"]["ok"], stats["websocket"]["responses"]),
            "input tokens": (summary["totals"]["tokens"]["input"], stats["tokens"]["input"]),
            "output tokens": (summary["totals"]["tokens"]["output"], stats["tokens"]["output"]),
        }
        for what, (ours, theirs) in pairs.items():
            count = sum(theirs.values()) if isinstance(theirs, dict) else theirs
            results.expect(ours == count, f"{what}: {ours} counted by us, {count} by the agent ({theirs})")
            results.add(what, agenttop=ours, agent=count)
        failed = summary["totals"]["failed"]
        results.expect(not failed, f"{failed} requests failed: {summary['totals']['errors'][:1]}")
    return results

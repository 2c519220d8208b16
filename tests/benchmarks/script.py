"""A script as users write them: bodies with variables, values saved from answers, checks of all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.benchmarks import profiles
from tests.benchmarks.nginx import nginx, served
from tests.benchmarks.options import Options, begin
from tests.benchmarks.program import figure
from tests.benchmarks.results import Results
from tests.benchmarks.targets import judge
from tests.benchmarks.work import Work, run_and_work

TARGET_PER_S = 20_000
USERS = 64
CUSTOMER = Path(__file__).with_name("customer.py")
#: Checks of one answer, by request of ``profiles.SCRIPT``.
CHECKS = {"open session": 1, "message": 3, "ask for an order": 1, "look it up": 3, "status": 2}


def script(options: Options) -> Results:
    """Requests per second of a real script, beside plain requests in the same round."""
    results = begin(f"script: sessions, JSON bodies, saved values, checks; {USERS} users, no think time, against nginx")
    seconds = 3 if options.quick else 8
    with nginx() as url:
        for _ in range(options.rounds):
            profile = profiles.HTTP.format(url=url, users=USERS, seconds=seconds + 1)
            plain, plain_work = run_and_work(profile, lasts_s=seconds + 1)
            _add(results, "plain GET", plain, plain_work)
            before = served(url).requests
            profile = profiles.SCRIPT.format(url=url, users=USERS, seconds=seconds, think_time="0s")
            summary, work = run_and_work(profile, lasts_s=seconds)
            # nginx counts the question as well.
            results.problems += differences(summary, served(url).requests - before - 1)
            _add(results, "script", summary, work)
            results.add(
                "script",
                x_plain=summary["totals"]["rps"] / plain["totals"]["rps"],
                x_plain_by_CPU=work.per_cpu_s / plain_work.per_cpu_s,
            )
            before = served(url).requests
            profile = profiles.PYTHON.format(url=url, users=USERS, seconds=seconds, file=CUSTOMER)
            summary, python_work = run_and_work(profile, lasts_s=seconds)
            results.problems += differences(summary, served(url).requests - before - 1)
            results.expect(not summary["totals"]["user_errors"], f"exceptions: {summary['totals']['errors'][:1]}")
            _add(results, "script in Python", summary, python_work)
            results.add("script in Python", x_script_by_CPU=python_work.per_cpu_s / work.per_cpu_s)
    judge(results, "script", "requests_per_s", at_least=TARGET_PER_S)
    return results


def differences(summary: dict[str, Any], served_requests: int) -> list[str]:
    """What does not add up in a run of ``profiles.SCRIPT``: requests against the server's count, steps of one task
    against each other, checks against answers.
    """
    rows = {name.removeprefix("chat/"): row["requests"] for name, row in summary["requests"].items()}
    checks = summary["checks"].values()
    checked = sum(check["passed"] + check["failed"] for check in checks)
    pairs = {
        "requests counted, requests nginx served": (sum(rows.values()), served_requests),
        "sessions opened, users": (rows["open session"], USERS),
        "orders asked for, orders looked up": (rows["ask for an order"], rows["look it up"]),
        "checks made, checks of these answers": (checked, sum(CHECKS[name] * count for name, count in rows.items())),
        "checks failed, none": (sum(check["failed"] for check in checks), 0),
        "requests failed, none": (summary["totals"]["failed"], 0),
    }
    return [f"{what}: {ours} and {theirs}" for what, (ours, theirs) in pairs.items() if ours != theirs]


def _add(results: Results, case: str, summary: dict[str, Any], work: Work) -> None:
    totals = summary["totals"]
    results.expect(not totals["failed"], f"{case}: {totals['failed']} requests failed: {totals['errors'][:1]}")
    results.add(
        case,
        requests_per_s=totals["rps"],
        per_CPU_s=work.per_cpu_s,
        p50_ms=figure(totals["latency_ms"], "p50"),
        p99_ms=figure(totals["latency_ms"], "p99"),
        lag_p99_ms=work.lag_p99_ms,
    )

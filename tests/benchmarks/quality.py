"""Does grading move the load? Lateness of arrivals and error of TTFT, with 200 answers a second graded and without."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks import profiles
from tests.benchmarks.machine import load_average, put_first
from tests.benchmarks.options import Options, begin
from tests.benchmarks.program import figure, started
from tests.benchmarks.results import Results
from tests.benchmarks.stream_server import serving_streams

#: Answers a second, and cases that they are of.
RATE, CASES = 200, 100
#: What a case is graded by: what people write most.
GRADERS = [
    {"type": "icontains", "value": "token"},
    {"type": "regex", "value": "(token ?){3,}"},
    {"type": "max-words", "value": 200},
    {"type": "not-refusal"},
    {"type": "similar", "value": "token " * 20, "threshold": 0.1},
]
_ROWS = ("ungraded", "graded", "ungraded again")


def quality(options: Options) -> Results:
    """The same streams three times a round: not graded, graded while they run, not graded again. What the third differs
    from the first by is noise.
    """
    results = begin(f"quality: {RATE} openai.chat streams a second, each answer graded by {len(GRADERS)} graders")
    results.note("ttft error: of one-token answers beside the load, each against its server's time")
    results.note("ratios are of one round: graded, and ungraded again, to the mean of both ungraded, or to the first")
    seconds = 4 if options.quick else 10
    put_first(os.getpid())  # and with us the server
    with tempfile.TemporaryDirectory(prefix="agenttop-benchmark-") as folder:
        cases = Path(folder, "golden.jsonl")
        cases.write_text(
            "\n".join(
                json.dumps({"id": f"case-{n}", "input": f"Question {n}", "graders": GRADERS}) for n in range(CASES)
            )
        )
        for _ in range(options.rounds):
            found = []
            for name in _ROWS:
                graded = name == "graded"
                with serving_streams(results, spread_ms=20) as port:
                    text = profiles.QUALITY.format(
                        port=port,
                        seconds=seconds,
                        rate=RATE,
                        quality=f'[quality]\ncases = "{cases}"' if graded else "",
                        task="graded = true" if graded else "",
                        content="{input}" if graded else "Question {user}",
                    )
                    with started(text) as program:
                        first = put_first(program.controller().pid)
                        summary = program.finish(seconds + 3)
                if not first and load_average() > 1:
                    results.note("others share the cores, and we may not come before them: only a quiet machine tells")
                found.append(_figures(results, name, summary))
            _compare(results, found)
    return results


def _figures(results: Results, name: str, summary: dict[str, Any]) -> dict[str, float | None]:
    """Add the figures of one run, and return those that are compared."""
    totals, load, probe = summary["totals"], summary["pools"]["load"], summary["pools"]["probe"]
    results.expect(not totals["failed"], f"{name}: {totals['failed']} requests failed: {totals['errors'][:1]}")
    if summary["generator"]["saturated"]:
        results.note(f"{name}: the load generator was saturated once, by others who want the core")
    if summary["quality"] is not None:
        told = summary["quality"]
        results.expect(told["graded"] == load["ok"], f"{name}: {told['graded']} answers graded of {load['ok']}")
    compared = {
        "lag_p50_ms": figure(load["schedule_lag_ms"], "p50"),
        "lag_p99_ms": figure(load["schedule_lag_ms"], "p99"),
        "ttft_error_p50_ms": figure(probe["unattributed_ms"], "p50"),
        "ttft_error_p99_ms": figure(probe["unattributed_ms"], "p99"),
    }
    results.add(
        name,
        **compared,
        streams_per_s=load["ok"] / summary["run"]["measured_s"],
        probes=probe["ok"],
        loop_lag_p99_ms=figure(summary["generator"]["loop_lag_ms"], "p99"),
        cpu_percent=summary["generator"]["cpu_percent_max"],
    )
    return compared


def _compare(results: Results, found: list[dict[str, float | None]]) -> None:
    """Add the ratios of one round."""
    first, graded, again = found
    for name, value in graded.items():
        one, other = first[name], again[name]
        if value and one and other:
            results.add(f"x {name.removesuffix('_ms')}", graded=2 * value / (one + other), noise=other / one)

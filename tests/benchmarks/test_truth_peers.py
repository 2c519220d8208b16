"""Tools for token streams: how much load it is, what their reports say, and what is said of one that fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.nginx import Missing
from tests.benchmarks.peers import streams
from tests.benchmarks.peers.stream_reports import agenttop_report, aiperf_report, guidellm_report
from tests.benchmarks.peers.streams import Load, peers
from tests.benchmarks.program import BenchmarkError
from tests.benchmarks.results import Results


def percentiles(p50: float) -> dict[str, float]:
    """Some of which nobody asked for."""
    return {"p25": 0.0, "p50": p50, "p90": p50 + 1, "p99": p50 + 2}


def only(p50: float) -> dict[str, float]:
    """Those that are asked for."""
    return {"p50": p50, "p90": p50 + 1, "p99": p50 + 2}


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Results:
    """Both peers are this script; the results in which that is noted."""
    for name in ("aiperf", "guidellm"):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setattr(streams, "python_peer", lambda *_: folder)
    return Results("test")


def test_load_knows_how_long_it_lasts() -> None:
    load = Load(100, 3, tokens=81, rate=40, ramp_s=2.0)

    assert load.requests == 300
    assert load.stream_s == pytest.approx(2.2)
    assert load.lasts_s == pytest.approx(8.6)


def test_report_of_agenttop() -> None:
    totals = {"ok": 4, "failed": 1, "tokens": {"output": 320}}
    totals |= {"ttft_ms": percentiles(200), "inter_chunk_ms": percentiles(25), "latency_ms": percentiles(2175)}
    measured = agenttop_report({"totals": totals, "run": {"duration_s": 4.0}})

    assert (measured.ok, measured.failed, measured.events_per_s) == (4, 1, 80.0)
    assert (measured.ttft, measured.gap, measured.latency) == (only(200), only(25), only(2175))


@pytest.mark.parametrize(("errors", "failed"), [({}, 0), ({"error_request_count": {"avg": 2.0}}, 2)])
def test_report_of_aiperf(errors: dict[str, Any], failed: int) -> None:
    measured = aiperf_report(
        errors
        | {
            "request_count": {"unit": "requests", "avg": 30.0},
            "output_token_throughput": {"unit": "tokens/sec", "avg": 333.9},
            "time_to_first_token": percentiles(204) | {"unit": "ms"},
            "inter_chunk_latency": percentiles(25) | {"unit": "ms"},
            "request_latency": percentiles(1182) | {"unit": "ms"},
        }
    )

    assert (measured.ok, measured.failed, measured.events_per_s) == (30, failed, 333.9)
    assert (measured.ttft, measured.gap, measured.latency) == (only(204), only(25), only(1182))


def test_report_of_guidellm() -> None:
    seconds = {"p50": 1.25, "p90": 1.5, "p99": 2.0}
    metrics = {
        "request_totals": {"successful": 30, "errored": 2, "incomplete": 0, "total": 32},
        "output_tokens_per_second": {"successful": {"mean": 332.9}},
        "time_to_first_token_ms": {"successful": {"percentiles": percentiles(202)}},
        "inter_token_latency_ms": {"successful": {"percentiles": percentiles(25)}},
        "request_latency": {"successful": {"percentiles": seconds}},
    }
    measured = guidellm_report({"benchmarks": [{"metrics": metrics}]})

    assert (measured.ok, measured.failed, measured.events_per_s) == (30, 2, 332.9)
    assert (measured.ttft, measured.gap) == (only(202), only(25))
    assert measured.latency == {"p50": 1250.0, "p90": 1500.0, "p99": 2000.0}


def test_peer_that_cannot_be_had_is_skipped_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str, *requirements: str) -> Path:
        raise Missing(f"{requirements[0]} cannot be installed: no network")

    monkeypatch.setattr(streams, "python_peer", none)
    results = Results("test")

    assert peers(results) == {}
    assert [note.split(" ")[:2] for note in results.notes] == [["AIPerf", "skipped:"], ["GuideLLM", "skipped:"]]
    assert all(note.endswith("no network") for note in results.notes)


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo starting; echo no such option; exit 3", "it ended with code 3: starting / no such option"),
        ("exit 0", "it left no report: .*profile_export_aiperf.json"),
    ],
)
def test_peer_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, problem: str) -> None:
    results = install(tmp_path, monkeypatch, f"#!/bin/sh\nif [ $1 = --version ]; then echo 0.1; exit; fi\n{script}\n")

    with pytest.raises(BenchmarkError, match=problem):
        peers(results)["AIPerf"](1, Load(1, 1))
    assert results.notes[:2] == ["AIPerf: 0.1", "GuideLLM: 0.1"]


def test_peer_gets_a_tokenizer_for_every_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Its report is what it found: how many tokens the vocabulary in the folder after --tokenizer has.
    script = """#!/usr/bin/env python3
import json, sys
from pathlib import Path
if sys.argv[1] == "--version":
    sys.exit("1.0")
option = lambda name: sys.argv[sys.argv.index(name) + 1]
tokenizer = json.loads(Path(option("--tokenizer"), "tokenizer.json").read_text("utf-8"))
found = {"avg": len(tokenizer["model"]["vocab"]), "p50": 1, "p90": 2, "p99": 3}
names = "request_count output_token_throughput time_to_first_token inter_chunk_latency request_latency"
report = json.dumps({name: found for name in names.split()})
Path(option("--artifact-dir"), "profile_export_aiperf.json").write_text(report)
"""
    results = install(tmp_path, monkeypatch, script)

    assert peers(results)["AIPerf"](1, Load(1, 1)).ok == 256

"""Tests of agenttop.report.suites, agenttop.report.answer: a run as test cases, counted as its summary counts."""

from __future__ import annotations

from typing import Any

import pytest
from junitparser import JUnitXml

from agenttop.report.answer import answer, failures
from agenttop.report.suites import report_xml
from tests.journal.test_summarize import summary_of
from tests.metrics.fakes import FakeRun
from tests.report.test_quality import DROP
from tests.report.test_quality import summary as graded
from tests.report.test_text import full

GATE: dict[str, Any] = {"verdict": "block", "blocked": True, "words": "worse than allowed: latency p95", "base": ["x"]}
ROW: dict[str, Any] = {
    "name": "latency p95", "unit": "ms", "worse_is": "higher", "base": 200.0, "head": 230.0, "difference": 30.0,
    "interval": [20.0, 40.0], "visible": 10.0, "margin": 20.0, "p": 0.01, "verdict": "worse", "note": "",
}  # fmt: skip


def cases(summary: dict[str, Any], **options: bool) -> dict[str, str]:
    """What became of each test case, by class and name."""
    found = {}
    for suite in JUnitXml.fromstring(report_xml(summary, **options).encode()):
        for case in suite:
            kind = type(case.result[0]).__name__ if case.result else "passed"
            found[f"{case.classname.removeprefix('agenttop.')}: {case.name}"] = kind
    return found


def whole() -> dict[str, Any]:
    summary = full()
    summary["thresholds"].append(
        {"expression": "ttft{pool:b} p95 < 1s", "observed": None, "passed": True, "aborted_run": False,
         "verdict": "no data"}
    )  # fmt: skip
    summary["quality"] = graded(right_under_load=False) | {"drop": DROP | {"verdict": "undecided"}}
    undecided = ROW | {"name": "ttft p95", "verdict": "undecided", "note": "too few"}
    summary["gate"] = GATE | {"rows": [ROW, undecided], "flips": {"lost": [], "won": []}}
    return summary


def test_every_judgement_is_a_case() -> None:
    summary = whole()
    assert cases(summary) == {
        "run: peak runs to its end": "passed",
        "thresholds: latency p95 < 15s": "passed",
        "thresholds: ttft p(99) < 500": "Failure",
        "thresholds: error_rate < 5%": "passed",
        "thresholds: goodput rate > 0.9": "Failure",
        "thresholds: ttft{pool:b} p95 < 1s": "Skipped",
        "checks: has content": "Failure",
        "checks: under 20s": "passed",
        "quality: score": "passed",
        "quality: score tools": "passed",
        "quality: score hours": "passed",
        "quality: answers hold under load": "Skipped",
        "gate: latency p95": "Failure",
        "gate: ttft p95": "Skipped",
    }
    strict = cases(summary, strict=True)
    assert "Skipped" not in strict.values()
    assert [name for name in strict if strict[name] != cases(summary)[name]] == [
        "thresholds: ttft{pool:b} p95 < 1s",
        "quality: answers hold under load",
        "gate: ttft p95",
    ]


def test_a_star_is_explained_where_it_stands() -> None:
    summary = full()
    assert "not refused" not in report_xml(summary) + "".join(failures(summary))
    for threshold in summary["thresholds"][:2]:
        threshold["refused"] = 318
    text = report_xml(summary)
    for words in ("observed 2.5s*", "ttft p(99) &lt; 500: observed 647.1ms*, ended the run"):
        assert f"{words}; * of answers not refused (429: 318)" in text, words
    assert text.count("not refused") == 2
    assert failures(summary)[0].endswith("observed 647.1ms*; * of answers not refused (429: 318)")


def test_counts_are_the_summarys() -> None:
    summary = full()
    suite: Any = next(iter(JUnitXml.fromstring(report_xml(summary).encode())))
    facts = {each.name: each.value for each in suite.properties()}
    for key in ("requests", "ok", "failed", "rate_limited"):
        assert facts[key] == str(summary["totals"][key])
    failed = summary["checks"]["has content"]["failed"]
    assert f'message="{failed} of ' in report_xml(summary)


@pytest.mark.parametrize(
    ("changes", "kind", "word"),
    [
        ({"stop_reason": "completed", "exit_code": 0}, "passed", "PASS"),
        ({"stop_reason": "completed", "exit_code": 99}, "passed", "FAIL"),
        ({"stop_reason": "threshold_abort", "exit_code": 99}, "passed", "FAIL"),
        ({"stop_reason": "circuit_breaker", "exit_code": 99}, "Failure", "FAIL"),
        ({"stop_reason": "stopped_by_user", "exit_code": 130}, "Failure", "STOPPED"),
        ({"stop_reason": "target_unreachable", "exit_code": 1}, "Error", "ERROR"),
        ({"stop_reason": "error", "exit_code": 1}, "Error", "ERROR"),
        ({"stop_reason": "completed", "exit_code": 0, "incomplete": True}, "Error", "ERROR"),
    ],
)
def test_how_a_run_ended(changes: dict[str, Any], kind: str, word: str) -> None:
    summary = summary_of(FakeRun(seconds=5))
    summary["run"] |= changes
    assert cases(summary)["run: peak runs to its end"] == kind
    assert answer(summary)[0] == word
    assert bool(failures(summary)) == (word in ("FAIL", "ERROR"))


def test_a_run_without_requests_is_broken_though_nothing_failed() -> None:
    summary = summary_of(FakeRun(seconds=5, warmup_s=9.0))
    assert cases(summary)["run: peak runs to its end"] == "Error"


def test_what_failed_is_told_in_sentences() -> None:
    told = failures(full() | {"gate": GATE})
    assert told[0] == "threshold failed: ttft p(99) < 500, observed 647.1ms"
    assert told[-1] == "gate: worse than allowed: latency p95"
    assert failures(summary_of(FakeRun(seconds=5))) == []

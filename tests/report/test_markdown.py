"""A run as Markdown, for a pull request."""

from __future__ import annotations

import re
from typing import Any

import pytest

from agenttop.report.figures import count
from agenttop.report.markdown import report_markdown
from tests.journal.test_summarize import summary_of
from tests.metrics.fakes import FakeRun
from tests.report.test_escaping import HOSTILE
from tests.report.test_glance import stages
from tests.report.test_suites import whole
from tests.report.test_text import full


def test_the_verdict_stands_first_then_the_counts_of_the_summary() -> None:
    summary = full()
    lines = report_markdown(summary).splitlines()
    assert lines[0] == "**FAIL: peak ABORTED by a threshold after 1m00s, exit code 99**"
    totals = summary["totals"]
    assert lines[2].startswith(f"{count(totals['requests'])} requests · ")
    assert f" · {count(totals['ok'])} ok · {count(totals['failed'])} failed" in lines[2]
    assert f" · {totals['rate_limited']} rate-limited" in lines[2]


def test_it_has_every_part_and_each_table_has_its_columns() -> None:
    text = report_markdown(whole())
    for said in (
        "| hold | 60 |",
        "| ttft p(99) \\< 500 | 647.1ms, ended the run | **FAIL** |",
        "no data",
        "**gate: BLOCK: worse than allowed: latency p95**",
        "| latency p95 | 200ms | 230ms | +15.0% |",
        "- score **75.0%**",
        "| tools | 50.0% |",
        "check\\_failed",
        "load generator was saturated",
    ):
        assert said in text, said
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1, table


def test_the_verdict_on_the_target_follows() -> None:
    summary = full()
    other = {"state": "refuses", "since_s": 70.0, "users": 5, "words": "30% refused"}
    verdict: dict[str, Any] = {"state": "queues", "since_s": 42.0, "words": "flat at 8/s", "bound": "knee at 12"}
    summary["run"]["verdict"] = verdict | {"others": [other]}
    text = report_markdown(summary)
    assert "- **QUEUES** from 00:42 on: flat at 8/s\n- **REFUSES** from 01:10 on: 30% refused\n- knee at 12\n" in text


def test_a_star_is_explained_once() -> None:
    summary = full()
    assert "not refused" not in report_markdown(summary)
    for threshold in summary["thresholds"][:2]:
        threshold["refused"] = 318
    text = report_markdown(summary)
    assert "| 647.1ms\\*, ended the run |" in text
    assert text.count("\n\n\\* of answers not refused (429: 318)\n\n") == 1


def test_nothing_measured_is_said() -> None:
    assert "nothing to judge" in report_markdown(summary_of(FakeRun(seconds=3, warmup_s=9.0)))


def test_it_fits_a_comment_whatever_there_is() -> None:
    summary = stages(whole(), 500)
    summary["thresholds"] = summary["thresholds"][:2] * 300
    summary["totals"]["errors"] = [
        {"outcome": "timeout", "message": "x" * 300, "count": 1, "first_s": 0.0, "last_s": 1.0}
    ] * 20
    summary["generator"]["warnings"] = ["warning " * 40] * 100
    text = report_markdown(summary)
    assert len(text) < 20_000
    assert "and 480 more stages" in text
    assert "and 560 more thresholds" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    summary = full()
    summary["run"] |= {"name": text, "message": text, "target": text, "id": text}
    summary["stages"][0]["name"] = text
    summary["thresholds"][0]["expression"] = text
    summary["totals"]["errors"][0]["message"] = text
    shown = report_markdown(summary)
    assert len(shown.splitlines()) == len(report_markdown(full()).splitlines())
    for markup in ("<script", "<img", "](", "://", "www.", "`code`", "*bold*"):
        assert markup not in shown.replace("\\<", "").replace("\\]", "").replace("\\*", "").replace("\\`", "")

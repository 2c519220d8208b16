"""Tests of agenttop.report.html.run_page, agenttop.report.html.document, agenttop.report.html.told,
agenttop.report.html.heat: a run on one page, which loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest

from agenttop.metrics.histogram import hdr_counts
from agenttop.metrics.snapshot import Event
from agenttop.report.figures import count
from agenttop.report.html.heat import _rows
from agenttop.report.html.run_page import report_html
from agenttop.report.text import render_text
from tests.journal.test_summarize import summary_of
from tests.metrics.fakes import FakeRun
from tests.report.html.test_markup import Read
from tests.report.test_boxes import LINE
from tests.report.test_escaping import HOSTILE
from tests.report.test_suites import whole
from tests.report.test_text import full

EVENTS = (Event(30.0, "warn", "429 rate passed 2% on chat"), Event(31.0, "info", "stage 2 hold"))


def complete() -> dict[str, Any]:
    """A run with whatever a page shows."""
    summary = whole()
    knee = {"unit": "users", "users": 12.0, "interval": [10.0, 14.0], "refused": 0.1}
    for name in ("per_s", "served", "response_s"):
        knee |= {name: 3.0, f"{name}_interval": [2.0, 4.0]}
    verdict = {"state": "queues", "since_s": 42.0, "words": "flat at 8/s", "bound": "it stops growing", "others": []}
    evidence = [{"what": "latency_p95_ms", "from": 100.0, "to": 400.0}]
    summary["run"]["verdict"] = verdict | {"evidence": evidence, "knee": knee, "changes": []}
    summary["controls"] = [
        {"t_s": 12.0, "command": "users", "pool": None, "from": 30, "to": 40, "source": "key"},
        {"t_s": 14.0, "command": "hold", "pool": "chat", "from": None, "to": None, "source": "ctl"},
    ]
    summary["budget"] = {"tokens": {"cap": 10.0, "used": 9.5, "lost": 0.0, "at_worst_case_requests": 0}}
    summary["quotas"] = [{"pool": "chat", "name": "tokens", "limit": 10, "lowest_remaining": 1, "last_remaining": 2,
                          "last_seen_s": 3.0}]  # fmt: skip
    return summary


def test_its_parts_stand_in_their_order() -> None:
    page = report_html(complete(), EVENTS, 'name = "peak"\n')
    assert re.findall(r"<(?:h2|figcaption><b)>([^<]*)<", page) == [
        "stages", "Users", "Requests", "Latency", "latency", "First token against total", "Heat map",
        "Refused and failed", "rate limits (429)", "left of the limits", "phases by stage", "phases",
        "phases by request", "requests", "outcomes", "thresholds", "checks", "gate", "budget", "work done",
        "Output tokens", "Score", "quality",
        "controls and events", "knee", "generator", "Loop lag", "profile", "again",
    ]  # fmt: skip
    text = Read(page).text
    for words in (
        "FAIL peak ABORTED by a threshold", "QUEUES from 00:42", "exit code 99", "latency p95 ms",
        "users 30 → 40 (key)", "429 rate passed 2% on chat", "429 Too Many Requests: slow down", 'name = "peak"',
        "agenttop profile-of",
    ):  # fmt: skip
        assert words in text, words


def test_every_section_of_the_text_is_on_it() -> None:
    summary = complete()
    summary["generator"]["boxes"] = [LINE]
    said = re.findall(r"^─ (.+?) ─", render_text(summary, color=False, width=120), re.MULTILINE)
    assert {"boxes", "generator", "gate", "quality", "work done"} <= set(said)
    assert set(said) <= set(re.findall(r"<h2>([^<]*)<", report_html(summary)))


@pytest.mark.parametrize(
    ("grade", "words"),
    [("saturated", "THE LOAD GENERATOR WAS SATURATED"), ("late", "late at worst: lag 6ms, 1 % of p50"), ("ok", "")],
)
def test_the_generator_has_the_grade_and_the_warnings_of_the_text(grade: str, words: str) -> None:
    summary = full()
    summary["generator"] |= {"saturated": True, "grade": grade, "grade_words": "lag 6ms, 1 % of p50"}
    summary["generator"]["warnings"] = ["port 9 is gone"]
    text = Read(report_html(summary)).text
    assert words in text
    assert ("SATURATED" in text) == (grade == "saturated")
    assert text.count("! port 9 is gone") == 1


def test_a_star_is_explained_once() -> None:
    summary = full()
    assert "not refused" not in Read(report_html(summary)).text
    for threshold in summary["thresholds"][:2]:
        threshold["refused"] = 318
    text = Read(report_html(summary)).text
    assert "647.1ms*, ended the run" in text
    assert text.count("* of answers not refused (429: 318)") == 1


def test_counts_are_the_summarys() -> None:
    summary = full()
    text = Read(report_html(summary)).text
    assert f"{count(summary['totals']['requests'])} requests" in text
    assert f"{count(summary['totals']['ok'])} ok · {count(summary['totals']['failed'])} failed" in text
    blocks = [block["latency_hdr"] for block in summary["totals"]["blocks"] if block["latency_hdr"]]
    assert sum(_rows(hdr).total() for hdr in blocks) == summary["totals"]["latency_ms"]["count"]
    assert all(_rows(hdr).total() == hdr_counts(hdr).sum() for hdr in blocks)


def test_it_loads_nothing_and_runs_nothing_but_its_own_script() -> None:
    text = report_html(complete(), EVENTS)
    found = Read(text)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    policy = next(a["content"] for t, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert len(scripts) == 1
    for part in (scripts[0], style):
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in str(policy)
    assert str(policy).startswith("default-src 'none';")
    assert "unsafe" not in str(policy)
    for tag, attributes in found.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "a", "form", "base"), tag
        assert not {"src", "href", "xlink:href", "style", "action"} & attributes.keys(), (tag, attributes)
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_targets_is_data(text: str) -> None:
    summary = complete()
    calm = [tag for tag, _ in Read(report_html(summary, EVENTS)).tags]
    summary["run"] |= {"name": text, "target": text, "message": text, "id": text, "host": text}
    summary["run"]["verdict"] |= {"words": text, "bound": text}
    summary["stages"][0]["name"] = text
    summary["thresholds"][0]["expression"] = text
    summary["checks"] = {text: {"passed": 1, "failed": 1}, "b": {"passed": 1, "failed": 0}}
    summary["quotas"][0]["name"] = text
    summary["profile"] = {"name": text}
    for error in summary["totals"]["errors"]:
        error["message"] = text
    for row in summary["quality"]["failed"]:
        row |= {"input": "asked", "answer": text, "reason": text}
    summary["requests"] = {f"{text}{at}": row for at, row in enumerate(summary["requests"].values())}
    summary["controls"][0]["command"] = text
    page = report_html(summary, [Event(1.0, "warn", text), Event(2.0, "info", text)], text)
    found = Read(page)
    assert {tag for tag, _ in found.tags} == set(calm)
    assert [tag for tag, _ in found.tags].count("script") == 2
    assert page.count("</script") == 2
    assert not any(name.startswith("on") for _, attributes in found.tags for name in attributes)
    json.loads(re.findall(r'id="figures">(.*?)</script>', page)[0])


@pytest.mark.parametrize(
    "run", [FakeRun(seconds=3, warmup_s=9.0), FakeRun(seconds=5, peak=0, storm=None), FakeRun(seconds=1)]
)
def test_a_run_with_hardly_anything_is_a_page_too(run: FakeRun) -> None:
    text = Read(report_html(summary_of(run))).text
    assert not re.search(r"\b(nan|inf|None|NaN|Infinity)\b", text)


def test_an_old_summary_is_a_page_too() -> None:
    summary = full()
    for key in ("manual", "held", "plan_t_s", "percentiles_s", "ttft_p99_ms", "inter_chunk_p95_ms"):
        summary["timeline"].pop(key, None)
    for key in ("blocks", "phase_shares", "streams"):
        summary["totals"].pop(key)
    for stage in summary["stages"]:
        for key in ("planned_start_s", "planned_end_s", "verdict"):
            stage.pop(key, None)
    summary.pop("quotas", None)
    summary.pop("slowest", None)
    assert "Latency" in Read(report_html(summary)).text


@pytest.mark.parametrize(("hours", "limit"), [(1, 500_000), (24, 1_000_000)])
def test_a_long_run_is_a_small_file(hours: int, limit: int) -> None:
    summary, seconds = complete(), hours * 3600
    timeline = summary["timeline"]
    for key, column in timeline.items():
        if isinstance(column, list):
            timeline[key] = column * (seconds // len(column))
    timeline["t_s"] = [float(t + 1) for t in range(seconds)]
    summary["run"]["duration_s"] = float(seconds)
    width = seconds / 60
    blocks = summary["totals"]["blocks"]
    summary["totals"]["blocks"] = [block | {"start_s": at * width} for at, block in enumerate(blocks)]
    summary["controls"] *= 250
    text = report_html(summary, EVENTS * 250)
    assert len(text.encode()) < limit

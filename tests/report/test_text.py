"""Tests of agenttop.report.text, agenttop.report.figures, agenttop.report.line, agenttop.report.page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.snapshot import Verdict
from agenttop.report.figures import cells, count, duration, fit, ms, per_s, share, table
from agenttop.report.glance import render_glance
from agenttop.report.line import WIDTH, render_line
from agenttop.report.text import render_text
from tests.journal.test_summarize import summary_of
from tests.metrics.fakes import FakeRun

GOLDEN = Path(__file__).parent / "golden"
THRESHOLDS: list[dict[str, Any]] = [
    {"expression": "latency p95 < 15s", "observed": 2.5, "passed": True, "aborted_run": False},
    {"expression": "ttft p(99) < 500", "observed": 647.1, "passed": False, "aborted_run": True},
    {"expression": "error_rate < 5%", "observed": 2.27, "passed": True, "aborted_run": False},
    {"expression": "goodput rate > 0.9", "observed": None, "passed": False, "aborted_run": False},
]


def full(**options: Any) -> dict[str, Any]:
    options |= {"thresholds": THRESHOLDS, "stop_reason": "threshold_abort", "exit_code": 99}
    return summary_of(FakeRun(saturated=(20, 26)), **options)


@pytest.mark.parametrize("width", [80, 120])
def test_golden(width: int) -> None:
    """Delete a golden file to have it written again, then read it before you commit it."""
    path, text = GOLDEN / f"summary-{width}.txt", render_text(full(), color=False, width=width)
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("run", [FakeRun(), FakeRun(seconds=5, peak=0, storm=None), FakeRun(seconds=5, warmup_s=9.0)])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_too_wide_and_no_figure_missing(run: FakeRun, width: int) -> None:
    text = render_text(summary_of(run), color=False, width=width)
    assert max(cells(line) for line in text.splitlines()) <= width
    assert not re.search(r"\b(nan|inf|None)\b", text)


def test_colour_adds_nothing_but_styles() -> None:
    summary = full()
    colored = render_text(summary, color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render_text(summary, color=False)


def test_ascii() -> None:
    text = render_text(full(), color=False, ascii=True)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80


def test_what_is_wrong_is_said_in_words() -> None:
    text = render_text(full(), color=False)
    assert "THE LOAD GENERATOR WAS SATURATED" in text
    for words in ("ABORTED by a threshold", "exit code 99", "2 of 4 failed", "! SATURATED"):
        assert words in text
    assert "FAIL  ttft p(99) < 500" in text
    assert "observed 647.1ms, ended the run" in text
    assert "observed 2.5s" in text
    assert "observed 2.27%" in text
    empty = render_text(summary_of(FakeRun(seconds=3, warmup_s=9.0)), color=False)
    assert "No request finished" in empty
    assert "INCOMPLETE" in render_text(summary_of(FakeRun(seconds=3), incomplete=True), color=False)


def test_thresholds_say_their_unit_their_window_and_that_there_is_no_data() -> None:
    passing = {"passed": True, "aborted_run": False, "window_s": None}
    failing = passing | {"passed": False}
    verdicts = [
        passing | {"expression": "latency p95 < ***", "observed": 1700.25, "verdict": "pass", "unit": "ms"},
        failing | {"expression": "rps > 5", "observed": 3.5, "verdict": "fail", "unit": "/s", "window_s": 60.0},
        failing | {"expression": "ttft p95 < 2s", "observed": None, "verdict": "no data", "unit": "s"},
    ]
    text = render_text(summary_of(FakeRun(seconds=5), thresholds=verdicts, exit_code=99), color=False)
    assert re.search(r"pass  latency p95 < \*\*\* +observed 1700ms\n", text)
    assert re.search(r"FAIL  rps > 5 +observed 3\.5/s in the worst 1m00s\n", text)
    assert re.search(r"FAIL  ttft p95 < 2s +no data\n", text)
    assert "completed after 5s, exit code 99" in text


def test_shares_of_the_slowest_are_shown_where_they_were_measured() -> None:
    summary = full()
    assert "share p95" not in render_text(summary, color=False)
    summary["totals"]["phase_shares"]["llm_call"]["p95"] = 0.912
    text = render_text(summary, color=False)
    assert re.search(r"share  share p95\n", text)
    assert re.search(r"llm_call .* 70\.0%      91\.2%  █+\n", text)
    assert re.search(r"tool_execution .* 15\.0%          -  █+\n", text)
    del summary["totals"]["phase_shares"]  # an older summary
    assert "llm_call" in render_text(summary, color=False)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_figures_that_leave_refused_answers_out_have_a_star(width: int) -> None:
    verdicts: list[dict[str, Any]] = [{**each, "refused": 0} for each in THRESHOLDS]
    none = summary_of(FakeRun(), thresholds=verdicts)
    for text in (render_text(none, color=False, width=width), render_glance(none, color=False, width=width)):
        assert "not refused" not in text
        assert "*" not in text
    for verdict in verdicts[:2]:
        verdict["refused"] = 318
    some = summary_of(FakeRun(), thresholds=verdicts)
    text = render_text(some, color=False, width=width)
    assert re.search(r"pass  latency p95 < 15s +observed 2\.5s\*\n", text)
    assert re.search(r"pass  error_rate < 5% +observed 2\.27%\n", text)
    assert "\n  * of answers not refused (429: 318)\n" in text
    glance = render_glance(some, color=False, width=width)
    assert "2 of 4 FAILED · 2 only of answers not refused\n" in glance
    assert "observed 647.1ms*" in glance or "observed 647.1*" in glance
    assert max(cells(line) for line in text.splitlines()) <= width


def test_checks_say_that_429s_sent_again_are_not_among_them() -> None:
    summary = summary_of(FakeRun())
    for limited, refused, words in ((0, 0, ""), (0, 7, "only of answers not refused"), (3, 7, "")):
        summary["totals"] |= {"rate_limited": limited}
        summary["totals"]["rate_limit"] |= {"count": refused}
        (head,) = [line for line in render_text(summary, color=False).splitlines() if "─ checks" in line]
        assert ("not refused" in head, words in head) == (bool(words), True), head


def test_text_of_the_target_is_data() -> None:
    summary = full()
    summary["totals"]["errors"][0]["message"] = "\x1b[2J\x1b]0;title\x07 [bold]evil[/bold]\r\n\u202e" + "x" * 500
    summary["run"]["name"] = "\x1b[31mred\nname"
    text = render_text(summary, color=False)
    assert not any(ord(char) < 32 and char != "\n" for char in text)
    assert "\u202e" not in text
    assert "[bold]evil[/bold]" in text
    assert max(cells(line) for line in text.splitlines()) <= 80


def test_a_generator_that_was_late_is_told_with_its_share_and_not_in_red() -> None:
    summary = summary_of(FakeRun())
    for grade, words in (("late", "lag 6ms, 1 % of p50"), ("ok", "")):
        summary["generator"] |= {"saturated": True, "grade": grade, "grade_words": words}
        for text in (render_text(summary, color=True), render_glance(summary, color=True)):
            assert "SATURATED" not in text
            (told,) = [line for line in text.splitlines() if "was late at worst" in line] or [""]
            assert (words in told, "\x1b[31m" in told) == (True, False)
            assert bool(told) == (grade == "late")


@pytest.mark.parametrize("second", [1, 10, 24, 33, 60])
def test_line(second: int) -> None:
    run = FakeRun(saturated=(15, 25))
    aggregate = FakeRun(seconds=second, saturated=(15, 25)).aggregate()
    line = render_line(aggregate.snapshot(run.situation(second)), run.info())
    assert len(line) <= WIDTH
    assert re.match(r"\d\d:\d\d (ramp|hold|drain|done) +users=\d+", line)
    assert re.search(r" rps=[\d.]+ ttft=\S+/\S+ total_p95=\S+ 429=\d+ err=\d+ inflight=\d+", line)
    assert ("lag=" in line) == (second in (24, 33))
    assert "SATURATED" not in line  # an event says it, once


def test_line_of_a_run_with_thresholds_and_objectives() -> None:
    run = FakeRun(seconds=5)
    snapshot = run.aggregate().snapshot(run.situation(3))
    verdicts = tuple(Verdict("rps > 1", word, word == "pass", 1.0, "/s") for word in ("pass", "fail", "pass"))
    line = render_line(msgspec.structs.replace(snapshot, thresholds=verdicts, goodput=0.875, good=7), run.info())
    assert " good=87.5% thresholds=2/3" in line
    assert "not_refused" not in line
    verdicts = tuple(msgspec.structs.replace(each, refused=at) for at, each in enumerate(verdicts))
    line = render_line(msgspec.structs.replace(snapshot, thresholds=verdicts, ttft=None), run.info())
    assert " thresholds=2/3 not_refused=2/3" in line


def test_line_of_a_run_that_sends_again() -> None:
    run = FakeRun(seconds=5)
    snapshot = run.aggregate().snapshot(run.situation(3))
    assert "retried" not in render_line(snapshot, run.info())
    assert " retried=1234 " in render_line(msgspec.structs.replace(snapshot, retries=1234, oldest_s=1.0), run.info())


def test_line_of_a_run_in_trouble() -> None:
    run = FakeRun(seconds=5)
    snapshot = run.aggregate().snapshot(run.situation(3))
    generator = msgspec.structs.replace(snapshot.generator, alive=1)
    changed = msgspec.structs.replace(
        snapshot,
        t_s=7384.2,
        held=True,
        users=123_456,
        requests=10**9,
        failed=10**9,
        rate_limited=10**8,
        oldest_s=61.0,
        manual=("chat",),
        generator=generator,
        ttft=None,
        latency=None,
    )
    line = render_line(changed, run.info())
    assert len(line) <= WIDTH
    assert line.startswith("2:03:04 HELD     users=123456/")
    assert "total_p95=- 429=100000000 err=900000000" in line
    assert "workers=1/2 oldest=1m01s" in line


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0, "0ms"), (0.0123, "12µs"), (0.9999, "1.00ms"), (9.999, "10.0ms"), (99.99, "100ms"),
     (182.4, "182ms"), (999.9, "1.00s"), (14_020, "14.0s"), (59_990, "1m00s"), (125_000, "2m05s"),
     (3_720_000, "1h02m")],
)  # fmt: skip
def test_durations(value: float | None, text: str) -> None:
    assert ms(value) == text


def test_figures() -> None:
    shares = [share(v) for v in (0, 0.00001, 0.0078, 0.0227, 0.99996, 1, 1 + 1e-15, 1.2)]
    assert shares == ["0%", "<0.01%", "0.78%", "2.3%", "99.99%", "100%", "100%", "120%"]
    assert [per_s(v) for v in (0.031, 412.63, 12480.4)] == ["0.03", "412.6", "12 480"]
    assert (count(None), count(1234567), duration(2.0)) == ("-", "1 234 567", "2s")


@given(st.text(max_size=40), st.integers(1, 30))
def test_fit_never_overflows(text: str, width: int) -> None:
    assert cells(fit(text, width)) <= width


@given(st.lists(st.tuples(st.text(max_size=30), st.just("1 234.5ms"), st.just("17")), min_size=1), st.integers(24, 80))
def test_tables_fit_and_keep_their_figures_whole(rows: list[tuple[str, str, str]], width: int) -> None:
    for line in table(rows, width):
        assert cells(line) <= width
        assert "1 234.5ms" in line


def test_violations_and_retries_are_told() -> None:
    summary = full()
    limit = summary["totals"]["rate_limit"]
    limit |= {"conformant": 40, "violations": {"no Retry-After": 12, "500 under limit": 3}}
    limit |= {"recovered": 31, "amplification": 1.25}
    text = render_text(summary, color=False, width=120)
    for words in ("40 as they should be", "! 12 × no Retry-After", "! 3 × 500 under limit", "31 recovered", "1.25 att"):
        assert words in text
    assert "of attempts" in text
    # Those that came under limit are told of even where the refusals themselves were in the warm-up.
    limit |= {"count": 0, "conformant": 0, "violations": {"500 under limit": 3}}
    assert "! 3 × 500 under limit" in render_text(summary, color=False, width=80)
    limit |= {"violations": {}}
    assert "rate limits (429)" not in render_text(summary, color=False, width=80)


def test_a_run_too_short_to_weigh_the_workers_says_so() -> None:
    summary = full()
    assert "too short for CPU" not in render_text(summary, color=False)
    summary["generator"] |= {"max_rss_mb": 0.0, "cpu_percent_max": 0.0, "open_files_max": 0}
    shown = render_text(summary, color=False)
    assert "too short for CPU and memory" in shown
    assert "0 MB" not in shown

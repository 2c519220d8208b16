"""Thresholds decide how a run ends; goodput is in its summary."""

from __future__ import annotations

import signal
from pathlib import Path

from agenttop.agent.process import AgentProcess
from agenttop.report.summary import check_summary
from tests.e2e.harness import Place

PROFILE = """
target = "{url}"
users = 4
duration = "{duration}"
thresholds = [{thresholds}]
[objectives]
latency = "{latency}"
[[pools]]
name = "chat"
think_time = "20ms"
  [[pools.tasks]]
  name = "message"
  post = "/api/sessions/s/messages"
  json = {{ content = "hours?" }}
"""
LONG = "10m"


def profile(place: Place, url: str, *thresholds: str, duration: str = "1s", latency: str = "1h") -> Path:
    text = ", ".join(thresholds)
    return place.write(PROFILE.format(url=url, duration=duration, thresholds=text, latency=latency))


def test_a_run_whose_thresholds_hold_is_done(place: Place, agent: AgentProcess) -> None:
    file = profile(
        place, agent.url, '"latency{pool:chat} p(95) < 1m"', '{ expression = "ttft p95 < 1s", allow_empty = true }'
    )
    run = place.finish("--profile", file, "--headless")
    assert run.wait() == 0, run.err.text()
    summary = place.summary()
    check_summary(summary)
    assert [(t["verdict"], t["passed"], t["unit"]) for t in summary["thresholds"]] == [
        ("pass", True, "m"),
        ("no data", True, "s"),
    ]
    p95 = summary["totals"]["latency_ms"]["p95"]
    assert summary["thresholds"][0]["observed"] == round(p95 / 60_000, 6)
    goodput = summary["totals"]["goodput"]
    assert goodput["good"] == summary["totals"]["ok"] > 0
    assert goodput["share"] == 1.0
    assert "thresholds=2/2" in run.out.text()
    assert "all 2 passed" in run.out.text()


def test_a_run_with_a_failed_threshold_ends_with_99(place: Place, agent: AgentProcess) -> None:
    file = profile(place, agent.url, '"latency max < 1us"', '"error_rate < 5%"', '"goodput > 1%"', latency="0.001ms")
    run = place.finish("--profile", file, "--headless")
    assert run.wait() == 99
    summary = place.summary()
    assert (summary["run"]["stop_reason"], summary["run"]["exit_code"]) == ("completed", 99)
    assert [t["verdict"] for t in summary["thresholds"]] == ["fail", "pass", "fail"]
    assert summary["totals"]["goodput"]["good"] == 0
    assert "FAIL  latency max < 1us" in run.out.text()
    assert "! threshold failed: latency max < 1us (observed" in run.out.text()
    assert run.err.text() == "agenttop: 2 of 3 thresholds failed"


def test_a_threshold_may_end_the_run(place: Place) -> None:
    with AgentProcess({"preset": "quiet"}) as agent:
        file = profile(
            place, agent.url, '{ expression = "latency p95 < 1us", abort = true }', '"rps > 0"', duration=LONG
        )
        run = place.finish("--profile", file, "--headless")
    assert run.wait() == 99
    summary = place.summary()
    check_summary(summary)
    assert (summary["run"]["stop_reason"], summary["run"]["exit_code"]) == ("threshold_abort", 99)
    assert [(t["verdict"], t["aborted_run"]) for t in summary["thresholds"]] == [("fail", True), ("pass", False)]
    assert summary["totals"]["requests"] > 0
    # It is judged every second, and what is in flight is cut.
    assert summary["run"]["duration_s"] < 300
    assert "ABORTED by a threshold" in run.out.text()
    assert "a threshold ended the run: latency p95 < 1us" in run.err.text()
    place.gone()


def test_verdicts_are_shown_live_and_an_interrupted_run_keeps_its_own_code(place: Place, agent: AgentProcess) -> None:
    file = profile(place, agent.url, '"latency max < 1us"', '"error_rate < 5%"', duration=LONG)
    with place.start("--profile", file, "--headless") as run:
        seen = run.viewer().wait(lambda s: s["requests"] > 10)
        assert [(t["verdict"], t["passed"]) for t in seen["thresholds"]] == [("fail", False), ("pass", True)]
        assert (seen["goodput"], seen["good"]) == (1.0, seen["ok"])
        run.signal(signal.SIGINT)
        assert run.wait() == 130
    summary = place.summary()
    assert (summary["run"]["stop_reason"], summary["run"]["exit_code"]) == ("stopped_by_user", 130)
    assert [t["passed"] for t in summary["thresholds"]] == [False, True]

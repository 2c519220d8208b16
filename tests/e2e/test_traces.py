"""The slowest requests with their traces: in the summary, in the report, and the same again from the journal."""

from __future__ import annotations

import re

from agenttop.agent.process import AgentProcess
from agenttop.journal.journal import rebuild
from agenttop.report.summary import check_summary
from tests.e2e.harness import Place
from tests.e2e.profiles import stream, voice

HEAD = """
target = "{url}"
users = 8
duration = "2s"
traceparent = {on}
"""
PROFILE = HEAD + stream("20ms") + voice("20ms")


def test_the_slowest_have_their_traces(place: Place) -> None:
    with AgentProcess({"preset": "quiet", "first_token": "5ms"}) as agent:
        run = place.finish(
            "--profile", place.write(PROFILE.format(url=agent.url, on="true")), "--headless", "--full", "--workers", "2"
        )
    assert run.wait() == 0, run.err.text()
    summary = place.summary()
    check_summary(summary)
    told = summary["slowest"]
    for rows, key in ((told["by_latency"], "latency_ms"), (told["by_ttft"], "ttft_ms")):
        assert len(rows) == 10
        assert [row[key] for row in rows] == sorted((row[key] for row in rows), reverse=True)
        for row in rows:
            assert row["request"] in summary["requests"]
            assert re.fullmatch("[0-9a-f]{32}", row["trace_id"])
            assert 0 <= row["t_s"] <= summary["run"]["duration_s"]
            assert row["stage"] == 0
    # Exact where the histogram has three digits.
    assert abs(told["by_latency"][0]["latency_ms"] - summary["totals"]["latency_ms"]["max"]) <= 0.002
    assert rebuild(place.directory())["slowest"] == told
    assert told["by_latency"][0]["trace_id"] in run.out.text()


def test_other_profiles_have_none(place: Place) -> None:
    with AgentProcess({"preset": "quiet"}) as agent:
        run = place.finish("--profile", place.write(PROFILE.format(url=agent.url, on="false")), "--headless", "--full")
    assert run.wait() == 0, run.err.text()
    assert place.summary()["slowest"] is None
    assert "slowest requests" not in run.out.text()

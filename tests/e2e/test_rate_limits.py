"""Refusals: graceful or not, waited for, sent again; counted as the target counts them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agenttop.agent.process import AgentProcess
from agenttop.report.summary import check_summary
from tests.e2e.harness import Place

SHIPPED = Path(__file__).resolve().parents[2] / "profiles" / "rate-limit.toml"
#: Waits of up to a tenth of a second, as the agent says in retry-after-ms; met at once by 20 users.
LIMITED = {"preset": "quiet", "requests_per_minute": 6_000, "burst": "100ms"}

PROFILE = """
target = "{url}"
users = 20
duration = "2s"
on_429 = "{policy}"
{more}
[rate_limit]
body_matches = "(?i)retry"
[[pools]]
name = "chat"
  [[pools.tasks]]
  name = "message"
  post = "/api/sessions/s/messages"
  json = {{ content = "hours?" }}
[[pools]]
name = "stream"
protocol = "sse"
dialect = "openai.chat"
  [[pools.tasks]]
  name = "completion"
  post = "/v1/chat/completions"
  json = {{ model = "m", stream = true, messages = [{{ role = "user", content = "hours?" }}] }}
"""
ROUTES = {"chat/message": "POST /api/sessions/{id}/messages", "stream/completion": "POST /v1/chat/completions"}


def run(place: Place, policy: str, more: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """The summary of a run against a limited agent, and what the agent counted."""
    with AgentProcess(LIMITED) as agent:
        profile = place.write(PROFILE.format(url=agent.url, policy=policy, more=more))
        done = place.finish("--profile", profile, "--headless", "--full")
        assert done.wait() == 0, done.err.text()
        summary, stats = place.summary(), agent.stats()
    check_summary(summary)
    for name, route in ROUTES.items():
        assert summary["requests"][name]["status"] == stats["requests"][route]
    limit = summary["totals"]["rate_limit"]
    served = summary["totals"]["status"]
    assert summary["totals"]["attempts"] == sum(served.values())
    assert limit["count"] == limit["conformant"] == served["429"] > 0
    assert limit["violations"] == {}
    return summary["totals"], limit


def test_retries_are_counted_as_the_target_counts_them(place: Place) -> None:
    totals, limit = run(place, "retry", "max_retries = 2")
    # Every refusal was sent again or ended its request.
    assert totals["cancelled"] == 0
    retried = totals["attempts"] - totals["requests"]
    assert 0 < retried == limit["count"] - totals["rate_limited"]
    assert 0 < limit["recovered"] <= totals["ok"]
    assert limit["amplification"] > 1
    assert totals["ok"] == totals["status"]["200"]
    assert totals["response_time_ms"]["count"] == totals["latency_ms"]["count"] == totals["ok"]
    # Of each request it is no shorter; of those that waited, longer.
    assert totals["response_time_ms"]["mean"] > totals["latency_ms"]["mean"]


def test_who_honors_sends_nothing_twice(place: Place) -> None:
    totals, limit = run(place, "honor")
    assert limit["count"] == totals["rate_limited"]
    assert (limit["recovered"], limit["amplification"]) == (None, 1.0)


@pytest.mark.parametrize(
    ("config", "code", "verdict"),
    [({"server_errors": 0}, 0, "pass"), ({"server_errors": 0.5}, 99, "fail")],
    ids=["graceful", "falls over"],
)
def test_the_shipped_profile_tells_graceful_from_not(
    place: Place, config: dict[str, float], code: int, verdict: str
) -> None:
    # 31 at once and one a second: however slowly the 50 arrive.
    with AgentProcess({"requests_per_minute": 60, "burst": "31s"} | config) as agent:
        done = place.finish("--profile", SHIPPED, "--target", agent.url, "--headless", "--full")
        assert done.wait() == code, done.err.text()
        stats = agent.stats()
    summary = place.summary()
    check_summary(summary)
    totals = summary["totals"]
    assert totals["requests"] == 50
    assert totals["status"] == stats["requests"]["POST /api/sessions/{id}/messages"]
    # The burst that the agent allows is 31 requests; more are let in while they arrive.
    assert totals["rate_limit"]["conformant"] == totals["rate_limited"] > 0
    assert summary["thresholds"][1]["verdict"] == verdict
    if code == 0:
        assert totals["rate_limit"]["violations"] == {}
        assert "as they should be" in done.out.text()
    else:
        assert set(totals["rate_limit"]["violations"]) <= {"500 under limit"}

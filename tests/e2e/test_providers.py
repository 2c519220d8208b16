"""What the generator counts of providers' formats is what the target served, exactly."""

from __future__ import annotations

from collections import Counter

import pytest

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import Place

FAULTY = {"preset": "quiet", "server_errors": 0.03, "requests_per_minute": 3_000, "burst": "1s", "output_tokens": 8}

PROFILE = """
target = "{url}"
seed = 3
warmup = "0s"
users = 60
duration = "2s"
timeout = "30s"
[[pools]]
name = "responses"
protocol = "sse"
dialect = "openai.responses"
think_time = "50ms..150ms"
  [[pools.tasks]]
  name = "say"
  post = "/v1/responses"
  json = {{ model = "m", stream = true, input = "hours?" }}
  [[pools.tasks]]
  name = "call"
  post = "/v1/responses"
  json = {{ model = "m", stream = true, input = "Look up order #12345" }}
[[pools]]
name = "messages"
protocol = "sse"
dialect = "anthropic.messages"
think_time = "50ms..150ms"
  [[pools.tasks]]
  name = "think"
  post = "/v1/messages"
  json = {{ model = "m", stream = true, max_tokens = 99, thinking = {{ type = "enabled" }}, messages = [
    {{ role = "user", content = "hours?" }} ] }}
  [[pools.tasks]]
  name = "call"
  post = "/v1/messages"
  json = {{ model = "m", stream = true, max_tokens = 99, messages = [
    {{ role = "user", content = "Look up order #12345" }} ] }}
[[pools]]
name = "plain"
dialect = "anthropic.messages"
think_time = "50ms..150ms"
  [[pools.tasks]]
  name = "whole"
  post = "/v1/messages"
  json = {{ model = "m", max_tokens = 99, messages = [ {{ role = "user", content = "Look up order #12345" }} ] }}
"""


@pytest.mark.parametrize("cut", [0.0, 0.05], ids=["whole", "cut"])
def test_counts_are_those_of_the_target(place: Place, cut: float) -> None:
    with AgentProcess(FAULTY | {"cut_streams": cut}) as agent:
        profile = place.write(PROFILE.format(url=agent.url))
        run = place.finish("--profile", profile, "--headless")
        assert run.wait() == 0, run.err.text()
        summary, stats = place.summary(), agent.stats()
    pools, totals = summary["pools"], summary["totals"]
    assert pools["responses"]["status"] == stats["requests"]["POST /v1/responses"]
    messages = Counter(pools["messages"]["status"]) + Counter(pools["plain"]["status"])
    assert messages == stats["requests"]["POST /v1/messages"]
    outcomes = {name: count for name, count in totals["outcomes"].items() if count}
    assert outcomes.pop("truncated", 0) == stats["cut_streams"]
    assert set(outcomes) == {"ok", "rate_limited", "server_error"}
    assert pools["messages"]["ttft_ms"]["p50"] <= pools["messages"]["ttfo_ms"]["p50"]
    if cut:
        # Of a cut stream the generator counts what it got, the agent nothing.
        assert stats["cut_streams"] > 0
        return
    for kind in ("input", "output"):
        assert totals["tokens"][kind] == stats["tokens"][kind]
    assert totals["llm_calls"]["total"] == stats["llm_calls"] == totals["ok"]
    assert totals["tool_calls"]["total"] == stats["tool_calls"] > 0
    assert pools["messages"]["tokens"]["reasoning"] > 0

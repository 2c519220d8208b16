"""What the generator counts is what the target served, exactly."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import Place, Viewer

#: Fast, and with every kind of fault; the limits are low enough to be met by 200 users.
FAULTY = {
    "preset": "quiet",
    "server_errors": 0.03,
    "cut_streams": 0.03,
    "requests_per_minute": 12_000,
    "burst": "1s",
    "output_tokens": 8,
}

PROFILE = """
target = "{url}"
seed = 3
warmup = "0s"
timeout = "30s"
[measure]
llm_calls = "$.llm_calls"
tool_calls = "length($.tool_calls)"
input_tokens = "$.usage.input_tokens"
output_tokens = "$.usage.output_tokens"
[[stages]]
duration = "1s"
users = 200
[[stages]]
duration = "{seconds}s"
users = 200
[[pools]]
name = "chat"
think_time = "100ms..200ms"
  [[pools.setup]]
  post = "/api/sessions"
  json = {{ user_id = "u{{user}}" }}
  save = {{ session_id = "$.session_id" }}
  [[pools.tasks]]
  name = "message"
  post = "/api/sessions/{{session_id}}/messages"
  json = {{ content = "Look up order #12345" }}
[[pools]]
name = "stream"
protocol = "sse"
dialect = "openai.chat"
think_time = "100ms..200ms"
  [[pools.tasks]]
  name = "completion"
  post = "/v1/chat/completions"
  json = {{ model = "m", stream = true, stream_options = {{ include_usage = true }}, messages = [
    {{ role = "user", content = "hours?" }} ] }}
[[pools]]
name = "voice"
protocol = "ws"
dialect = "openai.realtime"
think_time = "100ms..200ms"
  [[pools.setup]]
  connect = "/v1/realtime?model=m"
  [[pools.tasks]]
  name = "turn"
    [[pools.tasks.steps]]
    wait = false
    send = {{ type = "conversation.item.create", item = {{ type = "message", role = "user", content = [
      {{ type = "input_text", text = "hours?" }} ] }} }}
    [[pools.tasks.steps]]
    send = {{ type = "response.create" }}
"""


def agree(summary: dict[str, Any], stats: dict[str, Any]) -> None:
    """Every figure that both sides have is the same on both."""
    requests, totals = summary["requests"], summary["totals"]
    served = stats["requests"]
    statuses = {
        "chat/POST /api/sessions": "POST /api/sessions",
        "chat/message": "POST /api/sessions/{id}/messages",
        "stream/completion": "POST /v1/chat/completions",
    }
    for name, route in statuses.items():
        assert requests[name]["status"] == served[route], name
    socket = stats["websocket"]
    connect = next(m for name, m in requests.items() if name.startswith("voice/") and "realtime" in name)
    assert connect["status"].get("101", 0) == socket["connections"]
    assert connect["status"].get("429", 0) == socket["refused"]
    turn, responses = requests["voice/turn"], socket["responses"]
    assert turn["requests"] == sum(responses.values())
    assert turn["ok"] == responses["completed"]
    assert turn["outcomes"].get("truncated", 0) == responses.get("cut", 0)
    assert turn["rate_limited"] + turn["outcomes"].get("stream_error", 0) == responses.get("failed", 0)
    assert "disconnected" not in responses
    cut = Counter(requests["stream/completion"]["outcomes"])["truncated"] + Counter(turn["outcomes"])["truncated"]
    assert cut == stats["cut_streams"]
    if not cut:
        # Of a cut stream the generator counts what it got, the agent nothing.
        assert totals["tokens"]["output"] == stats["tokens"]["output"]
    assert requests["chat/message"]["tokens"]["output"] <= stats["tokens"]["output"] <= totals["tokens"]["output"]
    assert totals["tokens"]["input"] == stats["tokens"]["input"]
    assert requests["chat/message"]["llm_calls"]["total"] == 2 * requests["chat/message"]["ok"]
    assert requests["chat/POST /api/sessions"]["ok"] == stats["sessions_created"]
    assert totals["cancelled"] == 0
    assert stats["in_flight"] == 0
    # And it was a test of something: all faults were met, and are all there is.
    assert totals["rate_limited"] > 0
    outcomes = {name for name, count in totals["outcomes"].items() if count}
    assert outcomes == {"ok", "rate_limited", "server_error", "stream_error"} | ({"truncated"} if cut else set())
    assert totals["requests"] == sum(totals["outcomes"].values())


def wait_for_users(viewer: Viewer, users: int) -> None:
    """Wait until there are so many, and no more are wanted."""
    viewer.wait(lambda s: s["users"] == users == s["target_users"])


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("steered", [False, True], ids=["planned", "steered"])
def test_counts_are_those_of_the_target(place: Place, workers: int, steered: bool) -> None:
    with AgentProcess(FAULTY | {"cut_streams": 0.0 if steered else 0.03}) as agent:
        profile = place.write(PROFILE.format(url=agent.url, seconds=60 if steered else 3))
        with place.start("--profile", profile, "--headless", "--workers", workers) as run:
            if steered:
                viewer = run.viewer()
                for users in (150, 20, 200, 0, 80, 5, 120, 60, 10, 90):
                    assert viewer.command(f"users {users}")["applied"]
                    # The workers have really followed before the next change; the busiest tasks take a second to end.
                    wait_for_users(viewer, users)
                assert viewer.command("stop")["applied"]
            assert run.wait() == (130 if steered else 0), run.err.text()
        summary = place.summary()
        agree(summary, agent.stats())
    if steered:
        assert [control["to"] for control in summary["controls"][:10]] == [150, 20, 200, 0, 80, 5, 120, 60, 10, 90]
        assert {control["source"] for control in summary["controls"]} == {"api"}

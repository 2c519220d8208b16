"""A target whose streams are none, seen from the outside."""

from __future__ import annotations

from typing import Any

import pytest

from agenttop.agent.process import AgentProcess
from agenttop.journal.journal import rebuild
from agenttop.report.summary import check_summary
from tests.e2e.harness import Place, Run

#: Each answer takes 0.6 s: 40 tokens, one every 10 ms.
AGENT = {"preset": "quiet", "first_token": "200ms", "tokens_per_second": 100, "output_tokens": 40, "spread": 0}
PROFILE = """
target = "{url}"
users = 10
duration = "2s"
[[pools]]
name = "chat"
protocol = "sse"
dialect = "openai.chat"
  [[pools.tasks]]
  name = "ask"
  post = "/v1/chat/completions"
  json = {{ model = "m", stream = true, messages = [{{ role = "user", content = "hours?" }}] }}
"""


def run(place: Place, buffered: str) -> tuple[dict[str, Any], Run]:
    with AgentProcess(AGENT | {"buffered_streams": buffered}) as agent:
        done = place.finish("--profile", place.write(PROFILE.format(url=agent.url)), "--headless", "--full")
    assert done.wait() == 0, done.err.text()
    summary = place.summary()
    check_summary(summary)
    return summary, done


def test_what_comes_in_one_burst_is_told(place: Place) -> None:
    summary, done = run(place, "100%")
    told = summary["requests"]["chat/ask"]["streams"]
    assert told["streamed"] == summary["totals"]["ok"] > 0
    assert told["one_burst"] > 0.9 * told["streamed"]
    assert told["share"] == pytest.approx(told["one_burst"] / told["streamed"], abs=1e-6)
    assert (told["stalled"], told["unterminated"]) == (0, 0)
    # Once as an event while it ran, and once in the report.
    assert " ".join(done.out.text().split()).count("of its streams came in one burst") >= 2
    assert rebuild(place.directory())["requests"]["chat/ask"]["streams"] == told


def test_what_streams_is_not(place: Place) -> None:
    summary, done = run(place, "0%")
    told = summary["totals"]["streams"]
    assert told["streamed"] > 0
    assert told["one_burst"] < 0.1 * told["streamed"]
    assert "one burst" not in done.out.text()

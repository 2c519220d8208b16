"""Tests of agenttop.controller.budget, agenttop.metrics.spending.

Budgets, as the target counts them: never more, whatever is in flight and whichever worker dies.
"""

from __future__ import annotations

from typing import Any

import pytest

from agenttop.agent.process import AgentProcess
from agenttop.report.summary import check_summary
from tests.e2e.harness import Place
from tests.e2e.profiles import stream, voice

HEAD = """
target = "{url}"
users = {users}
duration = "60s"
[budget]
{budget}
"""
PROFILE = HEAD + stream()
VOICE = HEAD + voice()
TOKENS = "tokens = 20_000\nmax_output_tokens = 200\nmax_input_tokens = 40"
AGENT = {"preset": "quiet", "first_token": "20ms", "spread": 0}


def run(place: Place, text: str, users: int, budget: str, *options: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """The summary of a run that ends with its budget, and what the agent counted."""
    with AgentProcess(AGENT) as agent:
        profile = place.write(text.format(url=agent.url, users=users, budget=budget))
        done = place.finish("--profile", profile, "--headless", *options)
        assert done.wait() == 0, done.err.text()
        stats = agent.stats()
    summary = place.summary()
    check_summary(summary)
    assert summary["run"]["stop_reason"] == "budget"
    assert "the budget is used up" in done.out.text()
    return summary, stats


@pytest.mark.parametrize("workers", [1, 2])
def test_500_users_send_no_more_than_1000_requests(place: Place, workers: int) -> None:
    summary, stats = run(place, PROFILE, 500, "requests = 1000", "--workers", workers)
    served = sum(stats["requests"]["POST /v1/chat/completions"].values())
    assert summary["budget"]["requests"] == {"cap": 1000, "used": served}
    assert summary["totals"]["attempts"] == served == 1000
    assert summary["totals"]["outcomes"]["budget_refused"] > 0


def test_tokens_are_never_more_than_the_cap(place: Place) -> None:
    summary, stats = run(place, PROFILE, 50, TOKENS)
    tokens = stats["tokens"]["input"] + stats["tokens"]["output"]
    line = summary["budget"]["tokens"]
    assert line["cap"] == 20_000
    assert tokens == line["used"] <= 20_000
    # Those in flight have told what they used before the run ended: what is left would not pay for another.
    assert tokens > 20_000 - 240
    assert line["at_worst_case_requests"] == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_cap_is_used_though_many_requests_in_flight_hold_more_than_they_use(place: Place, workers: int) -> None:
    budget = "tokens = 80_000\nmax_output_tokens = 200\nmax_input_tokens = 40"
    summary, stats = run(place, PROFILE, 200, budget, "--workers", workers)
    tokens = stats["tokens"]["input"] + stats["tokens"]["output"]
    assert 80_000 - 240 < tokens == summary["budget"]["tokens"]["used"] <= 80_000
    assert summary["totals"]["failed"] == 0


def test_money_is_counted_as_the_server_tells_its_tokens(place: Place) -> None:
    budget = "cost_usd = 0.02\nprice = { input = 1.0, output = 4.0 }\nmax_output_tokens = 200\nmax_input_tokens = 40"
    summary, stats = run(place, PROFILE, 20, budget)
    cost = (stats["tokens"]["input"] * 1.0 + stats["tokens"]["output"] * 4.0) / 1e6
    assert summary["budget"]["cost_usd"]["used"] == pytest.approx(cost) == summary["totals"]["cost_usd"]
    assert 0.02 - (40 * 1.0 + 200 * 4.0) / 1e6 < cost <= 0.02


def test_a_websocket_has_a_budget_too(place: Place) -> None:
    summary, stats = run(place, VOICE, 10, "requests = 100")
    turns = sum(stats["websocket"]["responses"].values())
    assert stats["websocket"]["connections"] + turns == summary["budget"]["requests"]["used"] == 100


def test_what_a_killed_worker_had_is_not_spent_twice(place: Place) -> None:
    with AgentProcess(AGENT) as agent:
        text = PROFILE.format(url=agent.url, users=100, budget="requests = 3000")
        with place.start("--profile", place.write(text), "--headless", "--workers", 2) as going:
            going.viewer().wait(lambda s: s["requests"] >= 200)
            place.workers(2)[0].kill()
            assert going.wait() == 0, going.err.text()
        served = sum(agent.stats()["requests"]["POST /v1/chat/completions"].values())
    summary = place.summary()
    line = summary["budget"]["requests"]
    assert summary["run"]["stop_reason"] == "budget"
    assert served <= 3000
    assert line["used"] <= served + 100  # what was in flight on the dead one may have come, or not
    assert served <= line["used"] + line.get("lost", 0)


def test_a_live_key_without_a_budget_is_not_used_unasked(place: Place) -> None:
    key = "sk-proj-" + "a1" * 20
    with AgentProcess(AGENT) as agent:
        text = PROFILE.format(url=agent.url, users=1, budget="requests = 5")
        header = '\n[headers]\nauthorization = "Bearer ${OPENAI_API_KEY}"\n'
        bare = text.replace("[budget]\nrequests = 5", "").replace("60s", "1s") + header
        done = place.finish("--profile", place.write(bare), "--headless", env={"OPENAI_API_KEY": key})
        assert done.process.returncode == 2
        assert "p.toml: budget: OPENAI_API_KEY looks like a live key of OpenAI" in done.err.text()
        assert key not in done.err.text() + done.out.text()
        assert agent.stats()["requests"] == {}
        for profile, more in ((bare, ["--yes"]), (text + header, [])):
            done = place.finish("--profile", place.write(profile), "--headless", *more, env={"OPENAI_API_KEY": key})
            assert done.process.returncode == 0, done.err.text()

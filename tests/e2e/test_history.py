"""Conversations of four dialects against a target that refuses a tool call without its result."""

from __future__ import annotations

import json

import pytest

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import Place
from tests.e2e.targets import answer, says, target

ORDER = "Look up order #12345"
PROFILE = """
target = "{url}"
seed = 3
users = 8
duration = "2s"
"""
POOL = """
[[pools]]
name = "{name}"
protocol = "{protocol}"
dialect = "{dialect}"
think_time = "20ms..60ms"
  [[pools.tasks]]
  name = "talk"
  history = "task"
  tool_results = {{ lookup_order = {{ status = "shipped" }}, "*" = "nothing" }}
"""
STEP = """
    [[pools.tasks.steps]]
    name = "turn {number}"
    post = "{path}"
    json = {{ {fixed}, {turns} }}
"""
STREAM = 'model = "m", stream = true'
RUN = 'threadId = "t-{user}-{uuid}", runId = "{uuid}", state = {}, tools = [], context = [], forwardedProps = {}'
#: Name, protocol, dialect, path, what does not change, where the turns are.
POOLS = [
    (
        "chat",
        "sse",
        "openai.chat",
        "/v1/chat/completions",
        STREAM + ", stream_options = { include_usage = true }",
        "messages",
    ),
    ("whole", "http", "openai.chat", "/v1/chat/completions", 'model = "m"', "messages"),
    ("responses", "sse", "openai.responses", "/v1/responses", STREAM + ", store = false", "input"),
    ("messages", "sse", "anthropic.messages", "/v1/messages", STREAM + ", max_tokens = 99", "messages"),
    (
        "thinking",
        "sse",
        "anthropic.messages",
        "/v1/messages",
        STREAM + ', max_tokens = 99, thinking = { type = "enabled" }',
        "messages",
    ),
    ("runs", "sse", "ag-ui", "/ag-ui", RUN, "messages"),
]


def pool_of(name: str, protocol: str, dialect: str, path: str, fixed: str, key: str) -> str:
    said = f'{key} = [ {{ role = "user", content = "{{0}}" }} ]'.replace("{0}", "{text}")
    steps = "".join(
        STEP.format(
            number=number,
            path=path,
            fixed=fixed,
            turns=f"{key} = []" if text is None else said.replace("{text}", text),
        )
        # An AG-UI agent runs its tools itself: there is no turn without a word of the user's.
        for number, text in enumerate([ORDER, "And?" if dialect == "ag-ui" else None, "Thanks, and when?"], 1)
    )
    return POOL.format(name=name, protocol=protocol, dialect=dialect) + steps


def test_the_target_understands_every_turn_and_counts_the_same(place: Place) -> None:
    with AgentProcess({"preset": "quiet", "output_tokens": 12}) as agent:
        text = PROFILE.format(url=agent.url) + "".join(pool_of(*pool) for pool in POOLS)
        run = place.finish("--profile", place.write(text), "--headless")
        assert run.wait() == 0, run.err.text()
        summary, stats = place.summary(), agent.stats()
    totals = summary["totals"]
    assert {name: count for name, count in totals["outcomes"].items() if count} == {"ok": totals["requests"]}
    for kind in ("input", "output"):
        assert totals["tokens"][kind] == stats["tokens"][kind]
    for name, *_ in POOLS:
        steps = [summary["requests"][f"{name}/turn {number}"] for number in (1, 2, 3)]
        assert all(step["ok"] for step in steps)
        # What is read grows from turn to turn (where the agent runs its tools, the first has two model calls).
        read = [step["tokens"]["input"] / step["ok"] for step in steps[1 if name == "runs" else 0 :]]
        assert read == sorted(set(read)), name


@pytest.mark.parametrize("most", [None, 2])
def test_a_session_goes_on_and_a_429_leaves_nothing(place: Place, most: int | None) -> None:
    config = {"preset": "quiet", "output_tokens": 4, "requests_per_minute": 3_000, "burst": "1s"}
    with AgentProcess(config) as agent:
        text = PROFILE.format(url=agent.url) + pool_of(*POOLS[0]).replace('"task"', "true")
        if most:
            text = text.replace("history = true", f"history = true\n  history_turns = {most}")
        run = place.finish("--profile", place.write(text), "--headless")
        assert run.wait() == 0, run.err.text()
        summary, stats = place.summary(), agent.stats()
    totals = summary["totals"]
    outcomes = {name for name, count in totals["outcomes"].items() if count}
    assert outcomes <= {"ok", "rate_limited"}
    assert totals["tokens"]["input"] == stats["tokens"]["input"]


def test_a_conversation_that_grows_too_large_is_told_of_once(place: Place) -> None:
    # Four answers are more than a conversation may hold; users go on all the same.
    long = {"choices": [{"message": {"role": "assistant", "content": "x" * 300_000}}]}
    with target(says(answer(json.dumps(long).encode()))) as url:
        text = PROFILE.format(url=url) + pool_of(*POOLS[1]).replace('"task"', "true")
        text = text.replace("users = 8", "users = 2").replace('think_time = "20ms..60ms"', 'think_time = "100ms"')
        run = place.finish("--profile", place.write(text), "--headless", "--workers", 2)
        assert run.wait() == 0, run.err.text()
    summary = place.summary()
    assert summary["totals"]["failed"] == 0
    told = [text for text in summary["generator"]["warnings"] if "forget their oldest turns" in text]
    assert len(told) == 1
    assert told[0].startswith("whole: conversations of more than 1 MiB")

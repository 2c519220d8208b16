"""Tests of agenttop.agent.clerk, agenttop.agent.messages: the golden set that is shipped asks what the agent knows.

The agent's answers are graded as a run grades them. All are right while it is well, and none is when it slips: so
what a run loses is what the agent counts.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agenttop.agent.answers import planned_pieces
from agenttop.agent.app import Agent
from agenttop.agent.clerk import last_question
from agenttop.agent.config import build_config
from agenttop.agent.generation import user_texts
from agenttop.agent.inquiry import CUTS_TEXT, MIXES_ORDER, SKIPS_TOOL, SLIPS
from agenttop.agent.plan import Plan, make_plan
from agenttop.quality.answer import Answer, ToolCall
from agenttop.quality.case import Case
from agenttop.quality.cases import Cases, read_cases
from agenttop.quality.grade import grade

GOLDEN = Path(__file__).resolve().parents[2] / "profiles" / "golden.jsonl"
TAGS = {"hours", "orders", "refunds", "account", "tools", "catalogue", "multi-turn", "refusal", "language"}


@pytest.fixture(scope="module")
def golden() -> Cases:
    return read_cases([(GOLDEN.name, GOLDEN.read_text(encoding="utf-8"))])


def messages_of(case: Case) -> list[dict[str, Any]]:
    return [{"role": "user", "content": case.input}] if isinstance(case.input, str) else list(case.input)


def answered(case: Case, plan: Plan) -> Answer:
    tools = tuple(ToolCall(tool.name, tool.arguments) for tool in plan.tools)
    finish = "length" if plan.length_limited else "stop"
    return Answer(case.id, text="".join(planned_pieces(plan)), tools=tools, finish=finish)


def plans(case: Case, number: int, **keys: object) -> Plan:
    question = last_question(user_texts(messages_of(case)))
    return make_plan(build_config(keys), number, 10, question, loops=True)


def test_the_golden_set_is_sound_and_various(golden: Cases) -> None:
    assert golden.problems == ()
    assert len(golden.cases) == len(golden.by_id) == 200
    assert set(golden.slices) >= TAGS
    assert all(golden.slices[tag] >= 18 for tag in TAGS)
    assert golden.judge_calls == 0
    assert len(golden.graders) >= 12
    asked = Counter(str(case.input) for case in golden.cases)
    assert max(asked.values()) == 1


async def test_the_agent_answers_all_of_it_rightly(golden: Cases) -> None:
    transport = httpx.ASGITransport(app=Agent(build_config({"preset": "quiet"})))
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        for case in golden.cases:
            body = (await client.post(f"/api/sessions/{case.id}/messages", json={"messages": messages_of(case)})).json()
            tools = tuple(ToolCall(tool["name"], tool["arguments"]) for tool in body["tools"])
            score = grade(case, Answer(case.id, text=body["content"], tools=tools, finish=body["finish_reason"]))
            assert (score.value, score.reason) == (1.0, ""), case.id
        counted = (await client.get("/stats")).json()["answers"]
    assert counted == {"waited": 0, "degraded": dict.fromkeys(SLIPS, 0), "wrong": 0}


def crowded(cases: tuple[Case, ...]) -> Iterator[tuple[Case, Plan]]:
    """Every way in which an answer to a case can be made worse, once."""
    for case in cases:
        found: dict[str, Plan] = {}
        for number in range(60):
            plan = plans(case, number, degrade="100%").crowded
            if plan is not None:
                found.setdefault(plan.slip, plan)
        yield from ((case, plan) for plan in found.values())


def test_no_answer_that_slips_is_right_and_the_grader_tells_why(golden: Cases) -> None:
    causes: Counter[tuple[str, str]] = Counter()
    for case, plan in crowded(golden.cases):
        score = grade(case, answered(case, plan))
        assert score.value is not None
        assert score.value < 1, (case.id, plan.slip)
        causes[plan.slip, score.cause] += 1
    with_tools = causes[SKIPS_TOOL, "tool_not_called"]
    # A tool called for another order is not the call that was asked for.
    assert causes == {
        (CUTS_TEXT, "truncated"): 200,
        (SKIPS_TOOL, "tool_not_called"): with_tools,
        (MIXES_ORDER, "tool_not_called"): with_tools,
    }
    assert with_tools >= 70


def test_no_wrong_answer_is_right(golden: Cases) -> None:
    for case in golden.cases:
        score = grade(case, answered(case, plans(case, 1, wrong="100%")))
        assert score.value is not None
        assert score.value < 1, case.id
        assert score.cause == "wrong", case.id

"""Tests of agenttop.agent.answers, agenttop.agent.brain, agenttop.agent.plan, agenttop.agent.limits,
agenttop.agent.sessions, agenttop.agent.conversation.

The parts that need no server: limits, sessions, plans, answers.
"""

import asyncio
import json

import pytest

from agenttop.agent.answers import arguments_json, pieces, split_evenly
from agenttop.agent.brain import Brain, ModelError, Timings
from agenttop.agent.clerk import reply
from agenttop.agent.config import AgentConfig, build_config
from agenttop.agent.limits import MAX_KEYS, Limits, go_duration
from agenttop.agent.plan import Plan, ToolRun, make_plan
from agenttop.agent.questions import Memory, question
from agenttop.agent.sessions import Sessions

HOURS, ORDER = question("What are your business hours?"), question("Look up order #12345")


def planned(config: AgentConfig, number: int, *, tools: bool, loops: bool = True, cap: int | None = None) -> Plan:
    return make_plan(config, number, 10, ORDER if tools else HOURS, loops=loops, max_output_tokens=cap)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0001, "0s"),
        (0.12, "120ms"),
        (0.9999, "1s"),
        (1, "1s"),
        (1.5, "1.5s"),
        (60, "1m0s"),
        (360, "6m0s"),
        (61.25, "1m1.25s"),
        (3600, "1h0m0s"),
        (7321, "2h2m1s"),
    ],
)
def test_durations_as_go_prints_them(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text


def test_requests_are_refused_when_used_up_and_admitted_when_the_time_told_has_passed() -> None:
    clock = Clock()
    limit = Limits(build_config({"requests_per_minute": 60, "burst": 2, "tokens_per_minute": 0}), clock).of(b"key")
    assert [limit.admit(10) is None for _ in range(3)] == [True, True, False]
    refusal = limit.check()
    assert refusal is not None
    assert (refusal.kind, refusal.retry_after_s) == ("requests", 1)
    assert refusal.wait_s == pytest.approx(1.0)
    assert dict(limit.headers()) == {
        b"x-ratelimit-limit-requests": b"60",
        b"x-ratelimit-remaining-requests": b"0",
        b"x-ratelimit-reset-requests": b"2s",
    }
    clock.now += refusal.wait_s
    assert limit.admit(10) is None


def test_output_tokens_leave_a_debt_that_has_to_be_paid_off() -> None:
    clock = Clock()
    config = build_config({"requests_per_minute": 0, "tokens_per_minute": 600, "burst": "10s"})
    limit = Limits(config, clock).of(b"")
    assert limit.admit(40) is None
    limit.spend(100)
    refusal = limit.admit(10)
    assert refusal is not None
    assert refusal.kind == "tokens"
    assert refusal.wait_s == pytest.approx(5.0)
    assert "retry" in refusal.message.lower()


def test_a_request_larger_than_the_bucket_waits_for_a_full_one_not_for_ever() -> None:
    limit = Limits(build_config({"tokens_per_minute": 60, "burst": 1}), Clock()).of(b"")
    assert limit.admit(500) is None
    assert limit.admit(1) is not None


def test_keys_have_limits_of_their_own_and_are_forgotten_past_a_number() -> None:
    limits = Limits(build_config({"requests_per_minute": 1, "burst": 60}), Clock())
    assert limits.of(b"a").admit(1) is None
    assert limits.of(b"a").admit(1) is not None
    assert limits.of(b"b").admit(1) is None
    for number in range(MAX_KEYS):
        limits.of(str(number).encode())
    assert limits.of(b"a").admit(1) is None


def test_sessions_are_bounded_in_number_age_and_turns() -> None:
    clock = Clock()
    sessions = Sessions(build_config({"max_sessions": 2, "session_ttl": 10, "max_turns": 3}), clock)
    first, second = sessions.create(), sessions.create()
    assert sessions.get(first.id) is first
    third = sessions.create()
    assert sessions.get(second.id) is None  # the one unused for longest
    assert len(sessions) == 2
    for tokens in (1, 10, 100, 1000):
        third.remember(tokens, Memory(order=tokens))
    assert (third.context_tokens, third.turns, third.memory.order) == (1110, 4, 1000)
    clock.now += 11
    assert sessions.get(third.id) is None
    assert len(sessions) == 0


def test_the_same_seed_makes_the_same_choices_and_another_seed_others() -> None:
    def plans(seed: int) -> list[object]:
        config = build_config({"seed": seed, "server_errors": 0.2, "cut_streams": 0.2, "slow_tools": 0.2})
        return [planned(config, number, tools=number % 2 == 0) for number in range(50)]

    assert plans(1) == plans(1)
    assert plans(1) != plans(2)


def test_shares_of_faults_are_about_what_was_asked_for() -> None:
    config = build_config({"server_errors": 0.1, "cut_streams": 0.05, "slow_tools": 0.2, "slow_tool_time": 9})
    plans = [planned(config, number, tools=True) for number in range(4000)]
    tools = [tool for plan in plans for tool in plan.tools]
    assert sum(plan.fails for plan in plans) / 4000 == pytest.approx(0.1, abs=0.02)
    assert sum(plan.cut_at is not None for plan in plans) / 4000 == pytest.approx(0.05, abs=0.015)
    assert sum(tool.seconds == 9 for tool in tools) / len(tools) == pytest.approx(0.2, abs=0.03)
    again = build_config(config.model_dump() | {"buffered_streams": 0.3})
    buffered = [planned(again, number, tools=True) for number in range(4000)]
    assert sum(plan.buffered for plan in buffered) / 4000 == pytest.approx(0.3, abs=0.03)
    assert [plan.calls for plan in buffered] == [plan.calls for plan in plans]  # the other choices stay
    assert all(0 <= p.cut_at < p.calls[-1].output_tokens for p in plans if p.cut_at is not None)


def test_a_loop_calls_the_model_again_and_a_single_answer_leaves_the_tools_to_the_client() -> None:
    config = build_config({"spread": 0})
    loop = planned(config, 1, tools=True)
    single = planned(config, 1, tools=True, loops=False)
    plain = planned(config, 1, tools=False, cap=5)
    assert (loop.served.llm_calls, single.served.llm_calls, plain.served.llm_calls) == (2, 1, 1)
    assert loop.served.tool_calls == single.served.tool_calls >= 1
    assert loop.calls[1].input_tokens > loop.calls[0].input_tokens
    assert (plain.served.output_tokens, plain.length_limited) == (5, True)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("Look up order #12345", True),
        ("where are my orders?", True),
        ("use a tool", True),
        ("lookup X", True),
        ("What are your business hours?", False),
        ("disorder and stools", False),
        ("", False),
    ],
)
def test_what_makes_the_model_call_tools(content: str, wanted: bool) -> None:
    assert bool(make_plan(build_config({}), 1, 10, question(content), loops=True).tools) is wanted


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("count", [1, 3, 8, 40, 200])
@pytest.mark.parametrize("content", ["What are your business hours?", "Look up order #12345 as JSON", "hello"])
def test_answers_have_exactly_the_tokens_asked_for(content: str, count: int, cut: bool) -> None:
    said = reply(question(content))
    parts = pieces(said, count, cut=cut)
    assert len(parts) == count
    assert all(parts)
    text = "".join(parts)
    # A short answer is whole however few tokens it has; one that is cut has a word in each.
    assert said.text.startswith(text) if cut and count < len(said.text.split()) else text.startswith(said.text)


def test_answers_fit_the_question() -> None:
    assert "9 am" in "".join(pieces(reply(HOURS), 40))
    assert "#12345" in "".join(pieces(reply(ORDER), 40))
    whole = json.loads("".join(pieces(reply(question("Order #12345 as JSON")), 200)))
    assert (whole["order_id"], whole["status"]) == ("12345", "shipped")
    assert json.loads(arguments_json(planned(build_config({}), 1, tools=True).tools[0].arguments)) == {
        "order_id": "12345"
    }
    assert "".join(split_evenly("abcdefg", 3)) == "abcdefg"
    assert split_evenly("abc", 0) == ["abc"]


class Order:
    """A sink that notes what happened and how many model calls ran at once."""

    running = 0
    most = 0

    def __init__(self, log: list[int], number: int) -> None:
        self._log, self._number = log, number

    async def started(self, timings: Timings) -> None:
        self._log.append(self._number)
        Order.running += 1
        Order.most = max(Order.most, Order.running)

    async def tool_called(self, tool: ToolRun) -> None:
        raise AssertionError("no tools were planned")

    async def token(self, index: int) -> None:
        await asyncio.sleep(0)
        if index == 2:
            Order.running -= 1


async def test_model_calls_share_the_slots_first_come_first_served() -> None:
    config = build_config({"preset": "quiet", "slots": 3, "output_tokens": 3, "spread": 0})
    brain = Brain(config)
    log: list[int] = []
    Order.running = Order.most = 0
    plans = [planned(config, number, tools=False) for number in range(20)]
    await asyncio.gather(*(brain.think(plan, Order(log, plan.number)) for plan in plans))
    assert log == list(range(20))
    assert Order.most == 3


async def test_a_failing_call_and_a_cancelled_one_give_their_slots_back() -> None:
    config = build_config({"preset": "quiet", "slots": 1, "server_errors": 1})
    failing = planned(config, 1, tools=False)
    slow = planned(build_config({"server_errors": 0, "first_token": "1h"}), 1, tools=False)
    good = planned(build_config({"preset": "quiet"}), 1, tools=False)
    brain = Brain(config)
    with pytest.raises(ModelError):
        await brain.think(failing)
    for _ in range(2):
        task = asyncio.create_task(brain.think(slow))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert (await brain.think(good)).phases()["tool_execution"] == 0

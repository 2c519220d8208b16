from __future__ import annotations

from pathlib import Path

import pytest

from agenttop.schedule.control import Control, Pauses
from agenttop.steering.apply import Change, Rejected, steer
from agenttop.steering.command import parse_command
from agenttop.steering.plan import Plan
from agenttop.steering.user_policy import in_force
from tests.steering.plans import STAGES, TASK, plan_of

POOLS = (
    f'[[pools]]\nname = "chat"\nthink_time = "2s..5s"\n{TASK}'
    f'[[pools]]\nname = "tools"\npacing = "10s"\n{TASK}'
    f'[[pools]]\nname = "open"\nstages = [{{ duration = "30s", rate = 30 }}]\n{TASK}'
)
VOICE = '[[pools]]\nname = "voice"\nprotocol = "ws"\n  [[pools.tasks]]\n  steps = [{ connect = "/" }]\n'


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path, STAGES + POOLS)


def give(plan: Plan, text: str, control: Control | None = None) -> Change:
    return steer(parse_command(text), control or Control(), plan, 5.0)


def words(plan: Plan, change: Change) -> tuple[str, ...]:
    return in_force(change.control, plan.layout.pools)


def test_pauses_of_every_closed_pool_or_of_one(plan: Plan) -> None:
    change = give(plan, "think 1s..3s")
    assert change.control.pauses == {0: Pauses((1, 3)), 1: Pauses((1, 3))}
    assert (change.before, change.after) == ("think 2s..5s chat; pacing 10s tools", "think 1s..3s")
    assert change.said == "think 1s..3s, before: think 2s..5s chat; pacing 10s tools"
    assert words(plan, change) == ("think 1s..3s",)
    change = give(plan, "pacing 250ms chat", change.control)
    assert change.control.pauses == {0: Pauses(pacing=0.25), 1: Pauses((1, 3))}
    assert change.said == "pacing 250ms in chat, before: think 1s..3s"
    assert words(plan, change) == ("pacing 250ms chat", "think 1s..3s tools")
    change = give(plan, "think profile chat", change.control)
    assert change.control.pauses == {1: Pauses((1, 3))}
    assert (change.before, change.after, change.pool) == ("pacing 250ms", "think 2s..5s", "chat")


def test_policies_of_every_pool_or_of_one(plan: Plan) -> None:
    change = give(plan, "on_429 retry")
    assert change.control.policies == {0: "retry", 1: "retry", 2: "retry"}
    assert (change.before, change.after) == ("on_429 count", "on_429 retry")
    assert words(plan, change) == ("on_429 retry",)
    change = give(plan, "on_429 honor open", change.control)
    assert change.said == "on_429 honor in open, before: on_429 retry"
    assert give(plan, "on_429 profile", change.control).control == Control()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("think 1s open", "open is driven by arrivals: its rate says when tasks begin"),
        ("think 2s..5s chat", "it is so already: think 2s..5s"),
        ("think profile", "it is so already: think 2s..5s chat; pacing 10s tools"),
        ("on_429 count", "it is so already: on_429 count"),
        ("on_429 honor nope", "there is no pool nope"),
    ],
)
def test_rejected(plan: Plan, text: str, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        give(plan, text)


def test_what_a_websocket_cannot_do(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, STAGES + POOLS + VOICE)
    for text in ("on_429 retry", "on_429 retry voice"):
        with pytest.raises(Rejected, match=r"messages of a WebSocket are not sent again \(voice\); say honor, or name"):
            give(plan, text)
    assert give(plan, "on_429 retry chat").control.policies == {0: "retry"}
    assert give(plan, "on_429 honor voice").control.policies == {3: "honor"}


def test_there_are_none_to_think(tmp_path: Path) -> None:
    only = f'[[pools]]\nname = "open"\nstages = [{{ duration = "30s", rate = 30 }}]\n{TASK}'
    with pytest.raises(Rejected, match="every pool is driven by arrivals: their rates say when tasks begin"):
        give(plan_of(tmp_path, only), "think 1s")


def test_a_command_goes_before_what_pools_and_requests_say(tmp_path: Path) -> None:
    own = POOLS.replace('think_time = "2s..5s"', 'on_429 = "retry"').replace(TASK, TASK + 'on_429 = "honor"\n', 2)
    plan = plan_of(tmp_path, STAGES + own)
    assert [policy.on_429 for policy in plan.policies] == ["by request", "by request", "count"]
    change = give(plan, "on_429 count")
    assert change.said == "on_429 count, before: on_429 by request chat; on_429 by request tools; on_429 count open"
    assert change.control.policies == {0: "count", 1: "count", 2: "count"}
    assert words(plan, change) == ("on_429 count",)

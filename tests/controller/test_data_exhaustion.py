"""When the data of a run is used up, from what its workers say."""

from __future__ import annotations

from pathlib import Path

from agenttop.controller.data_exhaustion import DataExhaustion
from agenttop.metrics.delta import PoolState
from tests.steering.plans import TASK, plan_of

A = ("a.csv",)


def test_a_pool_is_used_up_when_every_worker_says_so() -> None:
    supply = DataExhaustion(["chat"], 2)
    assert supply.fold(0, [PoolState(0, 3, 1, A)]) == []
    assert supply.fold(0, [PoolState(0, 0, 0, A, True)]) == []
    assert supply.fold(1, [PoolState(0, 2, 1)]) == []
    assert supply.fold(1, [PoolState(0, 2, 1, A)]) == ["chat: every row of a.csv has been used"]
    assert not supply.over, "tasks are under way"
    assert supply.fold(1, [PoolState(0, 0, 0, A, True)]) == []
    assert supply.over


def test_a_worker_without_users_holds_nobody_up() -> None:
    supply = DataExhaustion(["chat"], 2)
    assert supply.fold(1, [PoolState(0, 0, 0, (), True)]) == []
    assert not supply.over
    assert supply.fold(0, [PoolState(0, 0, 0, A, True)]) == ["chat: every row of a.csv has been used"]
    assert supply.over


def test_the_rows_of_a_worker_that_died_are_not_waited_for() -> None:
    supply = DataExhaustion(["chat"], 2)
    supply.fold(0, [PoolState(0, 0, 0, A, True)])
    assert supply.forget(1) == ["chat: no rows of a.csv are left; what a worker that is gone had not used is lost"]
    assert supply.over


def test_a_pool_without_data_goes_on() -> None:
    supply = DataExhaustion(["chat", "plain"], 1)
    assert supply.fold(0, [PoolState(0, 0, 0, A, True), PoolState(1, 2, 1)]) != []
    assert not supply.over


def test_no_users_at_all_is_not_the_datas_doing() -> None:
    supply = DataExhaustion(["chat"], 1)
    assert supply.fold(0, [PoolState(0, 0, 0, (), True)]) == []
    assert not supply.over


def test_the_most_users_a_plan_wants(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert [plan.most_users(pool) for pool in range(4)] == [30, 10, 4, 0]
    falling = '[[stages]]\nduration = "5s"\nusers = 7\n[[stages]]\nduration = "5s"\nusers = 0\nramp = "step"\n'
    assert plan_of(tmp_path, falling + f'[[pools]]\nname = "a"\n{TASK}').most_users(0) == 7

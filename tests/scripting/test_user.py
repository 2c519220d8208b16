"""What a user's class is made of: tasks with weights and rows, and what it says of itself."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from agenttop.scripting import User, task
from agenttop.scripting.load import describe, tasks_of


class Base(User):
    @task
    async def first(self) -> None: ...

    @task(5)
    async def second(self) -> None: ...

    @task
    async def dropped(self) -> None: ...


class Whole(Base):
    requests = ("ask", "pay")

    async def setup(self) -> None: ...

    @task(weight=2.5, name="buy it")
    async def second(self) -> None: ...

    async def dropped(self) -> None: ...

    @task(weight=0)
    async def never(self) -> None: ...


def test_tasks_are_those_of_the_bases_first_as_they_are_overridden() -> None:
    assert {name: (mark.weight, mark.name) for name, mark in tasks_of(Whole).items()} == {
        "first": (1, None),
        "second": (2.5, "buy it"),
        "never": (0, None),
    }
    assert {name: mark.weight for name, mark in tasks_of(Base).items()} == {"first": 1, "second": 5, "dropped": 1}


def test_a_class_says_what_a_profile_has_to_know() -> None:
    assert describe(Whole) == {
        "tasks": [["first", "first", 1], ["second", "buy it", 2.5], ["never", "never", 0]],
        "setup": True,
        "teardown": False,
        "requests": ["ask", "pay"],
        "faults": [],
    }


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf"), "3", True, None])
def test_a_weight_is_a_number(weight: Any) -> None:
    with pytest.raises(ValueError, match="weight of a task is a number of at least 0"):
        task(weight)


def faults(**body: Any) -> list[str]:
    """What is wrong with a class."""
    found: list[str] = describe(type("Shop", (User,), body))["faults"]
    return found


async def _ok(self: User) -> None: ...


def _sync(self: User) -> Any: ...


def test_what_is_wrong_with_a_class_says_what_to_write() -> None:
    good = task(_ok)
    assert faults(buy=good) == []
    assert faults() == ["Shop has no tasks; write @task above at least one of its async methods"]
    assert faults(buy=task(0)(_sync)) == [
        "the weights of all tasks of Shop are zero, so that none would ever be chosen",
        "Shop.buy is no async function; write async def buy(self)",
    ]
    assert faults(buy=good, setup=_sync) == ["Shop.setup is no async function; write async def setup(self)"]
    assert faults(teardown=good) == ["Shop.teardown is a hook and no task; leave @task out"]
    assert faults(buy=good, requests="ask") == [
        'requests of Shop is no list of names; write requests = ("ask", "pay")',
    ]
    for name in ("", "a\nb", "x" * 121):
        assert faults(buy=good, requests=[name]) == [
            "a row of Shop has no name of one line and 1 to 120 characters",
        ]


def test_what_users_import_is_light() -> None:
    code = "import sys, agenttop.scripting; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "agenttop.scripting" in loaded
    assert not {"numpy", "textual", "pydantic", "httpx", "uvloop"} & loaded

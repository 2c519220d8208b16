"""Forming a fleet of boxes that are made up; those of test_fleet are real."""

from __future__ import annotations

import pytest

from agenttop.controller.spec import FleetSpec
from agenttop.fleet import check, forming
from agenttop.fleet.messages import Hello
from agenttop.profile.fleet import Host, parse_hosts

SPEC = FleetSpec(parse_hosts(["b1", "b2"]))
made: list[FakeRemote] = []


class FakeRemote:
    """A box that is there, or has a fault that nobody thought of."""

    def __init__(self, host: Host, python: str, log: object = None) -> None:
        self.host = host
        self.closed = False
        made.append(self)

    async def open(self) -> Hello:
        if self.host.name == "b2":
            raise RuntimeError("a fault")
        return Hello("9.9")

    async def close(self, patience_s: float = 3.0) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _remotes(monkeypatch: pytest.MonkeyPatch) -> None:
    made.clear()
    for module in (forming, check):
        monkeypatch.setattr(module, "Remote", FakeRemote)


async def test_whatever_fails_no_box_is_left_behind() -> None:
    with pytest.raises(RuntimeError, match="a fault"):
        await forming.form(SPEC, "run")
    assert [remote.closed for remote in made] == [True, True]


def test_nor_by_a_look_at_it() -> None:
    with pytest.raises(RuntimeError, match="a fault"):
        check.check(SPEC)
    assert [remote.closed for remote in made] == [True, True]


def test_a_box_has_as_many_workers_as_were_asked_for_and_otherwise_no_endless_number() -> None:
    assert forming.workers_of(Hello("1", workers=7), 3) == 3
    assert forming.workers_of(Hello("1", workers=7), None) == 7
    assert forming.workers_of(Hello("1", workers=10**9), None) == forming.MAX_WORKERS

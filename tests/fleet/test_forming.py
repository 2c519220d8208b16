"""Forming a fleet of boxes that are made up; those of test_fleet are real."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agenttop.controller.spec import FleetSpec, RunSpec
from agenttop.fleet import check, forming
from agenttop.fleet.__main__ import with_boxes
from agenttop.fleet.messages import Hello
from agenttop.metrics.boxes import BoxInfo
from agenttop.profile.fleet import Host, parse_hosts
from tests.steering.plans import MIXED, profile_of

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


def test_a_secret_in_why_a_box_was_left_out_is_in_no_warning(tmp_path: Path) -> None:
    secret = "sk-fleet-0123456789"
    spec = RunSpec("id", str(tmp_path), profile_of(tmp_path, MIXED), "p.toml", {}, (secret,), "")
    there: Any = SimpleNamespace(info=BoxInfo("b1", 0, 2, 3, "h", 10_000))
    found = with_boxes(spec, forming.Fleet([there], [f"b2: it said {secret}"], None, None))
    assert found.warnings == ("box left out: b2: it said ***",)
    assert (found.workers, found.boxes) == (2, (there.info,))


def test_a_box_has_as_many_workers_as_were_asked_for_and_otherwise_no_endless_number() -> None:
    assert forming.workers_of(Hello("1", workers=7), 3) == 3
    assert forming.workers_of(Hello("1", workers=7), None) == 7
    assert forming.workers_of(Hello("1", workers=10**9), None) == forming.MAX_WORKERS

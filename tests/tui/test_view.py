"""What a view knows of the plan."""

from __future__ import annotations

import msgspec
import pytest

from agenttop.metrics.snapshot import StageInfo
from agenttop.tui.history import History
from agenttop.tui.look import RGB
from agenttop.tui.view import View, planned
from tests.tui.sim import STAGES, Sim


def view(**changes: object) -> View:
    sim = Sim("ramp")
    snapshot = sim.until(134)[-1]
    info = msgspec.structs.replace(sim.info, **changes)
    return View(info, snapshot, History(info), RGB)


@pytest.mark.parametrize(
    ("plan_t_s", "users"),
    [(0, 0), (15, 10), (30, 20), (120, 110), (210, 200), (211, 200), (570, 100), (600, 0), (601, None)],
)
def test_what_the_plan_wants(plan_t_s: float, users: float | None) -> None:
    assert planned(STAGES, plan_t_s) == users


def test_the_stage_of_now() -> None:
    stage = view().stage
    assert stage is not None
    assert stage.name == "ramp"


def test_a_run_cut_short_has_fewer_stages() -> None:
    assert [stage.name for stage in view(duration_s=200.0).stages] == ["warm", "ramp"]


def test_pools_with_stages_of_their_own_show_the_selected_ones() -> None:
    own = tuple(
        StageInfo(i, name, 0, 600, 0, 9, "users", pool=pool) for i, (name, pool) in enumerate([("a", "c"), ("b", "d")])
    )
    both = view(stages=own)
    assert [stage.pool for stage in both.stages] == ["c"]
    chosen = View(both.info, both.snap, both.history, RGB, pool="d")
    assert [stage.pool for stage in chosen.stages] == ["d"]

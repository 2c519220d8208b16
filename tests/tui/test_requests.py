"""Tests of agenttop.tui.panes.requests, agenttop.tui.panes.header.

Where it is narrow, decoration gives way before identity.
"""

from __future__ import annotations

import dataclasses

import msgspec
import pytest
from rich.cells import cell_len

from agenttop.tui.history import History
from agenttop.tui.look import RGB
from agenttop.tui.panes import header, plan, requests
from agenttop.tui.view import View
from tests.tui.sim import SCENARIOS, Sim


def view(scenario: str = "ramp", **figures: object) -> View:
    sim = Sim(scenario)
    history = History(sim.info)
    for snapshot in sim.until(SCENARIOS[scenario]):
        history.add(snapshot.tick, snapshot.plan_t_s)
    return View(sim.info, msgspec.structs.replace(snapshot, **figures), history, RGB)


@pytest.mark.parametrize(
    ("room", "shown"),
    [(26, ("chat/follow-up", " (sse)")), (19, ("chat/follow-up", "")), (13, ("follow-up", "")), (8, ("foll…up", ""))],
)
def test_the_protocol_gives_way_then_the_pool_then_the_middle_of_the_name(room: int, shown: tuple[str, str]) -> None:
    found = view()
    (row,) = [row for row in found.snap.table if row.name == "follow-up"]
    name, protocol = requests.label(found, row, room)
    assert cell_len(name + protocol) <= room
    assert (name[:3], name[-2:], protocol) == (shown[0][:3], shown[0][-2:], shown[1])


def test_a_pool_stays_where_two_have_a_request_of_the_same_name() -> None:
    found = view()
    row = found.snap.table[0]
    twin = msgspec.structs.replace(row, pool="other")
    both = View(found.info, msgspec.structs.replace(found.snap, table=(row, twin)), found.history, RGB)
    names = {requests.label(both, each, 9)[0] for each in (row, twin)}
    assert names == {"chat…swer", "othe…swer"}


@pytest.mark.parametrize("width", [60, 80, 120])
def test_what_never_streams_has_no_column_of_first_tokens(width: int) -> None:
    assert "TTFT" not in str(requests.compact(view("no_stream"), width, 6)[0])
    assert "TTFT" in str(requests.compact(view("ramp"), width, 6)[0])


def test_enlarged_it_has_more_columns() -> None:
    small, large = (dataclasses.replace(view(), enlarged=enlarged) for enlarged in (False, True))
    for width, more in ((80, ["p99 ms"]), (140, ["p99 ms", "max ms", "tokens/s", "of time"])):
        heads = [str(requests.full(each, width, 9)[1]) for each in (small, large)]
        assert [word for word in more if word not in heads[1]] == []
        assert [word for word in more if word in heads[0]] == []
    parts = [float(str(line)[:-2].split()[-1].rstrip("%")) for line in requests.full(large, 140, 9)[2:7]]
    assert sum(parts) == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize("width", range(60, 130))
@pytest.mark.parametrize("scenario", ["ramp", "saturated", "long_names", "storm"])
def test_a_part_of_the_head_is_there_whole_or_not_at_all(scenario: str, width: int) -> None:
    found = view(scenario)
    line = str(header.ruled(found, width, 2)[0])
    assert cell_len(line) == width
    assert f"429 {found.snap.rate_limited} " in line
    words = line.split("  ")
    whole = {"RUN", "/10:00", "stage", "gen", "generator", "lag"}
    assert not [word for word in words if word.strip() in whole], line
    assert ("SATURATED" in line) == (scenario == "saturated")
    if "stage" in line:
        assert any(f"stage {n}/4 {name}" in line for n, name in enumerate(("warm", "ramp", "hold", "drain"), 1))


def test_the_axis_of_the_plan_ends_at_its_top() -> None:
    """The middle of the column in which a ramp ends is below what it ramps to."""
    found = view()
    stages = tuple(
        msgspec.structs.replace(stage, target_start=at, target_end=to, start_s=begin, end_s=end, step=False)
        for stage, (at, to, begin, end) in zip(found.info.stages, ((0, 100, 0, 300), (100, 0, 300, 600)), strict=False)
    )
    info = msgspec.structs.replace(found.info, stages=stages)
    tick = msgspec.structs.replace(found.snap.tick, users=10, target=10.0, t_s=5.0)
    early = View(info, msgspec.structs.replace(found.snap, plan_t_s=5.0, t_s=5.0, users=10), History(info), RGB)
    early.history.add(tick, 5.0)
    text = "\n".join(map(str, plan.full(early, 120, 8)))
    assert " 100 " in text
    assert " 99 " not in text

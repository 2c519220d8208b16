"""Tests of agenttop.tui.panes.requests, agenttop.tui.panes.header.

Where it is narrow, decoration gives way before identity.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import msgspec
import pytest
from rich.cells import cell_len

from agenttop.metrics.heat import percentile_ms
from agenttop.tui.axis import axis
from agenttop.tui.history import History
from agenttop.tui.look import RGB
from agenttop.tui.panes import header, latency, plan, requests
from agenttop.tui.view import View
from tests.tui.sim import SCENARIOS, Sim


def view(scenario: str = "ramp", **figures: object) -> View:
    sim = Sim(scenario)
    history = History(sim.info)
    for snapshot in sim.until(SCENARIOS[scenario]):
        history.add(snapshot.tick, snapshot.plan_t_s)
        history.add_requests(snapshot.table)
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
    parts = [
        next(float(word[:-1]) for word in reversed(str(line).split()) if word.endswith("%") and word[0] != "<")
        for line in requests.full(large, 140, 9)[2:7]
    ]
    assert sum(parts) == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize("width", [72, 76, 90, 116, 140])
def test_enlarged_each_row_has_a_trend_of_its_own_percentiles(width: int) -> None:
    """The p95 of the window that ends in each cell, as it was told then: from zero to the highest of the row itself."""
    found = dataclasses.replace(view("storm"), enlarged=True, window="1m")
    head, first, *rest = (str(line) for line in requests.full(found, width + 4, 12)[1:7])
    assert "p95" in head.split()[-3:] or "p95," in head
    cells = requests._trend_cells(found, width)
    assert 7 <= cells <= 72
    along, values = axis(found, cells), dict[int | None, float]()
    for tick in found.history.of_request(("chat", "answer")).recent:
        values[along.column(tick.t_s)] = tick.latency_p95_ms or 0.0
    values.pop(None, None)
    trend = first[-2 - 2 - cells : -4]
    heights = ["▁▂▃▄▅▆▇".index(char) for char in trend.strip()]
    assert heights == [math.ceil(value / max(values.values()) * 6) for _, value in sorted(values.items())]
    assert min(heights) < 6
    assert [line for line in rest if set(line[-2 - 2 - cells : -4]) & set("▁▂▃▄▅▆▇")]
    assert "▇" not in str(requests.full(dataclasses.replace(found, enlarged=False), width + 4, 9)[2])


def test_the_trend_of_a_request_without_answers_is_empty() -> None:
    found = dataclasses.replace(view("storm"), enlarged=True)
    row = msgspec.structs.replace(found.snap.table[0], name="new")
    assert str(requests._trend(found, row, 12)) == " " * 12


@pytest.mark.parametrize("seconds", [200, 900])
def test_a_trend_of_long_cells_is_of_merged_counts(seconds: int) -> None:
    """Where a cell is longer than a live window, it is of all that ended in it: never a mean of percentiles."""
    sim = Sim("ramp")
    history = History(sim.info)
    for snapshot in sim.until(seconds):
        history.add(snapshot.tick, snapshot.plan_t_s)
        history.add_requests(snapshot.table)
    found = View(sim.info, snapshot, history, RGB, window="all", enlarged=True)
    along = axis(found, 8)
    assert along.cell_s > 10
    of_request = history.of_request(("tools", "search"))
    known = along.percentiles(of_request, latency.TOTAL[1])
    heat = along.heat(of_request, latency.TOTAL[1].counts)
    for each, counts in zip(known, heat, strict=True):
        assert (each is None) == (not any(counts))
        if each is not None:
            assert each.samples == sum(counts)
            assert each.value == pytest.approx(percentile_ms(counts, 95), rel=0.2)


#: Drawing changes no view, and making one takes longer than all its widths.
seen = functools.cache(view)


@pytest.mark.parametrize("width", range(60, 130))
@pytest.mark.parametrize("scenario", ["ramp", "saturated", "long_names", "storm"])
def test_a_part_of_the_head_is_there_whole_or_not_at_all(scenario: str, width: int) -> None:
    found = seen(scenario)
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

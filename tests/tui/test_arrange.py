"""Where panes stand: whatever the size and whatever there is to say, nothing overlaps and every row is used."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.tui.arrange import LAYOUTS, MANY, Place, Slot, arrange, layout_of
from agenttop.tui.panes import table

#: Rows of the head and of the bottom line.
AROUND = 3
#: Panes that a profile or a target may have nothing for.
MANDATORY = {"requests", "events", "latency", "percentiles"}
OPTIONAL = [entry.name for entry in table.PANES if entry.says is not table._always and entry.name not in MANDATORY]
ALWAYS = {entry.name: MANY for entry in table.PANES if entry.name not in OPTIONAL}


def subsets(names: list[str]) -> Iterable[tuple[str, ...]]:
    return (some for size in range(len(names) + 1) for some in combinations(names, size))


def check(width: int, height: int, lines: dict[str, int]) -> dict[str, Place]:
    layout = layout_of(width, height)
    room = height - AROUND
    slots = table.slots(layout)
    places = arrange(slots, width, room, lines)
    rows = [0] * room  # a bit a cell
    for name, at in places.items():
        assert lines[name], f"{name} has nothing to say"
        assert at.height >= slots[name].least, f"{name} is cut at {width}x{height}"
        assert at.x >= 0
        assert at.y >= 0
        assert at.x + at.width <= width
        assert at.y + at.height <= room
        cells = (1 << at.width) - 1 << at.x
        for y in range(at.y, at.y + at.height):
            assert not rows[y] & cells, f"an overlap at {width}x{height}: {places}"
            rows[y] |= cells
    assert set(rows) == {(1 << width) - 1}, f"a hole at {width}x{height}: {places}"
    return places


sizes = st.tuples(st.integers(60, 300), st.integers(16, 100))
said = st.fixed_dictionaries({name: st.integers(0, 40) for name in OPTIONAL})


@given(sizes, said)
def test_any_size_and_anything_to_say(size: tuple[int, int], optional: dict[str, int]) -> None:
    places = check(*size, {**ALWAYS, **optional})
    assert {"plan", "rate", "requests"} <= set(places)
    assert ("errors" in places) == bool(optional["errors"])
    assert {"latency", "total"} & set(places)


@pytest.mark.parametrize("some", subsets(OPTIONAL), ids="+".join)
def test_every_height_with_every_set_of_optional_panes(some: tuple[str, ...]) -> None:
    lines = {**ALWAYS, **{name: 4 if name in some else 0 for name in OPTIONAL}}
    for width in (60, 109, 110, 179, 180, 300):
        for height in range(16, 101):
            if not set(some) <= table.slots(layout_of(width, height)).keys():
                continue  # what the layout has no place for changes nothing, and without it the set comes by itself
            places = check(width, height, lines)
            if layout_of(width, height) != "compact":
                # Where there are boxes, there is room for all that the layout has, but for what comes late.
                wanted = {name: slot for name, slot in table.slots(layout_of(width, height)).items() if lines[name]}
                missing = wanted.keys() - places.keys()
                assert not any(not wanted[name].late or height >= 40 for name in missing)


def test_a_pane_is_as_high_as_what_it_says() -> None:
    slots = {"list": Slot(0, 3, 10, frame=2), "rest": Slot(1, 2, 2, grow=1)}
    assert [arrange(slots, 80, 30, {"list": n, "rest": 1})["list"].height for n in (1, 3, 6, 20)] == [3, 5, 8, 10]


def test_a_list_does_not_grow_beyond_its_lines_and_a_chart_takes_the_rest() -> None:
    slots = {"chart": Slot(0, 3, 4, grow=1), "list": Slot(1, 3, 5, frame=1, grow=9)}
    heights = {name: at.height for name, at in arrange(slots, 80, 40, {"chart": 1, "list": 7}).items()}
    assert heights == {"chart": 32, "list": 8}


def test_a_spare_pane_is_there_once_all_others_have_what_is_best() -> None:
    slots = {"list": Slot(1, 3, 6), "chart": Slot(2, 3, 3, grow=1, spare=True)}
    lines = dict.fromkeys(slots, 1)
    assert list(arrange(slots, 80, 8, lines)) == ["list"]
    assert {name: at.height for name, at in arrange(slots, 80, 9, lines).items()} == {"list": 6, "chart": 3}
    assert arrange(slots, 80, 20, lines)["chart"].height == 14


@pytest.mark.parametrize("size", [(100, 30), (120, 40), (200, 60), (300, 80)])
def test_of_a_run_of_few_requests_the_charts_have_the_rows(size: tuple[int, int]) -> None:
    places = check(*size, {**dict.fromkeys([*ALWAYS, *OPTIONAL], 0), "plan": MANY, "rate": MANY, "latency": 1,
                           "trend": MANY, "total": MANY, "requests": 3, "events": 3, "heat": MANY, "percentiles": 1,
                           "generator": MANY})  # fmt: skip
    assert places["requests"].height <= 3 + table.TITLED
    chart = places.get("trend") or places["total"]
    assert chart.height >= size[1] // 4


def test_a_late_pane_takes_nobody_s_place_and_then_grows_by_its_rank() -> None:
    slots = {"table": Slot(0, 3, 5, late=True), "chart": Slot(1, 3, 6), "line": Slot(2, 1, 1)}
    lines = dict.fromkeys(slots, 1)
    assert set(arrange(slots, 80, 6, lines)) == {"chart", "line"}
    heights = {name: at.height for name, at in arrange(slots, 80, 9, lines).items()}
    assert heights == {"table": 5, "chart": 3, "line": 1}


def test_who_has_the_higher_rank_gives_way() -> None:
    slots = {"last": Slot(2, 3, 3), "first": Slot(0, 3, 6), "second": Slot(1, 2, 2, grow=1)}
    lines = dict.fromkeys(slots, 1)
    assert list(arrange(slots, 80, 7, lines)) == ["first", "second"]
    assert arrange(slots, 80, 7, lines)["first"] == Place(0, 0, 80, 5)
    assert arrange(slots, 80, 12, lines)["second"].height == 3


def test_panes_beside_each_other_share_the_width_and_one_alone_has_it() -> None:
    slots = {"left": Slot(0, 3, 5, grow=1), "right": Slot(0, 4, 4, beside=True), "below": Slot(1, 1, 1)}
    both = arrange(slots, 81, 9, dict.fromkeys(slots, 1))
    assert both == {"left": Place(0, 0, 41, 8), "right": Place(41, 0, 40, 8), "below": Place(0, 8, 81, 1)}
    assert arrange(slots, 81, 9, {"right": 1, "below": 1})["right"].width == 81


def test_a_column_without_panes_leaves_its_room_to_the_other() -> None:
    slots = {"left": Slot(0, 3, 5, grow=1), "right": Slot(0, 3, 5, column=1)}
    assert arrange(slots, 200, 9, {"left": 1})["left"] == Place(0, 0, 200, 9)
    assert arrange(slots, 200, 9, {"left": 1, "right": 1})["right"] == Place(138, 0, 62, 9)


def test_every_layout_has_panes_and_every_key_is_for_one_pane() -> None:
    for layout in LAYOUTS[1:]:
        assert table.shown(layout)
    keys = {entry.key: entry.full for entry in table.PANES}
    assert all(keys[entry.key] is entry.full for entry in table.PANES)

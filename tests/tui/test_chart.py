"""Tests of agenttop.tui.widgets.chart.

Charts have a zero base, and show a gap where there is no sample.
"""

from __future__ import annotations

import dataclasses

from rich.style import Style

from agenttop.tui.look import ASCII, PLAIN, RGB, UNICODE, Look
from agenttop.tui.text import Line
from agenttop.tui.widgets.chart import Spread, Values, across, area, peak, spark, spread


def test_a_sparkline_begins_at_zero() -> None:
    assert spark([0, 1, 50, 100, 200, None], 100, UNICODE) == "▁▂▄▇▇ "
    # Noise of 2 % at a high level is flat.
    assert len(set(spark([98, 100, 99, 98.5], 100, UNICODE))) == 1
    assert spark([0, 0], 0, UNICODE) == "▁▁"
    assert spark([0, 50, 100], 100, ASCII) == "_=#"


def test_an_area_is_filled_from_below_and_shows_whatever_is_above_zero() -> None:
    assert area([0, 0.01, 50, 75, 100, None], 2, 100, UNICODE) == ["   ▄█ ", " ▁███ "]
    assert all(row.isascii() for row in area([1, 2, 3], 3, 3, ASCII))


def drawn(low: Values, middle: Values, high: Values, height: int, top: float, look: Look = RGB) -> list[Line]:
    values = (low, middle, high)
    styles = (look.low, look.middle, look.high)
    three = [(each, [style] * len(each)) for each, style in zip(values, styles, strict=True)]
    return spread(Spread(*three), height, top, look.glyphs, look.bad)


def test_three_percentiles_are_told_apart_by_their_shape_alone() -> None:
    rows = [str(line) for line in drawn([25] * 8, [60] * 8, [95] * 8, 3, 100)]
    assert rows == ["⠐⠐⠐⠐", "⠉⠉⠉⠉", "████"]
    letters = dataclasses.replace(PLAIN, glyphs=ASCII)
    assert [str(line) for line in drawn([50] * 4, [75] * 4, [100] * 4, 4, 100, letters)] == [
        "****", "oooo", "::::", "::::",
    ]  # fmt: skip


def test_what_is_beyond_the_top_is_a_mark_and_not_the_top() -> None:
    rows = drawn([10] * 4, [20] * 4, [30, 30, 30, 900], 2, 40)
    assert [str(line) for line in rows] == ["⣠▲", "▆▆"]
    letters = dataclasses.replace(PLAIN, glyphs=ASCII)
    assert str(drawn([1] * 3, [2] * 3, [3, 99, 3], 4, 4, letters)[0]) == " ^ "


def test_a_line_that_crosses_the_area_is_seen_in_it() -> None:
    (row,) = drawn([90] * 2, [60] * 2, [None] * 2, 1, 100)
    (cell,) = row.strip(1)
    assert (cell.text, cell.style) == ("⠒", RGB.middle + Style(bgcolor=RGB.low.color))
    (plain,) = drawn([90] * 2, [60] * 2, [None] * 2, 1, 100, PLAIN)
    assert str(plain) == "⣿", "without colours the area's own dots are around it"


def test_a_steep_line_is_joined_and_a_gap_is_not() -> None:
    none: Values = [None] * 2
    joined = "".join(str(line) for line in drawn(none, [0, 100], none, 2, 100))
    broken = "".join(str(line) for line in drawn(none, [0, None], none, 2, 100))
    dots = [sum((ord(char) - 0x2800).bit_count() for char in text if char != " ") for text in (joined, broken)]
    assert dots == [8, 1]


def test_the_peak_of_nothing_is_zero() -> None:
    assert peak([None, None], []) == 0
    assert peak([1.0, None], [3.0]) == 3


def test_a_line_is_cut_into_what_is_filled_and_stands_above_the_rest() -> None:
    assert [across(char, RGB).reverse for char in " ▃▅█"] == [None, None, True, True]
    assert across("#", dataclasses.replace(PLAIN, glyphs=ASCII)).reverse
    assert not across(".", dataclasses.replace(PLAIN, glyphs=ASCII)).reverse

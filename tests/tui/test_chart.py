"""Tests of agenttop.tui.widgets.chart.

Charts have a zero base, and show a gap where there is no sample.
"""

from __future__ import annotations

import dataclasses

from rich.style import Style

from agenttop.tui.look import ASCII, PLAIN, RGB, UNICODE
from agenttop.tui.widgets.chart import across, area, curves, peak, spark

NONE = Style.null()


def test_a_sparkline_begins_at_zero() -> None:
    assert spark([0, 1, 50, 100, 200, None], 100, UNICODE) == "▁▂▄▇▇ "
    # Noise of 2 % at a high level is flat.
    assert len(set(spark([98, 100, 99, 98.5], 100, UNICODE))) == 1
    assert spark([0, 0], 0, UNICODE) == "▁▁"
    assert spark([0, 50, 100], 100, ASCII) == "_=#"


def test_an_area_is_filled_from_below_and_shows_whatever_is_above_zero() -> None:
    assert area([0, 0.01, 50, 75, 100, None], 2, 100, UNICODE) == ["   ▄█ ", " ▁███ "]
    assert all(row.isascii() for row in area([1, 2, 3], 3, 3, ASCII))


def test_curves_lie_one_above_the_other() -> None:
    rows = [str(line) for line in curves([([10] * 4, NONE, "."), ([100] * 4, NONE, "*")], 3, 100, UNICODE)]
    assert rows == ["⠉⠉", "  ", "⠤⠤"] or rows == ["⠉⠉", "  ", "⠒⠒"]
    assert [str(line) for line in curves([([0, None, 100], NONE, ".")], 2, 100, ASCII)] == ["  .", ".  "]


def test_a_steep_line_is_joined_and_a_gap_is_not() -> None:
    joined = "".join(str(line) for line in curves([([0, 100], NONE, ".")], 2, 100, UNICODE))
    broken = "".join(str(line) for line in curves([([0, None], NONE, ".")], 2, 100, UNICODE))
    dots = [sum((ord(char) - 0x2800).bit_count() for char in text if char != " ") for text in (joined, broken)]
    assert dots == [8, 1]


def test_the_peak_of_nothing_is_zero() -> None:
    assert peak([None, None], []) == 0
    assert peak([1.0, None], [3.0]) == 3


def test_a_line_is_cut_into_what_is_filled_and_stands_above_the_rest() -> None:
    assert [across(char, RGB).reverse for char in " ▃▅█"] == [None, None, True, True]
    assert across("#", dataclasses.replace(PLAIN, glyphs=ASCII)).reverse
    assert not across(".", dataclasses.replace(PLAIN, glyphs=ASCII)).reverse

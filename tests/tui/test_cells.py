"""Tests of agenttop.tui.cells."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from agenttop.tui.cells import Cell, Shown, cells_of, spans, written

RED, BLUE, BAR = Style.parse("#ff0000"), Style.parse("#0000ff"), Style.parse("reverse")
WIDTH = 24
rows = st.lists(
    st.tuples(st.text("ab 日本\u0301", max_size=12), st.sampled_from([RED, BLUE, BAR, None])), max_size=4
).map(lambda parts: Strip([Segment(*part) for part in parts]).adjust_cell_length(WIDTH))


class Screen:
    """A row of a terminal, as far as we write on one."""

    def __init__(self) -> None:
        self.chars = ["?"] * WIDTH
        self.styles: list[str] = ["?"] * WIDTH

    def take(self, text: str) -> None:
        x, style = 0, ""
        for code, end, char in re.findall(r"\x1b\[([0-9;]*)([Hm])|(.)", text, re.DOTALL):
            if end == "H":
                x = int(code.split(";")[1]) - 1
            elif end == "m":
                style = code
            elif wide := cell_len(char):
                self.chars[x : x + wide], self.styles[x : x + wide] = [char, ""][:wide], [style, style][:wide]
                x += wide
            else:
                at = x - 1 if self.chars[x - 1] else x - 2
                self.chars[at] += char


def test_a_wide_character_is_two_cells_and_one_without_width_belongs_to_the_one_before() -> None:
    assert cells_of(Strip([Segment("a日e\u0301", RED)])) == [("a", RED), ("日", RED), ("", RED), ("e\u0301", RED)]
    assert cells_of(Strip([Segment("日\u0301")])) == [("日\u0301", None), ("", None)]


def test_what_moved_by_half_a_wide_character_is_different_everywhere() -> None:
    old, new = (cells_of(Strip([Segment(text)])) for text in ("日" * 15 + "ab", "a" + "日" * 15 + "b"))
    assert spans(old, new) == [(0, 31)]


@given(st.lists(rows, min_size=1, max_size=4))
def test_a_terminal_shows_the_last_row_though_only_differences_are_sent(strips: list[Strip]) -> None:
    shown, terminal, whole = Shown(), Screen(), Screen()
    shown.fit(WIDTH, 1)
    for strip in strips:
        cells = cells_of(strip)
        stretches = [(0, x, part) for x, part in shown.missing(0, 0, cells)]
        terminal.take(written(stretches, ColorSystem.TRUECOLOR))
        for y, x, part in stretches:
            shown.put(y, x, part)
        assert list(shown.missing(0, 0, cells)) == []
    whole.take(written([(0, 0, cells)], ColorSystem.TRUECOLOR))
    assert terminal.chars == whole.chars == [char for char, _ in cells]


def test_nothing_is_sent_twice_until_it_is_forgotten_or_the_size_is_another() -> None:
    row: list[Cell] = cells_of(Strip([Segment("abc", RED)]))
    shown = Shown()
    shown.fit(3, 1)
    assert [x for x, _ in shown.missing(0, 0, row)] == [0]
    shown.put(0, 0, row)
    shown.fit(3, 1)
    assert list(shown.missing(0, 0, row)) == []
    shown.forget()
    shown.fit(3, 1)
    assert list(shown.missing(0, 0, row)) == [(0, row)]
    shown.put(0, 0, row)
    shown.fit(3, 2)
    assert list(shown.missing(0, 0, row)) == [(0, row)]


@pytest.mark.parametrize(
    ("blank", "styles"),
    [(Segment("   ", BLUE), 2), (Segment("   ", BAR), 4), (Segment("   ", Style.parse("on #0000ff")), 4)],
)
def test_the_colour_of_letters_is_not_sent_for_spaces(blank: Segment, styles: int) -> None:
    cells = cells_of(Strip([Segment("a", RED), blank, Segment("b", RED)]))
    assert written([(0, 0, cells)], ColorSystem.TRUECOLOR).count("m") == styles

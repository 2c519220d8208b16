"""Tests of agenttop.tui.widgets.pane, agenttop.tui.widgets.compositor.

Only what changed is sent.
"""

from __future__ import annotations

from rich.color import ColorSystem
from rich.style import Style

from agenttop.tui.cells import GAP, change
from agenttop.tui.text import Line
from agenttop.tui.widgets.pane import changed

RED, BLUE = Style.parse("#ff0000 on #000000"), Style.parse("#0000ff on #000000")


def spans(old: Line, new: Line, width: int = 60) -> list[tuple[int, int]]:
    return changed(old.strip(width), new.strip(width))


def test_equal_lines_have_no_changes() -> None:
    assert spans(Line().add("same", RED), Line().add("sa", RED).add("me", RED)) == []


def test_a_change_of_text_or_of_style() -> None:
    assert spans(Line().add("12:01"), Line().add("12:02")) == [(4, 5)]
    assert spans(Line().add("abc", RED), Line().add("abc", BLUE)) == [(0, 3)]


def test_near_changes_are_one_and_far_ones_two() -> None:
    assert spans(Line().add("a" + "." * GAP + "b"), Line().add("c" + "." * GAP + "d")) == [(0, GAP + 2)]
    assert len(spans(Line().add("a" + "." * (GAP + 1) + "b"), Line().add("c" + "." * (GAP + 1) + "d"))) == 2


def test_wide_characters_change_as_a_whole() -> None:
    assert spans(Line().add("日本"), Line().add("日木")) == [(2, 4)]


def test_a_style_is_sent_as_what_is_different() -> None:
    full = change(None, RED, ColorSystem.TRUECOLOR)
    assert full == "\x1b[0;38;2;255;0;0;48;2;0;0;0m"
    assert change(RED, BLUE, ColorSystem.TRUECOLOR) == "\x1b[38;2;0;0;255m"
    assert change(RED, RED + Style(bold=True), ColorSystem.TRUECOLOR).startswith("\x1b[0;1;")
    assert change(RED, None, ColorSystem.TRUECOLOR) == "\x1b[0m"
    assert change(None, Style.null(), ColorSystem.TRUECOLOR) == "\x1b[0m"

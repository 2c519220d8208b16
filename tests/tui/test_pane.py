"""Tests of agenttop.tui.widgets.pane, agenttop.tui.widgets.compositor.

Only what changed is sent.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
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
    bold = RED + Style(bold=True)
    assert change(RED, bold, ColorSystem.TRUECOLOR) == "\x1b[1m"
    assert change(bold, BLUE, ColorSystem.TRUECOLOR) == "\x1b[22;38;2;0;0;255m"
    assert change(RED, RED + Style(bgcolor="#222222"), ColorSystem.TRUECOLOR).startswith("\x1b[0;38;")
    # Not every terminal can end it alone.
    assert change(RED + Style(italic=True), RED, ColorSystem.TRUECOLOR) == full
    assert change(RED, None, ColorSystem.TRUECOLOR) == "\x1b[0m"
    assert change(None, Style.null(), ColorSystem.TRUECOLOR) == "\x1b[0m"


ATTRIBUTES = {"1": "bold", "2": "dim", "3": "italic", "4": "underline", "7": "reverse", "9": "strike"}
ENDS = {"22": ("bold", "dim"), "24": ("underline",), "27": ("reverse",)}
COLOURS = st.sampled_from([None, "default", "red", "bright_black", "#123456", "#fedcba"])
STYLES = st.builds(
    Style, color=COLOURS, bgcolor=COLOURS, **dict.fromkeys(ATTRIBUTES.values(), st.sampled_from([None, False, True]))
)


def terminal(sent: str, state: dict[str, str]) -> dict[str, str]:
    """What a terminal has set after what it is sent: attributes, colour and ground, those that are not usual."""
    codes = iter(sent.removeprefix("\x1b[").removesuffix("m").split(";") if sent else [])
    for code in codes:
        if code == "0":
            state = {}
        elif code in ATTRIBUTES:
            state = state | {ATTRIBUTES[code]: "on"}
        elif code in ENDS:
            state = {name: value for name, value in state.items() if name not in ENDS[code]}
        else:
            name = "ground" if code[0] == "4" or code[:2] == "10" else "colour"
            rest = [next(codes) for _ in range(4)] if code in ("38", "48") else []
            state = {key: value for key, value in state.items() if key != name}
            state |= {} if code in ("39", "49") else {name: ";".join((code, *rest))}
    return state


@given(STYLES, STYLES)
@pytest.mark.parametrize("colours", [ColorSystem.TRUECOLOR, ColorSystem.STANDARD])
def test_a_terminal_has_the_new_style_whatever_it_had_before(colours: ColorSystem, old: Style, new: Style) -> None:
    before = terminal(change(None, old, colours), {})
    sent = change(old, new, colours)
    assert terminal(sent, before) == terminal(change(None, new, colours), {})
    assert len(sent) <= len(change(None, new, colours))

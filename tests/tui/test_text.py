"""Numbers as text, and text from a target as harmless text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from agenttop.schedule.quantities import clock
from agenttop.tui.text import Line, age, clean, count, fit, join, ms, rate, size, wrap


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("two\nlines\tand  more", "two lines and more"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("turned\u202etxt", "turnedtxt"),
        ("zero\u200bwidth\x00", "zerowidth"),
        ("[bold]stays[/bold]", "[bold]stays[/bold]"),
        ("日本", "日本"),
    ],
)
def test_control_characters_are_taken_out_and_markup_is_left_alone(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize("width", range(1, 12))
def test_text_is_cut_to_cells_not_to_characters(width: int) -> None:
    assert cell_len(fit("日本語 and more", width)) <= width
    assert fit("short", 5) == "short"


@given(st.text(max_size=200), st.integers(4, 60))
def test_wrapped_text_fits_and_is_whole(text: str, width: int) -> None:
    line = clean(text)
    lines = wrap(line, width)
    assert all(cell_len(part) <= width for part in lines)
    assert "".join("".join(lines).split()) == "".join(line.split())


def test_text_is_broken_at_spaces() -> None:
    assert wrap("limit of 40 requests per second", 12) == ["limit of 40", "requests per", "second"]
    assert wrap("", 12) == []
    assert wrap("日本語", 4) == ["日本", "語"]


def test_numbers() -> None:
    assert [ms(v) for v in (None, float("nan"), 0.0, 0.34, 9.94, 12.4, 99_999.0, 1_000_000.0)] == [
        "-", "-", "0", "0.3", "9.9", "12", "99999", "1000k",
    ]  # fmt: skip
    assert [count(v) for v in (0, 99_999, 100_000, 12_345_678, 999_900)] == ["0", "99999", "100k", "12.3M", "1.0M"]
    assert [rate(v) for v in (0.0, 412.63, 9999.99)] == ["0.0", "412.6", "10000"]
    assert [clock(v) for v in (0, 134.9, 3600, 36_061)] == ["00:00", "02:14", "1:00:00", "10:01:01"]
    assert [age(v) for v in (0.0, 0.04, 4.11, 12.2, 119.4, 185)] == ["0.0s", "40ms", "4.1s", "12s", "119s", "3m05s"]
    assert [size(v) for v in (0, 999, 1000, 99_300_000, 2e15)] == ["0 B", "999 B", "1.0 kB", "99.3 MB", "2000.0 TB"]


def test_a_line_is_as_wide_as_asked() -> None:
    line = join(Line().add("left"), Line().add("right"), 20)
    assert str(line) == "left           right"
    assert str(join(Line().add("much too long a text"), Line().add("right"), 12)) == "much t right"
    assert line.strip(30).cell_length == 30
    assert line.strip(3).cell_length == 3

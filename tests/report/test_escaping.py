"""Text of profiles and targets means nothing but itself."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.report.escaping import command_property, command_text, csv_text, markdown

#: What targets might say to whoever opens a file.
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "![x](http://evil.example/a.png) [a](javascript:alert(1))",
    "http://evil.example/?q=1 www.evil.example",
    "| a | b |\n|---|---|\n# heading",
    "*bold* _it_ ~~no~~ `code` @someone #1 &lt;b&gt;",
    '=HYPERLINK("http://evil.example";"x")',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "＝1+1",
    "\t=1+1",
    "\r\n::error::gone\n::set-output name=x::y",
    "\x1b[2J\x1b]0;title\x07\u202eevil",
    "]]><x/>",
    "' onload='alert(1)",
    "\x00\ud800",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_makes_no_markup_of_it(text: str) -> None:
    shown = markdown(text)
    assert "\n" not in shown
    assert shown.isprintable()
    bare = shown.replace("\\\\", "").replace("&#47;", "")
    for char in "`*_~|<>[]#&!@":
        assert all(bare[at - 1] == "\\" for at, each in enumerate(bare) if each == char), char
    assert "://" not in shown
    assert "www." not in shown


@given(st.one_of(st.sampled_from(HOSTILE), st.text()))
def test_no_cell_begins_a_formula(text: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerow([csv_text(text)])
    ((cell,),) = csv.reader(io.StringIO(out.getvalue()))
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert "\n" not in cell


def test_a_workflow_command_is_one_line_and_ends_where_it_should() -> None:
    for text in HOSTILE:
        assert "\n" not in command_text(text)
        assert "\r" not in command_text(text)
        assert not {":", ","} & set(command_property(text))
    assert command_text("95% of it") == "95%25 of it"
    assert command_property("a: b, c") == "a%3A b%2C c"

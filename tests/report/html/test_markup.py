"""No text becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.report.html.markup import Markup, el, joined, safe
from tests.report.test_escaping import HOSTILE


class Read(HTMLParser):
    """What a parser finds: tags with their attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.one_of(st.sampled_from(HOSTILE), st.text()))
def test_text_and_attributes_come_back_as_they_were_but_for_what_is_not_printed(text: str) -> None:
    found = Read(el("p", text, el("b", text), title=text, class_="x"))
    shown = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    assert [tag for tag, _ in found.tags] == ["p", "b"]
    assert found.text == shown * 2
    assert found.tags[0][1] == {"title": shown, "class": "x"}


def test_elements() -> None:
    assert el("a", None, Markup("<b></b>"), hidden=True, x=None, y=False, stroke_width=2) == (
        '<a hidden stroke-width="2"><b></b></a>'
    )
    assert joined("<", None, Markup("<i></i>"), between="|") == "&lt;|<i></i>"


@pytest.mark.parametrize("char", ["\x00", "\x1b", "\u202e", "\ud800", "\ufeff"])
def test_what_does_not_print_is_a_space(char: str) -> None:
    assert safe(f"a{char}b\nc") == "a b\nc"

"""What remained of the limits, in the text report."""

from __future__ import annotations

from agenttop.report.page import Page
from agenttop.report.quotas import quotas


def text(*told: dict[str, object]) -> str:
    page = Page(80, color=False)
    quotas(page, {"quotas": list(told)})
    return "\n".join(page.lines)


LINE = {"pool": "chat", "name": "requests", "limit": 500, "lowest_remaining": 12, "last_remaining": 480}


def test_a_line_for_each() -> None:
    said = text(LINE, LINE | {"name": "\x1b[31mtokens", "limit": None, "lowest_remaining": None})
    assert "─ left of the limits ─" in said
    rows = [line.split() for line in said.splitlines()[-2:]]
    assert rows == [["chat:", "requests", "500", "12", "2.4%", "480"], ["chat:", "tokens", "-", "-", "480"]]
    assert max(map(len, said.splitlines())) <= 80


def test_nothing_where_no_target_tells() -> None:
    assert text() == ""
    page = Page(80, color=False)
    quotas(page, {})
    assert page.lines == []

"""What is told of streams, as text."""

from __future__ import annotations

from typing import Any

from agenttop.report.page import Page
from agenttop.report.streams import streams


def text(total: dict[str, int] | None, **requests: dict[str, int] | None) -> str:
    page = Page(80, color=False)
    summary: dict[str, Any] = {
        "totals": {"streams": total},
        "requests": {name: {"streams": told} for name, told in requests.items()},
    }
    streams(page, summary)
    return "\n".join(page.lines)


def test_a_warning_for_each_request_in_one_burst() -> None:
    bad, good = {"streamed": 100, "one_burst": 97}, {"streamed": 100, "one_burst": 1}
    said = text(bad, ask=bad, other=good, plain=None)
    assert said.startswith("  ! ask: 97% of its streams came in one burst: something between buffers them")
    assert "other" not in said
    assert "plain" not in said
    assert max(map(len, said.splitlines())) <= 80


def test_streams_without_an_end() -> None:
    said = text({"streamed": 5, "one_burst": 0, "stalled": 3, "unterminated": 2})
    assert said.splitlines() == [
        "  ! 3 streams stalled (idle_timeout)",
        "  ! 2 streams ended without their terminal event",
    ]


def test_nothing_to_tell() -> None:
    assert text(None, plain=None) == ""
    assert text({"streamed": 5, "one_burst": 0, "stalled": 0, "unterminated": 0}) == ""

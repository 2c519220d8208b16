"""A comparison on a page."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from agenttop.quality.compare import compare
from agenttop.report.html.compared import comparison_html
from tests.journal.test_summarize import summary_of
from tests.metrics.fakes import FakeRun
from tests.report.html.test_markup import Read
from tests.report.test_escaping import HOSTILE


def sides() -> list[dict[str, Any]]:
    found = [summary_of(FakeRun(seconds=40)), summary_of(FakeRun(seconds=60, seed=8))]
    found[1]["run"]["id"] = "20260105-130000-peak"
    return found


def test_runs_are_on_the_same_charts() -> None:
    base, head = sides()
    found = msgspec.to_builtins(compare([base], [head]))
    page = Read(comparison_html(found, [base, head]))
    for words in ("20260105-120000-peak", "20260105-130000-peak", "latency p95", "Latency p95", "First token p95"):
        assert words in page.text
    assert [tag for tag, _ in page.tags].count("figure") == 5
    assert f"{head['totals']['requests']:,}".replace(",", " ") in page.text
    assert "figures" in Read(comparison_html(found)).text


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_data(text: str) -> None:
    base, head = sides()
    found = msgspec.to_builtins(compare([base], [head]))
    head["run"]["id"] = text
    found |= {"head": [text], "flips": {"lost": [text], "won": []}, "words": text}
    for row in found["rows"]:
        row["note"] = text
    page = Read(comparison_html(found, [base, head]))
    assert not {"img", "a", "iframe"} & {tag for tag, _ in page.tags}
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)

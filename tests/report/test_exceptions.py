"""What users' own code has raised, in the text of a summary and in the line of a second."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from agenttop.metrics.snapshot import Cause
from agenttop.report.figures import cells
from agenttop.report.line import render_line
from agenttop.report.text import render_text
from tests.journal.test_summarize import summary_of
from tests.metrics.fakes import FakeRun


def with_exceptions(*messages: str, each: int, more: int = 0) -> dict[str, Any]:
    """A summary with each message so many times, and so many that are not among its errors."""
    summary = summary_of(FakeRun(seconds=5))
    errors = [
        {"outcome": "user_error", "message": message, "count": each, "first_s": 1.0, "last_s": 2.5}
        for message in messages
    ]
    summary["totals"] |= {"user_errors": each * len(messages) + more, "errors": [*errors, *summary["totals"]["errors"]]}
    return summary


@pytest.mark.parametrize("width", [60, 80, 120])
def test_each_is_there_with_its_place_and_count(width: int) -> None:
    message = f"Shop.buy raised ValueError: {'word ' * 30}(my_agent.py:17)"
    text = render_text(
        with_exceptions(message, "Shop.setup raised OSError\x1b[31m (a.py:3)", each=12), color=False, width=width
    )
    assert "─ exceptions in users' code ─" in text
    words = " ".join(text.split())
    assert "! 12 × Shop.buy raised ValueError: word" in words
    assert "word (my_agent.py:17), 1s – 2.50s" in words
    assert "! 12 × Shop.setup raised OSError (a.py:3), 1s – 2.50s" in words
    assert "user_error" not in text
    assert max(cells(line) for line in text.splitlines()) <= width


def test_what_is_not_shown_is_counted() -> None:
    text = render_text(with_exceptions(*map(str, range(10)), each=2, more=5), color=False)
    assert [text.count(f"! 2 × {number},") for number in range(10)] == [1] * 8 + [0] * 2
    assert "and 9 more" in text


def test_nothing_is_said_of_none() -> None:
    assert "exceptions" not in render_text(with_exceptions(each=0), color=False)
    old = summary_of(FakeRun(seconds=5))
    del old["totals"]["user_errors"]
    assert "exceptions" not in render_text(old, color=False)


def test_the_line_of_a_second_says_how_many() -> None:
    run = FakeRun(seconds=5)
    snapshot = run.aggregate().snapshot(run.situation(3))
    assert "exceptions" not in render_line(snapshot, run.info())
    cause = Cause("user_error", 1234, (1,), 0.5, 0.5, "Shop.buy raised KeyError")
    changed = msgspec.structs.replace(snapshot, causes=(*snapshot.causes, cause))
    assert " exceptions=1234" in render_line(changed, run.info())

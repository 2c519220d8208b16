"""What the errors pane says of 429s beyond their number, where the profile asks for it."""

from __future__ import annotations

import msgspec
import pytest

from agenttop.tui.history import History
from agenttop.tui.look import RGB
from agenttop.tui.panes import errors
from agenttop.tui.view import View
from tests.tui.sim import Sim


def drawn(width: int, **figures: int) -> list[str]:
    """The pane in a storm of 429s, as a rule and a row and as a box."""
    sim = Sim("storm")
    snapshot = msgspec.structs.replace(sim.until(134)[-1], **figures)
    view = View(sim.info, snapshot, History(sim.info), RGB)
    lines = [*errors.compact(view, width, 2), *errors.full(view, width, 8)]
    return ["".join(segment.text for segment in line.strip(width)) for line in lines]


@pytest.mark.parametrize("width", [80, 120])
def test_violations_and_retries_are_shown(width: int) -> None:
    rule, _, title, *_ = drawn(width, violations=12, retries=340, recovered=300)
    for line in (rule, title):
        assert "! 12 429 violations  429 retried 340, 300 ok" in line
    assert "429 violations" not in drawn(width, retries=340)[0]


@pytest.mark.parametrize("width", [80, 120])
def test_what_failures_leave_out_is_shown(width: int) -> None:
    rule, _, title, *_ = drawn(width, sent_again=10, sessions_lost=2)
    for line in (rule, title):
        assert "sent again: 10  sessions lost: 2" in line
    rule, _, title, *_ = drawn(width, said_nothing=7)
    for line in (rule, title):
        assert "! 7 said nothing" in line


def test_who_asks_for_nothing_sees_nothing_new() -> None:
    assert drawn(80) == drawn(80, violations=0, retries=0, recovered=0)
    assert not any("violations" in line or "retried" in line for line in drawn(80))

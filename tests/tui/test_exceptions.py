"""What the errors pane says of exceptions in users' own code."""

from __future__ import annotations

import msgspec

from agenttop.metrics.snapshot import Cause
from agenttop.tui.history import History
from agenttop.tui.look import RGB
from agenttop.tui.panes import errors
from agenttop.tui.view import View
from tests.tui.sim import Sim

WORDS = "Shop.buy raised KeyError: 'x' (my_agent.py:17)"


def test_they_stand_among_the_causes_with_their_place() -> None:
    sim = Sim("storm")
    snapshot = sim.until(20)[-1]
    cause = Cause("user_error", 1234, (0, 3, 9), 1.0, 12.0, WORDS)
    view = View(sim.info, msgspec.structs.replace(snapshot, causes=(*snapshot.causes, cause)), History(sim.info), RGB)
    for width in (80, 120):
        row = errors.compact(view, width, 2)[1]
        assert "! exception 1234" in "".join(segment.text for segment in row.strip(width))
        box = ["".join(segment.text for segment in line.strip(width)) for line in errors.full(view, width, 8)]
        (line,) = [line for line in box if "exception" in line]
        assert "1234" in line
        assert any(WORDS[:24] in line for line in box)

"""Tests of agenttop.tui.panes.search.

A search on the screen: what is told of its levels.
"""

from __future__ import annotations

import msgspec

from agenttop.tui.history import History
from agenttop.tui.look import RGB
from agenttop.tui.panes import search
from agenttop.tui.view import View
from tests.tui.sim import SEARCHES, Sim


def test_a_level_that_was_cut_does_not_fail() -> None:
    sim, state = Sim("search"), SEARCHES["search"]
    assert state.now is not None
    cut = msgspec.structs.replace(state.now, level=12_500.0, verdict="cut", why="the end of the run")
    ended = msgspec.structs.replace(state, now=None, stopped="time", steps=(*state.steps[:3], cut))
    view = View(sim.info, msgspec.structs.replace(sim.until(134)[-1], search=ended), History(sim.info), RGB)
    assert "holds 32  fails -" in str(search.compact(view, 80, 2, ended)[1])
    boxed = "\n".join(str(line) for line in search.full(view, 120, 8, ended))
    assert "fails                  -" in boxed
    assert "12 500" in boxed
    assert "12 500!" not in boxed

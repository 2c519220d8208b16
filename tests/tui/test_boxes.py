"""Tests of agenttop.tui.panes.boxes.

The machines of a run, on the screen.
"""

from __future__ import annotations

import msgspec
import pytest

from agenttop.metrics.boxes import BoxRow
from agenttop.tui.history import History
from agenttop.tui.look import RGB
from agenttop.tui.panes import boxes
from agenttop.tui.view import View
from tests.tui.sim import FLEET, Sim


def view(*rows: BoxRow) -> View:
    sim = Sim("ramp")
    return View(sim.info, msgspec.structs.replace(sim.until(134)[-1], boxes=rows), History(sim.info), RGB)


def test_one_line_of_all() -> None:
    (line,) = boxes.compact(view(*FLEET), 80, 1)
    assert str(line) == "m boxes: b1 62 41.0/s  b2 ! lost  b3 off  box-17.a-rather… ! silent"
    (line,) = boxes.compact(view(*FLEET), 50, 1)
    assert str(line) == "m boxes: b1 62 41.0/s  b2 ! lost  b3 off …"
    assert boxes.compact(view(), 80, 1) == []


def test_a_line_each() -> None:
    lines = [str(line) for line in boxes.full(view(*FLEET), 62, 8)]
    assert "! 1 lost" in lines[0]
    assert lines[2].split() == ["│", "b1", "62", "41.0", "31%", "1.2ms", "612", "up", "│"]
    assert lines[5].split()[-3:] == ["!", "silent", "│"]
    wide = [str(line) for line in boxes.full(view(*FLEET), 110, 8)]
    assert " ".join(wide[1].split()[1:-1]) == "box users rps cpu lag p99 ttft p95 total p95 away clock ± state"
    assert wide[4].split()[-6:] == ["-", "-", "31.0ms", "6.4ms", "off", "│"]
    short = [str(line) for line in boxes.full(view(*FLEET), 62, 5)]
    assert "… 3 more" in short[3]
    assert "on one machine" in str(boxes.full(view(), 62, 5)[1])


@pytest.mark.parametrize(
    ("change", "column"), [({"cpu_percent": 71.0}, "71%"), ({"loop_lag_p99_ms": 4.1}, "4.1ms")], ids=["cpu", "lag"]
)
def test_what_makes_timing_lie_is_marked(change: dict[str, float], column: str) -> None:
    shown = view(msgspec.structs.replace(FLEET[0], **change))
    (row,) = [line for line in boxes.full(shown, 62, 6) if column in str(line)]
    styles = {segment.text.strip(): segment.style for segment in row.strip(62)}
    assert styles[column] == shown.look.bad
    assert styles["62"] == shown.look.text

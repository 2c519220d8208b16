"""Tests of agenttop.tui.panes.quotas.

What is left of the limits, on the screen.
"""

from __future__ import annotations

import msgspec
import pytest

from agenttop.metrics.snapshot import QuotaGauge
from agenttop.tui.history import History
from agenttop.tui.look import ASCII, RGB
from agenttop.tui.panes import quotas
from agenttop.tui.view import View
from tests.tui.sim import Sim

REQUESTS = QuotaGauge("chat", "requests", 500, 12, 0.4, 43.0)
TOKENS = QuotaGauge("chat", "tokens", 30_000, 8_120, 0.4, None)
PAST = QuotaGauge("voice", "output-tokens", 4_000_000, 400, 9.0, 0.0, past=True)


def view(*gauges: QuotaGauge) -> View:
    sim = Sim("storm")
    return View(sim.info, msgspec.structs.replace(sim.until(134)[-1], quotas=gauges), History(sim.info), RGB)


def test_one_line_of_its_own() -> None:
    (left,) = quotas.compact(view(REQUESTS, TOKENS), 80, 1)
    assert str(left) == "l left: requests 12/500 ↻ 43s · tokens 8.1k/30k"
    assert quotas.compact(view(), 80, 1) == []


def test_of_two_pools_the_scarcer_stands_in_the_line() -> None:
    other = msgspec.structs.replace(REQUESTS, pool="voice", remaining=3)
    assert str(quotas.line(view(REQUESTS, other), 80)) == "left: requests 3/500 ↻ 43s"


def test_what_does_not_fit_is_told_to_be_there() -> None:
    many = [msgspec.structs.replace(REQUESTS, name=f"limit-{number}") for number in range(9)]
    for width in (30, 58, 78):
        line = quotas.line(view(*many), width)
        assert line is not None
        assert line.width <= width
        assert str(line).endswith("…")


def test_a_reset_that_has_passed_is_told() -> None:
    assert str(quotas.line(view(PAST), 78)) == "left: output-tokens 400/4M reset since"


@pytest.mark.parametrize(("width", "height"), [(62, 6), (62, 4), (40, 6)])
def test_bars(width: int, height: int) -> None:
    lines = quotas.full(view(TOKENS, PAST, REQUESTS), width, height)
    assert [line.width for line in lines] == [width] * height
    assert "chat req" in str(lines[1])
    if height < 5:
        assert "… 2 more" in str(lines[2])
    elif width == 62:
        assert str(lines[2]).count(RGB.glyphs.bar) == round(8_120 / 30_000 * (62 - 4 - 15 - 2 - 12 - 2 - 11))
        assert "reset since" in str(lines[3])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (1000, "1k"), (8120, "8.1k"), (9_990, "10k"), (999_600, "1M"), (10**15, "1000T")],
)
def test_short(value: int, text: str) -> None:
    assert quotas.short(value) == text


def test_ascii_says_in() -> None:
    assert ASCII.again == "in"

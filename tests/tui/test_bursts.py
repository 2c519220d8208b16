"""Tests of agenttop.tui.panes.requests.

The mark of streams that are none, in the requests table, and percentiles of few samples.
"""

from __future__ import annotations

import msgspec
import pytest

from agenttop.tui.history import History
from agenttop.tui.look import RGB
from agenttop.tui.panes import requests
from agenttop.tui.view import View
from tests.tui.sim import Sim


@pytest.mark.parametrize("width", [80, 120])
def test_a_ttft_that_says_nothing_is_marked(width: int) -> None:
    sim = Sim("ramp")
    snap = sim.until(134)[-1]
    first, *rest = snap.table
    table = (msgspec.structs.replace(first, streamed=100, one_burst=97, ttft_p95_ms=1234.0), *rest)
    plain = View(sim.info, msgspec.structs.replace(snap, table=(first, *rest)), History(sim.info), RGB)
    marked = View(sim.info, msgspec.structs.replace(snap, table=table), History(sim.info), RGB)
    lines = [str(line) for line in requests.compact(marked, width, 8)]
    (line,) = [line for line in lines if " ! " in line]
    assert line.split()[0] == f"{first.pool}/{first.name}"
    assert " ! 1234 " in line
    assert not any("!" in str(line) for line in requests.compact(plain, width, 8))
    assert {line.width for line in requests.full(marked, width, 8)} == {width}


@pytest.mark.parametrize(
    ("samples", "ttft_samples", "dim"),
    [
        (662, 130, []),
        (130, 129, ["3333"]),
        (129, 130, ["2222"]),
        (11, 0, ["2222", "3333"]),
        (10, 0, ["1111", "2222", "3333"]),
    ],
)
def test_percentiles_of_few_samples_are_dim(samples: int, ttft_samples: int, dim: list[str]) -> None:
    sim = Sim("ramp")
    snap = sim.until(134)[-1]
    figures = {"p50_ms": 1111.0, "p95_ms": 2222.0, "ttft_p95_ms": 3333.0}
    row = msgspec.structs.replace(snap.table[0], samples=samples, ttft_samples=ttft_samples, **figures)
    view = View(sim.info, msgspec.structs.replace(snap, table=(row,)), History(sim.info), RGB)
    found = [
        text.strip()
        for line in requests.compact(view, 120, 8)
        for text, style, _ in line.strip(120)
        if style == RGB.dim and text.strip() in ("1111", "2222", "3333")
    ]
    assert found == dim

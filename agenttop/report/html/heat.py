"""Draws latencies over time as a heat map: of the summary's ``blocks``, whose counts are exact."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from agenttop.metrics.histogram import hdr_counts, lowest_value
from agenttop.report.figures import ms
from agenttop.report.html.chart import HEIGHT, LEFT, PLOT_HIGH, TOP, Axis, framed, marks_of
from agenttop.report.html.markup import Markup, el, joined

#: Rows an octave, and the share of all answers that may lie beyond the first and the last row.
PER_OCTAVE, BEYOND = 2, 0.001
#: Shades, from few to many.
SHADES = 8


def heat_map(summary: Mapping[str, Any], axis: Axis, number: int) -> Markup:
    """Return latencies over time as a figure: darker where more answers of a piece of the time are; nothing without
    any.
    """
    blocks = [block for block in summary["totals"].get("blocks") or () if block["latency_hdr"]]
    if not blocks:
        return Markup()
    counted = [_rows(block["latency_hdr"]) for block in blocks]
    whole = sum(counted, Counter[int]())
    low, high = _ends(whole)
    starts = [block["start_s"] for block in summary["totals"]["blocks"]]
    width = starts[1] - starts[0] if len(starts) > 1 else axis.end_s
    rows, shades = high - low + 1, [""] * SHADES
    for block, counts in zip(blocks, counted, strict=True):
        most, x = max(counts.values()), axis.x(block["start_s"])
        wide = axis.x(block["start_s"] + width) - x
        for row, found in counts.items():
            place = min(max(row, low), high) - low
            y, below = (round(HEIGHT * (rows - place - up) / rows) for up in (1, 0))
            shades[min(SHADES - 1, int(SHADES * math.sqrt(found / most)))] += f"M{x} {y}h{wide}v{below - y}h{-wide}z"
    cells = [el("path", d=path, class_=f"h{at}") for at, path in enumerate(shades) if path]
    labels = []
    for row in range(low, high + 1, max(1, round(rows / 6))):
        place = round(TOP + PLOT_HIGH * (rows - (row - low)) / rows)
        labels.append(el("text", ms(2.0 ** (row / PER_OCTAVE)), x=LEFT - 6, y=place, text_anchor="end"))
    note = f"answers by latency, {width:g} s a column; darker: more of the column"
    return framed("Heat map", note, axis, number, joined(*labels), joined(*cells, marks_of(axis)))


def _rows(hdr: str) -> Counter[int]:
    """Return counts by row: half an octave of ms each, row 0 from 1 ms on."""
    counts = hdr_counts(hdr)
    found: Counter[int] = Counter()
    for index in np.flatnonzero(counts > 0).tolist():
        us = max(lowest_value(index), 1)
        found[math.floor(math.log2(us / 1000) * PER_OCTAVE + 1e-9)] += int(counts[index])
    return found


def _ends(counts: Counter[int]) -> tuple[int, int]:
    """Return the first and the last row that are drawn; what is beyond is in them."""
    allowed = counts.total() * BEYOND
    rows = sorted(counts)

    def first(order: list[int]) -> int:
        reached = 0
        for row in order:
            reached += counts[row]
            if reached > allowed:
                return row
        return order[-1]

    return first(rows), first(rows[::-1])

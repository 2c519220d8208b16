"""Draws the score of graded answers by level of load, with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agenttop.report.figures import share
from agenttop.report.html.chart import HIGH, LEFT, PLOT_HIGH, PLOT_WIDE, TOP, WIDE
from agenttop.report.html.markup import Markup, el
from agenttop.report.quality import users


def score_chart(quality: Mapping[str, Any]) -> Markup:
    """Return a figure with a point for each level of load, in the order they came; nothing of fewer than two."""
    levels = quality.get("by_stage") or []
    if len(levels) < 2:
        return Markup()

    def y(score: float) -> float:
        return TOP + PLOT_HIGH * (1 - min(max(score, 0.0), 1.0))

    parts = []
    for part in range(5):
        parts.append(el("line", class_="grid", x1=LEFT, x2=LEFT + PLOT_WIDE, y1=y(part / 4), y2=y(part / 4)))
        parts.append(el("text", share(part / 4), x=LEFT - 6, y=y(part / 4) + 4, text_anchor="end"))
    points = []
    for at, row in enumerate(levels):
        x = round(LEFT + PLOT_WIDE * (at + 0.5) / len(levels), 1)
        low, high = row["interval"]
        points.append(f"{x},{y(row['score']):.1f}")
        parts.append(el("line", class_="line", x1=x, x2=x, y1=f"{y(low):.1f}", y2=f"{y(high):.1f}"))
        parts.append(el("circle", el("title", f"{row['stage']}, {users(row['users'])}: {share(row['score'])}"), cx=x,
                        cy=f"{y(row['score']):.1f}", r=4, fill="currentColor"))  # fmt: skip
        if len(levels) <= 12:
            parts.append(el("text", f"{row['stage']} ({row['users']})", x=x, y=HIGH - 8, text_anchor="middle"))
    parts.append(el("polyline", class_="line", points=" ".join(points)))
    note = "of graded answers by level of load (its users), with the 95 % interval"
    picture = el("svg", el("g", *parts, class_="c0"), viewBox=f"0 0 {WIDE} {HIGH}", role="img",
                 aria_label=f"Score {note}")  # fmt: skip
    return el("figure", el("figcaption", el("b", "Score"), " ", el("small", note)), picture)

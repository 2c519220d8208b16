"""A comparison of two sides as a page of HTML: the verdict, a row a figure, and the runs on the same charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agenttop.metrics.scope import clean_text
from agenttop.report.answer import answer
from agenttop.report.comparison import FLIPPED, HEAD, STYLES, cells_of, headline, label
from agenttop.report.figures import count, ms, per_s, share
from agenttop.report.html.chart import Axis, Chart, Series, draw
from agenttop.report.html.document import document
from agenttop.report.html.markup import el, joined
from agenttop.report.html.run_page import axis_of
from agenttop.report.html.series import Track, along, means, percentiles
from agenttop.report.html.told import HtmlPage

#: Runs on a chart: so many colours there are.
MAX_RUNS = 6
_WORDS = {"worse": "FAIL", "block": "FAIL", "undecided": "STOPPED"}


def comparison_html(found: Mapping[str, Any], runs: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return a comparison as a page.

    Args:
        found: an ``agenttop.compare/1``.
        runs: the summaries of base, then of head.
    """
    page = HtmlPage()
    page.add(
        el(
            "header",
            el("h1", el("span", headline(found), class_="word")),
            *(el("p", el("b", f"{side} "), ", ".join(map(clean_text, found[side]))) for side in ("base", "head")),
            class_=f"verdict {_WORDS.get(found['verdict'], 'PASS')}",
        )
    )
    _rows(page, found["rows"])
    for what, words in FLIPPED:
        if found["flips"].get(what):
            page.prose(f"{len(found['flips'][what])} {words}: {', '.join(map(clean_text, found['flips'][what]))}")
    axis = _axis(runs)
    charts = list(_charts(runs)) if runs else []
    for number, chart in enumerate(charts):
        page.add(draw(chart, axis, number))
    if runs:
        _runs(page, runs)
    title = f"agenttop compare: {found['verdict']}"
    return document(title, el("main", page.take()), [chart.figures() for chart in charts], axis.end_s)


def _rows(page: HtmlPage, rows: Sequence[Mapping[str, Any]]) -> None:
    lines = [el("tr", *(el("th", name) for name in (*HEAD, "")))]
    for row in rows:
        cells = cells_of(row) if row["unit"] else [label(row), *[""] * (len(HEAD) - 2), row["verdict"]]
        style = STYLES.get(row["verdict"], "")
        verdict = el("td", cells[-1], class_=style or None)
        lines.append(el("tr", *(el("td", cell) for cell in cells[:-1]), verdict, el("td", row["note"], class_="note")))
    page.section("figures")
    page.add(el("div", el("table", joined(*lines)), class_="scroll"))


def _axis(runs: Sequence[Mapping[str, Any]]) -> Axis:
    """Return the time of the longest run; marks of single runs would be nobody's."""
    return Axis(max((axis_of(run).end_s for run in runs), default=1.0))


def _charts(runs: Sequence[Mapping[str, Any]]) -> list[Chart]:
    shown = runs[:MAX_RUNS]
    longest = max(shown, key=lambda run: len(run["timeline"]["t_s"]))
    more = "" if len(shown) == len(runs) else f"; the first {MAX_RUNS} of {len(runs)} runs"
    found = []
    for title, note, unit, name in (
        ("Users", "there", "", "users"),
        ("Requests", "finished a second", "/s", "rps"),
        ("Latency p95", "of ok requests", "ms", "latency"),
        ("First token p95", "of ok requests", "ms", "ttft"),
        ("Failed", "a second, 429s among them", "/s", "failed_per_s"),
    ):
        grid = _track(longest, name)
        series = [
            Series(_name(run), along(_track(run, name), next(iter(grid.values)), grid.t_s), color)
            for color, run in enumerate(shown)
        ]
        found.append(Chart(title, note + more, unit, grid.t_s, series))
    return found


def _track(run: Mapping[str, Any], name: str) -> Track:
    """Return the one column of a run that a chart shows."""
    return percentiles(run, name, 95) if name in ("latency", "ttft") else means(run, name)


def _runs(page: HtmlPage, runs: Sequence[Mapping[str, Any]]) -> None:
    page.section("runs")
    rows = [["", "", "requests", "failed", "429", "rps", "p50", "p95", "TTFT p95"]]
    for run in runs:
        totals = run["totals"]
        latency, ttft = totals["latency_ms"] or {}, totals["ttft_ms"] or {}
        counts = [count(totals["requests"]), share(totals["error_rate"]), count(totals["rate_limited"])]
        times = [ms(latency.get("p50")), ms(latency.get("p95")), ms(ttft.get("p95"))]
        rows.append([_name(run), answer(run)[0], *counts, per_s(totals["rps"]), *times])
    page.table(rows)


def _name(run: Mapping[str, Any]) -> str:
    return clean_text(run["run"]["id"])

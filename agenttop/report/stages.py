"""Tells what each stage of a run was like: its load, rates and times, how many times those of the first, what grew.

The screen shows the same rows, while the run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agenttop.metrics.snapshot import StageRow
from agenttop.report.figures import count, fit, ms, per_s
from agenttop.report.page import Page
from agenttop.report.phases import Column, column, grown_most, load_of

_NAME, _GREW = 16, 13
#: Of every column its title, its cell, and whether it gives way where no stage has anything in it.
_COLUMNS: tuple[tuple[str, Callable[[StageRow], str], bool], ...] = (
    ("stage", lambda row: fit(row.name, _NAME), False),
    ("load", lambda row: row.load, False),
    ("rps", lambda row: per_s(row.rps), False),
    ("p50", lambda row: ms(row.p50_ms), False),
    ("p95", lambda row: ms(row.p95_ms), False),
    ("TTFT p95", lambda row: ms(row.ttft_p95_ms), True),
    ("429", lambda row: count(row.rate_limited), False),
    ("errors", lambda row: count(row.errors), False),
    ("× first", lambda row: "-" if row.times is None else f"{row.times:.1f}×", True),
    ("grew most", lambda row: _grew(row), True),
)
#: Decimals of how many times something is: what is added up in another order is the same.
_DIGITS = 3


def stage_rows(
    stages: Sequence[Mapping[str, Any]], load: Callable[[Mapping[str, Any]], tuple[float, str]]
) -> list[StageRow]:
    """Return the rows of stages that had requests, in order.

    Args:
        stages: as a summary has them; of METRICS what the rows are made of.
        load: returns a stage's load, with its text.
    """
    first: dict[tuple[str, str], tuple[Mapping[str, Any], Column | None]] = {}
    rows = []
    for stage in stages:
        if not stage["requests"]:
            continue
        mean, words = load(stage)
        phases = column(stage, mean, words)
        before, earlier = first.setdefault((stage.get("pool") or "", stage["unit"]), (stage, phases))
        grown = grown_most(earlier, phases) if phases and earlier and before is not stage else None
        rows.append(_row(stage, words, before, grown))
    return rows


def rows_of(summary: Mapping[str, Any]) -> list[StageRow]:
    """Return the rows of a summary."""
    return stage_rows(summary["stages"], lambda stage: load_of(summary, stage))


def cells(rows: Sequence[StageRow]) -> list[list[str]]:
    """Return the cells of rows, titles before them; a column that no stage fills is left out."""
    of_users = all(row.unit == "users" for row in rows)
    shown = []
    for title, cell, optional in _COLUMNS:
        texts = [cell(row) for row in rows]
        if title == "load" and of_users:
            title, texts = "users", [text.removesuffix(" users").removesuffix(" user") for text in texts]
        if not optional or any(text != "-" for text in texts):
            shown.append([title, *texts])
    return [list(line) for line in zip(*shown, strict=True)]


def most_telling(rows: Sequence[StageRow], most: int | None) -> list[StageRow]:
    """Return so many rows, in order: of more the first, those that are not over, the last, the highest p95."""
    if most is None or len(rows) <= most:
        return list(rows)
    ends = (rows[0], rows[-1])
    ranked = sorted(rows, key=lambda row: (row not in ends, row.over, -(row.p95_ms or 0.0)))
    kept = {row.stage for row in ranked[: max(most, 1)]}
    return [row for row in rows if row.stage in kept]


def stage_section(page: Page, summary: Mapping[str, Any]) -> None:
    """Add the table of stages, where there is more than one."""
    rows = rows_of(summary)
    if len(rows) > 1:
        page.section("stages", "p95: how many times the first stage's")
        page.table(cells(rows), first_min=6)


def _row(stage: Mapping[str, Any], load: str, before: Mapping[str, Any], grown: tuple[str, float] | None) -> StageRow:
    """Return the row of a stage with its load in words, held against the first of its pool and unit."""
    latency, ttft = stage["latency_ms"] or {}, stage["ttft_ms"] or {}
    pool = f"{stage['pool']}/" if stage.get("pool") else ""
    return StageRow(
        stage=stage["index"],
        name=stage["name"] if stage["name"].startswith(pool) else pool + stage["name"],
        unit=stage["unit"],
        load=load,
        requests=stage["requests"],
        rps=stage["rps"],
        rate_limited=stage["rate_limited"],
        errors=stage["failed"] - stage["rate_limited"],
        p50_ms=latency.get("p50"),
        p95_ms=latency.get("p95"),
        ttft_p95_ms=ttft.get("p95"),
        samples=latency.get("count", 0),
        ttft_samples=ttft.get("count", 0),
        times=None if before is stage else _times(latency, before["latency_ms"] or {}),
        grew="" if grown is None else grown[0],
        grew_times=None if grown is None else round(grown[1], _DIGITS),
        state=(stage.get("verdict") or {}).get("state", ""),
        over=stage.get("over", True),
    )


def _grew(row: StageRow) -> str:
    if row.grew_times is None:
        return "-"
    return fit(f"{fit(row.grew, _GREW - 5)} {row.grew_times:.1f}×", _GREW)


def _times(latency: Mapping[str, Any], before: Mapping[str, Any]) -> float | None:
    """Return how many times the first stage's p95 a p95 is."""
    if not latency.get("p95") or not before.get("p95"):
        return None
    return float(round(latency["p95"] / before["p95"], _DIGITS))

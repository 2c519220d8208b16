"""Tells what each stage of a run was like: its load, rates and times, how many times those of the first, what grew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agenttop.report.figures import count, fit, ms, per_s
from agenttop.report.page import Page
from agenttop.report.phases import columns, grown_most, load_of

_HEAD = ("stage", "load", "rps", "p50", "p95", "TTFT p95", "429", "errors", "× first", "grew most")
#: Columns that give way where no stage has anything in them.
_OPTIONAL = ("TTFT p95", "× first", "grew most")
_NAME, _GREW = 16, 13


def stage_rows(summary: Mapping[str, Any], most: int | None = None) -> tuple[list[list[str]], int]:
    """Return the cells of stages that had requests, a heading before them, and how many are left out.

    Of more than ``most`` the first, the last and those with the highest p95 stay. A column that no stage fills is left
    out.
    """
    stages = [stage for stage in summary["stages"] if stage["requests"]]
    first: dict[tuple[str, str], Mapping[str, Any]] = {}
    for stage in stages:
        first.setdefault(_group(stage), stage)
    phases = {column.index: column for column in columns(summary)}
    kept = _most_telling(stages, most)
    rows = []
    for stage in kept:
        before = first[_group(stage)]
        latency, ttft = stage["latency_ms"] or {}, stage["ttft_ms"] or {}
        grown = None
        if before is not stage and {stage["index"], before["index"]} <= phases.keys():
            grown = grown_most(phases[before["index"]], phases[stage["index"]])
        name = f"{stage['pool']}/{stage['name']}" if stage.get("pool") else stage["name"]
        rows.append(
            [
                fit(name, _NAME),
                load_of(summary, stage)[1].removesuffix(" users").removesuffix(" user"),
                per_s(stage["rps"]),
                ms(latency.get("p50")),
                ms(latency.get("p95")),
                ms(ttft.get("p95")),
                count(stage["rate_limited"]),
                count(stage["failed"] - stage["rate_limited"]),
                "-" if before is stage else _times(latency, before["latency_ms"] or {}),
                "-" if grown is None else fit(f"{fit(grown[0], _GREW - 5)} {grown[1]:.1f}×", _GREW),
            ]
        )
    empty = {at for at, name in enumerate(_HEAD) if name in _OPTIONAL and all(row[at] == "-" for row in rows)}
    shown = [[cell for at, cell in enumerate(row) if at not in empty] for row in ([*_HEAD], *rows)]
    return shown, len(stages) - len(kept)


def stage_section(page: Page, summary: Mapping[str, Any]) -> None:
    """Add the table of stages, where there is more than one."""
    rows, _ = stage_rows(summary)
    if len(rows) > 2:
        page.section("stages", "p95: how many times the first stage's")
        page.table(rows, first_min=6)


def _group(stage: Mapping[str, Any]) -> tuple[str, str]:
    """Return what stages have in common that are compared: their pool, and the unit of its load."""
    return stage.get("pool") or "", stage["unit"]


def _times(latency: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Return how many times the first stage's p95 a p95 is."""
    if not latency.get("p95") or not before.get("p95"):
        return "-"
    return f"{latency['p95'] / before['p95']:.1f}×"


def _most_telling(stages: Sequence[Mapping[str, Any]], most: int | None) -> list[Mapping[str, Any]]:
    if most is None or len(stages) <= most:
        return list(stages)
    inner = sorted(stages[1:-1], key=lambda stage: -((stage["latency_ms"] or {}).get("p95") or 0.0))
    kept = {id(stage) for stage in (stages[0], stages[-1], *inner[: most - 2])}
    return [stage for stage in stages if id(stage) in kept]

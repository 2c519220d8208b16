"""A run as tables for a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from agenttop.report.tables import TABLES, report_csv
from tests.journal.test_summarize import summary_of
from tests.metrics.fakes import FakeRun
from tests.report.test_escaping import HOSTILE
from tests.report.test_text import full


def rows(summary: dict[str, Any], table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report_csv(summary, table))))


@pytest.mark.parametrize("table", ["requests", "stages"])
def test_counts_are_the_summarys_to_the_last_request(table: str) -> None:
    summary = full()
    found = rows(summary, table)
    assert len(found) == len(summary[table])
    for key in ("requests", "ok", "failed", "rate_limited", "attempts", "bytes_received"):
        assert sum(int(row[key]) for row in found) == summary["totals"][key], key
    for outcome, number in summary["totals"]["outcomes"].items():
        assert sum(int(row[f"outcomes.{outcome}"]) for row in found) == number


def test_figures_are_the_summarys() -> None:
    summary = full()
    row = next(row for row in rows(summary, "requests") if row["request"] == "simple")
    told = summary["requests"]["chat/simple"]
    assert float(row["latency_ms.p95"]) == told["latency_ms"]["p95"]
    assert float(row["ttft_ms.p99_9"]) == told["ttft_ms"]["p99_9"]
    assert int(row["tokens.output"]) == told["tokens"]["output"]
    assert row["cost_usd"] == row["goodput.good"] == ""


def test_the_timeline_has_a_row_a_second() -> None:
    summary = full()
    found = rows(summary, "timeline")
    timeline = summary["timeline"]
    assert len(found) == len(timeline["t_s"]) == 60
    assert [float(row["rps"]) for row in found] == timeline["rps"]
    assert [row["stage"] for row in found][::20] == ["ramp", "hold", "hold"]
    assert {row["manual"] for row in found} == {"0"}


def test_columns_are_the_same_whatever_happened() -> None:
    empty = summary_of(FakeRun(seconds=3, warmup_s=9.0))
    for table in TABLES:
        assert report_csv(empty, table).splitlines()[0] == report_csv(full(), table).splitlines()[0]
    old = full()
    for key in ("manual", "held", "ttft_p99_ms"):
        del old["timeline"][key]
    assert {row["manual"] for row in rows(old, "timeline")} == {""}


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_begins_a_formula(text: str) -> None:
    summary = full()
    summary["requests"] = {f"{text}/{text}": summary["requests"]["chat/simple"]}
    summary["stages"][0]["name"] = text
    for table in TABLES:
        cells = [cell for row in rows(summary, table) for cell in row.values()]
        assert not [cell for cell in cells if cell[:1] in "=+@\t\r＝" and cell]

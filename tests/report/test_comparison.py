"""How a comparison is told."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from agenttop.quality.compare import compare
from agenttop.quality.margins import Gate, regress
from agenttop.report.comparison import (
    cells_of,
    comparison_markdown,
    comparison_text,
    comparison_xml,
    headline,
    label,
)
from agenttop.report.figures import cells
from tests.quality.worlds import graded, idle, with_scores


@pytest.fixture(scope="module")
def blocked() -> dict[str, Any]:
    base = with_scores(idle(1), graded(1))
    head = with_scores(idle(2, slower=1.3), graded(1, drop=0.08))
    head["run"]["id"] = "20260105-120000-<peak>|-0002"
    gate = Gate({"": 0.02}, (regress("latency.p95=10%"), regress("latency.p99=10%")))
    found: dict[str, Any] = msgspec.to_builtins(compare([base], [head], gate))
    return found


def test_the_verdict_stands_first_and_last_within_80_columns(blocked: dict[str, Any]) -> None:
    lines = comparison_text(blocked, color=False).splitlines()
    assert max(map(cells, lines)) <= 80
    assert lines[1].strip().startswith("BLOCK: worse than allowed: score, latency p95")
    assert lines[-1] == lines[1]
    header = next(line for line in lines if "95% interval" in line)
    assert header.split() == ["base", "head", "change", "95%", "interval", "visible", "allowed", "verdict"]
    rows = [line for line in lines if line.strip().startswith("latency p95")]
    assert rows[0].endswith("worse")
    assert "10.0%" in rows[0]
    assert any("passed and fail now: case-" in line for line in lines)
    assert "\x1b" not in "".join(lines)
    assert "\x1b[1;31m" in comparison_text(blocked, color=True)


def test_the_widest_figures_fit(blocked: dict[str, Any]) -> None:
    wide = json.loads(json.dumps(blocked))
    for row in wide["rows"]:
        if row["unit"] == "ms":
            row.update(base=123_456.0, head=999_999.0, difference=876_543.0, interval=[-1_111_111.0, 2_222_222.0],
                       visible=1_234_567.0, margin=12_345.0, verdict="undecided")  # fmt: skip
    lines = comparison_text(wide, color=False).splitlines()
    assert max(map(cells, lines)) <= 80
    assert all("undecided" in line for line in lines if line.strip().startswith("latency p"))


@pytest.mark.parametrize("width", [60, 66, 72])
def test_a_narrow_page_keeps_every_verdict_and_name(blocked: dict[str, Any], width: int) -> None:
    lines = comparison_text(blocked, color=False, width=width).splitlines()
    assert max(map(cells, lines)) <= width
    header = next(line for line in lines if "base" in line and "head" in line and "verdict" in line)
    rows = lines[lines.index(header) + 1 :][:3]
    assert all(row.split()[-1] in ("worse", "better", "same", "ok", "undecided") for row in rows), rows
    assert any(line.strip().startswith("latency p95") for line in lines)


def test_markdown_means_what_it_says(blocked: dict[str, Any]) -> None:
    text = comparison_markdown(blocked)
    assert text.startswith("**BLOCK: worse than allowed: ")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {9}
    assert "**worse**" in text


def test_junit_fails_what_blocks(blocked: dict[str, Any]) -> None:
    suite = ElementTree.fromstring(comparison_xml(blocked))
    failed = [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None]
    properties = {(one.get("name"), one.get("value")) for one in suite.iter("property")}
    assert ("head", blocked["head"][0]) in properties
    assert failed == ["score", "latency p95", "latency p99"]
    assert suite.get("failures") == "3"
    assert suite.get("tests") == str(len(blocked["rows"]))


def test_differences_of_shares_are_points_and_those_of_times_are_of_base(blocked: dict[str, Any]) -> None:
    row: dict[str, Any] = {"name": "error_rate", "unit": "share", "base": 0.01, "head": 0.035, "difference": 0.025}
    row |= {"interval": [-0.001, 0.05], "visible": 0.03, "margin": 0.02, "verdict": "undecided"}
    assert cells_of(row) == ["failed", "1.0%", "3.5%", "+2.5pt", "-0.10…+5.0pt", "3.0pt", "2.0pt", "undecided"]
    time = row | {"name": "latency p95", "unit": "ms", "base": 200.0, "head": 230.0, "difference": 30.0}
    assert cells_of(time | {"interval": None, "visible": None, "margin": None})[1:5] == [
        "200ms",
        "230ms",
        "+15.0%",
        "-",
    ]
    nothing = row | {"unit": "usd", "base": 0.0, "head": 0.5, "difference": 0.5, "interval": None}
    assert cells_of(nothing)[1:4] == ["$0", "$0.5", "+0.50"]
    assert label({"name": "error_rate {pool:chat}"}) == "failed {pool:chat}"


def test_without_a_gate_a_verdict_is_said_once() -> None:
    assert headline({"verdict": "worse", "words": "worse: latency p95"}) == "WORSE: latency p95"
    assert headline({"verdict": "same", "words": "no difference found"}) == "SAME: no difference found"

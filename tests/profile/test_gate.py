"""Tests of agenttop.profile.gate: what may block, and with what a run is compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenttop.controller.grading import golden_of
from agenttop.profile.gate import allowed, bases_of
from agenttop.quality.margins import Gate, Regress
from agenttop.steering.plan import Plan, levels_of
from agenttop.users.compile import layout_of
from tests.profile.test_quality import WHOLE, write_cases
from tests.profile.writing import TOP, load, problems

POOL = '\n[[pools]]\nname = "chat"\n[[pools.tasks]]\nget = "/ask"\n'


@pytest.fixture(autouse=True)
def cases(tmp_path: Path) -> None:
    write_cases(tmp_path)


def test_a_gate_says_what_may_be_worse_by_how_much(tmp_path: Path) -> None:
    text = '\n[gate]\nmax_score_drop = ["2%", "hours=5%"]\nmax_regress = { "latency.p95{pool:chat}" = "10%" }\n'
    gate = load(tmp_path, WHOLE + text).profile.gate
    assert gate is not None
    assert allowed(gate) == Gate(
        {"": 0.02, "hours": 0.05}, (Regress("latency", "p95", 0.1, "pools", "chat"),), strict=False
    )
    assert bases_of(gate) == ["last-passed"]


def test_one_margin_stands_alone_and_is_that_of_the_curve(tmp_path: Path) -> None:
    profile = load(tmp_path, WHOLE + '\n[gate]\nmax_score_drop = "5%"\nstrict = true\n').profile
    assert profile.gate is not None
    assert allowed(profile.gate) == Gate({"": 0.05}, (), strict=True)
    golden = golden_of(profile, levels_of(Plan(profile, layout_of(profile))))
    assert golden is not None
    assert golden.margin == 0.05
    profile = load(tmp_path, WHOLE + '\n[gate]\nmax_score_drop = "hours=5%"\n').profile
    of_a_slice = golden_of(profile, levels_of(Plan(profile, layout_of(profile))))
    assert of_a_slice is not None
    assert of_a_slice.margin == 0.02


def test_bases_are_files_beside_the_profile(tmp_path: Path) -> None:
    (tmp_path / "base.json").write_text("{}")
    text = '\n[gate]\nbase = "base.json"\nmax_regress = { "error_rate" = "1%" }\n' + POOL
    gate = load(tmp_path, TOP + text).profile.gate
    assert gate is not None
    assert bases_of(gate) == ["base.json"]


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("", 'gate: says nothing that could block; write max_score_drop = "2%", or max_regress'),
        ('max_score_drop = "2"', "gate.max_score_drop[0]: bad margin: expected a percentage such as 2%, not '2'"),
        ('max_score_drop = "houres=2%"', 'no case is in a slice "houres"; did you mean "hours"?'),
        ('max_regress = { "latency.p95" = "x" }', "gate.max_regress: bad margin: expected a percentage"),
        ('max_regress = { "latncy.p95" = "1%" }', 'latncy.p95: there is no such figure; did you mean "latency"?'),
        ('max_regress = { "goodput" = "1%" }', "goodput: needs [objectives]"),
        ('max_regress = { "capacity" = "1%" }', "capacity: nothing is searched; write [search]"),
        ('max_regress = { "cost_usd" = "1%" }', "cost_usd: needs a price in [budget]"),
        ('max_regress = { "rps{pool:chut}" = "1%" }', 'no pool is called "chut"; did you mean "chat"?'),
        ('max_regress = { "rps{request:golde}" = "1%" }', 'no request is called "golde"; did you mean "golden"?'),
        ('max_score_drop = "2%"\nbase = "gone.json"', "gate.base: there is no such file: gone.json"),
        ('max_score_drop = "2%"\nbase = "last-pased"', 'did you mean "last-passed"?'),
        ('max_score_drop = "2%"\nbase = []', 'gate.base: names nothing; write base = "last-passed", or a file'),
        ('max_score_drop = "2%"\nbase = ["last"]\nstrict = "maybe"', "gate.strict: expected true or false"),
        ('max_score_drop = "2%"\nbase = ["last", "golden.jsonl"]', "gate.base[0]: last stands alone"),
        ("max_score_drop = 2", 'gate.max_score_drop: expected a margin such as "2%", or a list of them, not 2'),
        ('max_score_drop = ["2%", "3%"]', "gate.max_score_drop: has two margins for one score"),
        ('max_regress = { latency.p95 = "1%" }', "with quotes around METRIC.STAT"),
        ('max_regress = ["latency.p95=1%"]', "with quotes around METRIC.STAT, not a list"),
        ('max_regress = { "latency.p96" = "1%" }', "latency.p96: has no such statistic; write such as latency.p95"),
        ('max_regress = { "latency" = "1%" }', "latency: has no such statistic"),
        ('max_regress = { "phase.llm_call" = "1%" }', "write such as phase.llm_call.p95"),
        ('max_regress = { "error_rate.p95" = "1%" }', "error_rate is one figure, and has no p95"),
        ('max_score_drop = "2%"\nbase = 5', "gate.base: expected text, or a list of texts, not 5"),
        ('max_score_drop = "2%"\nbase = [5]', "gate.base: expected text, or a list of texts"),
        ('max_score_drop = "2%"\nbase = ""', "gate.base: names nothing"),
        ('max_score_drop = "2%"\nbase = "/dev/null"', "gate.base: /dev/null is no regular file"),
        ('max_score_drop = "2%"\nbse = "last"', 'gate.bse: unknown key; did you mean "base"?'),
    ],
)
def test_what_could_never_be_compared_is_known_before_anything_is_sent(tmp_path: Path, gate: str, said: str) -> None:
    found = problems(tmp_path, f"{WHOLE}\n[gate]\n{gate}\n")
    assert any(said in str(problem) for problem in found), [str(problem) for problem in found]


def test_a_slice_is_missed_where_no_case_has_any(tmp_path: Path) -> None:
    (tmp_path / "golden.jsonl").write_text('{"id": "a", "input": "hi", "target": "x"}\n')
    found = problems(tmp_path, WHOLE + '\n[gate]\nmax_score_drop = "hours=2%"\n')
    assert any('no case is in a slice "hours"' in str(problem) for problem in found), found


def test_a_score_needs_cases(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, f'{TOP}\n[gate]\nmax_score_drop = "2%"\n{POOL}')
    assert str(found).endswith("gate.max_score_drop: nothing is graded; write [quality] with its cases")

"""Tests of agenttop.cli.sides: the runs that a profile's gate compares with."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenttop.cli.sides import gate_bases
from agenttop.exits import UsageError
from agenttop.journal.places import runs_directory
from tests.cli.test_compare import run
from tests.profile.test_gate import POOL
from tests.profile.writing import TOP, load

PASSED, BLOCKED, OTHER = "20260101-110000-peak-0a0b", "20260101-120000-peak-0a0b", "20260101-130000-smoke-0a0b"
pytestmark = pytest.mark.usefixtures("home")


def bases(folder: Path, base: str = "", regress: str = '"latency.p95" = "10%"') -> tuple[list[str], str]:
    text = f'name = "peak"\n{TOP}\n[gate]\n{base}\nmax_regress = {{ {regress} }}\n{POOL}'
    found, why = gate_bases(load(folder, text))
    return [summary["run"]["id"] for summary in found], why


def test_the_newest_of_this_profile_that_passed(tmp_path: Path) -> None:
    run(PASSED)
    run(BLOCKED, 99)
    run(OTHER)
    assert bases(tmp_path) == ([PASSED], "")
    assert bases(tmp_path, 'base = "last"') == ([BLOCKED], "")


def test_the_first_has_none_and_says_so(tmp_path: Path) -> None:
    run(OTHER)
    run(BLOCKED, 99)
    found, why = bases(tmp_path)
    assert found == []
    assert why == (
        "there is no run of peak on this machine that passed yet: this run is what the next one is compared with"
    )


def test_files_are_beside_the_profile(tmp_path: Path) -> None:
    run(PASSED)
    summary = (runs_directory() / PASSED / "summary.json").read_bytes()
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes(summary)
    assert bases(tmp_path, 'base = ["a.json", "b.json"]') == ([PASSED, PASSED], "")
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(UsageError, match=r"peak.toml: gate.base: .*a.json: not a summary"):
        bases(tmp_path, 'base = "a.json"')


def test_a_base_from_the_environment_is_not_told(tmp_path: Path) -> None:
    secret = tmp_path / "hidden-place.json"
    secret.write_text("{")
    text = f'{TOP}\n[gate]\nbase = "${{BASE_OF_CI}}"\nmax_regress = {{ "latency.p95" = "10%" }}\n{POOL}'
    with pytest.raises(UsageError, match="not JSON") as told:
        gate_bases(load(tmp_path, text, env={"BASE_OF_CI": str(secret)}))
    assert "hidden-place" not in str(told.value)


def test_a_base_that_has_not_what_is_asked_for_is_known_before_anything_is_sent(tmp_path: Path) -> None:
    run(PASSED)
    with pytest.raises(UsageError, match=r"gate: base has not what the gate asks for: .*run it once without \[gate\]"):
        bases(tmp_path, regress='"phase.llm.p95" = "10%"')

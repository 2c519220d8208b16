"""Tests of agenttop.controller.gating: what a gate makes of the end of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agenttop.controller.ending import STOPPED_BY_USER, End, failure
from agenttop.controller.gating import gated
from agenttop.controller.spec import RunSpec
from agenttop.exits import DONE, FAILED, STOPPED, THRESHOLD, USAGE
from tests.profile.test_gate import POOL
from tests.profile.writing import TOP, load
from tests.quality.worlds import idle


def spec_of(folder: Path, *bases: dict[str, Any], margin: str = "10%", strict: bool = False) -> RunSpec:
    gate = f'\n[gate]\nmax_regress = {{ "latency.p50" = "{margin}" }}\nstrict = {str(strict).lower()}\n'
    loaded = load(folder, TOP + gate + POOL)
    return RunSpec(
        "id", str(folder), loaded.profile, "p.toml", loaded.masked, (), loaded.sha256, bases=bases, no_base="none yet"
    )


def test_a_run_that_is_worse_is_blocked(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, idle(1))
    said, end = gated(spec, idle(2, slower=1.5), End())
    assert said is not None
    assert (said["verdict"], said["blocked"]) == ("block", True)
    assert end == End("completed", THRESHOLD, "the gate blocks: worse than allowed: latency p50")


def test_one_that_is_not_passes(tmp_path: Path) -> None:
    said, end = gated(spec_of(tmp_path, idle(1), margin="20%"), idle(2), End())
    assert said is not None
    assert (said["verdict"], end) == ("pass", End())


def test_what_the_data_cannot_tell_blocks_only_a_strict_gate(tmp_path: Path) -> None:
    few = [idle(seed, requests=100) for seed in (1, 2)]
    said, end = gated(spec_of(tmp_path, few[0], margin="0.1%"), few[1], End())
    assert said is not None
    assert "cannot tell" in said["words"]
    assert end.exit_code == DONE
    assert gated(spec_of(tmp_path, few[0], margin="0.1%", strict=True), few[1], End())[1].exit_code == THRESHOLD


def test_the_first_run_has_nothing_to_be_worse_than(tmp_path: Path) -> None:
    said, end = gated(spec_of(tmp_path), idle(1), End())
    assert said is not None
    assert (said["verdict"], said["words"], end) == ("no_base", "none yet", End())


def test_what_cannot_be_compared_is_never_a_pass(tmp_path: Path) -> None:
    nothing = idle(2)
    nothing["totals"] = nothing["totals"] | {"requests": 0}
    broken = {"totals": {"requests": 3}}
    for head in (nothing, broken):
        said, end = gated(spec_of(tmp_path, idle(1)), head, End())
        assert said is not None
        assert (said["verdict"], said["blocked"], end.exit_code) == ("not_compared", True, USAGE)
        assert end.message.startswith("the gate cannot compare this run with its base: ")


@pytest.mark.parametrize("end", [STOPPED_BY_USER, failure("every worker died")])
def test_a_run_that_was_cut_short_is_compared_with_nothing(tmp_path: Path, end: End) -> None:
    said, after = gated(spec_of(tmp_path, idle(1)), idle(2, slower=1.5), end)
    assert said is not None
    assert (said["verdict"], said["rows"], after) == ("not_compared", [], end)
    assert end.exit_code in (FAILED, STOPPED)


def test_a_failed_threshold_keeps_its_code_and_both_are_told(tmp_path: Path) -> None:
    _, end = gated(
        spec_of(tmp_path, idle(1)), {"totals": {"requests": 3}}, End("completed", THRESHOLD, "1 of 1 failed")
    )
    assert end.exit_code == THRESHOLD
    assert end.message.startswith("1 of 1 failed; the gate cannot")


def test_a_profile_without_a_gate_says_nothing(tmp_path: Path) -> None:
    loaded = load(tmp_path, TOP + POOL)
    spec = RunSpec("id", str(tmp_path), loaded.profile, "p.toml", loaded.masked, (), loaded.sha256)
    assert gated(spec, idle(1), End()) == (None, End())

"""The gate of CI on the embedded agent: the same build passes, one whose answers get worse under load is blocked."""

from __future__ import annotations

import json
from pathlib import Path

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import Place, Run

PROFILE = Path(__file__).resolve().parents[2] / "profiles" / "ci-gate.toml"
#: As quick as a machine allows, and with slots that the profile's users keep full.
FAST: dict[str, object] = {"preset": "quiet", "slots": 4, "first_token": "4ms"}


def gated(place: Place, **keys: object) -> Run:
    """A run of the shipped profile, cut short, against an agent of its own."""
    cut = ("--set", "stages.0.duration=4s", "--set", "pools.0.think_time=5ms", "--set", "quality.repeats=1")
    with AgentProcess({**FAST, **keys}) as agent:
        return place.finish("--profile", PROFILE, "--target", agent.url, "--headless", *cut)


def test_the_same_build_passes_and_a_degraded_one_is_blocked(place: Place) -> None:
    # There is nothing yet that it could be worse than: the first run is the base of the next.
    first = gated(place)
    assert first.wait() == 0, first.err.text()
    same = gated(place, seed=8)
    assert same.wait() == 0, same.out.text() + same.err.text()
    worse = gated(place, degrade="60%")
    assert worse.wait() == 99, worse.out.text() + worse.err.text()
    files = sorted((place.state / "agenttop" / "runs").glob("*/summary.json"), key=lambda file: file.stat().st_mtime_ns)
    scores = [json.loads(file.read_text())["quality"]["score"] for file in files]
    assert scores[:2] == [1.0, 1.0]
    assert scores[2] < 0.9


def test_a_run_goes_on_as_long_as_it_may_where_its_gate_is_never_decided(place: Place) -> None:
    # One run a side has no spread of a first byte, so that nobody can ever tell.
    limits = ("--set", 'gate.max_regress={"ttfb.p95" = "10%"}')
    cut = ("--set", "stages.0.duration=3s", "--set", "pools.0.think_time=5ms", *limits)
    with AgentProcess(FAST) as agent:
        words = ("--profile", PROFILE, "--target", agent.url, "--headless", *cut)
        assert place.finish(*words).wait() == 0
        second = place.finish(*words, "--until-decided", "7s")
        code, said = second.wait(), second.out.text() + second.err.text()
    assert code == 0, said
    assert "the gate is not decided, the run goes on: the data cannot tell: " in said
    assert "ttfb p95" in said, said
    newest = max((place.state / "agenttop" / "runs").glob("*/summary.json"), key=lambda file: file.stat().st_mtime_ns)
    summary = json.loads(newest.read_text())
    assert [(row["command"], row["source"]) for row in summary["controls"]] == [("hold", "gate"), ("resume", "gate")]
    assert summary["run"]["duration_s"] > 6.5, said
    undecided = [row["name"] for row in summary["gate"]["rows"] if row["margin"] and row["verdict"] == "undecided"]
    assert "ttfb p95" in undecided

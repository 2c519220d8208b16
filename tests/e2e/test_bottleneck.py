"""Which phase grew as users did: asked of an agent whose model calls share a few slots."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agenttop.agent.process import AgentProcess
from agenttop.metrics.snapshot import StageRow
from agenttop.report.stages import rows_of
from agenttop.report.summary import check_summary
from tests.e2e.harness import Place

PROFILE = Path(__file__).resolve().parents[2] / "profiles" / "bottleneck.toml"
#: Two model calls at once of 20 ms each; what it takes is so plain that a busy machine does not hide it.
AGENT = {"preset": "quiet", "context_load": "2ms", "first_token": "20ms", "tool_time": "5ms", "slots": 2}
PHASES = ("context_load", "llm_call", "tool_execution")
SHORT = {
    "stages.few.duration": "3s",
    "stages.few.users": 2,
    "stages.some.duration": "1s",
    "stages.many.duration": "3s",
    "pools.chat.think_time": "50ms",
}


#: Slower, so that a queue shows in few seconds of few answers.
QUEUED = {"preset": "quiet", "first_token": "200ms", "slots": 4}
LEVELS = {
    "stages.few.duration": "7s",
    "stages.few.users": 4,
    "stages.some.duration": "1s",
    "stages.many.duration": "14s",
    "stages.many.users": 60,
    "pools.chat.think_time": "300ms",
}


def test_it_is_said_that_it_queues_at_how_many_users_and_why(place: Place) -> None:
    options = [word for key, value in LEVELS.items() for word in ("--set", f"{key}={value}")]
    with AgentProcess(QUEUED) as agent:
        run = place.finish("--profile", PROFILE, "--headless", *options, "--target", agent.url)
    assert run.wait() == 0, run.err.text()
    summary = place.summary()
    check_summary(summary)
    verdict = summary["run"]["verdict"]
    assert verdict["state"] == "queues", verdict
    assert verdict["causes"][0]["kind"] == "model"
    assert verdict["knee"]["interval"][0] < verdict["knee"]["users"] < 40
    assert round(verdict["knee"]["served"]) in range(3, 7)
    assert summary["stages"][2]["verdict"]["state"] == "queues"
    lines = run.out.lines
    assert any(line.startswith("  ! verdict: QUEUES · p95 ") for line in lines)
    assert any("verdict=queues" in line for line in lines)
    end = " ".join(line.strip() for line in lines[-20:])
    assert "! QUEUES from " in end
    assert "throughput stops growing at ~" in end
    assert "calls wait for a free model slot: llm_call ×" in end


def test_the_model_calls_are_named_as_what_grew(place: Place) -> None:
    options = [word for key, value in SHORT.items() for word in ("--set", f"{key}={value}")]
    arguments = ("--profile", PROFILE, "--headless", "--full", *options)
    with AgentProcess(AGENT) as agent, place.start(*arguments, "--target", agent.url) as run:
        viewer = run.viewer()
        live = viewer.wait(lambda s: len(s["stage_phases"]) == 3 and s["stage_phases"][2]["requests"] >= 20)
        while viewer.read() is not None:
            pass
        run.wait()
    assert run.wait() == 0, run.err.text()
    (line,) = [line for line in run.out.lines if " grew most: " in line]
    assert line.strip().startswith("llm_call grew most: ")
    assert " at 2 users to " in line
    assert line.endswith(" at 40 users")

    first, _, last = live["stage_phases"]
    assert set(first["mean_ms"]) == set(last["share"]) == {*PHASES, "(unattributed)"}
    assert last["share"]["llm_call"] > first["share"]["llm_call"]
    summary = place.summary()
    check_summary(summary)
    for name in ("chat/simple", "chat/tool_call"):
        assert set(summary["requests"][name]["phase_shares"]) == set(summary["stages"][0]["phase_shares"])
    assert "phases by request" in run.out.text()
    # The table of stages is the same on the screen, at the end of the run, as in the report.
    told = msgspec.convert(viewer.snapshots[-1]["stage_rows"], list[StageRow])
    assert [row.load for row in told] == ["2 users", "12 users", "40 users"]
    assert [msgspec.structs.replace(row, rps=0.0) for row in told] == [
        msgspec.structs.replace(row, rps=0.0) for row in rows_of(summary)
    ]
    assert [row.rps for row in told] == pytest.approx([row.rps for row in rows_of(summary)], rel=0.02)
    few, _, many = summary["stages"]
    for stage in (few, many):
        assert set(stage["phase_shares"]) == {"context_load", "llm_call", "tool_execution", "(unattributed)"}
        assert all(0 <= stage["phase_shares"][phase]["p95"] <= 1 for phase in stage["phases_ms"])
        assert sum(share["mean"] for share in stage["phase_shares"].values()) == pytest.approx(1.0, abs=1e-5)
    # The wait for a slot is within the model call: it is a larger part of the answer's time than one call's.
    assert many["phase_shares"]["llm_call"]["mean"] > few["phase_shares"]["llm_call"]["mean"]

"""Whole runs whose knee is known: ``pytest -m knee``, on a machine with little else to do."""

from __future__ import annotations

import re

import pytest

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import Place
from tests.e2e.test_bottleneck import PROFILE

pytestmark = pytest.mark.knee
#: The mean pause of the profile's users.
THINK_S = 1.0
PATIENCE_S = 180.0


@pytest.mark.parametrize("slots", [4, 8, 16])
def test_it_is_where_the_slots_are_all_taken(slots: int, place: Place) -> None:
    """Within 20 % of slots · (R + Z) / S: a request's time while nobody waits, the pause, and its time in a slot."""
    levels = {"few.users": 3, "some.users": 2 * slots, "many.users": 8 * slots, "many.duration": "40s"}
    options = [word for key, value in levels.items() for word in ("--set", f"stages.{key}={value}")]
    with AgentProcess({"slots": slots, "requests_per_minute": 0}) as agent:
        arguments = ("--profile", PROFILE, "--headless", *options, "--target", agent.url)
        run = place.finish(*arguments, patience_s=PATIENCE_S)
    assert run.wait() == 0, run.err.text()
    summary = place.summary()
    phases = summary["stages"][0]["phases_ms"] | {"": summary["stages"][0]["unattributed_ms"]}
    response_s = sum(phase["mean"] for phase in phases.values()) / 1000
    in_slot_s = phases["llm_call"]["mean"] / 1000
    truth = slots * (response_s + THINK_S) / in_slot_s
    verdict = summary["run"]["verdict"]
    print(f"{slots} slots: knee {verdict['knee']['users']:.1f} {verdict['knee']['interval']}, truth {truth:.1f}")
    assert verdict["state"] == "queues"
    assert verdict["causes"][0]["kind"] == "model"
    assert verdict["knee"]["users"] == pytest.approx(truth, rel=0.2)
    # Those that load their context or run tools are served, too, and have no slot.
    assert verdict["knee"]["served"] == pytest.approx(slots * response_s / in_slot_s, rel=0.2)


def test_the_demo_says_at_how_many_users_it_begins_to_queue_and_why(place: Place) -> None:
    run = place.finish("demo", "--headless", patience_s=PATIENCE_S)
    assert run.wait() == 0, run.err.text()
    lines = run.out.lines
    live = next(line for line in lines if line.startswith("  ! verdict: QUEUES · "))
    assert re.search(r"since ~?\d+ users", live), live
    assert "llm_call ×" in live
    assert lines.index(live) < len(lines) - 40, "while it runs"
    end = " ".join(line.strip() for line in lines[-20:])
    print(live, end, sep="\n")
    assert re.search(r"throughput stops growing at ~\d+ users", end), end
    assert "calls wait for a free model slot: " in end

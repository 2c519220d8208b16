"""A run that was steered, driven again by the profile it amounts to."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from agenttop.agent.process import AgentProcess
from agenttop.journal.journal import rebuild
from tests.e2e.harness import Place

PROFILE = """
target = "{url}"
thresholds = ["error_rate < 5%", "latency{{stage:late}} p95 < 1m"]
[headers]
authorization = "Bearer ${{KEY}}"
[[stages]]
duration = "4s"
users = 8
[[stages]]
name = "late"
duration = "1h"
users = 8
[[pools]]
name = "chat"
think_time = "50ms"
  [[pools.tasks]]
  name = "message"
  post = "/api/sessions/s/messages"
  json = {{ content = "hours?" }}
"""
#: When, and what.
STEERING = (
    (1, "users 12"),
    (2, "next"),
    (3, "users +3"),
    (4, "release"),
    (5, "hold"),
    (6, "resume"),
    (7, "plan 1s step 5, 1h 20"),
    (8, "plan profile"),
    (9, "users 2"),
)


def targets(path: Path) -> dict[float, float]:
    """What was wanted at the end of every whole second."""
    timeline: dict[str, Any] = json.loads(path.read_text())["timeline"]
    return {t: target for t, target in zip(timeline["t_s"], timeline["target"], strict=True) if t == int(t)}


def test_a_steered_run_is_driven_again(place: Place, agent: AgentProcess) -> None:
    env = {"KEY": "sesame-open"}
    with place.start("--profile", place.write(PROFILE.format(url=agent.url)), "--headless", env=env) as run:
        viewer = run.viewer()
        for t_s, command in STEERING:
            viewer.wait(lambda s, t_s=t_s: s["t_s"] >= t_s)  # type: ignore[misc]
            viewer.command(command)
        viewer.wait(lambda s: s["t_s"] >= 11)
        viewer.command("stop")
        assert run.wait() == 130
    first = place.directory() / "summary.json"
    # Had it been cut off, the same would be known of its stages.
    summary, rebuilt = json.loads(first.read_text()), rebuild(place.directory())
    assert rebuilt["stages"] == summary["stages"]
    assert rebuilt["run"]["measured_s"] == summary["run"]["measured_s"]
    written = place.finish("profile-of", "p", "-o", "again.toml")
    assert written.wait() == 0, written.err.text()
    text = (place.root / "again.toml").read_text()
    assert "sesame" not in text
    assert tomllib.loads(text)["headers"] == {"authorization": "Bearer ${KEY}"}
    assert "KEY" in written.err.text()
    printed = place.finish("profile-of")
    assert printed.out.text() == text.rstrip("\n")
    again = place.finish("--profile", "again.toml", "--headless", "--out", "again.json", env=env)
    assert again.wait() == 0, again.err.text()
    before, after = targets(first), targets(place.root / "again.json")
    steered = {t: target for t, target in before.items() if t in after and t < max(after)}
    assert len(steered) >= 8
    assert len(set(steered.values())) >= 4
    # A command came within a second; at its end the same is wanted.
    assert steered == {t: after[t] for t in steered}

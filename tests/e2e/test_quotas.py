"""What remains of the agent's limits: live, in the summary, and the same again from the journal."""

from __future__ import annotations

import json

from agenttop.agent.process import AgentProcess
from agenttop.journal.journal import rebuild
from agenttop.report.summary import check_summary
from tests.e2e.harness import Place
from tests.e2e.profiles import voice

LIMITED = {"preset": "quiet", "requests_per_minute": 600, "tokens_per_minute": 600_000, "burst": "60s"}

PROFILE = """
target = "{url}"
users = 4
duration = "{duration}"
[[pools]]
name = "plain"
think_time = "50ms"
  [[pools.tasks]]
  post = "/api/sessions/s/messages"
  json = {{ content = "hours?" }}
""" + voice("50ms")


def test_what_remains_is_live_and_kept(place: Place) -> None:
    with AgentProcess(LIMITED) as agent:
        profile = place.write(PROFILE.format(url=agent.url, duration="60s"))
        with place.start("--profile", profile, "--headless", "--full") as run:
            viewer = run.viewer()
            snapshot = viewer.wait(lambda s: len(s["quotas"]) == 4)
            status = json.loads(place.finish("ctl", place.directory().name, "status").out.text())
            assert viewer.command("stop")["applied"]
            assert run.wait() == 130, run.err.text()
    names = [("plain", "requests"), ("plain", "tokens"), ("voice", "requests"), ("voice", "tokens")]
    for told in (snapshot["quotas"], status["quotas"]):
        assert [(gauge["pool"], gauge["name"]) for gauge in told] == names
        assert [gauge["limit"] for gauge in told] == [600, 600_000] * 2
        assert all(0 <= gauge["remaining"] < gauge["limit"] for gauge in told)
    summary = place.summary()
    check_summary(summary)
    assert [(line["pool"], line["name"]) for line in summary["quotas"]] == names
    for line in summary["quotas"]:
        assert 0 <= line["lowest_remaining"] <= line["last_remaining"] < line["limit"]
    again = rebuild(place.directory())
    assert again["quotas"] == summary["quotas"]
    assert "left of the limits" in run.out.text()


def test_a_target_that_tells_nothing_has_none(place: Place) -> None:
    with AgentProcess({"preset": "quiet"}) as agent:
        profile = place.write(PROFILE.format(url=agent.url, duration="1s"))
        run = place.finish("--profile", profile, "--headless", "--full")
    assert run.wait() == 0, run.err.text()
    assert place.summary()["quotas"] == []
    assert "left of the limits" not in run.out.text()

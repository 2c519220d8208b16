"""The golden set under load: what graders find wrong is what the agent says that it did wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from agenttop.agent.inquiry import CUTS_TEXT, MIXES_ORDER, SKIPS_TOOL
from agenttop.agent.process import AgentProcess
from agenttop.journal.answers import read_answers
from agenttop.quality.cases import read_cases
from agenttop.quality.grade import grade
from tests.e2e.harness import Place

GOLDEN = Path(__file__).resolve().parents[2] / "profiles" / "golden.jsonl"
PROFILE = """
target = "{url}"
warmup = "0s"
[[stages]]
name = "few"
duration = "2s"
users = 2
ramp = "step"
[[stages]]
name = "many"
duration = "4s"
users = 16
ramp = "step"
[quality]
cases = "{golden}"
[measure]
tool_calls = "$.tools"
[[pools]]
name = "golden"
think_time = "5ms"
  [[pools.tasks]]
  name = "case"
  graded = true
  post = "/api/sessions/{{uuid}}/messages"
  answer = "$.content"
  json = {{ messages = "{{messages}}" }}
"""
#: Stages of a pool of its own beside those of the run: what goes on at once is one level.
BESIDE = """
[[pools]]
name = "beside"
think_time = "100ms"
stages = [
  {{ name = "calm", duration = "1s", users = 1, ramp = "step" }},
  {{ name = "wild", duration = "5s", users = 2, ramp = "step" }},
]
tasks = [ {{ name = "status", get = "/health" }} ]
[[pools]]
name = "steady"
think_time = "100ms"
stages = [ {{ name = "always", duration = "6s", users = 1, ramp = "step" }} ]
tasks = [ {{ name = "status", get = "/health" }} ]
"""
FAST: dict[str, object] = {"preset": "quiet", "slots": 4, "first_token": "5ms"}


@pytest.mark.parametrize("keys", [{}, {"degrade": "50%"}, {"wrong": "20%"}], ids=lambda keys: next(iter(keys), "well"))
def test_what_graders_find_is_what_the_agent_counts(place: Place, keys: dict[str, object]) -> None:
    with AgentProcess({**FAST, **keys}) as agent:
        run = place.finish("--profile", place.write(PROFILE.format(url=agent.url, golden=GOLDEN)), "--headless")
        assert run.wait() == 0, run.err.text()
        counted = agent.stats()["answers"]
    cases = read_cases([(GOLDEN.name, GOLDEN.read_text(encoding="utf-8"))]).by_id
    lost: Counter[tuple[str, str]] = Counter()
    answers = list(read_answers(place.directory()))
    for answer in answers:
        score = grade(cases[answer.case], answer)
        assert score.value is not None
        if score.value < 1:
            lost[answer.level, score.cause] += 1
    assert {answer.level for answer in answers} == {"few", "many"}
    slips = counted["degraded"]
    causes = Counter(cause for (_, cause), count in lost.items() for _ in range(count))
    # The agent's own interface has no place where its client looks for a finish reason: what is cut is wrong.
    assert causes["tool_not_called"] == slips[SKIPS_TOOL] + slips[MIXES_ORDER]
    assert causes["wrong"] == slips[CUTS_TEXT] + counted["wrong"]
    assert causes.total() == sum(slips.values()) + counted["wrong"]
    if "degrade" in keys:
        # Two users never find four slots taken.
        assert causes.total() > 30
        assert {level for level, _ in lost} == {"many"}
    elif not keys:
        assert lost == Counter()
    else:
        assert {level for level, _ in lost} == {"few", "many"}


def test_a_threshold_finds_every_level_that_holds_its_stage(place: Place) -> None:
    stages = ("few", "many", "beside/calm", "beside/wild", "steady/always")
    thresholds = "thresholds = [" + ", ".join(f'"quality{{stage:{stage}}} score >= 0%"' for stage in stages) + "]\n"
    with AgentProcess({**FAST, "degrade": "50%"}) as agent:
        text = thresholds + (PROFILE + BESIDE).format(url=agent.url, golden=GOLDEN)
        run = place.finish("--profile", place.write(text), "--headless")
        assert run.wait() == 0, run.err.text()
    summary = place.summary()
    levels = {row["stage"]: row for row in summary["quality"]["by_stage"]}
    assert list(levels) == ["few + beside/calm", "few + beside/wild", "many + beside/wild"]
    observed = {row["expression"]: row["observed"] for row in summary["thresholds"]}
    found = {stage: observed[f"quality{{stage:{stage}}} score >= 0%"] / 100 for stage in stages}
    assert found["many"] == pytest.approx(levels["many + beside/wild"]["score"], abs=1e-6)
    assert found["beside/calm"] == pytest.approx(levels["few + beside/calm"]["score"], abs=1e-6)
    assert found["steady/always"] == pytest.approx(summary["quality"]["score"], abs=1e-6)
    assert found["many"] < found["beside/wild"] < found["few"]

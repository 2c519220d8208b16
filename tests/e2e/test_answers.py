"""Cases asked over a whole run, and the answers that it leaves behind."""

from __future__ import annotations

import json
from collections import Counter

from agenttop.agent.process import AgentProcess
from agenttop.journal.answers import read_answers
from tests.e2e.harness import Place

CASES = 7
PROFILE = """
target = "{url}"
seed = 3
[quality]
cases = "golden.jsonl"
[headers]
x-key = "${{SHOP_KEY}}"
[[stages]]
name = "low"
duration = "2s"
users = 2
ramp = "step"
[[stages]]
name = "up"
duration = "2s"
users = 8
[[pools]]
name = "chat"
  [[pools.tasks]]
  name = "golden"
  graded = true
  answer = "$.content"
  post = "/api/sessions/case-{{id}}/messages"
  json = {{ content = "{{input}}" }}
  [[pools.tasks]]
  name = "other"
  post = "/api/sessions/plain/messages"
  json = {{ content = "hi" }}
"""


def test_every_level_sees_every_case_and_each_graded_request_leaves_one_answer(
    place: Place, agent: AgentProcess
) -> None:
    cases = [{"id": f"c{number}", "input": "What are your hours?", "target": "9"} for number in range(CASES)]
    place.write("".join(json.dumps(case) + "\n" for case in cases), "golden.jsonl")
    place.write('SHOP_KEY="Monday to Friday"\n', ".env")  # which the agent says as well
    profile = place.write(PROFILE.format(url=agent.url))
    run = place.finish("--profile", profile, "--headless", "--workers", 2)
    assert run.wait() == 0, run.err.text()
    answers = list(read_answers(place.directory()))
    summary = place.summary()
    golden = summary["requests"]["chat/golden"]
    assert Counter(each.outcome for each in answers) == Counter(golden["outcomes"]) - Counter(cancelled=10**6)
    assert all("We are open *** from 9 am" in each.text for each in answers if each.outcome == "ok")
    assert "Friday" not in (place.directory() / "answers.jsonl").read_text()
    by_level: dict[str, Counter[str]] = {}
    for each in answers:
        by_level.setdefault(each.level, Counter())[each.case] += 1
    assert set(by_level) <= {"low", "up 1/4", "up 2/4", "up 3/4", "up 4/4"}
    for level, counts in by_level.items():
        asked = [counts[f"c{number}"] for number in range(CASES)]
        # Two workers, and what a user of each had not ended when it was counted.
        assert max(asked) - min(asked) <= 2 + 2, (level, asked)
    assert {each.users for each in answers if each.level == "low"} == {2}
    short = [text for text in summary["generator"]["warnings"] if text.startswith("level ")]
    fewer = {level for level, counts in by_level.items() if len(counts) < CASES}
    assert {level for level in fewer if any(f"level {level}: " in text for text in short)} == fewer

"""Tests of agenttop.controller.answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agenttop.controller.answers import Answers
from agenttop.controller.box import BoxAgent
from agenttop.controller.intake import Intake
from agenttop.controller.items import Item
from agenttop.controller.records import Records
from agenttop.controller.spec import RunSpec
from agenttop.controller.watcher import Watcher
from agenttop.journal.answers import read_answers
from agenttop.journal.figures import Figures
from agenttop.journal.rules import Rules
from agenttop.quality.answer import Answer
from agenttop.steering.plan import Plan, levels_of
from agenttop.users.compile import layout_of
from tests.profile.writing import load

PROFILE = """
target = "http://127.0.0.1:1"
[quality]
cases = "golden.jsonl"
[[stages]]
name = "low"
duration = "1s"
users = 1
ramp = "step"
[[stages]]
name = "peak"
duration = "1s"
users = 9
ramp = "step"
[[pools]]
name = "chat"
[[pools.tasks]]
graded = true
answer = "$.content"
post = "/"
json = { content = "{input}" }
"""


class Kept:
    def __init__(self, folder: Path) -> None:
        cases = [{"id": each, "input": "x", "target": "y"} for each in "ab"]
        (folder / "golden.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
        loaded = load(folder, PROFILE)
        layout = layout_of(loaded.profile)
        plan = Plan(loaded.profile, layout)
        spec = RunSpec("id", str(folder), loaded.profile, "p.toml", loaded.masked, (), loaded.sha256, workers=2)
        figures = Figures(layout, Rules())
        self.watcher = Watcher()
        self.records = Records(spec, plan, figures)
        self.answers = Answers(loaded.profile, levels_of(plan), self.records)
        self.intake = Intake(spec, figures, self.records, None, self.watcher, BoxAgent(), self.answers)

    def say(self, *answers: Answer) -> None:
        self.intake.take(Item(1, 0, answers=answers), 1.0, ending=False)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.records._answers.close()


def test_answers_are_written_and_passed_on(kept: Kept, tmp_path: Path) -> None:
    heard: list[Answer] = []
    kept.answers.sinks.append(lambda answers, written: heard.extend(answers))
    said = (Answer("a", "low", 1), Answer("b", "low", 1))
    kept.say(*said)
    assert tuple(heard) == tuple(read_answers(tmp_path)) == said
    assert kept.watcher.take() == []


def test_what_was_promised_and_had_no_time_is_told(kept: Kept) -> None:
    kept.say(*(Answer(case, "low", 1) for case in "aab"), Answer("a", "peak", 9))
    assert kept.answers.lacks() == (
        "level low: 1 of 2 cases were asked less than twice (the lowest load is its own control), some once; "
        "a longer stage or fewer cases would do",
        "level peak: 1 of 2 cases were never asked; a longer stage or fewer cases would do",
    )


def test_answers_without_room_are_told_once_and_counted(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept.records._answers, "_kept_free", 1 << 62)
    heard: list[Answer] = []
    kept.answers.sinks.append(lambda answers, written: heard.extend(answers))
    for _ in range(3):
        kept.say(Answer("a", "peak"), Answer("b", "peak"))
    (event,) = kept.watcher.take()
    assert event.level == "error"
    assert "graded answers cannot be written: less than" in event.text
    assert "6 graded answers are not in answers.jsonl: less than" in kept.answers.lacks()[-1]
    assert len(heard) == 6, "they are graded all the same"

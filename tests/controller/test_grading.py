"""The controller's side of grading: with the real process, and with one that dies."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import msgspec
import pytest

from agenttop.controller import grading as module
from agenttop.controller.grading import RESTARTS, STOPPED, Grading, GradingError, Process, spawn
from agenttop.grading.judge_endpoint import JudgeSettings
from agenttop.grading.messages import Begin
from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.score import Score
from tests.grading.fake_judge import fake_judge

CASES = (Case("a", target=("yes",)),)


class Run:
    """A grading, the file of its answers, and what was collected."""

    def __init__(self, path: Path, **rest: object) -> None:
        self.path = path / "answers.jsonl"
        self.warned: list[str] = []
        self.processes: list[Process] = []
        begin = msgspec.structs.replace(Begin(CASES, str(self.path)), **rest)
        self.grading = Grading(begin, self.warned.append, self._spawn)
        self.scores: list[Score] = []
        self.answers = 0

    async def _spawn(self) -> Process:
        self.processes.append(await spawn())
        return self.processes[-1]

    def hand_over(self, *answers: Answer) -> None:
        with self.path.open("ab") as file:
            for answer in answers:
                file.write(msgspec.json.encode(answer) + b"\n")
        self.grading.take(answers, True)

    def collect(self) -> None:
        news = self.grading.news()
        self.scores += news.scores
        self.answers += news.answers

    async def until(self, scores: int) -> None:
        async with asyncio.timeout(30):
            while len(self.scores) < scores and not self.grading.over:
                await self.grading.step(0.2)
                self.collect()
        self.collect()

    def kill(self) -> None:
        pid = self.processes[-1].pid  # type: ignore[attr-defined]
        os.kill(pid, signal.SIGKILL)


async def test_answers_are_graded_while_they_come_and_to_the_last(tmp_path: Path) -> None:
    run = Run(tmp_path)
    await run.grading.start()
    try:
        run.hand_over(Answer("a", text="yes"), Answer("a", text="no"))
        await run.until(2)
        assert [score.value for score in run.scores] == [1.0, 0.0]
        run.hand_over(Answer("a", text="yes"))
        run.grading.finish()
        await run.until(3)
        while not run.grading.over:
            await run.grading.step(1.0)
        assert (run.answers, len(run.scores), run.grading.waiting, run.warned) == (3, 3, 0, [])
    finally:
        await run.grading.stop()
    assert run.processes[0].returncode is not None


async def test_a_grader_that_is_killed_begins_anew_and_grades_each_answer_once(tmp_path: Path) -> None:
    run = Run(tmp_path)
    await run.grading.start()
    try:
        run.hand_over(Answer("a", text="yes"))
        await run.until(1)
        run.kill()
        run.hand_over(Answer("a", text="yes"), Answer("a", text="no"))
        run.grading.finish()
        await run.until(3)
        assert [score.value for score in run.scores] == [1.0, 1.0, 0.0]
        assert len(run.warned) == 1
        assert "started anew" in run.warned[0]
    finally:
        await run.grading.stop()


async def test_one_that_is_killed_again_and_again_is_given_up_and_said(tmp_path: Path) -> None:
    run = Run(tmp_path, live=False)
    await run.grading.start()
    try:
        run.hand_over(Answer("a", text="yes"))
        async with asyncio.timeout(60):
            for number in range(RESTARTS + 1):
                while len(run.processes) == number:
                    await run.grading.step(0.1)
                run.kill()
                await run.processes[-1].wait()
            while not run.grading.over:
                await run.grading.step(0.1)
        assert "1 answers stay ungraded" in run.warned[-1]
        run.hand_over(Answer("a", text="yes"))
        run.collect()
        assert [score.value for score in run.scores] == [None], "who comes late is not waited for"
    finally:
        await run.grading.stop()


async def test_who_does_not_want_to_wait_has_the_rest_counted_as_ungraded(tmp_path: Path) -> None:
    case = Case("j", graders=(GraderSpec("judge", "is it polite?"),))
    async with fake_judge([None]) as judge:
        run = Run(tmp_path, cases=(case, *CASES), judge=JudgeSettings(judge.url, "m"))
        await run.grading.start()
        try:
            run.hand_over(Answer("j", text="please"), Answer("a", text="yes"), Answer("j", text="now"))
            looks = 0

            def go_on() -> bool:
                nonlocal looks
                looks += 1
                return len(judge.asked) < 2

            async with asyncio.timeout(60):
                await run.grading.rest(run.collect, go_on)
            run.collect()
        finally:
            await run.grading.stop()
    assert sorted((score.case, score.value) for score in run.scores if score.value is not None) == [("a", 1.0)]
    assert [score.reason for score in run.scores if score.value is None] == [f"judge_error: {STOPPED}"] * 2
    assert (run.grading.waiting, run.warned) == (0, [])


async def test_a_grader_that_begins_anew_is_told_what_is_left_of_its_time(tmp_path: Path) -> None:
    case = Case("j", graders=(GraderSpec("judge", "is it polite?"),))
    async with fake_judge([None]) as judge:
        run = Run(tmp_path, cases=(case,), judge=JudgeSettings(judge.url, "m"))
        await run.grading.start()
        try:
            run.hand_over(Answer("j", text="please"))
            run.grading.finish(1.0, "nobody waits")
            run.kill()
            await run.until(1)
        finally:
            await run.grading.stop()
    assert run.scores[0].reason == "judge_error: nobody waits"
    assert len(run.processes) == 2


async def test_what_could_not_be_written_down_is_ungraded(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.grading.take([Answer("a", "peak", 40)], False)
    run.collect()
    assert (run.answers, run.scores[0].value, run.scores[0].level) == (1, None, "peak")
    assert run.grading.waiting == 0


async def test_graders_that_cannot_be_loaded_end_the_run_before_it_begins(tmp_path: Path) -> None:
    run = Run(tmp_path, judge=JudgeSettings("nowhere", "m"))
    with pytest.raises(GradingError, match="nowhere"):
        await run.grading.start()
    assert run.processes[0].returncode is not None


async def test_one_that_says_nothing_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READY_S", 0.0)
    run = Run(tmp_path)
    with pytest.raises(GradingError, match="not loaded"):
        await run.grading.start()

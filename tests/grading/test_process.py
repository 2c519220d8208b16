"""Tests of agenttop.grading.process and agenttop.grading.messages.

The grader process as its controller sees it: lines of JSON in, scores out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agenttop.grading.judge_endpoint import JudgeSettings
from agenttop.grading.messages import (
    Begin,
    Failed,
    Finish,
    Finished,
    FromGrader,
    Graded,
    Ready,
    StepGraders,
    ToGrader,
    Written,
    from_grader,
    line,
)
from agenttop.grading.process import AT_ONCE, serve
from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.curve import JudgeUse
from agenttop.quality.score import Score
from tests.grading.fake_judge import Reply, fake_judge, scored

CASES = (Case("a", target=("yes",)), Case("b", graders=(GraderSpec("contains", "no"),)))
JUDGED = Case("j", graders=(GraderSpec("judge", "is it polite?"),))


class Peer:
    """The controller's side of a grader that runs in this process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reader = asyncio.StreamReader()
        self.heard: asyncio.Queue[FromGrader] = asyncio.Queue()
        self.scores: dict[int, Score] = {}
        self.lines = 0
        self.judged: list[JudgeUse] = []

    def say(self, message: ToGrader) -> None:
        self.reader.feed_data(line(message))

    def write(self, *answers: Answer) -> None:
        with self.path.open("ab") as file:
            for answer in answers:
                file.write(msgspec.json.encode(answer) + b"\n")
        self.lines += len(answers)

    async def until(self, kind: type[FromGrader]) -> FromGrader:
        """Take messages up to one of this kind."""
        while True:
            message = await self.heard.get()
            if isinstance(message, Graded):
                assert not self.scores.keys() & message.scores.keys(), "a line has one score"
                self.scores |= message.scores
                self.judged += [message.judge] if message.judge is not None else []
            if isinstance(message, kind):
                return message


@asynccontextmanager
async def serving(path: Path, begin: Begin) -> AsyncIterator[Peer]:
    peer = Peer(path)
    task = asyncio.create_task(serve(peer.reader, lambda data: peer.heard.put_nowait(from_grader.decode(data))))
    peer.say(begin)
    try:
        async with asyncio.timeout(30):
            yield peer
    finally:
        peer.reader.feed_eof()
        await task


def begin(path: Path, *cases: Case, **rest: object) -> Begin:
    return msgspec.structs.replace(Begin(cases or CASES, str(path)), **rest)


async def test_lines_are_graded_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    async with serving(path, begin(path)) as peer:
        await peer.until(Ready)
        peer.write(Answer("a", "low", 4, text="yes"), Answer("b", "low", 4, text="yes"))
        peer.say(Written(2))
        await peer.until(Graded)
        while len(peer.scores) < 2:
            await peer.until(Graded)
        assert (peer.scores[0].value, peer.scores[1].value) == (1.0, 0.0)
        assert (peer.scores[0].level, peer.scores[0].users) == ("low", 4)
        peer.write(Answer("a", text="yes"))
        peer.say(Finish(3))
        await peer.until(Finished)
        assert peer.scores[2].value == 1.0


async def test_a_line_that_is_not_whole_yet_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    async with serving(path, begin(path)) as peer:
        await peer.until(Ready)
        whole = msgspec.json.encode(Answer("a", text="yes")) + b"\n"
        path.write_bytes(whole + whole[:10])
        peer.say(Written(1))
        await peer.until(Graded)
        path.write_bytes(whole + whole)
        peer.say(Finish(2))
        await peer.until(Finished)
        assert [score.value for score in peer.scores.values()] == [1.0, 1.0]


async def test_after_the_load_means_after_it(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    async with serving(path, begin(path, live=False)) as peer:
        await peer.until(Ready)
        peer.write(*(Answer("a", text="yes") for _ in range(5)))
        peer.say(Written(5))
        assert peer.heard.empty()
        peer.say(Finish(5))
        await peer.until(Finished)
        assert len(peer.scores) == 5


async def test_a_judge_waits_for_the_end_and_the_others_do_not(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    async with (
        fake_judge([scored(1.0)]) as judge,
        serving(path, begin(path, *CASES, JUDGED, judge=JudgeSettings(judge.url, "m"))) as peer,
    ):
        await peer.until(Ready)
        peer.write(Answer("j", text="please"), Answer("a", text="yes"), Answer("j", outcome="timeout"))
        peer.say(Written(3))
        while len(peer.scores) < 2:
            await peer.until(Graded)
        assert set(peer.scores) == {1, 2}, "what scores by rule asks no judge"
        assert not judge.asked
        peer.say(Finish(3))
        await peer.until(Finished)
        assert peer.scores[0].value is not None
        assert len(judge.asked) == 1


async def test_the_judge_is_held_against_people_when_all_is_graded(tmp_path: Path) -> None:
    path, labels = tmp_path / "answers.jsonl", tmp_path / "labels.jsonl"
    people = ["please", "now!", "thank you"]
    labels.write_text(
        "".join(f'{{"id": "j", "text": "{text}", "score": {text != "now!"}}}\n'.lower() for text in people)
    )

    def judged(_: str, body: Any) -> Reply:
        return scored(float("please" in str(body) or "thank" in str(body)))

    async with fake_judge(judged) as judge:
        settings = JudgeSettings(judge.url, "m")
        async with serving(path, begin(path, JUDGED, judge=settings, labels=str(labels))) as peer:
            await peer.until(Ready)
            peer.write(Answer("j", text="please wait"), Answer("j", text="no"))
            peer.say(Finish(2))
            await peer.until(Finished)
            (told,) = [use for use in peer.judged if use.agreement is not None]
    assert told.agreement is not None
    assert (told.agreement["judged"], told.agreement["agreement"], told.agreement["rate"]) == (3, 1.0, 0.5)
    assert told.calls == 5


async def test_labels_that_cannot_be_read_end_it_before_it_begins(tmp_path: Path) -> None:
    path, labels = tmp_path / "answers.jsonl", tmp_path / "labels.jsonl"
    labels.write_text('{"id": "j", "text": "please"}\n')
    async with serving(path, begin(path, JUDGED, labels=str(labels))) as peer:
        message = await peer.until(Failed)
        assert isinstance(message, Failed)
        assert "labels.jsonl:1" in message.message


async def test_lines_that_have_a_score_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    async with serving(path, begin(path, skip=(0, 2))) as peer:
        peer.write(*(Answer("a", text="yes") for _ in range(4)))
        peer.say(Finish(4))
        await peer.until(Finished)
        assert set(peer.scores) == {1, 3}


async def test_a_line_that_cannot_be_read_is_ungraded_and_ends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b"{\n" + msgspec.json.encode(Answer("a", text="yes")) + b"\n")
    async with serving(path, begin(path)) as peer:
        peer.say(Finish(2))
        await peer.until(Finished)
        assert peer.scores[0].value is None
        assert "line 1" in peer.scores[0].reason
        assert peer.scores[1].value == 1.0


async def test_steps_have_graders_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    steps = (StepGraders("chat", "golden", 0, (GraderSpec("contains", "hello"),)),)
    async with serving(path, begin(path, steps=steps)) as peer:
        peer.write(
            Answer("a", step=0, last=False, text="hello", pool="chat", task="golden"),
            Answer("a", step=1, text="yes", pool="chat", task="golden"),
        )
        peer.say(Finish(2))
        await peer.until(Finished)
        assert [score.value for score in peer.scores.values()] == [1.0, 1.0]


async def test_graders_that_cannot_begin_say_why(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    async with serving(path, begin(path, judge=JudgeSettings("nowhere", "m"))) as peer:
        message = await peer.until(Failed)
        assert isinstance(message, Failed)
        assert "nowhere" in message.message


async def test_nobody_is_waited_for_longer_than_is_said_and_the_rest_is_ungraded(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    (tmp_path / "slow.py").write_text("def ever(answer, case):\n    while True: pass\n")
    users = Case("p", graders=(GraderSpec("python", "slow.py:ever"),), place=str(tmp_path / "golden.jsonl:1"))
    async with (
        fake_judge([None]) as judge,
        serving(path, begin(path, *CASES, JUDGED, users, judge=JudgeSettings(judge.url, "m"))) as peer,
    ):
        peer.write(*(Answer("j", text=f"please {number}") for number in range(200)), Answer("a", text="yes"))
        peer.write(Answer("p", text="please"), Answer("p", text="yes"))
        peer.say(Finish(203, 0.3, "nobody waits"))
        await peer.until(Finished)
        assert peer.scores[200].value == 1.0
        reasons = {peer.scores[line].reason for line in range(200)}
        assert reasons == {"judge_error: nobody waits"}
        assert {peer.scores[line].reason for line in (201, 202)} == {"nobody waits"}
        use = peer.judged[-1]
        assert (use.calls, use.errors, use.given_up) == (4, 200, "nobody waits")


async def test_answers_that_ask_nobody_do_not_wait_for_those_that_ask(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    async with (
        fake_judge([None]) as judge,
        serving(path, begin(path, *CASES, JUDGED, judge_live=True, judge=JudgeSettings(judge.url, "m"))) as peer,
    ):
        await peer.until(Ready)
        peer.write(*(Answer("j", text=f"please {number}") for number in range(AT_ONCE)), Answer("a", text="yes"))
        peer.say(Written(AT_ONCE + 1))
        while not peer.scores:
            await peer.until(Graded)
        assert set(peer.scores) == {AT_ONCE}
        peer.say(Finish(AT_ONCE + 1, 0.0, "over"))
        await peer.until(Finished)
        assert len(peer.scores) == AT_ONCE + 1


async def test_what_the_judge_did_is_told_before_there_is_a_score_and_that_one_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agenttop.grading.process.ALIVE_S", 0.5)
    path = tmp_path / "answers.jsonl"
    async with (
        fake_judge([None]) as judge,
        serving(path, begin(path, JUDGED, judge=JudgeSettings(judge.url, "m"))) as peer,
    ):
        peer.write(Answer("j", text="please"))
        peer.say(Finish(1))
        while not peer.judged or not peer.judged[-1].calls:
            await peer.until(Graded)
        told = len(peer.judged)
        await peer.until(Graded)  # nothing is new
        assert peer.judged[told] == peer.judged[told - 1]
        assert not peer.scores


@pytest.mark.parametrize("count", [500])
async def test_more_lines_than_are_under_way_at_once(tmp_path: Path, count: int) -> None:
    path = tmp_path / "answers.jsonl"
    async with serving(path, begin(path)) as peer:
        peer.write(*(Answer("a", text="yes" if number % 2 else "") for number in range(count)))
        peer.say(Finish(count))
        await peer.until(Finished)
        assert sorted(peer.scores) == list(range(count))
        assert sum(score.value or 0.0 for score in peer.scores.values()) == count / 2

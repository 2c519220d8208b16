"""The grader process: reads the answers that a controller appends to a file, and tells it their scores.

``python -m agenttop.grading.process``; it ends with its standard input. It stands beside the controller at a lower
priority, so that neither load nor figures wait for graders, and reads the answers from the disk by itself: however many
wait, they take no memory. An answer that a judge has to see waits for the end of the load, unless ``judge_live``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from agenttop.grading.calibration import GOOD, Label, calibrate, read_labels
from agenttop.grading.graders import Graders
from agenttop.grading.judge import Judge
from agenttop.grading.messages import (
    Begin,
    Failed,
    Finish,
    Finished,
    FromGrader,
    Graded,
    Ready,
    Written,
    line,
    to_grader,
)
from agenttop.grading.python_grader import PythonGraders
from agenttop.quality.answer import Answer
from agenttop.quality.curve import JudgeUse
from agenttop.quality.score import Score

#: Answers that are under way at once; most of them wait for a judge or for users' code.
AT_ONCE = 64
#: Of those at most so many for a judge or users' code, so that the others need not wait for them.
ASKED_AT_ONCE = AT_ONCE // 2
#: Seconds between two messages with scores, and those after which the grader says that it is there.
TELL_S, ALIVE_S = 0.25, 5.0
#: The longest line of the controller: all cases are in the first.
_MAX_LINE = 1 << 28

_decode = msgspec.json.Decoder(Answer).decode


class Grader:
    """Grades the lines of one file.

    Args:
        begin: what by.
        graders: the graders themselves.
        labels: what people made of some answers, which the judge is held against at the end.
    """

    def __init__(self, begin: Begin, graders: Graders, labels: Sequence[Label] = ()) -> None:
        self._begin = begin
        self._graders = graders
        self._labels = labels
        self._agreement: dict[str, Any] | None = None
        self._verdicts: Counter[bool] = Counter()
        """The judge's, good or not."""
        self._file: IO[bytes] | None = None
        self._read = 0
        """Lines read so far …"""
        self._written = 0
        """… of those that are whole."""
        self._finishing = False
        self._skip = set(begin.skip)
        self._later: deque[tuple[int, int]] = deque()
        """Line and offset of answers that wait for the end of the load …"""
        self._placeless: deque[tuple[int, int]] = deque()
        """… and of those that wait until fewer are asked about."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking = 0
        """Answers under way for which a judge or users' code is asked."""
        self._told: JudgeUse | None = None
        self._scores: dict[int, Score] = {}
        self._changed = asyncio.Event()

    def written(self, lines: int) -> None:
        """Take that so many lines are whole."""
        self._written = max(self._written, lines)
        self._changed.set()

    def finish(self, lines: int) -> None:
        """Take that there will be no more."""
        self._finishing = True
        self.written(lines)

    def news(self, *, alive: bool = False) -> Graded | None:
        """Return the scores since the last call, and what the judge did; None where there is nothing new, unless it is
        to be said that this process is ``alive``.
        """
        judged = self._judged()
        if not self._scores and judged == self._told and not alive:
            return None
        scores, self._scores, self._told = self._scores, {}, judged
        return Graded(scores, judged)

    def _judged(self) -> JudgeUse | None:
        """Return what the judge did so far; None without one."""
        judge = self._graders.judge
        if judge is None:
            return None
        counts = judge.counts
        priced = judge.settings.price_input or judge.settings.price_output
        cost_usd = counts.cost_usd if priced else None
        return JudgeUse(
            counts.calls,
            counts.cached,
            counts.errors,
            counts.tokens,
            cost_usd,
            self._agreement,
            counts.rate_limited,
            judge.given_up,
        )

    async def calibrate(self) -> Graded | None:
        """Hold the judge against people, and return what it has done; None without a judge or labels."""
        judge = self._graders.judge
        if judge is None or not self._labels:
            return None
        found = await calibrate(judge, self._labels, self._graders.cases)
        self._agreement = found.told(self._verdicts[True], self._verdicts.total())
        return Graded({}, self._judged())

    async def run(self) -> None:
        """Grade until all is, after :meth:`finish`."""
        try:
            while not (self._finishing and self._idle):
                while len(self._tasks) < AT_ONCE and (found := self._next()) is not None:
                    self._tasks.add(asyncio.create_task(self._grade(*found)))
                waiting = [*self._tasks, asyncio.ensure_future(self._changed.wait())]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                waiting[-1].cancel()
                self._changed.clear()
                self._tasks = {task for task in self._tasks if not task.done()}
        finally:
            for task in self._tasks:
                task.cancel()
            if self._file is not None:
                self._file.close()

    @property
    def _idle(self) -> bool:
        return not (self._tasks or self._later or self._placeless) and self._read >= self._written

    def _next(self) -> tuple[int, Answer] | None:
        """Return the next line to be graded now, and its answer, which is under way from here on."""
        if self._begin.live or self._finishing:
            while self._read < self._written:
                file = self._open()
                offset, number = file.tell(), self._read
                text = file.readline()
                self._read += 1
                if number in self._skip:
                    continue
                answer = self._answer(number, text)
                if answer is None:
                    continue
                if not self._graders.asks(answer):
                    return number, answer
                ends = not (self._finishing or self._begin.judge_live) and self._graders.needs_judge(answer)
                (self._later if ends else self._placeless).append((number, offset))
        while self._asking < ASKED_AT_ONCE:
            waiting = self._placeless or (self._later if self._finishing else None)
            if not waiting:
                break
            number, offset = waiting.popleft()
            file = self._open()
            end = file.tell()
            file.seek(offset)
            text = file.readline()
            file.seek(end)
            answer = self._answer(number, text)
            if answer is not None:
                self._asking += 1
                return number, answer
        return None

    def _answer(self, number: int, text: bytes) -> Answer | None:
        try:
            return _decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._scores[number] = Score("", reason=f"line {number + 1} of the answers cannot be read")
            return None

    def _open(self) -> IO[bytes]:
        if self._file is None:
            self._file = Path(self._begin.answers).open("rb")  # noqa: SIM115 (closed when the run is)
        return self._file

    async def _grade(self, number: int, answer: Answer) -> None:
        try:
            score = await self._graders.grade(answer)
        except Exception as error:  # whatever it is, this answer has no score and the others go on
            score = Score(
                answer.case,
                answer.level,
                answer.users,
                answer.step,
                answer.at_s,
                reason=f"the grader failed: {type(error).__name__}: {error}",
            )
        finally:
            self._asking -= self._graders.asks(answer)
        self._scores[number] = score
        for part in score.parts:
            if part.grader == "judge" and part.value is not None:
                self._verdicts[part.value >= GOOD] += 1


def labels_of(begin: Begin) -> list[Label]:
    """Return the labels of the judge's calibration.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is none of labels; the message says where and why.
    """
    if not begin.labels:
        return []
    text = Path(begin.labels).read_text(encoding="utf-8")
    labels, problems = read_labels(begin.labels, text, {case.id for case in begin.cases})
    if problems:
        raise ValueError(str(problems[0]))
    return labels


def graders_of(begin: Begin) -> Graders:
    """Return the graders that a controller asks for.

    Raises:
        MissingPackage: one of them needs a package that is not installed.
        ValueError: the judge's target is no address.
    """
    judge = None if begin.judge is None else Judge(begin.judge, begin.cache or None)
    steps = {(row.pool, row.task, row.step): row.graders for row in begin.steps}
    return Graders(begin.cases, judge, PythonGraders(begin.folder or "."), steps=steps, pass_at=begin.pass_at)


async def serve(reader: asyncio.StreamReader, write: Any) -> None:
    """Grade one run: read messages from ``reader``, write those for the controller with ``write(bytes)``."""

    def say(message: FromGrader) -> None:
        write(line(message))

    begin = to_grader.decode(await reader.readline())
    assert isinstance(begin, Begin)
    try:
        labels = labels_of(begin)
        graders = graders_of(begin)
    except Exception as error:  # whatever it is, the controller must hear of it
        say(Failed(f"{type(error).__name__}: {error}"))
        return
    grader = Grader(begin, graders, labels)
    say(Ready())
    ending: list[asyncio.Task[None]] = []

    async def end_in(wait_s: float, why: str) -> None:
        await asyncio.sleep(wait_s)
        await graders.stop(why)

    async def listen() -> None:
        while text := await reader.readline():
            message = to_grader.decode(text)
            if isinstance(message, Written):
                grader.written(message.lines)
            elif isinstance(message, Finish):
                grader.finish(message.lines)
                if message.wait_s is not None:
                    ending.append(asyncio.create_task(end_in(message.wait_s, message.why)))

    async def tell() -> None:
        quiet_s = 0.0
        while True:
            await asyncio.sleep(TELL_S)
            quiet_s += TELL_S
            if (news := grader.news(alive=quiet_s >= ALIVE_S)) is not None:
                say(news)
                quiet_s = 0.0

    listening, telling = asyncio.create_task(listen()), asyncio.create_task(tell())
    grading = asyncio.create_task(grader.run())
    try:
        await asyncio.wait({listening, grading}, return_when=asyncio.FIRST_COMPLETED)
        if grading.done():
            grading.result()
            for last in (grader.news(), await grader.calibrate()):
                if last is not None:
                    say(last)
            say(Finished())
    finally:
        tasks = (listening, telling, grading, *ending)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await graders.close()


async def main() -> None:
    """Serve the controller at the other end of standard input and output."""
    with contextlib.suppress(OSError):
        os.nice(10)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_MAX_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    out = sys.stdout.buffer
    sys.stdout = sys.stderr  # what graders print is no message

    def write(data: bytes) -> None:
        out.write(data)
        out.flush()

    with contextlib.suppress(BrokenPipeError):
        await serve(reader, write)


if __name__ == "__main__":
    asyncio.run(main())

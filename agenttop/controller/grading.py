"""Lets a process beside the controller grade the answers of a run, and collects its scores.

    starting ──ready──► grading ──finish──► finishing ──finished──► over
        └──────────────────┴──lost too often, gives up──────────────► over

Answers are lines of a file; the process reads them by itself, so that none takes memory here. One that is lost (killed,
out of memory) is started anew and told which lines have a score; after :data:`RESTARTS` the rest stays ungraded. One
file, for these states are one machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from agenttop.controller.answers import Answers
from agenttop.controller.spec import RunSpec
from agenttop.grading.judge_endpoint import JudgeSettings
from agenttop.grading.messages import (
    Begin,
    Failed,
    Finish,
    Finished,
    Graded,
    Ready,
    StepGraders,
    ToGrader,
    Written,
    from_grader,
    line,
)
from agenttop.journal.answers import FILE_NAME
from agenttop.journal.places import runs_directory
from agenttop.profile.certificates import located
from agenttop.profile.gate import allowed
from agenttop.profile.model import Judge, Profile
from agenttop.profile.quality import cases_of, step_graders
from agenttop.quality.answer import Answer
from agenttop.quality.brief import Golden, brief_of
from agenttop.quality.curve import JudgeUse
from agenttop.quality.levels import Levels
from agenttop.quality.score import Score

#: How often a grader that was lost is started anew.
RESTARTS = 2
#: Seconds that it has to read its cases and load users' graders.
READY_S = 30.0
#: Seconds after the load in which it may say nothing; one that waits says that it is there.
SILENT_S = 120.0
#: Seconds that it has for what is graded without asking anybody, when nobody wants to wait any more.
ENOUGH_S = 10.0
#: Why answers are ungraded that somebody did not want to wait for.
STOPPED = "the run was stopped before it was graded"
#: Seconds between two looks at whether they go on.
STEP_S = 0.5
#: Bytes of one message of it.
_MAX_MESSAGE = 1 << 26


def golden_of(profile: Profile, levels: Levels) -> Golden | None:
    """Return what the figures of quality need to know of a profile's cases and levels; None if it grades nothing."""
    cases = cases_of(profile)
    if not cases:
        return None
    stages = {level.name: level.stages for level in levels.all}
    golden = Golden(tuple(brief_of(case) for case in cases), stages=stages)
    margin = None if profile.gate is None else allowed(profile.gate).score_drops.get("")
    return golden if margin is None else msgspec.structs.replace(golden, margin=margin)


def begin_of(spec: RunSpec) -> Begin | None:
    """Return what a run is graded by; None if it grades nothing."""
    quality, cases = spec.profile.quality, cases_of(spec.profile)
    if quality is None or not cases:
        return None
    judge = quality.judge
    return Begin(
        cases,
        os.path.join(spec.directory, FILE_NAME),
        folder=spec.folder,
        pass_at=quality.pass_,
        live=quality.when == "live",
        judge_live=judge is not None and judge.live,
        judge=None if judge is None else _judge(judge),
        labels=str(located(Path(spec.folder), judge.calibration)) if judge is not None and judge.calibration else "",
        cache=str(runs_directory().parent / "judge"),
        steps=tuple(StepGraders(*place, graders) for place, graders in step_graders(spec.profile).items()),
    )


def _judge(judge: Judge) -> JudgeSettings:
    price = judge.price
    return JudgeSettings(
        target=judge.target,
        model=judge.model,
        api_key=judge.api_key or "",
        max_calls=int(judge.max_calls),
        max_cost_usd=judge.max_cost_usd,
        price_input=price.input if price is not None else 0.0,
        price_output=price.output if price is not None else 0.0,
        concurrency=judge.concurrency,
        timeout_s=judge.timeout,
    )


class GradingError(Exception):
    """The graders cannot be loaded; the message says why."""


class Process(Protocol):
    """What is used of :class:`asyncio.subprocess.Process`."""

    stdin: asyncio.StreamWriter | None
    stdout: asyncio.StreamReader | None

    @property
    def returncode(self) -> int | None:
        """Return how it ended; None while it runs."""

    def kill(self) -> None:
        """End it now."""

    async def wait(self) -> int:
        """Wait for its end."""


@dataclass(slots=True)
class News:
    """What is new since the last second."""

    answers: int
    scores: list[Score]
    judge: JudgeUse | None


async def spawn() -> Process:
    """Start a grader process."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agenttop.grading.process"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_MAX_MESSAGE,
    )


class Grading:
    """The grading of one run.

    Args:
        begin: what by.
        warn: is told what went wrong, in words.
        start: starts a process.
    """

    def __init__(
        self, begin: Begin, warn: Callable[[str], None], start: Callable[[], Awaitable[Process]] = spawn
    ) -> None:
        self._begin = begin
        self._warn = warn
        self._spawn = start
        self._process: Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._news = asyncio.Event()
        self._lines = 0
        self._scored: set[int] = set()
        """Lines that have a score."""
        self._lost = 0
        self._finishing = False
        self._until: tuple[float, str] | None = None
        """When nobody is asked any more, by the loop's clock, and why."""
        self.over = False
        """Nothing more will be graded."""
        self._failed = ""
        self._answers = 0
        self._scores: list[Score] = []
        self._judge: JudgeUse | None = None
        self._judge_told: JudgeUse | None = None

    async def start(self) -> None:
        """Start the process and wait until its graders are loaded.

        Raises:
            GradingError: they cannot be.
        """
        await self._start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_S):
                await self._ready.wait()
        if self._failed or not self._ready.is_set():
            await self.stop()
            raise GradingError(self._failed or f"the graders were not loaded within {READY_S:.0f} s")

    def take(self, answers: Sequence[Answer], written: bool) -> None:
        """Take that answers are there; those that could not be ``written`` down cannot be graded."""
        self._answers += len(answers)
        if not written or self.over:
            why = "the answer could not be written down" if not written else "no grader is left"
            self._scores += [_ungraded(answer, why) for answer in answers]
            self._scored.update(range(self._lines, self._lines + len(answers)) if written else ())
            self._lines += len(answers) if written else 0
            return
        self._lines += len(answers)
        self._say(Written(self._lines))

    def news(self) -> News:
        """Return what is new since the last call."""
        judge = self._judge if self._judge != self._judge_told else None
        self._judge_told = self._judge
        found = News(self._answers, self._scores, judge)
        self._answers, self._scores = 0, []
        return found

    @property
    def waiting(self) -> int:
        """Return how many answers have no score yet."""
        return self._lines - len(self._scored)

    def finish(self, wait_s: float | None = None, why: str = "") -> None:
        """Ask for the rest: no more answers come, and in ``wait_s`` seconds nobody is asked any more, ``why`` in words.
        It may be asked for again, with a shorter time.
        """
        self._finishing = True
        if wait_s is not None:
            self._until = asyncio.get_running_loop().time() + wait_s, why
        self._say(self._finish())

    def _finish(self) -> Finish:
        if self._until is None:
            return Finish(self._lines)
        until, why = self._until
        return Finish(self._lines, max(0.0, until - asyncio.get_running_loop().time()), why)

    async def soon(self, within_s: float) -> bool:
        """Wait until all is graded, ``within_s`` seconds at most; return whether it is."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while not self.over and (left_s := until - loop.time()) > 0:
            await self.step(left_s)
        return self.over

    async def rest(self, shown: Callable[[], object], go_on: Callable[[], bool]) -> None:
        """Wait until all is graded that can be; ``shown`` is called with every news. When ``go_on`` says no, nobody is
        asked any more, and the rest is told to be ungraded.
        """
        loop = asyncio.get_running_loop()
        if not self._finishing:
            self.finish()
        silent_s, leave = 0.0, None
        while not self.over and (leave is None or loop.time() < leave):
            if leave is None and not go_on():
                self.finish(0.0, STOPPED)
                leave = loop.time() + ENOUGH_S
            heard = await self.step(STEP_S)
            silent_s = 0.0 if heard else silent_s + STEP_S
            if heard:
                shown()
            if silent_s >= SILENT_S:
                self._give_up(f"the graders have said nothing for {SILENT_S:.0f} s")

    async def step(self, wait_s: float) -> bool:
        """Wait for news, ``wait_s`` seconds at most; return whether there were any."""
        if self.over:
            return False
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._news.wait()
        return self._news.is_set()

    async def stop(self) -> None:
        """End the process; what it has not graded stays so."""
        self.over = True
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()

    async def _start(self) -> None:
        process = self._process = await self._spawn()
        self._listening = asyncio.create_task(self._listen(process))
        self._say(msgspec.structs.replace(self._begin, skip=tuple(sorted(self._scored))))
        self._say(self._finish() if self._finishing else Written(self._lines))

    def _say(self, message: ToGrader) -> None:
        process = self._process
        if process is not None and process.stdin is not None and not process.stdin.is_closing():
            process.stdin.write(line(message))

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        with contextlib.suppress(msgspec.MsgspecError, ValueError, ConnectionError):
            while text := await process.stdout.readline():
                if self._heard(from_grader.decode(text)):
                    return
        # It is lost: what it had said until now holds.
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        code = await process.wait()
        if self._failed:
            return
        self._lost += 1
        if self._lost > RESTARTS:
            self._give_up(f"the graders ended with code {code} again and again")
        else:
            self._warn(f"the graders ended with code {code} and were started anew")
            await self._start()

    def _heard(self, message: object) -> bool:
        """Take a message; return whether it was the last."""
        if isinstance(message, Graded):
            for number, score in message.scores.items():
                if number not in self._scored:
                    self._scored.add(number)
                    self._scores.append(score)
            self._judge = message.judge or self._judge
        elif isinstance(message, Ready):
            self._ready.set()
        elif isinstance(message, Failed):
            self._failed = message.message
            self._ready.set()
            self.over = True
        elif isinstance(message, Finished):
            self.over = True
        self._news.set()
        return isinstance(message, Finished | Failed)

    def _give_up(self, why: str) -> None:
        self.over = True
        self._warn(f"{why}: {self.waiting} answers stay ungraded")
        self._news.set()


def grading_of(spec: RunSpec, answers: Answers, warn: Callable[[str], None]) -> Grading | None:
    """Return the grading of a run, which takes its ``answers``; None if it grades nothing."""
    begin = begin_of(spec)
    if begin is None:
        return None
    grading = Grading(begin, warn)
    answers.sinks.append(grading.take)
    return grading


def _ungraded(answer: Answer, why: str) -> Score:
    return Score(answer.case, answer.level, answer.users, answer.step, answer.at_s, reason=why)

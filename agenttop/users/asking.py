"""Asks cases: which one a user asks next, and what became of it, for whoever grades.

Graded requests are requests like all others, with all figures of theirs. What is here is done once for each, after its
times were taken.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from msgspec.structs import replace

from agenttop.dialects.heard import Said
from agenttop.dialects.transcript import Listening
from agenttop.metrics.delta import WARMUP
from agenttop.metrics.formulas import cost_usd
from agenttop.metrics.layout import Price
from agenttop.metrics.outcome import NOT_FINISHED, Outcome
from agenttop.quality.answer import MAX_TEXT, Answer, ToolCall
from agenttop.quality.levels import Level
from agenttop.schedule.quantities import MAX_NAME
from agenttop.users.base import UserBase
from agenttop.users.compiled import CompiledTask, Questions

#: Where cases are counted that are asked in the warm-up, whose answers nobody grades.
_WARMUP = "warm-up"


@dataclass(slots=True)
class Asked:
    """A case on its way through the steps of a task."""

    user: UserBase
    task: CompiledTask
    questions: Questions
    case: str
    level: Level | None
    """At which it was begun, which all its answers are counted under; None: in the warm-up."""

    def before(self, index: int) -> None:
        """Forget what the user's last request came to, for this one may not get as far as that."""
        answer = self.user.answer
        answer.begin(self.task.steps[index])
        answer.outcome = answer.ttft_ns = None
        answer.latency_ns = 0

    def after(self, index: int, whole: bool) -> None:
        """Hand over the answer to a step; one that failed is also that to all graded steps after it."""
        questions, level = self.questions, self.level
        graded = questions.graded[index]
        if level is None or (whole and graded < 0):
            return
        outcome, message = self.user.answer.outcome or (None, "")
        if outcome is None or outcome in NOT_FINISHED:
            return  # our own end, which is nobody's fault
        if graded >= 0:
            self._hand_over(answer_of(self.user, questions.price), graded, level)
        if whole:
            return
        lost = f"not asked: {self.task.steps[index].name} before it ended with {Outcome(outcome).value}: {message}"
        for later in questions.graded[index + 1 :]:
            if later >= 0:
                at_s = self.user.pool.elapsed()
                self._hand_over(Answer("", at_s=at_s, outcome=Outcome(outcome).value, error=lost), later, level)

    def _hand_over(self, answer: Answer, step: int, level: Level) -> None:
        questions = self.questions
        whose = {"case": self.case, "pool": questions.pool, "task": questions.task}
        where = {"level": level.name, "users": level.users, "step": step, "last": step == questions.last}
        self.user.pool.answers.put(replace(answer, **whose, **where))


def ask(user: UserBase, task: CompiledTask) -> Asked:
    """Begin the next case of a graded task: its columns are the user's variables."""
    pool = user.pool
    questions = pool.compiled.questions[task.questions]
    level = None if pool.stage == WARMUP else pool.level
    row = pool.spreads[task.questions].next_case(_WARMUP if level is None else level.name)
    questions.rows.fill(user.variables, row)
    return Asked(user, task, questions, questions.cases[row], level)


def answer_of(user: UserBase, price: Price | None = None) -> Answer:
    """Return what the request just recorded came to, without what it was asked for."""
    answer, pool = user.answer, user.pool
    assert answer.outcome is not None
    outcome, message = answer.outcome
    reader = answer.reader
    said = reader.heard.said() if isinstance(reader, Listening) else Said()
    timed = answer.latency_ns > 0
    read = written = None
    told: Counter[str] = Counter()
    if reader is not None:
        read, written = reader.input_tokens, reader.output_tokens
        told = Counter(
            input_tokens=read or 0,
            cached_tokens=reader.cached_tokens or 0,
            output_tokens=written or 0,
            token_requests=int(read is not None or written is not None),
        )
    return Answer(
        case="",
        at_s=(answer.end_ns - pool.epoch_ns) / 1e9 if timed else pool.elapsed(),
        text=said.text[:MAX_TEXT],
        tools=tuple(ToolCall(call.name, call.arguments) for call in said.calls),
        finish=said.finish and said.finish[:MAX_NAME],
        outcome=Outcome(outcome).value,
        error=message,
        cut=said.cut or answer.cut or len(said.text) > MAX_TEXT,
        latency_ms=round(answer.latency_ns / 1e6, 3) if timed else None,
        ttft_ms=None if answer.ttft_ns is None else round(answer.ttft_ns / 1e6, 3),
        input_tokens=read,
        output_tokens=written,
        cost_usd=cost_usd(told, price),
    )

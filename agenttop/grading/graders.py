"""Grades answers with everything there is: pure graders here, judges and users' own graders where they run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from agenttop.grading.judge import Judge
from agenttop.grading.python_grader import PythonGraders
from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.grade import grade, name_of, specs_of, wanted_outside
from agenttop.quality.score import Part, Score


class Graders:
    """Everything that grades the answers of some cases.

    Args:
        cases: all of them.
        judge: asked for rubrics and embeddings; without one such parts have no value.
        python: runs users' own graders; without it such parts have no value.
        steps: graders of the steps of a conversation, by pool, task and the step's number. The last step is graded by
            the case's own as well.
        pass_at: a case without a threshold passes with at least this score.
    """

    def __init__(
        self,
        cases: Iterable[Case],
        judge: Judge | None = None,
        python: PythonGraders | None = None,
        *,
        steps: Mapping[tuple[str, str, int], tuple[GraderSpec, ...]] | None = None,
        pass_at: float = 1.0,
    ) -> None:
        self.cases = {case.id: case for case in cases}
        self.judge, self.python = judge, python
        self.steps = dict(steps or {})
        self.pass_at = pass_at

    def specs(self, answer: Answer) -> tuple[GraderSpec, ...] | None:
        """Return the graders of the step that is answered; None: the case's own."""
        own = self.steps.get((answer.pool, answer.task, answer.step))
        case = self.cases.get(answer.case)
        return (*own, *specs_of(case)) if own is not None and answer.last and case is not None else own

    def needs_judge(self, answer: Answer) -> bool:
        """Return whether a judge has to be asked about this answer."""
        return any(spec.type != "python" for spec in self._outside(answer))

    def asks(self, answer: Answer) -> bool:
        """Return whether a judge or users' code has to be asked about this answer."""
        return bool(self._outside(answer))

    def _outside(self, answer: Answer) -> tuple[GraderSpec, ...]:
        case = self.cases.get(answer.case)
        return wanted_outside(case, answer, self.specs(answer)) if case is not None else ()

    async def grade(self, answer: Answer) -> Score:
        """Return the score of an answer; it raises on nothing but being cancelled."""
        case = self.cases.get(answer.case)
        if case is None:
            return Score(
                answer.case, answer.level, answer.users, answer.step, answer.at_s, reason="there is no such case"
            )
        specs = self.specs(answer)
        wanted = wanted_outside(case, answer, specs)
        parts = await asyncio.gather(*(self._part(spec, case, answer) for spec in wanted))
        return grade(case, answer, parts, specs=specs, pass_at=self.pass_at)

    async def stop(self, why: str) -> None:
        """Ask no judge and no function of users any more: what they have not said yet has no value for this reason."""
        if self.judge is not None:
            self.judge.stop(why)
        if self.python is not None:
            await self.python.stop(why)

    async def close(self) -> None:
        """Close the judge's connections, and end the process of users' graders."""
        if self.judge is not None:
            await self.judge.close()
        if self.python is not None:
            await self.python.close()

    async def _part(self, spec: GraderSpec, case: Case, answer: Answer) -> Part:
        """Return what one grader outside says."""
        try:
            if spec.type == "python":
                if self.python is not None:
                    return await self.python.grade(spec, case, answer)
                reason = f"{spec.value} is not run here"
            elif self.judge is not None:
                ask = self.judge.judge if spec.type == "judge" else self.judge.similar
                return await ask(spec, case, answer)
            else:
                reason = "judge_error: there is no judge ([quality.judge], or --judge)"
        except Exception as error:
            reason = f"{spec.type} failed: {type(error).__name__}: {error}"
        return Part(name_of(spec), None, reason, spec.weight, spec.metric)

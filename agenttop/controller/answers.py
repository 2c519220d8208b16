"""Takes the graded answers of a run: writes them down, counts which cases were asked, passes them to who grades."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agenttop.controller.records import Records
from agenttop.profile.model import Profile
from agenttop.profile.quality import cases_of
from agenttop.quality.answer import Answer
from agenttop.quality.coverage import Coverage
from agenttop.quality.levels import Levels

Sink = Callable[[tuple[Answer, ...]], None]


class Answers:
    """The answers of one run; a profile without cases has none.

    Args:
        profile: the run's.
        levels: of its plan, as it was written.
        records: where answers are written down.
    """

    def __init__(self, profile: Profile, levels: Levels, records: Records) -> None:
        self._records = records
        lowest = [level.name for level in levels.lowest]
        repeats = profile.quality.repeats if profile.quality is not None else 1
        self._coverage = Coverage([case.id for case in cases_of(profile)], repeats, lowest)
        self.sinks: list[Sink] = []
        """Who is told of them as well, in this order: whoever grades them."""

    def take(self, answers: tuple[Answer, ...]) -> str:
        """Take what a worker hands over. Return what is to be told about it; empty for nothing."""
        for answer in answers:
            self._coverage.add(answer)
        why = self._records.answers(answers)
        for sink in self.sinks:
            sink(answers)
        return why

    def lacks(self) -> Sequence[str]:
        """Return what was promised and could not be kept, a line each: cases without time, answers without room."""
        unwritten = self._records.answers_unwritten
        return (*self._coverage.short(), *([unwritten] if unwritten else ()))

"""Finds the answers of a run of this machine, to grade them anew by the cases there are now."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import msgspec

from agenttop.cli.run_path import place
from agenttop.exits import UsageError
from agenttop.journal.answers import FILE_NAME, AnswersError, read_answers
from agenttop.journal.journal import FILE_NAME as JOURNAL
from agenttop.journal.places import SUMMARY
from agenttop.quality.answer import Answer
from agenttop.quality.graders.base import is_number


class RunAnswers(msgspec.Struct, frozen=True):
    """The answers of one run that cases of now can grade."""

    answers: list[Answer]
    pass_at: float
    """The run's own ``pass``."""
    unknown: dict[str, int]
    """Answers by case that is not there any more."""
    earlier: int
    """Answers of steps before the last, whose graders are in the profile."""

    @property
    def left_out(self) -> list[str]:
        """Return what is left out, a line each."""
        lines = []
        if self.unknown:
            answers, cases = sum(self.unknown.values()), len(self.unknown)
            some = ", ".join(list(self.unknown)[:3]) + (", …" if cases > 3 else "")
            lines.append(f"left out: {answers} answers to {cases} cases that are in none of the files ({some})")
        if self.earlier:
            lines.append(f"left out: {self.earlier} answers before the last of a conversation: the profile grades them")
        return lines


def directory_of(where: str) -> Path | None:
    """Return the directory of the run that ``--answers`` means; None for a file of recorded answers.

    Raises:
        UsageError: there is no such run.
    """
    path = Path(where)
    if path.is_file() or (path.suffix == ".jsonl" and not path.is_dir()):
        ours = path.name == FILE_NAME and (path.parent / JOURNAL).is_file()
        return path.parent if ours else None
    found = place(where)
    return found if found.is_dir() else None


def answers_of(directory: Path, cases: Collection[str]) -> RunAnswers:
    """Return the answers of a run; ``cases``: the ids that there are now.

    Raises:
        UsageError: it has none, or they cannot be read, or none of them can be graded.
    """
    kept: list[Answer] = []
    unknown: Counter[str] = Counter()
    earlier = 0
    try:
        for answer in read_answers(directory):
            if answer.case not in cases:
                unknown[answer.case] += 1
            elif not answer.last:
                earlier += 1
            else:
                kept.append(answer)
    except FileNotFoundError:
        raise UsageError(f"{directory}: no graded answers: it has no {FILE_NAME}") from None
    except AnswersError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"{error.filename or directory}: {error.strerror}") from None
    found = RunAnswers(kept, _pass_at(directory), dict(unknown), earlier)
    if not kept:
        raise UsageError("; ".join([f"{directory}: no answer that these cases can grade", *found.left_out]))
    return found


def _pass_at(directory: Path) -> float:
    """Return the score that a case passed with in the run; 1 where it has no summary that says so."""
    try:
        told = json.loads((directory / SUMMARY).read_text(encoding="utf-8"))["profile"]["quality"]["pass"]
    except (OSError, ValueError, KeyError, TypeError):
        return 1.0
    return float(told) if is_number(told, 0, 1) else 1.0

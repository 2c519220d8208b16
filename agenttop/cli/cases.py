"""``agenttop cases``: what was understood of files of cases, and recorded answers graded without any load."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from agenttop.cli.cases_text import cases_lines, scores_lines
from agenttop.cli.run_answers import RunAnswers, answers_of, directory_of
from agenttop.exits import DONE, THRESHOLD, USAGE, UsageError
from agenttop.grading.calibration import Calibration, Label, calibrate, read_labels
from agenttop.grading.graders import Graders
from agenttop.grading.judge import Judge
from agenttop.grading.judge_endpoint import JudgeSettings
from agenttop.grading.python_grader import PythonGraders, python_graders
from agenttop.journal.places import runs_directory
from agenttop.quality.answer import Answer
from agenttop.quality.case import slices_of_case
from agenttop.quality.cases import Cases, read_cases
from agenttop.quality.graders import graders
from agenttop.quality.packages import MissingPackage
from agenttop.quality.problem import CaseProblem
from agenttop.quality.recorded import read_answers
from agenttop.quality.records import MAX_TEXT
from agenttop.quality.score import Score
from agenttop.quality.scores import by_level, by_metric, by_slice, lost_by_cause, scored
from agenttop.view.pipes import say

#: Where the judge's key comes from: not from the command line, which others can read.
KEY = "JUDGE_KEY"


def cases(options: argparse.Namespace) -> int:
    """Print cases, or what recorded answers score; return the exit code.

    Raises:
        UsageError: something the user can mend.
    """
    if options.answers is None and options.min_score is not None:
        raise UsageError("--min-score needs --answers")
    if options.labels is not None and options.judge is None:
        raise UsageError("--labels needs --judge")
    if options.judge is not None and options.answers is None and options.labels is None:
        raise UsageError("--judge needs --answers or --labels")
    try:
        graders()
        judge = _judge(options)
    except (ValueError, MissingPackage) as error:
        raise UsageError(str(error)) from None
    found = read_cases([(name, _text(name)) for name in options.files], read=_text)
    problems = list(found.problems)
    answers: list[Answer] = []
    labels: list[Label] = []
    of_run: RunAnswers | None = None
    if options.answers is not None and not problems:
        run = directory_of(options.answers)
        if run is None:
            answers, problems = read_answers(options.answers, _text(options.answers), found.by_id)
        else:
            of_run = answers_of(run, found.by_id)
            answers = of_run.answers
    if options.labels is not None and not problems:
        labels, problems = read_labels(options.labels, _text(options.labels), found.by_id)
    if not problems and python_graders(found.cases):
        problems = asyncio.run(_checked(found))
    if problems:
        for problem in problems:
            print(problem, file=sys.stderr)
        return USAGE
    if options.answers is None and options.labels is None:
        _print(_described(found) if options.json else cases_lines(found, _width()))
        return DONE
    pass_at = 1.0 if of_run is None else of_run.pass_at
    scores, calibration = asyncio.run(_graded(found, answers, labels, judge, pass_at))
    whole = scored(scores, found.by_id)
    if options.json:
        _print(_scored(found, scores, judge, calibration, of_run))
    else:
        lines = scores_lines(found, answers, scores, judge.counts if judge else None, calibration, _width())
        _print([*lines, *(of_run.left_out if of_run is not None else ())])
    if options.min_score is None or (whole.score is not None and whole.score >= options.min_score - 1e-9):
        return DONE
    reached = "no answer could be graded" if whole.score is None else f"the score is {whole.score:.1%}"
    print(f"agenttop: {reached}; --min-score is {options.min_score:.1%}", file=sys.stderr)
    return THRESHOLD


def _judge(options: argparse.Namespace) -> Judge | None:
    if options.judge is None:
        return None
    settings = JudgeSettings(
        options.judge, options.judge_model, os.environ.get(KEY, ""), max_calls=options.max_calls, timeout_s=60.0
    )
    return Judge(settings, runs_directory().parent / "judge")


async def _checked(found: Cases) -> list[CaseProblem]:
    python = PythonGraders()
    try:
        return await python.check(found.cases)
    finally:
        await python.close()


async def _graded(
    found: Cases, answers: Sequence[Answer], labels: Sequence[Label], judge: Judge | None, pass_at: float
) -> tuple[list[Score], Calibration | None]:
    grading = Graders(found.cases, judge, PythonGraders(), pass_at=pass_at)
    try:
        scores = list(await asyncio.gather(*(grading.grade(answer) for answer in answers)))
        return scores, await calibrate(judge, labels, found.by_id) if judge and labels else None
    finally:
        await grading.close()


def _described(found: Cases) -> dict[str, Any]:
    return {
        "cases": msgspec.to_builtins(found.cases),
        "slices": dict(found.slices),
        "graders": dict(found.graders),
        "judge_calls": found.judge_calls,
        "notes": list(found.notes),
    }


def _scored(
    found: Cases,
    scores: Sequence[Score],
    judge: Judge | None,
    calibration: Calibration | None,
    of_run: RunAnswers | None,
) -> dict[str, Any]:
    known = found.by_id
    told: dict[str, Any] = {
        **msgspec.to_builtins(scored(scores, known)),
        "waiting": sum(score.value is None for score in scores),
        "slices": {name: msgspec.to_builtins(value) for name, value in by_slice(scores, known).items()},
        "levels": {name: msgspec.to_builtins(value) for name, value in by_level(scores, known).items()},
        "metrics": {name: value for name, (value, _) in by_metric(scores).items()},
        "lost": lost_by_cause(scores),
        "scores": [
            {**msgspec.to_builtins(score), "slices": list(slices_of_case(known[score.case]))} for score in scores
        ],
    }
    if of_run is not None:
        told["left_out"] = {"unknown_cases": of_run.unknown, "earlier_steps": of_run.earlier}
    if judge is not None:
        told["judge"] = msgspec.to_builtins(judge.counts)
    if calibration is not None:
        told["calibration"] = {
            **msgspec.to_builtins(calibration),
            "agreement": calibration.agreement,
            "kappa": calibration.kappa,
        }
    return told


def _print(what: dict[str, Any] | Sequence[str]) -> None:
    say(json.dumps(what, ensure_ascii=False) if isinstance(what, dict) else "\n".join(what), sys.stdout)


def _width() -> int:
    return min(max(shutil.get_terminal_size().columns, 60), 160) if sys.stdout.isatty() else 80


def _text(name: str) -> str:
    """Return the text of a file.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        path = Path(name)
        if path.stat().st_size > MAX_TEXT:
            raise UsageError(f"{name} has more than {MAX_TEXT >> 20} MiB")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from None

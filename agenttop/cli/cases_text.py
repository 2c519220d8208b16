"""Cases, and what answers to them score, as lines for a terminal."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from agenttop.grading.calibration import Calibration
from agenttop.grading.judge_endpoint import JudgeCounts
from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, slices_of_case
from agenttop.quality.cases import Cases
from agenttop.quality.grade import name_of
from agenttop.quality.graders.base import plain
from agenttop.quality.score import Score
from agenttop.quality.scores import Scored, by_level, by_metric, by_slice, lost_by_cause, scored
from agenttop.report.figures import cells, count, fit, pad, share
from agenttop.report.quality import agreement_words

#: Columns at most of an id, of slices and of graders.
_ID, _SLICES, _GRADERS = 22, 16, 16
#: Failed cases that are shown.
MAX_FAILED = 20
_INDENT = "  "


def cases_lines(found: Cases, width: int) -> list[str]:
    """Return a line for each case, and what there is in all."""
    head = ("ID", "SLICES", "GRADERS", "INPUT")
    rows = [head, *(_row(case) for case in found.cases)]
    widths = [min(most, max(cells(row[i]) for row in rows)) for i, most in enumerate((_ID, _SLICES, _GRADERS))]
    widths.append(max(10, width - sum(widths) - 2 * len(widths)))
    lines = ["  ".join(pad(fit(row[i], widths[i]), widths[i]) for i in range(4)).rstrip() for row in rows]
    calls = found.judge_calls
    counted = (
        _many(len(found.cases), "case"),
        _many(len(found.slices), "slice"),
        _many(len(found.graders), "grader"),
        f"at most {_many(calls, 'judge call')} to grade each once" if calls else "no judge call",
    )
    lines += ["", ", ".join(counted)]
    lines += _listed("slices", found.slices, width)
    lines += _listed("graders", found.graders, width)
    for note in found.notes:
        lines += textwrap.wrap(note, width, subsequent_indent=_INDENT)
    return lines


def scores_lines(
    found: Cases,
    answers: Sequence[Answer],
    scores: Sequence[Score],
    judge: JudgeCounts | None,
    calibration: Calibration | None,
    width: int,
) -> list[str]:
    """Return the score, that of each slice and metric, and the failed cases with their reasons."""
    known = found.by_id
    whole = scored(scores, known)
    lines = []
    if scores:
        counted = f"{_many(whole.cases, 'case')}, {_many(whole.answers, 'answer')}, {count(whole.passed)} passed"
        lines.append(f"score {_score(whole)}: {counted}")
        tables = [
            *_parts("SLICE", by_slice(scores, known), width),
            *_parts("LEVEL", by_level(scores, known), width),
        ]
        lines += [*tables, ""] if tables else []
        metrics = by_metric(scores)
        if metrics:
            lines += _wrapped("metrics: ", [f"{name} {share(value)}" for name, (value, _) in metrics.items()], width)
        lost = lost_by_cause(scores)
        if lost:
            lines += _wrapped("points lost by: ", [f"{cause} {share(part)}" for cause, part in lost.items()], width)
        lines += _failed(answers, scores, known, width)
        unanswered = len(known) - len({score.case for score in scores})
        if unanswered:
            lines += ["", f"no answer to {_many(unanswered, 'case')}"]
    if judge is not None:
        told = f"judge: {_many(judge.calls, 'call')}, {judge.cached} cached, {judge.errors} errors, "
        lines += ["", f"{told}{count(judge.tokens)} tokens"]
    if calibration is not None:
        lines.append(agreement_words(calibration.told(0, 0)))
    return lines


def _row(case: Case) -> tuple[str, str, str, str]:
    graders = ", ".join(dict.fromkeys(name_of(spec) for spec in case.graders))
    return case.id, ", ".join(slices_of_case(case)), graders, _asked(case)


def _asked(case: Case) -> str:
    """Return what is asked, on one line: of messages the last."""
    text = case.input if isinstance(case.input, str) else plain(case.input[-1].get("content") or "")
    return " ".join((text or plain(case.vars)).split())


def _score(value: Scored) -> str:
    """Return ``66.7% (20.8% to 93.9%)``."""
    if value.score is None or value.interval is None:
        return "unknown (nothing was graded)"
    low, high = value.interval
    return f"{share(value.score)} ({share(low)} to {share(high)})"


def _parts(what: str, parts: Mapping[str, Scored], width: int) -> list[str]:
    """Return a table of the scores of slices or levels."""
    if not parts:
        return []
    rows = [(what, "SCORE", "95 %", "CASES"), *((name, *_cells(value)) for name, value in parts.items())]
    widths = [max(cells(row[i]) for row in rows) for i in range(4)]
    widths[0] = max(5, min(widths[0], width - sum(widths[1:]) - 6))
    lines = ["  ".join(pad(fit(row[i], widths[i]), widths[i], right=i > 0) for i in range(4)) for row in rows]
    return ["", *lines]


def _cells(value: Scored) -> tuple[str, str, str]:
    interval = "-" if value.interval is None else f"{share(value.interval[0])} to {share(value.interval[1])}"
    return share(value.score), interval, count(value.cases)


def _failed(answers: Sequence[Answer], scores: Sequence[Score], known: Mapping[str, Case], width: int) -> list[str]:
    """Return the answers that did not pass, and those that nobody could grade, each with its reason."""
    both = list(zip(answers, scores, strict=True))
    failed = [(answer, score) for answer, score in both if score.value is not None and not score.passed]
    ungraded = [(answer, score) for answer, score in both if score.value is None]
    lines: list[str] = []
    for title, those in (("failed", failed), ("not graded", ungraded)):
        if not those:
            continue
        lines += ["", f"{title}: {len(those)}"]
        for answer, score in those[:MAX_FAILED]:
            value = f" {share(score.value)}" if score.value is not None else ""
            lines.append(_INDENT + fit(f"{score.case}{value} {score.cause}".rstrip(), width - 2))
            lines += textwrap.wrap(
                fit(score.reason, 3 * width),
                width,
                initial_indent=f"{_INDENT * 2}reason: ",
                subsequent_indent=" " * 12,
            )
            case = known.get(score.case)
            if case is not None:
                lines.append(f"{_INDENT * 2}asked:  {fit(_asked(case), width - 12)}")
            said = " ".join(answer.text.split()) or ", ".join(call.name for call in answer.tools)
            if said:
                lines.append(f"{_INDENT * 2}answer: {fit(said, width - 12)}")
        if len(those) > MAX_FAILED:
            lines.append(f"{_INDENT}and {len(those) - MAX_FAILED} more: --json has all")
    return lines


def _listed(title: str, counts: Counter[str], width: int) -> list[str]:
    return _wrapped(f"{title}: ", [f"{name} {number}" for name, number in counts.items()], width) if counts else []


def _wrapped(title: str, parts: Iterable[str], width: int) -> list[str]:
    """Return parts behind a title, with commas between them, broken between two of them."""
    lines, line = [], title
    for part in parts:
        text = fit(part, width - 4)
        if line == title:
            line += text
        elif cells(f"{line}, {text},") > width:
            lines.append(f"{line},")
            line = _INDENT + text
        else:
            line += f", {text}"
    return [*lines, line]


def _many(number: int, noun: str) -> str:
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"

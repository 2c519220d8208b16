"""Renders the quality of a run's answers in words and as tables: the score, how it fell with load, and what for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agenttop.report.figures import count, fit, share
from agenttop.report.page import INDENT, Page

#: Failed cases that the report shows; the summary has more.
MAX_FAILED = 8
#: Slices that it shows.
MAX_SLICES = 12
#: Reasons why answers have no score.
MAX_REASONS = 4
CAUSES = {"tool_not_called": "tool not called"}


def points(value: float) -> str:
    """Return a difference of scores in points of 100: ``+2.3``, ``-12.0``, ``0``."""
    text = f"{value * 100:.1f}"
    return "0" if text in ("0.0", "-0.0") else text


def interval(ends: tuple[float, float] | list[float]) -> str:
    """Return an interval of scores: ``95.1–98.5%``."""
    return f"{ends[0] * 100:.1f}–{ends[1] * 100:.1f}%"


def spread(row: Mapping[str, Any]) -> str:
    """Return how sure the score of a run or a slice is: ``(95.1–98.5%) of 120 cases``."""
    return f"({interval(row['interval'] or (row['score'], row['score']))}) of {count(row['cases'])} cases"


def drop_sentence(drop: Mapping[str, Any]) -> str:
    """Return how the score changed with load in a sentence, with what the data could have shown."""
    low, high = drop["interval"]
    where = f"from {users(drop['from_users'])} to {users(drop['to_users'])}"
    span = f"{points(low)} to {points(high)} with 95% confidence"
    if drop["verdict"] == "worse":
        return f"answers get WORSE: {points(drop['drop'])} points lost {where} ({span})"
    if drop["verdict"] == "ok":
        return f"answers hold: {points(drop['drop'])} points lost {where} ({span})"
    return (
        f"undecided: {points(drop['drop'])} points lost {where} ({span}); "
        f"{count(drop['cases'])} cases can show a drop of {points(drop['visible'])} points: "
        "more cases or repeats tell more"
    )


def causes(lost: Mapping[str, float], at_most: int = 8) -> str:
    """Return points by cause: ``tool not called 9.1, refused 2.0``; empty where nothing was lost."""
    told = [f"{CAUSES.get(name, name)} {points(part)}" for name, part in lost.items() if points(part) != "0"]
    return ", ".join(told[:at_most])


def agreement_words(found: Mapping[str, Any]) -> str:
    """Return how a judge agrees with people, in words."""
    if found["agreement"] is None:
        return f"judge against people: no answer was judged ({_many(found['errors'], 'error')})"
    text = f"judge against people: {share(found['agreement'])} of {_many(found['judged'], 'answer')} alike"
    if found["kappa"] is not None:
        value, (low, high) = found["kappa"]
        text += f", Cohen's κ {value:.2f} ({low:.2f} to {high:.2f})"
    if found.get("corrected") is not None:
        rate, ends = found["corrected"]
        text += f"; corrected for its errors {share(rate)} ({interval(ends)}) are good, not {share(found['rate'])}"
    return text


def _many(number: int, noun: str) -> str:
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def users(number: int) -> str:
    """Return ``12 users``, ``1 user``."""
    return _many(number, "user")


def graders_words(graders: Sequence[tuple[str, float | None, str]]) -> list[str]:
    """Return what graders said of an answer, a line each that took points, and one of those that took none.

    Nothing where there is one alone: it is the reason of the case.

    Args:
        graders: the name, score (None: it gave none) and reason of each.
    """
    if len(graders) < 2:
        return []
    lines = [
        f"{name} {'gave no score' if score is None else share(score)}{f': {reason}' if reason else ''}"
        for name, score, reason in graders
        if score != 1.0
    ]
    whole = [name for name, score, _ in graders if score == 1.0]
    return [*lines, f"{', '.join(dict.fromkeys(whole))} 100%"] if whole else lines


def quality_section(page: Page, quality: Mapping[str, Any] | None) -> None:
    """Add the section of a report; nothing where nothing is graded."""
    if quality is None:
        return
    title = (
        f"{count(quality['graded'])} answers graded, {count(quality['cases'])} of {count(quality['of_cases'])} cases"
    )
    page.section("quality", title)
    if quality["score"] is None:
        page.prose("! no answer was graded", "yellow")
        _left(page, quality)
        return
    page.prose(f"score {share(quality['score'])} ({interval(quality['interval'])})", "bold")
    drop = quality["drop"]
    if drop is not None:
        style = {"ok": "green", "worse": "red"}.get(drop["verdict"], "yellow")
        page.prose(drop_sentence(drop), style)
        if causes(drop["lost"]) and drop["verdict"] != "ok":
            page.prose(f"points lost more than before: {causes(drop['lost'])}")
    control = quality["control"]
    if control is not None:
        low, high = control["interval"]
        page.prose(
            f"the lowest load against itself: {points(control['drop'])} points ({points(low)} to {points(high)})", "dim"
        )
    _levels(page, quality["by_stage"])
    _slices(page, quality["slices"])
    _failed(page, quality["failed"])
    _left(page, quality)


def _levels(page: Page, levels: list[Mapping[str, Any]]) -> None:
    page.line()
    rows = [["at", "users", "score", "interval", "cases", "answers", "lost most to"]]
    for row in levels:
        figures = [share(row["score"]), interval(row["interval"]), count(row["cases"]), count(row["answers"])]
        rows.append([row["stage"] or "-", count(row["users"]), *figures, causes(row["lost"], 1)])
    page.table(rows, first_min=10)


def _slices(page: Page, slices: Mapping[str, Mapping[str, Any]]) -> None:
    if not slices:
        return
    page.line()
    rows = [["slice", "score", "interval", "cases"]]
    worst = sorted(slices.items(), key=lambda item: item[1]["score"])
    for name, row in worst[:MAX_SLICES]:
        rows.append([name, share(row["score"]), interval(row["interval"]), count(row["cases"])])
    page.table(rows, first_min=10)
    if len(worst) > MAX_SLICES:
        page.line(f"{INDENT}and {len(worst) - MAX_SLICES} better ones in the summary", "dim")


def _failed(page: Page, failed: list[Mapping[str, Any]]) -> None:
    if not failed:
        return
    page.line()
    for row in failed[:MAX_FAILED]:
        head = f"! {fit(row['id'], 24)} at {users(row['users'])}: "
        page.line(INDENT + fit(head + (row["reason"] or row["grader"]), page.width - len(INDENT)), "yellow")
        if row["input"]:
            page.line(f"{INDENT}  asked     {fit(row['input'], page.width - 14)}")
        if row["answer"]:
            page.line(f"{INDENT}  answered  {fit(row['answer'], page.width - 14)}", "dim")
        said = [(each["grader"], each["score"], each["reason"]) for each in row.get("graders") or ()]
        for index, words in enumerate(graders_words(said)):
            page.line(f"{INDENT}  {'' if index else 'graded':8}  {fit(words, page.width - 14)}", "dim")
    if len(failed) > MAX_FAILED:
        page.line(f"{INDENT}and {len(failed) - MAX_FAILED} more cases in the summary", "dim")


def _left(page: Page, quality: Mapping[str, Any]) -> None:
    """Tell what has no score, and what the judge did."""
    judge = quality["judge"] or {}
    if any(judge.get(key) for key in ("calls", "cached", "errors", "rate_limited")):
        facts = [f"judge: {count(judge['calls'])} calls", f"{count(judge['cached'])} from the cache"]
        facts.append(f"{count(judge['errors'])} errors")
        if judge.get("rate_limited"):
            facts.append(f"{count(judge['rate_limited'])} refused with 429")
        if judge.get("tokens"):
            facts.append(f"{count(judge['tokens'])} tokens")
        if judge.get("cost_usd") is not None:
            facts.append(f"{judge['cost_usd']:.4f} USD")
        page.joined(facts, "dim")
    if judge.get("given_up"):
        page.prose(f"! the judge was not asked any more: {judge['given_up']}", "yellow")
    if judge.get("agreement"):
        page.prose(agreement_words(judge["agreement"]), "dim")
    if quality["ungraded"]:
        page.prose(f"! {count(quality['ungraded'])} answers that no grader could judge: they are in no score", "yellow")
        reasons = list((quality.get("ungraded_by") or {}).items())
        for reason, number in reasons[:MAX_REASONS]:
            page.line(INDENT + fit(f"  {count(number)} × {reason}", page.width - len(INDENT)), "dim")
        if len(reasons) > MAX_REASONS:
            page.line(f"{INDENT}  and {len(reasons) - MAX_REASONS} more reasons in the summary", "dim")
    if quality["waiting"]:
        page.prose(f"! {count(quality['waiting'])} answers were not graded before the run ended", "yellow")

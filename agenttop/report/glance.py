"""The answer of a run at a glance: what fits the screen of a terminal of 80 columns and 24 rows.

How it ended and why, what was sent, times by stage, thresholds, the gate, the score, the budget, and where the rest is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agenttop.exits import THRESHOLD
from agenttop.metrics.not_refused import basis
from agenttop.metrics.scope import clean_text
from agenttop.metrics.snapshot import StageRow
from agenttop.metrics.trust import LATE, SATURATED, grade_of
from agenttop.report.comparison import headline
from agenttop.report.figures import count, duration, fit, per_s, share
from agenttop.report.observed import observed, refused
from agenttop.report.page import INDENT, Page
from agenttop.report.quality import points, spread
from agenttop.report.search import sentence
from agenttop.report.stages import cells, most_telling, rows_of
from agenttop.report.verdict import verdict_in_short

#: Lines that are never exceeded: a terminal of 24 rows, without that of the shell's prompt.
LINES = 23
#: What is told of, from much to little: lines of the verdict, rows of stages, failed thresholds, warnings, and whether
#: blank lines part them.
_ROOM = (
    (4, 8, 4, 3, True),
    (4, 6, 3, 2, True),
    (4, 4, 2, 1, True),
    (3, 4, 1, 1, False),
    (2, 3, 1, 0, False),
    (1, 2, 1, 0, False),
)
REASONS = {
    "completed": "completed",
    "stopped_by_user": "stopped by hand",
    "threshold_abort": "ABORTED by a threshold",
    "budget": "stopped: the budget is used up",
    "circuit_breaker": "STOPPED by the circuit breaker: the target has fallen over",
    "target_unreachable": "FAILED: the target could not be reached",
    "error": "FAILED",
}


def ended_words(run: Mapping[str, Any]) -> tuple[str, str]:
    """Return how a run ended, and the style of that: ``completed after 3m00s, exit code 99``."""
    reason = REASONS.get(run["stop_reason"], str(run["stop_reason"]))
    if run.get("incomplete"):
        reason = "INCOMPLETE: cut off, rebuilt from its journal"
    well = run["stop_reason"] in ("completed", "stopped_by_user", "budget") and run["exit_code"] != THRESHOLD
    style = "green" if well and not run.get("incomplete") else "red"
    exit_code = f", exit code {run['exit_code']}" if run["exit_code"] else ""
    return f"{reason} after {duration(run['duration_s'])}{exit_code}", style


def count_words(totals: Mapping[str, Any]) -> list[str]:
    """Return what became of the requests of a run, in parts."""
    return [
        f"{count(totals['requests'])} requests",
        f"{per_s(totals['rps'])}/s",
        f"{count(totals['ok'])} ok",
        f"{count(totals['failed'])} failed ({share(totals['error_rate'])})",
        f"{count(totals['rate_limited'])} rate-limited",
    ]


def capped(budget: Mapping[str, Any]) -> dict[str, Any]:
    """Return the lines of a budget that have a cap."""
    return {name: line for name, line in budget.items() if line and line["cap"] is not None}


def used_words(budget: Mapping[str, Any]) -> list[str]:
    """Return what was used of a budget, a part for each cap: ``12.5% of 40000 tokens``."""
    return [
        f"{share(line['used'] / line['cap'])} of {line['cap']:g} {'USD' if name == 'cost_usd' else name}"
        for name, line in capped(budget).items()
    ]


def render_glance(summary: Mapping[str, Any], *, color: bool, width: int = 80, lines: int = LINES) -> str:
    """Return the answer of a run: at 80 columns no more lines than ``lines``.

    Args:
        summary: as ``load_summary`` or ``build_summary`` gives it.
        color: with ANSI styles; every state has a word too.
        width: columns, at least 60; no line is wider.
        lines: at least 16.
    """
    found: list[str] = []
    rows = rows_of(summary)
    # What is told of gives way a little at a time, until it fits: stages first, blank lines last.
    for prose, stages, failed, notes, gaps in _ROOM:
        page = Page(max(width, 60), color)
        _head(page, summary, prose, gaps=gaps)
        _stages(page, rows, stages)
        if gaps:
            page.line()
        _judged(page, summary, failed)
        _notes(page, summary, notes)
        _rest(page, summary["run"])
        found = page.lines
        if len(found) <= lines:
            break
    return "\n".join(found) + "\n"


def _head(page: Page, summary: Mapping[str, Any], most: int, *, gaps: bool) -> None:
    run = summary["run"]
    name, target = f"agenttop · {fit(run['name'], 40)}", run.get("target") or ""
    page.line(INDENT + fit(f"{name} · {target}" if target else name, page.width - len(INDENT)), "bold")
    words, style = ended_words(run)
    message = f": {fit(run['message'], 130)}" if run.get("message") else ""
    page.prose(words + message, style)
    verdict_in_short(page, run, most)
    page.joined(count_words(summary["totals"]), "bold")
    if gaps:
        page.line()


def _stages(page: Page, rows: Sequence[StageRow], most: int) -> None:
    if not rows:
        page.prose("! No request finished: there is nothing to judge.", "red")
        return
    kept = most_telling(rows, most)
    page.table(cells(kept), first_min=6)
    if len(rows) > len(kept):
        page.line(f"{INDENT}and {len(rows) - len(kept)} more stages, none with a higher p95", "dim")


def _judged(page: Page, summary: Mapping[str, Any], most: int) -> None:
    """Add what was judged: thresholds, the search, the gate, the answers."""
    thresholds = summary["thresholds"]
    failed = [threshold for threshold in thresholds if not threshold["passed"]]
    if thresholds:
        words = f"{len(failed)} of {len(thresholds)} FAILED" if failed else f"all {len(thresholds)} passed"
        # Which of them: those that failed have a star.
        of = basis([refused(threshold) for threshold in thresholds])
        page.joined([words, *([of] if of else [])], "red" if failed else "green", head="thresholds  ")
    for threshold in failed[:most]:
        note = f"observed {observed(threshold)}"
        room = page.width - len(INDENT) - len(note) - 10
        page.line(f"{INDENT}  FAIL  {fit(threshold['expression'], room)}  {note}", "red")
    if len(failed) > most:
        page.line(f"{INDENT}  and {len(failed) - most} more", "red")
    if summary.get("search"):
        page.joined([sentence(summary["search"])], head="search      ")
    gate = summary.get("gate")
    if gate:
        blocked = gate["blocked"]
        style = "red" if blocked else "green" if gate["verdict"] == "pass" else "yellow"
        page.joined([headline(gate)], style, head="gate        ")
    quality = summary.get("quality")
    if quality and quality.get("score") is not None:
        _score(page, quality)
    page.joined(used_words(summary["budget"]), head="budget      ")


def _score(page: Page, quality: Mapping[str, Any]) -> None:
    parts = [f"score {share(quality['score'])} {spread(quality)}"]
    style, drop = "", quality.get("drop")
    if drop:
        parts.append(f"{points(drop['drop'])} points lost from {drop['from_users']} to {drop['to_users']} users")
        style = {"worse": "red", "ok": "green"}.get(drop["verdict"], "yellow")
        parts[-1] += {"worse": ": WORSE", "ok": ""}.get(drop["verdict"], ": undecided")
    page.joined(parts, style, head="answers     ")


def _notes(page: Page, summary: Mapping[str, Any], most: int) -> None:
    """Add what spoils figures, and further warnings as far as there is room."""
    generator = summary["generator"]
    generator_words(page, generator, "above")
    warnings = generator["warnings"]
    for warning in warnings[:most]:
        page.line(INDENT + fit(f"! {warning}", page.width - len(INDENT)), "yellow")
    if len(warnings) > most:
        page.line(f"{INDENT}! {count(len(warnings) - most)} {'more ' if most else ''}warnings", "yellow")


def generator_words(page: Page, generator: Mapping[str, Any], where: str) -> None:
    """Add how far the load generator spoils the times ``above`` or ``below``, if it was not ok."""
    worst, words = grade_of(generator), fit(generator.get("grade_words", ""), 200)
    if worst == SATURATED:
        page.prose(f"! THE LOAD GENERATOR WAS SATURATED: the times {where} are longer than the target's.", "red")
    elif worst == LATE:
        page.prose(f"! the load generator was late at worst: {words}; no more are the times {where} off.", "yellow")


def _rest(page: Page, run: Mapping[str, Any]) -> None:
    """Add the commands that tell the rest."""
    # For copying: whole even where that is wider than the page.
    page.line(f"{INDENT}all of it   agenttop report --full {clean_text(run['id'])}", "dim")
    page.line(f"{INDENT}            agenttop replay|profile-of {clean_text(run['id'])}", "dim")

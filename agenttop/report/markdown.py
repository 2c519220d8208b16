"""Renders a run as Markdown: for a comment on a pull request, or the summary of a CI job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agenttop.metrics.assessment import BAD, word_of
from agenttop.metrics.scope import clean_text
from agenttop.metrics.trust import SATURATED, grade_of
from agenttop.report.answer import answer
from agenttop.report.comparison import comparison_lines, headline, is_telling
from agenttop.report.escaping import markdown
from agenttop.report.figures import count, share
from agenttop.report.glance import count_words, used_words
from agenttop.report.observed import star_words, threshold_rows
from agenttop.report.quality import causes, drop_sentence, interval, spread
from agenttop.report.search import sentence
from agenttop.report.stages import cells, most_telling, rows_of
from agenttop.schedule.quantities import clock

#: Rows at most, of each: a comment holds 65 536 characters.
MAX_STAGES, MAX_THRESHOLDS, MAX_SLICES, MAX_ERRORS, MAX_WARNINGS = 20, 40, 12, 5, 5
#: Characters of the example of an error.
_EXAMPLE = 160


def report_markdown(summary: Mapping[str, Any]) -> str:
    """Return a run as Markdown; its first line says how it came out."""
    word, words = answer(summary)
    run = summary["run"]
    parts = [f"**{word}: {markdown(words)}**", " · ".join(map(markdown, count_words(summary["totals"])))]
    facts = list(_facts(summary))
    parts += ["\n".join(f"- {fact}" for fact in facts)] if facts else []
    parts += list(_stages(summary))
    parts += list(_thresholds(summary["thresholds"]))
    parts += list(_gate(summary.get("gate")))
    parts += list(_quality(summary.get("quality")))
    parts += list(_errors(summary["totals"]))
    target = f" on {markdown(run['target'])}" if run.get("target") else ""
    parts.append(f"{markdown(run['id'])}{target}, {markdown(run['started_at'])}, agenttop {run['agenttop_version']}")
    return "\n\n".join(parts) + "\n"


def _facts(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is to be known before any table."""
    verdict = summary["run"].get("verdict")
    if verdict is not None:
        for state in (verdict, *verdict["others"]):
            when = f" from {clock(state['since_s'])} on" if state["state"] in BAD else ""
            yield f"**{word_of(state['state'])}**{when}: {markdown(state['words'])}"
        if verdict["bound"]:
            yield markdown(verdict["bound"])
    if summary.get("search"):
        yield markdown(sentence(summary["search"]))
    if used := used_words(summary["budget"]):
        yield f"budget: {', '.join(used)}"
    generator = summary["generator"]
    if grade_of(generator) == SATURATED:
        yield "**the load generator was saturated: the times are longer than the target's**"
    yield from (markdown(warning) for warning in generator["warnings"][:MAX_WARNINGS])


def _stages(summary: Mapping[str, Any]) -> Iterator[str]:
    rows = rows_of(summary)
    if not rows:
        yield "No request finished: there is nothing to judge."
        return
    shown = most_telling(rows, MAX_STAGES)
    yield _table(cells(shown))
    if len(shown) < len(rows):
        yield f"and {len(rows) - len(shown)} more stages, none with a higher p95"


def _thresholds(thresholds: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not thresholds:
        return
    # The failed ones first: a long list is cut.
    shown = sorted(thresholds, key=lambda threshold: threshold["passed"])[:MAX_THRESHOLDS]
    yield _table(threshold_rows(shown, "threshold"), bold={"FAIL"})
    if star := star_words(shown):
        yield markdown(star)
    if len(shown) < len(thresholds):
        yield f"and {len(thresholds) - len(shown)} more thresholds"


def _gate(gate: Mapping[str, Any] | None) -> Iterator[str]:
    if gate is None:
        return
    yield f"**gate: {markdown(headline(gate))}**"
    # As on a terminal: of figures those that are limited, or worse; what is none where it is not well.
    lines = comparison_lines(gate, [row for row in gate["rows"] if is_telling(row)])
    if lines:
        yield "\n".join(lines)


def _quality(quality: Mapping[str, Any] | None) -> Iterator[str]:
    if quality is None or quality["score"] is None:
        return
    lines = [f"- score **{share(quality['score'])}** {spread(quality)}"]
    drop = quality.get("drop")
    if drop is not None:
        lines.append(f"- {markdown(drop_sentence(drop))}")
    yield "\n".join(lines)
    if quality["by_stage"]:
        rows = [["answers at", "users", "score", "interval", "answers", "lost most to"]]
        for row in quality["by_stage"][:MAX_STAGES]:
            figures = [count(row["users"]), share(row["score"]), interval(row["interval"]), count(row["answers"])]
            rows.append([row["stage"] or "-", *figures, causes(row["lost"], 1) or "-"])
        yield _table(rows)
    worst = sorted(quality["slices"].items(), key=lambda item: item[1]["score"])[:MAX_SLICES]
    if worst:
        rows = [["slice", "score", "interval", "cases"]]
        rows += [[n, share(row["score"]), interval(row["interval"]), count(row["cases"])] for n, row in worst]
        yield _table(rows)


def _errors(totals: Mapping[str, Any]) -> Iterator[str]:
    if not totals["errors"]:
        return
    rows = [["error", "count", "first", "last", "example"]]
    for error in totals["errors"][:MAX_ERRORS]:
        when = [clock(error["first_s"]), clock(error["last_s"])]
        rows.append([error["outcome"], count(error["count"]), *when, clean_text(error["message"], _EXAMPLE)])
    yield _table(rows)


def _table(rows: Sequence[Sequence[str]], bold: frozenset[str] | set[str] = frozenset()) -> str:
    """Return rows as a table, the first as its heading; columns of figures to the right."""
    figures = [all(row[at][:1] in "-0123456789" for row in rows[1:]) for at in range(len(rows[0]))]
    lines = [
        f"| {' | '.join(map(markdown, rows[0]))} |",
        f"|{'|'.join('---:' if each else '---' for each in figures)}|",
    ]
    for row in rows[1:]:
        shown = [f"**{cell}**" if cell in bold else markdown(cell) for cell in row]
        lines.append(f"| {' | '.join(shown)} |")
    return "\n".join(lines)

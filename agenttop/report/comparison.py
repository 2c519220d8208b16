"""Renders a comparison of two sides (``agenttop.compare/1``): for a terminal, as Markdown and as JUnit XML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agenttop.metrics.scope import clean_text
from agenttop.report.escaping import markdown
from agenttop.report.figures import cells, count, ms, per_s, share, table
from agenttop.report.junit import Case, Suite, junit_xml
from agenttop.report.page import INDENT, Page

#: Names of figures that are too long for a column.
LABELS = {
    "tokens.per_request_mean": "tokens/request",
    "cost_usd.per_request_mean": "cost/request",
    "rate_limited": "429",
    "error_rate": "failed",
}
HEAD = ("", "base", "head", "change", "95% interval", "visible", "allowed", "verdict")
#: Columns that a narrow page goes without, in turn, until so much is left for names.
_SPARED, _NAME = ("visible", "95% interval", "allowed", "change"), 14
#: Cases that flipped, by name.
MAX_FLIPS = 12
FLIPPED = (("lost", "passed and fail now"), ("won", "failed and pass now"))
STYLES = {"worse": "red", "block": "red", "undecided": "yellow", "better": "green", "ok": "green", "pass": "green"}


def comparison_text(found: Mapping[str, Any], *, color: bool, width: int = 80) -> str:
    """Return a comparison as text; its verdict stands first and last."""
    page = Page(max(width, 60), color)
    verdict = headline(found)
    page.line()
    page.prose(verdict, STYLES.get(found["verdict"], "bold"))
    page.joined([clean_text(run) for run in found["base"]], "dim", head="base  ")
    page.joined([clean_text(run) for run in found["head"]], "dim", head="head  ")
    page.line()
    figures = [row for row in found["rows"] if row["unit"]]
    for row in found["rows"]:
        if not row["unit"]:
            page.prose(f"{row['name']}: {_check(row)}", STYLES[row["verdict"]])
    page.line()
    _figures(page, figures)
    _flips(page, found["flips"])
    page.line()
    page.prose(verdict, STYLES.get(found["verdict"], "bold"))
    return "\n".join(page.lines) + "\n"


def gate_section(page: Page, gate: Mapping[str, Any] | None) -> None:
    """Add what a profile's gate says of a run, with the figures that it limits."""
    if gate is None:
        return
    page.section("gate")
    page.prose(headline(gate), STYLES.get(gate["verdict"], "yellow"))
    page.joined([clean_text(run) for run in gate["base"]], "dim", head="base  ")
    telling = [row for row in gate["rows"] if is_telling(row)]
    figures = [row for row in telling if row["unit"]]
    for row in telling:
        if not row["unit"]:
            page.prose(f"{row['name']}: {_check(row)}", STYLES[row["verdict"]])
    if figures:
        _figures(page, figures)
        _flips(page, gate["flips"])


def _figures(page: Page, figures: Sequence[Mapping[str, Any]]) -> None:
    """Add a table of figures, and what there is to say about them."""
    width = page.width - len(INDENT)
    lines = table(_fitting([HEAD, *map(cells_of, figures)], width), width, first_min=6, gap=1)
    for at, line in enumerate(lines):
        page.line(INDENT + line, "dim" if at == 0 else STYLES.get(figures[at - 1]["verdict"], ""))
    notes: dict[str, list[str]] = {}
    for row in figures:
        notes.setdefault(clean_text(row["note"]), []).append(label(row))
    notes.pop("", None)
    if notes:
        page.line()
    for note, names in notes.items():
        page.prose(f"! {', '.join(names)}: {note}", "yellow")


def _fitting(rows: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    """Return rows without the columns that there is no room for; the verdict stays whatever goes."""
    kept = list(range(len(HEAD)))
    for spared in map(HEAD.index, _SPARED):
        if _NAME + sum(1 + max(cells(row[at]) for row in rows) for at in kept[1:]) <= width:
            break
        kept.remove(spared)
    return [[row[at] for at in kept] for row in rows]


def comparison_markdown(found: Mapping[str, Any]) -> str:
    """Return a comparison as Markdown, as for a comment on a merge request."""
    lines = [f"**{markdown(headline(found))}**", "", f"base {_runs(found['base'])} · head {_runs(found['head'])}", ""]
    return "\n".join([*lines, *comparison_lines(found, found["rows"])]) + "\n"


def comparison_lines(found: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return some rows of a comparison, or of a gate, as lines of Markdown: their table, notes and flips."""
    figures = [row for row in rows if row["unit"]]
    lines = []
    if figures:
        lines += [f"| {' | '.join(HEAD)} |", f"|{'|'.join(['---', *['---:'] * 6, '---'])}|"]
    for row in figures:
        cells = [markdown(cell) for cell in cells_of(row)]
        if row["verdict"] in ("worse", "undecided"):
            cells[-1] = f"**{cells[-1]}**"
        lines.append(f"| {' | '.join(cells)} |")
    lines += [""] if figures else []
    lines += [f"- {row['name']}: {markdown(_check(row))}" for row in rows if not row["unit"]]
    lines += [f"- {markdown(label(row))}: {markdown(row['note'])}" for row in figures if row["note"]]
    for what, words in FLIPPED:
        if found["flips"].get(what):
            lines.append(f"- {len(found['flips'][what])} {words}: {markdown(_named(found['flips'][what]))}")
    return lines


def comparison_xml(found: Mapping[str, Any]) -> str:
    """Return a comparison as JUnit XML: a row that blocks is a failure, one that nobody can decide is skipped."""
    named = [(side, run) for side in ("base", "head") for run in found[side]]
    return junit_xml([Suite("agenttop compare", comparison_cases(found, "agenttop.compare"), named)])


def comparison_cases(found: Mapping[str, Any], classname: str) -> list[Case]:
    """Return the rows of a comparison, or of a gate, as test cases."""
    cases = []
    for row in found["rows"]:
        gated = row["margin"] is not None
        why = f"{' '.join(cells_of(row)[1:])} {row['note']}".strip() if row["unit"] else row["note"]
        undecided = row["verdict"] == "undecided"
        bad = row["verdict"] == "worse" and (gated or not _has_gate(found))
        if bad or (undecided and gated and found["strict"]):
            cases.append(Case(classname, label(row), failed=why or row["verdict"]))
        elif undecided:
            cases.append(Case(classname, label(row), skipped=why or row["verdict"]))
        else:
            cases.append(Case(classname, label(row), output=why))
    return cases


def headline(found: Mapping[str, Any]) -> str:
    """Return the verdict in a sentence: ``BLOCK: worse than allowed: latency p95``."""
    words = str(found["words"])
    verdict = str(found["verdict"])
    return clean_text(f"{verdict.replace('_', ' ').upper()}: {words.removeprefix(f'{verdict}: ')}")


def is_telling(row: Mapping[str, Any]) -> bool:
    """Return whether a row of a gate is shown: a figure that is limited, or worse; what is none where it is not ok."""
    if row["unit"]:
        return row["margin"] is not None or row["verdict"] == "worse"
    return bool(row["verdict"] != "ok")


def label(row: Mapping[str, Any]) -> str:
    """Return the name of a row as people read it."""
    name = str(row["name"])
    figure, brace, where = name.partition(" {")
    return clean_text(LABELS.get(figure, figure) + brace + where)


def cells_of(row: Mapping[str, Any]) -> list[str]:
    """Return the cells of a figure's row, as under :data:`HEAD`."""
    interval = row["interval"]
    between = "-" if interval is None else f"{_change(row, interval[0], bare=True)}…{_change(row, interval[1])}"
    return [
        label(row),
        _figure(row, row["base"]),
        _figure(row, row["head"]),
        _change(row, row["difference"]),
        between,
        "-" if row["visible"] is None else _change(row, row["visible"]).lstrip("+"),
        "-" if row["margin"] is None else _change(row, row["margin"]).lstrip("+"),
        row["verdict"],
    ]


def _figure(row: Mapping[str, Any], value: float | None) -> str:
    if value is None:
        return "-"
    unit = row["unit"]
    if unit == "ms":
        return ms(value)
    if unit == "share":
        return share(value)
    if unit == "usd":
        return f"${value:.3g}"
    return count(value) if unit == "users" else per_s(value)


def _change(row: Mapping[str, Any], value: float | None, *, bare: bool = False) -> str:
    """Return a difference: of shares in points, of other figures as a part of base where that is not 0."""
    if value is None:
        return "-"
    if row["unit"] == "share":
        return _signed(value * 100, "" if bare else "pt")
    if row["base"]:
        return _signed(value / row["base"] * 100, "" if bare else "%")
    return _signed(value, "")


def _signed(value: float, unit: str) -> str:
    size = abs(value)
    text = f"{size:.2f}" if size < 0.995 else f"{size:.1f}" if size < 99.95 else f"{size:.0f}"
    sign = "" if not float(text) else "-" if value < 0 else "+"
    return f"{sign}{text}{unit}"


def _check(row: Mapping[str, Any]) -> str:
    return clean_text(f"{row['verdict']}, {row['note']}")


def _flips(page: Page, flips: Mapping[str, Sequence[str]]) -> None:
    if flips["lost"] or flips["won"]:
        page.line()
    for what, words in FLIPPED:
        if flips[what]:
            page.prose(f"{len(flips[what])} {words}: {_named(flips[what])}")


def _named(cases: Sequence[str]) -> str:
    more = len(cases) - MAX_FLIPS
    return ", ".join(clean_text(case, 60) for case in cases[:MAX_FLIPS]) + (f" and {more} more" if more > 0 else "")


def _runs(runs: Sequence[str]) -> str:
    return ", ".join(f"`{clean_text(run).replace('`', '')}`" for run in runs)


def _has_gate(found: Mapping[str, Any]) -> bool:
    return any(row["margin"] is not None for row in found["rows"])

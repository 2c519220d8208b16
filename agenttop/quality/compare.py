"""Compares two sides, each of one or several runs: is head worse than base, in answers, times, tokens or cost?

A row for each figure, two more that are always there (were the runs comparable, did either drift), and a verdict over
them all. A gate blocks what is surely worse than it allows; what the data cannot tell passes, unless it is strict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from agenttop.quality.comparable import drift_row, likeness
from agenttop.quality.figures import Side, figure_row, side_of
from agenttop.quality.margins import Gate, IncomparableError, MarginError, Regress
from agenttop.quality.paired_scores import CaseScore, case_scores, flips, more_cases, score_row
from agenttop.quality.row import UNDECIDED, WORSE, Row, judged

SCHEMA = "agenttop.compare/1"
#: Figures that are compared where nobody asks for others.
SHOWN = (
    *(("latency", stat) for stat in ("p50", "p95", "p99")),
    *(("ttft", stat) for stat in ("p50", "p95")),
    *(("error_rate", ""), ("rate_limited", "")),
    *(("tokens", "per_request_mean"), ("cost_usd", "per_request_mean"), ("goodput", "")),
)
#: Slices that are shown without being asked for, the largest.
MAX_SLICES = 12
SCORE, CAPACITY = "score", "capacity"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a comparison."""

    schema: str = SCHEMA
    verdict: str
    """``pass`` or ``block`` of a gate; ``better``, ``same``, ``worse`` or ``undecided`` without one."""
    blocked: bool
    words: str
    """The verdict in a sentence."""
    strict: bool
    base: tuple[str, ...]
    head: tuple[str, ...]
    """The runs of each side."""
    rows: list[Row]
    flips: dict[str, list[str]]
    """Cases that passed and fail now (``lost``) and back (``won``), by id."""


def compare(
    base: Sequence[Mapping[str, Any]], head: Sequence[Mapping[str, Any]], gate: Gate | None = None
) -> Comparison:
    """Return how head compares with base; each is the summaries of one or several runs.

    Raises:
        IncomparableError: there is nothing to compare them by, or not what the gate asks for.
    """
    gate = gate or Gate()
    for side, summaries in (("base", base), ("head", head)):
        if not summaries or not all(summary["totals"]["requests"] for summary in summaries):
            raise IncomparableError(f"{side}: no request finished")
    cases = case_scores(base), case_scores(head)
    like = likeness(base, head, _unpaired(*cases))
    if gate and like.load:
        # Undecided is let pass; what was measured under another load is no comparison at all.
        raise IncomparableError(like.load)
    sides = side_of(base), side_of(head)
    drift = drift_row(*(side.pieces for side in sides))
    drifted = drift.note if drift.verdict == UNDECIDED and drift.note.startswith(("base:", "head:")) else ""
    scores = [_noted(row, like.load) for row in _scores(*cases, gate)]
    figures = [_noted(row, like.times or drifted) for row in _figures(base, head, sides, gate)]
    rows = [_what_would(row, cases) for row in judged([*scores, *figures])]
    rows = [like.row, drift, *rows]
    verdict, words = _verdict(rows, gate)
    return Comparison(
        verdict=verdict,
        blocked=verdict == "block",
        words=words,
        strict=gate.strict,
        base=tuple(_name(summary) for summary in base),
        head=tuple(_name(summary) for summary in head),
        rows=rows,
        flips=flips(*cases),
    )


def _scores(base: Mapping[str, CaseScore], head: Mapping[str, CaseScore], gate: Gate) -> Iterable[Row]:
    asked = dict(gate.score_drops)
    whole = score_row(SCORE, base, head, asked.pop("", None))
    if whole is None:
        if gate.score_drops:
            raise IncomparableError("max_score_drop: no case was graded in both")
        return []
    rows = [whole]
    tags = {tag: 0 for score in base.values() for tag in score.tags}
    for case, score in base.items():
        for tag in score.tags if case in head else ():
            tags[tag] += 1
    unknown = [tag for tag in asked if not tags.get(tag)]
    if unknown:
        there = ", ".join(sorted(tag for tag, cases in tags.items() if cases)) or "none"
        raise IncomparableError(f'max_score_drop: no slice "{unknown[0]}" was graded in both; there is {there}')
    shown = sorted((tag for tag in tags if tags[tag]), key=lambda tag: (tag not in asked, -tags[tag], tag))
    for tag in shown[: max(MAX_SLICES, len(asked))]:
        of_base, of_head = (
            {case: score for case, score in side.items() if _tagged(case, tag, base)} for side in (base, head)
        )
        row = score_row(f"{SCORE} {tag}", of_base, of_head, asked.get(tag))
        if row is not None:
            rows.append(row)
    return rows


def _figures(
    base: Sequence[Mapping[str, Any]], head: Sequence[Mapping[str, Any]], sides: tuple[Side, Side], gate: Gate
) -> Iterable[Row]:
    rows: dict[str, Row] = {}
    capacity = _capacity(base, head, _margin_of(gate, CAPACITY))
    for asked in gate.regress:
        if asked.metric == CAPACITY:
            if capacity is None:
                raise IncomparableError("capacity: both sides must be searches (agenttop capacity)")
            continue
        try:
            at = sides if asked.kind == "totals" else (
                side_of(base, asked.kind, asked.name),
                side_of(head, asked.kind, asked.name),
            )  # fmt: skip
            row = figure_row(*at, asked, margin=asked.margin)
        except MarginError as error:
            raise IncomparableError(f"max_regress: {error}") from None
        if row is None:
            raise IncomparableError(f"max_regress: {asked.figure}: a side has no record of it")
        rows[row.name] = row
    for metric, stat in SHOWN:
        row = figure_row(*sides, Regress(metric, stat, 0.0), margin=None)
        if row is not None and (row.base or row.head):
            rows.setdefault(row.name, row)
    found = list(rows.values())
    order = {name: at for at, name in enumerate(_shown_names())}
    found.sort(key=lambda row: order.get(row.name, -1))
    return found if capacity is None else [*found, capacity]


def _shown_names() -> list[str]:
    return [f"{metric} {stat}" if metric in ("latency", "ttft") else ".".join(filter(None, (metric, stat)))
            for metric, stat in SHOWN]  # fmt: skip


def _margin_of(gate: Gate, metric: str) -> float | None:
    return next((asked.margin for asked in gate.regress if asked.metric == metric), None)


def _capacity(base: Sequence[Mapping[str, Any]], head: Sequence[Mapping[str, Any]], margin: float | None) -> Row | None:
    """Return the row of two searches: between the levels that surely hold and those that surely do not; None where a
    side searched nothing.
    """
    found = []
    for summaries in (base, head):
        searches = [summary.get("search") for summary in summaries]
        ends = [search for search in searches if search and search["capacity"] is not None]
        if len(ends) != len(summaries):
            return None
        known = [search["capacity"] for search in ends]
        lows = [search["lower"] for search in ends]
        highs = [search["upper"] for search in ends]
        sure = None not in lows and None not in highs
        found.append((sum(known) / len(known), min(lows) if sure else None, max(highs) if sure else None))
    (one, low1, high1), (two, low2, high2) = found
    search = base[0]["search"]
    row = Row(
        name=CAPACITY,
        unit="users" if search["unit"] == "users" else "per_s",
        worse_is="lower",
        base=one,
        head=two,
        difference=two - one,
        margin=None if margin is None else margin * one,
    )
    if low1 is None or high1 is None or low2 is None or high2 is None:
        return msgspec.structs.replace(row, note="a search is not sure of both ends of its bracket")
    # A bracket is no test of chance: there is no p, and the interval alone decides.
    return msgspec.structs.replace(row, interval=(low2 - high1, high2 - low1), visible=high1 - low1)


def _noted(row: Row, why: str) -> Row:
    return msgspec.structs.replace(row, note=why) if why else row


def _what_would(row: Row, cases: tuple[Mapping[str, CaseScore], Mapping[str, CaseScore]]) -> Row:
    """Return an undecided score with what would decide it in its note."""
    if row.verdict != UNDECIDED or row.margin is None or not row.name.startswith(SCORE) or row.p is None:
        return row
    tag = row.name.removeprefix(SCORE).strip()
    base, head = ({case: score for case, score in side.items() if not tag or _tagged(case, tag, cases[0])}
                  for side in cases)  # fmt: skip
    words = more_cases(row, base, head)
    return msgspec.structs.replace(row, note=words) if words and "as much data" in (row.note or "as much data") else row


def _tagged(case: str, tag: str, base: Mapping[str, CaseScore]) -> bool:
    """Return whether a case is of a slice: base says so for both sides."""
    return case in base and tag in base[case].tags


def _unpaired(base: Mapping[str, CaseScore], head: Mapping[str, CaseScore]) -> list[str]:
    only = [(side, sum(case not in other for case in one))
            for side, one, other in (("base", base, head), ("head", head, base))]  # fmt: skip
    return [f"{count} case{'s' * (count > 1)} only in {side}" for side, count in only if count and base and head]


def _verdict(rows: Sequence[Row], gate: Gate) -> tuple[str, str]:
    """Return the verdict over all rows, and its sentence."""
    if not gate:
        worse = [row for row in rows if row.verdict == WORSE]
        better = [row for row in rows if row.verdict == "better"]
        unsure = [row for row in rows if row.verdict == UNDECIDED]
        for verdict, found in (("worse", worse), ("better", better), (UNDECIDED, unsure)):
            if found:
                return verdict, f"{verdict}: {_names(found)}"
        return "same", "no difference found"
    limited = [row for row in rows if row.margin is not None]
    worse = [row for row in limited if row.verdict == WORSE]
    unsure = [row for row in limited if row.verdict == UNDECIDED]
    if worse:
        return "block", f"worse than allowed: {_names(worse)}"
    if unsure:
        told = f"the data cannot tell: {_names(unsure)}"
        return ("block", f"{told} (strict)") if gate.strict else ("pass", f"{told}; let pass")
    return "pass", f"within what is allowed: {_names(limited)}"


def _names(rows: Sequence[Row]) -> str:
    return ", ".join(row.name for row in rows[:4]) + (f" and {len(rows) - 4} more" if len(rows) > 4 else "")


def _name(summary: Mapping[str, Any]) -> str:
    return str(summary["run"]["id"])

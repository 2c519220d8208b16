"""``agenttop compare``: is one run worse than another, and does that block?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from agenttop.cli.arguments import output_file
from agenttop.cli.github import tell_job
from agenttop.cli.output import page_of
from agenttop.cli.run_path import place
from agenttop.cli.sides import read, runs_of
from agenttop.exits import DONE, FAILED, THRESHOLD, UsageError
from agenttop.journal.journal import BROKEN
from agenttop.quality.compare import compare
from agenttop.quality.margins import LAST, LAST_PASSED, Gate, IncomparableError, MarginError, regress, score_drop
from agenttop.report.comparison import comparison_markdown, comparison_text, comparison_xml, headline
from agenttop.report.html.compared import comparison_html
from agenttop.view.pipes import lost, say

#: What writes a comparison, given also the summaries of both sides, by the ending of the file.
_WRITERS: dict[str, Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], str]] = {
    ".html": comparison_html,
    ".md": lambda found, _: comparison_markdown(found),
    ".json": lambda found, _: json.dumps(found, ensure_ascii=False, indent=1) + "\n",
    ".xml": lambda found, _: comparison_xml(found),
}


def compare_runs(options: argparse.Namespace) -> int:
    """Compare two sides; return 0, or 99 where that blocks.

    Raises:
        UsageError: they cannot be compared.
    """
    base, head = _sides(options)
    gate = gate_of(options.max_score_drop, options.max_regress, strict=options.strict)
    return compare_sides(base, head, gate, [] if options.out is None else [options.out], as_json=options.json)


def compare_sides(
    base: Sequence[Path], head: Sequence[Path], gate: Gate, outs: Sequence[str], *, as_json: bool = False
) -> int:
    """Compare the summaries at these places, and write that to files; otherwise as :func:`compare_runs`."""
    files = [output_file(out, _WRITERS) for out in outs]
    sides = [read(path) for path in base], [read(path) for path in head]
    try:
        result = compare(*sides, gate)
    except IncomparableError as error:
        raise UsageError(f"they cannot be compared: {error}") from None
    except BROKEN as error:
        raise UsageError(f"not summaries that can be compared: {type(error).__name__}") from None
    found: dict[str, Any] = msgspec.to_builtins(result)
    for out in filter(None, files):
        try:
            out.write_text(_WRITERS[out.suffix.lower()](found, [*sides[0], *sides[1]]), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{out}: {error.strerror}") from None
    if as_json:
        say(json.dumps(found, ensure_ascii=False), sys.stdout)
    else:
        say_comparison(found)
    errors = [headline(found)] if result.blocked else []
    tell_job("agenttop compare", lambda: comparison_markdown(found), errors, sys.stderr if as_json else sys.stdout)
    return FAILED if lost(sys.stdout) else THRESHOLD if result.blocked else DONE


def say_comparison(found: Mapping[str, Any]) -> None:
    """Print a comparison for a human reader."""
    width, color = page_of(sys.stdout)
    say(comparison_text(found, color=color, width=width).rstrip("\n"), sys.stdout)


def gate_of(score_drops: Sequence[str], regressions: Sequence[str], *, strict: bool) -> Gate:
    """Return the gate that options ask for.

    Raises:
        UsageError: one of them says no margin.
    """
    option = "--max-score-drop"
    try:
        drops = dict(score_drop(text) for text in score_drops)
        option = "--max-regress"
        return Gate(drops, tuple(regress(text) for text in regressions), strict)
    except MarginError as error:
        raise UsageError(f"{option}: {error}") from None


def _sides(options: argparse.Namespace) -> tuple[list[Path], list[Path]]:
    """Return the summaries' places of each side."""
    base, head = list(options.base), list(options.head)
    runs = list(options.runs)
    if runs and (base or head):
        raise UsageError("say either BASE HEAD, or --base … --head …")
    if runs:
        if len(runs) != 2:
            raise UsageError("compare takes two runs, BASE and HEAD; several a side: --base A B --head C D")
        base, head = runs[:1], runs[1:]
    if not base or not head:
        raise UsageError("say what to compare: agenttop compare BASE HEAD, such as last-passed last")
    # What was named is known first: the last one is of the same profile, and never the other side itself.
    heads = [place(where) for where in head if where != LAST_PASSED]
    known = runs_of(heads + [place(where) for where in base if where not in (LAST, LAST_PASSED)])
    bases = [place(where, known) for where in base]
    heads = [place(where, runs_of(bases)) if where == LAST_PASSED else place(where) for where in head]
    return bases, heads

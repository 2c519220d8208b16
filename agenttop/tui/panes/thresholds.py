"""The thresholds pane: the thresholds and the circuit breaker of the profile."""

from __future__ import annotations

from rich.style import Style

from agenttop.metrics.not_refused import basis, explained, starred
from agenttop.metrics.snapshot import BreakerState, Verdict
from agenttop.tui.text import Line, clean, fit
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return one line: how many pass and fail, and the worst that fails."""
    look = view.look
    breaker = view.snap.breaker
    if not view.snap.thresholds and breaker is not None:
        return [Line().add("v", look.key).add(" circuit ", look.dim).extend(_breaker(view, breaker))][:height]
    line = Line().add("v", look.key).add(" thresholds", look.dim).add("  ").extend(_counts(view))
    if breaker is not None:
        line.add("  ").extend(_breaker(view, breaker))
    of = basis(_left_out(view))
    if of and line.width + 3 + len(of) <= width:
        line.add("   ").add(of, look.dim)
    worst = ordered(view.snap.thresholds)[:1]
    if worst and not worst[0].passed:
        tail = f"  {observed(worst[0])}"
        room = width - line.width - 4 - len(tail)
        if room >= 8:
            line.add("   ").add(fit(clean(worst[0].expression), room, look.glyphs.ellipsis), look.text)
            line.add(tail, look.bad)
    return [line][:height]


def full(view: View, width: int, height: int) -> list[Line]:
    """Return a line for each in a box, those that fail first."""
    look = view.look
    rows = ordered(view.snap.thresholds)[view.scroll :]
    breaker = view.snap.breaker
    room = height - 2 - (breaker is not None)
    shown = rows if len(rows) <= room else rows[: room - 1]
    body = []
    for verdict in shown:
        word, style = _word(view, verdict)
        value = observed(verdict)
        name = width - 4 - 9 - len(value) - 1
        line = Line().add(word, style).to(9).add(fit(clean(verdict.expression), name, look.glyphs.ellipsis), look.text)
        body.append(line.right(value, width - 4 - line.width, style if not verdict.passed else look.strong))
    if len(shown) < len(rows):
        body.append(Line().add(f"{look.glyphs.ellipsis} {len(rows) - len(shown)} more", look.dim))
    if breaker is not None:
        line = Line().extend(_breaker(view, breaker))
        tail = f"{breaker.requests} in {breaker.over_s:g}s"
        body.append(line.right(tail, width - 4 - line.width, look.dim) if line.width + len(tail) < width - 4 else line)
    elif not view.snap.thresholds:
        body.append(Line().add("the profile has none", look.dim))
    alone = breaker is not None and not view.snap.thresholds
    heading, right = ("circuit breaker", Line()) if alone else ("thresholds", _counts(view))
    left = title(look, heading, "v")
    star = explained(_left_out(view), width - left.width - right.width - 10)
    return boxed(look, width, height, left, right.add(f"  {star}" if star else "", look.dim), body)


def ordered(verdicts: tuple[Verdict, ...]) -> list[Verdict]:
    """Return the verdicts: the furthest beyond its limit first, then those without data, then those that pass."""
    ranks = {"fail": 0, "no data": 1, "pass": 2}
    return sorted(verdicts, key=lambda v: (v.passed, ranks.get(v.verdict, 1), -v.excess))


def observed(verdict: Verdict) -> str:
    """Return what was measured, in the threshold's own unit; with a star where refused answers are left out of it."""
    if verdict.observed is None:
        return "no data"
    return starred(f"{verdict.observed:.4g}{verdict.unit}", verdict.refused)


def _left_out(view: View) -> list[int]:
    return [verdict.refused for verdict in view.snap.thresholds]


def _breaker(view: View, breaker: BreakerState) -> Line:
    """Return ``breaker 12% of 50%``."""
    look = view.look
    text = f"breaker {breaker.share:.0%} of {breaker.limit:.0%}"
    return Line().add(f"! {text} OPEN", look.bad) if breaker.open else Line().add(text, look.text)


def _counts(view: View) -> Line:
    """Return ``3 pass  ! 1 FAIL  1 no data``."""
    look, verdicts = view.look, view.snap.thresholds
    passed = sum(verdict.passed for verdict in verdicts)
    failed = sum(verdict.verdict == "fail" for verdict in verdicts)
    empty = len(verdicts) - passed - failed
    line = Line().add(f"{passed} pass", look.good if passed else look.dim)
    if failed:
        line.add("  ").add(f"! {failed} FAIL", look.bad)
    if empty:
        line.add("  ").add(f"{empty} no data", look.warn)
    return line


def _word(view: View, verdict: Verdict) -> tuple[str, Style]:
    if verdict.passed:
        return "pass", view.look.good
    return ("! FAIL", view.look.bad) if verdict.verdict == "fail" else ("no data", view.look.warn)

"""A row of a comparison: one figure of both sides, what lies between them, and its verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from agenttop.quality.bootstrap import Estimate
from agenttop.quality.statistics import CONFIDENCE, Interval, holm, smallest_visible
from agenttop.quality.student import t_quantile, t_tail

OK, WORSE, UNDECIDED, BETTER, SAME = "ok", "worse", "undecided", "better", "same"
ALPHA = 0.05
#: Degrees of freedom above which a t distribution is as good as normal.
_MANY = 1e6


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """``difference``, ``interval``, ``visible`` and ``margin`` are in the row's own unit, head less base."""

    name: str
    unit: str = ""
    """``ms``, ``share`` (0 to 1), ``usd``, ``users``, ``per_s`` or ``number``; empty of a row that is no figure."""
    worse_is: str = "higher"
    """``higher`` or ``lower``."""
    base: float | None = None
    head: float | None = None
    difference: float | None = None
    interval: Interval | None = None
    """95 %, of the difference."""
    visible: float | None = None
    """The smallest difference that would have been found in four of five pairs like this one."""
    margin: float | None = None
    """What the difference may be for the worse; None where nobody said."""
    p: float | None = None
    """Two-sided, of no difference; None where the interval is all there is."""
    verdict: str = UNDECIDED
    """With a margin ``ok``, ``worse`` or ``undecided``; without ``better``, ``same``, ``worse`` or ``undecided``."""
    note: str = ""

    @property
    def worsening(self) -> float | None:
        """Return by how much head is worse; below 0 where it is better."""
        if self.difference is None:
            return None
        return self.difference if self.worse_is == "higher" else -self.difference


def row_of(name: str, base: Estimate, head: Estimate, *, unit: str, worse_is: str, margin: float | None) -> Row:
    """Return the row of two independent estimates, without a verdict; ``margin`` is a part of base where they are
    logarithmic, and else in their unit.
    """
    shown = {
        "name": name,
        "unit": unit,
        "worse_is": worse_is,
        "base": _finite(base.value),
        "head": _finite(head.value),
    }
    if not (math.isfinite(base.value) and math.isfinite(head.value)):
        return msgspec.convert(shown | {"note": _whose(base, head)}, Row)
    allowed = margin if margin is None or not base.log else margin * base.value
    shown |= {"difference": head.value - base.value, "margin": allowed}
    if base.error is None or head.error is None:
        return msgspec.convert(shown | {"note": _whose(base, head)}, Row)
    error = math.hypot(base.error, head.error)
    least = 1e-9
    apart = math.log(max(head.value, least) / max(base.value, least)) if base.log else head.value - base.value
    # B. L. Welch, The generalization of Student's problem, Biometrika 34 (1947) 28.
    below = base.error**4 / base.freedom + head.error**4 / head.freedom
    freedom = min(error**4 / below, _MANY) if below > 0 else _MANY
    half = t_quantile((1 + CONFIDENCE) / 2, freedom) * error
    ends, visible = (apart - half, apart + half), smallest_visible(error)
    if base.log:
        ends = (base.value * math.expm1(ends[0]), base.value * math.expm1(ends[1]))
        visible = base.value * math.expm1(visible)
    p = 2 * t_tail(abs(apart) / error, freedom) if error > 0 else float(apart == 0)
    return msgspec.convert(shown | {"interval": ends, "visible": visible, "p": p}, Row)


def judged(rows: Sequence[Row]) -> list[Row]:
    """Return rows with their verdicts.

    With a margin: ``ok`` where the whole interval is within it, ``worse`` where the difference is beyond and is none of
    chance, ``undecided`` otherwise. Without: by the p of all of them together, after Holm. A row that has a note
    already stays undecided: the note says why.
    """
    free = [at for at, row in enumerate(rows) if row.margin is None and row.p is not None and not row.note]
    adjusted = dict(zip(free, holm([rows[at].p or 0.0 for at in free]), strict=True))
    return [_judged(row, adjusted.get(at)) for at, row in enumerate(rows)]


def _judged(row: Row, adjusted: float | None) -> Row:
    worsening = row.worsening
    if row.note or row.interval is None or worsening is None:
        return row
    low, high = row.interval
    p = row.p if adjusted is None else adjusted
    apart = not low <= 0 <= high if p is None else p < ALPHA
    if row.margin is None:
        verdict = SAME if not apart else WORSE if worsening > 0 else BETTER
        return msgspec.structs.replace(row, verdict=verdict)
    if worsening > row.margin and apart:
        return msgspec.structs.replace(row, verdict=WORSE)
    if (high if row.worse_is == "higher" else -low) <= row.margin:
        return msgspec.structs.replace(row, verdict=OK)
    return msgspec.structs.replace(row, verdict=UNDECIDED, note=_needs(row))


def _needs(row: Row) -> str:
    """Return what would decide a row whose interval is too wide."""
    if not row.margin or not row.visible:
        return ""
    times = (row.visible / row.margin) ** 2
    if times <= 1:
        return "the difference is near what is allowed: measure again, or longer"
    return (
        f"about {times:.0f} times as much data would show a change of this size"
        if times >= 1.5
        else ("half as much data again would show a change of this size")
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _whose(base: Estimate, head: Estimate) -> str:
    """Return why a difference is not sure, and on which side."""
    if base.why and base.why == head.why:
        return base.why
    whys = [f"{side}: {found.why}" for side, found in (("base", base), ("head", head)) if found.why]
    return "; ".join(whys)

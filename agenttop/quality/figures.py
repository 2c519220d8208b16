"""The figures of a summary that two sides can be compared by, and how sure each is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from agenttop.metrics.floors import FLOORS
from agenttop.quality.bootstrap import Estimate, percentile, ratio
from agenttop.quality.margins import MarginError, Regress
from agenttop.quality.pieces import TIMED, Pieces, pieces_of
from agenttop.quality.row import Row, row_of
from agenttop.quality.statistics import Z, newcombe, newcombe_p, smallest_visible, standard_error, weighted_mean

#: Statistics of a distribution: percentiles, and its mean as a percentile that is none.
STATS = {"p50": 50.0, "p75": 75.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p99_9": 99.9, "mean": math.nan}
_SAME = {"med": "p50", "avg": "mean", "p999": "p99_9"}


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure that is one counter of a piece by another."""

    upper: str
    lower: str
    unit: str
    worse_is: str = "higher"
    shares: bool = False
    """One is a part of the other: its interval is Newcombe's."""
    timeless: bool = False
    """It does not depend on how long answers take."""


#: By METRIC.STAT as it is written.
RATIOS = {
    "error_rate": Ratio("failed", "requests", "share", shares=True),
    "failed": Ratio("failed", "requests", "share", shares=True),
    "rate_limited": Ratio("rate_limited", "requests", "share", shares=True),
    "tokens.per_request_mean": Ratio("output_tokens", "token_requests", "number", timeless=True),
    "cost_usd.per_request_mean": Ratio("cost_usd", "requests", "usd", timeless=True),
    "goodput": Ratio("good", "attempts", "share", "lower", shares=True),
    "rps": Ratio("requests", "", "per_s", "lower"),
}
_ALIASES = {
    "error_rate.rate": "error_rate",
    "failed.rate": "failed",
    "rate_limited.rate": "rate_limited",
    "rate_limit.share": "rate_limited",
    "tokens": "tokens.per_request_mean",
    "cost_usd": "cost_usd.per_request_mean",
    "goodput.rate": "goodput",
    "goodput.share": "goodput",
    "rps.rate": "rps",
}
#: Of other figures of a summary: what is no worse where it is more.
_MORE_IS_WELL = ("ok", "good", "per_s", "requests", "recovered", "conformant", "reused")
#: Runs that a side must have where nothing but their figures tells how sure they are.
MIN_RUNS = 3


@dataclass(frozen=True, slots=True)
class Side:
    """One or several runs at one place: their METRICS, and their pieces where they have any."""

    metrics: tuple[Mapping[str, Any], ...]
    pieces: tuple[Pieces, ...]

    @property
    def whole(self) -> bool:
        """Return whether every run has pieces."""
        return len(self.pieces) == len(self.metrics)

    def records(self, metric: str) -> int:
        """Return the records of a distribution."""
        return sum((metrics.get(f"{metric}_ms") or {}).get("count", 0) for metrics in self.metrics)


def side_of(summaries: Sequence[Mapping[str, Any]], kind: str = "totals", name: str = "") -> Side:
    """Return a side at a place.

    Raises:
        MarginError: a run has no pool or request of this name.
    """
    found = []
    for summary in summaries:
        known = {"": summary["totals"]} if kind == "totals" else summary[kind]
        at = name
        if kind == "requests" and name not in known:
            same = [key for key in known if key.partition("/")[2] == name]
            at = same[0] if len(same) == 1 else name
        if at not in known:
            there = ", ".join(known) or "none"
            raise MarginError(f'no {kind.removesuffix("s")} is called "{name}" in both; there is {there}')
        found.append((known[at], pieces_of(summary, known[at])))
    return Side(tuple(metrics for metrics, _ in found), tuple(pieces for _, pieces in found if pieces is not None))


def figure_row(base: Side, head: Side, wanted: Regress, *, margin: float | None) -> Row | None:
    """Return the row of a figure, without a verdict; None where a side has none of it.

    Raises:
        MarginError: a summary has no such figure.
    """
    written = ".".join(part for part in (wanted.metric, wanted.stat) if part)
    written = _ALIASES.get(written, written)
    where = f" {{{wanted.kind.removesuffix('s')}:{wanted.name}}}" if wanted.name else ""
    name = (written if written in RATIOS else f"{wanted.metric} {wanted.stat}".strip()) + where
    if written in RATIOS:
        return _ratio_row(name, base, head, RATIOS[written], margin)
    stat = _SAME.get(wanted.stat, wanted.stat)
    if wanted.metric in TIMED and stat in STATS:
        return _time_row(name, base, head, wanted.metric, stat, margin)
    return _other_row(name, base, head, wanted, stat, margin)


def _time_row(name: str, base: Side, head: Side, metric: str, stat: str, margin: float | None) -> Row | None:
    if not base.records(metric) or not head.records(metric):
        return None
    found = [_time(side, metric, stat) for side in (base, head)]
    return row_of(name, *found, unit="ms", worse_is="higher", margin=margin)


def _time(side: Side, metric: str, stat: str) -> Estimate:
    percent, records = STATS[stat], side.records(metric)
    if not side.whole:
        return _by_runs(side, f"{metric}_ms", stat, log=True)
    found = percentile(side.pieces, metric, percent)
    if len(side.metrics) == 1:
        # What the report says: clamped to the least and the most there was.
        found = replace(found, value=side.metrics[0][f"{metric}_ms"][stat])
    floor = FLOORS.get(percent, 2)
    if records < floor:
        return replace(found, error=None, why=f"{records} samples, {stat.replace('_', '.')} takes {floor}")
    return found


def _ratio_row(name: str, base: Side, head: Side, wanted: Ratio, margin: float | None) -> Row | None:
    if wanted.upper == "good" and any(metrics.get("goodput") is None for metrics in (*base.metrics, *head.metrics)):
        return None
    if wanted.upper == "cost_usd" and any(
        metrics.get("cost_usd") is None for metrics in (*base.metrics, *head.metrics)
    ):
        return None
    if not base.whole or not head.whole:
        return None
    found = [ratio(side.pieces, wanted.upper, wanted.lower, timeless=wanted.timeless) for side in (base, head)]
    if any(math.isnan(one.value) for one in found):
        return None
    if not wanted.shares:
        allowed = None if margin is None else margin * found[0].value
        return row_of(name, *found, unit=wanted.unit, worse_is=wanted.worse_is, margin=allowed)
    return _share_row(name, found[0], found[1], wanted, margin)


def _share_row(name: str, base: Estimate, head: Estimate, wanted: Ratio, margin: float | None) -> Row:
    """Return the row of two shares: Newcombe's interval, of as many requests as what they have in common leaves them.

    L. Kish, Survey Sampling (1965), 8.2: n requests that come in clusters say as much as n/deff independent ones.
    """
    row = row_of(name, base, head, unit="share", worse_is=wanted.worse_is, margin=margin)
    if base.error is None or head.error is None:
        return row
    counts: list[float] = []
    for one in (base, head):
        alone = one.value * (1 - one.value) / one.n
        deff = max(1.0, one.error**2 / alone) if alone > 0 and one.error else 1.0
        counts += [one.value * one.n / deff, one.n / deff]
    low, high = newcombe(*counts)
    return msgspec.structs.replace(
        row, interval=(low, high), visible=smallest_visible((high - low) / (2 * Z)), p=newcombe_p(*counts)
    )


def _other_row(name: str, base: Side, head: Side, wanted: Regress, stat: str, margin: float | None) -> Row:
    key = wanted.metric
    for side in (base, head):
        for metrics in side.metrics:
            if _value(metrics, key, stat) is None:
                raise MarginError(
                    f"{wanted.figure}: no such figure in both summaries; such as latency.p95 or error_rate"
                )
    found = [_by_runs(side, key, stat) for side in (base, head)]
    timed = any(f"{key}_ms" in metrics or key.startswith("phase.") for metrics in base.metrics)
    well = any(part in _MORE_IS_WELL for part in (key, stat))
    allowed = None if margin is None else margin * found[0].value
    worse_is = "lower" if well and not timed else "higher"
    return row_of(name, *found, unit="ms" if timed else "number", worse_is=worse_is, margin=allowed)


def _by_runs(side: Side, key: str, stat: str, *, log: bool = False) -> Estimate:
    """Return the mean of the runs' figures: all there is where a summary has no pieces of it."""
    values = [value for metrics in side.metrics if (value := _value(metrics, key, stat)) is not None]
    if not values:
        return Estimate(math.nan, why="there is no record of it")
    mean = weighted_mean(values)
    if len(values) < MIN_RUNS:
        return Estimate(mean, log=log, why=f"one run has no spread of it: it takes {MIN_RUNS} a side", n=len(values))
    error = standard_error(values)
    if log and mean > 0:
        error /= mean
    return Estimate(mean, error, len(values) - 1, log=log, n=len(values))


def _value(metrics: Mapping[str, Any], key: str, stat: str) -> float | None:
    """Return a figure of METRICS by its metric and statistic; None where it has none."""
    if key.startswith("phase."):
        found: Any = (metrics.get("phases_ms") or {}).get(key.removeprefix("phase."))
    else:
        found = metrics.get(key, metrics.get(f"{key}_ms"))
    if isinstance(found, Mapping):
        found = found.get(stat)
    elif stat not in ("", "count", "rate", "total"):
        return None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None

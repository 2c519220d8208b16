"""Reads the ``blocks`` of a summary as arrays, to be joined to longer ones and drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agenttop.metrics.histogram import hdr_counts, highest_value

Floats = NDArray[np.float64]

#: Counters of a block, and the distributions.
COUNTED = ("requests", "failed", "rate_limited", "attempts", "good", "output_tokens", "token_requests", "cost_usd")
TIMED = ("latency", "ttft")
#: Blocks of a ramp from which on its slope is told from its noise.
_SLOPED = 4


@dataclass(frozen=True, slots=True)
class Pieces:
    """Equal pieces of one run's measured time.

    ``counts`` has a value a piece by counter; ``hists`` by distribution a row a piece and a column for each of
    ``values_ms``; ``levels`` the number of the stage that a piece is in, below 0 outside of all, and ``sloped`` the
    numbers of stages that are ramps.
    """

    width_s: float
    starts_s: Floats
    counts: dict[str, Floats]
    hists: dict[str, Floats]
    values_ms: dict[str, Floats]
    levels: NDArray[np.int64]
    sloped: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.starts_s)

    def joined(self) -> Pieces:
        """Return it with every two neighbours as one; what is left over goes to the last."""
        pairs = np.minimum(np.arange(len(self)) // 2, max(len(self) // 2 - 1, 0))
        first = np.flatnonzero(np.diff(pairs, prepend=-1))

        def add(rows: Floats) -> Floats:
            return np.add.reduceat(rows, first, axis=0)

        return replace(
            self,
            width_s=self.width_s * 2,
            starts_s=self.starts_s[first],
            counts={name: add(values) for name, values in self.counts.items()},
            hists={name: add(rows) for name, rows in self.hists.items()},
            levels=self.levels[first],
        )

    def part(self, kept: Sequence[int] | NDArray[np.int64]) -> Pieces:
        """Return some of its pieces."""
        return replace(
            self,
            starts_s=self.starts_s[kept],
            counts={name: values[kept] for name, values in self.counts.items()},
            hists={name: rows[kept] for name, rows in self.hists.items()},
            levels=self.levels[kept],
        )

    def residuals(self, values: Floats) -> Floats:
        """Return what is left of a value a piece without the mean of its stage, and without the slope of a ramp."""
        left = np.array(values, np.float64)
        for level in np.unique(self.levels):
            at = np.flatnonzero(self.levels == level)
            if level in self.sloped and at.size >= _SLOPED:
                left[at] -= np.polyval(np.polyfit(at, left[at], 1), at)
            else:
                left[at] -= left[at].mean()
        return left


def pieces_of(summary: Mapping[str, Any], metrics: Mapping[str, Any]) -> Pieces | None:
    """Return the pieces of METRICS of a summary; None where it has fewer than two.

    What ended while the run drained goes to the last piece of the measured time.
    """
    blocks = metrics.get("blocks") or []
    if len(blocks) < 2:
        return None
    starts = np.array([block["start_s"] for block in blocks], np.float64)
    width_s = float(starts[-1] - starts[-2]) if len(blocks) > 2 else float(starts[1] - starts[0])
    run = summary["run"]
    end_s = run.get("warmup_s", 0.0) + run.get("measured_s", 0.0)
    # A last piece that is mostly beyond the end of the sending holds only what was slow.
    last = max(int((starts + width_s / 2 < end_s).sum()) - 1, 0)
    first = np.arange(last + 1)
    counts = {
        name: np.add.reduceat(np.array([block.get(name) or 0 for block in blocks], np.float64), first)
        for name in COUNTED
    }
    hists, values = {}, {}
    for name in TIMED:
        rows, used = _hists([block.get(f"{name}_hdr") for block in blocks])
        hists[name] = np.add.reduceat(rows, first, axis=0)
        values[name] = np.array([highest_value(int(at)) for at in used], np.float64) / 1000
    levels, sloped = _levels(summary, starts[first] + width_s / 2)
    return Pieces(width_s, starts[first], counts, hists, values, levels, sloped)


def _hists(texts: Sequence[str | None]) -> tuple[Floats, NDArray[np.int64]]:
    """Return a row of counts for each text, and the counts index of each column."""
    found: list[tuple[NDArray[np.int64], NDArray[np.int64]] | None] = []
    for text in texts:
        if not text:
            found.append(None)
            continue
        counts = hdr_counts(text)
        at = np.flatnonzero(counts)
        found.append((at, counts[at]))
    parts = [part[0] for part in found if part is not None]
    used = np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.int64)
    rows = np.zeros((len(texts), used.size))
    for row, part in zip(rows, found, strict=True):
        if part is not None:
            row[np.searchsorted(used, part[0])] = part[1]
    return rows, used


def _levels(summary: Mapping[str, Any], middles: Floats) -> tuple[NDArray[np.int64], frozenset[int]]:
    """Return the stage of each time, and which stages are ramps; a pool's own stages run beside those of the run."""
    stages = [stage for stage in summary["stages"] if not stage.get("pool")] or summary["stages"]
    levels = np.full(middles.size, -1, np.int64)
    for stage in stages:
        levels[(middles >= stage["start_s"]) & (middles < stage["end_s"])] = stage["index"]
    return levels, frozenset(stage["index"] for stage in stages if stage["target_start"] != stage["target_end"])

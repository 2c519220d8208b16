"""Keeps the measured time in equal pieces: what a comparison of two runs draws from.

Requests of one run are not independent of each other, and pieces of it that are long enough nearly are (H. R. Künsch,
The jackknife and the bootstrap for general stationary observations, Ann. Stat. 17 (1989) 1217).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from agenttop.metrics.counts import Counts
from agenttop.metrics.delta import HistDelta
from agenttop.metrics.formulas import cost_usd, written_tokens
from agenttop.metrics.histogram import Hist, merge
from agenttop.metrics.layout import Price

#: The most pieces of a run: when one more is needed neighbours become one, so a run has 30 to 60 from its 30th second
#: on, and one a second before.
MAX_BLOCKS = 60
#: The distributions that are kept of a piece.
KEPT = ("latency", "ttft")
#: The counters that are kept of a piece.
SUMS = (
    *("attempts", "good", "token_requests", "input_tokens", "output_tokens", "cached_tokens"),
    *("output_told", "token_estimates", "estimated_tokens"),
)
#: Records that are kept as they came before they are merged: merging each second would cost more than it saves.
_LOOSE = 16


class _Piece:
    """What ended in one piece of the time."""

    __slots__ = ("failed", "parts", "rate_limited", "requests", "sums")

    def __init__(self) -> None:
        self.requests = self.failed = self.rate_limited = 0
        self.sums: Counter[str] = Counter()
        self.parts: dict[str, list[HistDelta]] = {name: [] for name in KEPT}

    def add(self, new: Counts, hists: Mapping[str, HistDelta]) -> None:
        self._count(new.requests, new.failed, new.rate_limited, new.sums)
        for name, parts in self.parts.items():
            if name in hists:
                parts.append(hists[name])
                if len(parts) > _LOOSE:
                    parts[:] = [merge(parts)]

    def merge(self, other: _Piece) -> None:
        self._count(other.requests, other.failed, other.rate_limited, other.sums)
        for name, parts in self.parts.items():
            parts += other.parts[name]
            if len(parts) > 1:
                parts[:] = [merge(parts)]

    def _count(self, requests: int, failed: int, rate_limited: int, sums: Mapping[str, int]) -> None:
        self.requests += requests
        self.failed += failed
        self.rate_limited += rate_limited
        for name in SUMS:
            if name in sums:
                self.sums[name] += sums[name]


class Blocks:
    """Equal pieces of the measured time, by request: whole seconds, counted from ``begin_s``, the end of the warm-up.

    A piece holds what ended in it; what ended while the run drained is in further ones, so that they sum to the totals.
    """

    def __init__(self, requests: int, begin_s: float = 0.0, price: Price | None = None) -> None:
        self._begin_s = begin_s
        self._price = price
        self._width_s = 1
        self._pieces: list[dict[int, _Piece]] = [{} for _ in range(requests)]
        self._last = -1

    def add(self, second: float, request: int, new: Counts, hists: Mapping[str, HistDelta]) -> None:
        """Add what ended of a request in the second that begins at ``second`` (of the run).

        Raises:
            IndexError: there is no such request.
        """
        place = max(0, int(second) - int(self._begin_s))
        while place // self._width_s >= MAX_BLOCKS:
            self._halve()
        at = place // self._width_s
        self._last = max(self._last, at)
        pieces = self._pieces[request]
        piece = pieces.get(at)
        if piece is None:
            piece = pieces[at] = _Piece()
        piece.add(new, hists)

    def summary(self, requests: Iterable[int], measured_s: float) -> list[dict[str, Any]]:
        """Return the summary's ``blocks`` of these requests together: as many for each, those without a request too.

        Args:
            requests: their indices.
            measured_s: length of the measured time; a piece of which less than half is in it is not begun for it.
        """
        while (ended := self._begun(measured_s)) > MAX_BLOCKS:
            self._halve()
        found = [_Piece() for _ in range(max(self._last + 1, ended))]
        for request in requests:
            for at, piece in self._pieces[request].items():
                found[at].merge(piece)
        return [self._told(at, piece) for at, piece in enumerate(found)]

    def _told(self, at: int, piece: _Piece) -> dict[str, Any]:
        begin_s = int(self._begin_s) + at * self._width_s
        counts = {"requests": piece.requests, "failed": piece.failed, "rate_limited": piece.rate_limited}
        hists = {f"{name}_hdr": _hdr(parts) for name, parts in piece.parts.items()}
        tokens, told = written_tokens(piece.sums)
        return {
            "start_s": float(max(begin_s, self._begin_s)),
            **counts,
            **hists,
            "attempts": piece.sums["attempts"],
            "good": piece.sums["good"],
            "output_tokens": tokens,
            "token_requests": told,
            "cost_usd": cost_usd(piece.sums, self._price),
        }

    def _begun(self, measured_s: float) -> int:
        """Return how many pieces the measured time has."""
        end_s = self._begin_s + measured_s - int(self._begin_s)
        return round(end_s / self._width_s) if measured_s > 0 else 0

    def _halve(self) -> None:
        """Make pairs of neighbours one."""
        self._width_s *= 2
        self._last //= 2
        for request, pieces in enumerate(self._pieces):
            halved: dict[int, _Piece] = {}
            for at in sorted(pieces):
                into = halved.get(at // 2)
                if into is None:
                    halved[at // 2] = pieces[at]
                else:
                    into.merge(pieces[at])
            self._pieces[request] = halved


def _hdr(parts: list[HistDelta]) -> str | None:
    if not parts:
        return None
    hist = Hist()
    for part in parts:
        hist.add(part)
    return hist.to_hdr()

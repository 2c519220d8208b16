"""Everything counted about one thing: a request, a stage, a pool or the whole run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from agenttop.metrics.catalogue import POOL_COUNTERS
from agenttop.metrics.counts import Counts
from agenttop.metrics.delta import ErrorDelta, HistDelta, PoolDelta
from agenttop.metrics.histogram import Hist

#: Distinct failures kept per scope; further ones are counted under :data:`OTHER`.
MAX_ERRORS = 200
#: Failures in the summary.
TOP_ERRORS = 20
#: Phases kept per run: their names are the target's and might be made up per request.
MAX_PHASES = 50
OTHER = "(other)"
MAX_MESSAGE_LENGTH = 300
ESCAPE = re.compile(r"[\x1b\x9b]\[?[0-?]*[ -/]*[@-~]")


def clean_text(text: str, limit: int = MAX_MESSAGE_LENGTH) -> str:
    """Return ``text`` from a target as harmless data.

    Terminal escape sequences go; what else does not print (controls, bidirectional marks, line ends) becomes a
    space, runs of space one, and what is beyond ``limit`` characters an ellipsis.
    """
    text = ESCAPE.sub("", text[: 4 * limit])
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


class ErrorTable:
    """Distinct failures with their counts and times: :data:`MAX_ERRORS` at most, and one "(other)" an outcome."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], tuple[int, float, float]] = {}

    def add(self, error: ErrorDelta) -> None:
        """Count a failure."""
        self._count(error.outcome, clean_text(error.message), error.count, error.first_s, error.last_s)

    def merge(self, other: ErrorTable) -> None:
        """Add another table's failures."""
        for (outcome, message), row in other._rows.items():
            self._count(outcome, message, *row)

    def top(self, limit: int = TOP_ERRORS) -> list[dict[str, Any]]:
        """Return the most frequent failures first, as the summary's ``errors``."""
        rows = sorted(self._rows.items(), key=lambda item: (-item[1][0], item[0]))[:limit]
        keys = ("outcome", "message", "count", "first_s", "last_s")
        return [
            dict(zip(keys, (*what, count, round(first, 3), round(last, 3)), strict=True))
            for what, (count, first, last) in rows
        ]

    def _count(self, outcome: str, message: str, count: int, first_s: float, last_s: float) -> None:
        key = (outcome, message)
        if key not in self._rows and len(self._rows) >= MAX_ERRORS:
            key = (outcome, OTHER)
        old = self._rows.get(key)
        if old is not None:
            count, first_s, last_s = count + old[0], min(first_s, old[1]), max(last_s, old[2])
        self._rows[key] = (count, first_s, last_s)


class Scope(Counts):
    """Counters, distributions and failures of one thing.

    ``hists`` is keyed as in :class:`~agenttop.metrics.delta.LeafDelta`; what pools do is in ``sums``, and has no
    meaning where ``of_pools`` is False (a single request).
    """

    __slots__ = ("errors", "hists", "of_pools")

    def __init__(self, *, of_pools: bool = True) -> None:
        super().__init__()
        self.hists: dict[str, Hist] = {}
        self.errors = ErrorTable()
        self.of_pools = of_pools

    def hist(self, metric: str) -> Hist:
        """Return the distribution of a metric, made if it is not there."""
        found = self.hists.get(metric)
        if found is None:
            found = self.hists[metric] = Hist()
        return found

    def add_merged(self, new: Counts, hists: Mapping[str, HistDelta]) -> None:
        """Add new counts; ``hists`` are their distributions, each in one piece."""
        self.add(new)
        for metric, records in hists.items():
            self.hist(metric).add(records)

    def add_pool(self, new: PoolDelta) -> None:
        """Add the counts of a pool."""
        for name in POOL_COUNTERS:
            self.sums[name] += getattr(new, name)

    def merge(self, other: Scope) -> None:
        """Add everything of another scope."""
        self.add(other)
        for metric, hist in other.hists.items():
            self.hist(metric).merge(hist)
        self.errors.merge(other.errors)


def merged(scopes: Iterable[Scope], *, of_pools: bool = True) -> Scope:
    """Return one scope with everything of several."""
    whole = Scope(of_pools=of_pools)
    for scope in scopes:
        whole.merge(scope)
    return whole

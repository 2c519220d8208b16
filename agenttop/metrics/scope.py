"""Everything counted about one thing: a request, a stage, a pool or the whole run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from agenttop.metrics.delta import ErrorDelta
from agenttop.metrics.histogram import Hist
from agenttop.metrics.outcome import Outcome

#: Distinct failures kept per scope; further ones are counted under :data:`OTHER`.
MAX_ERRORS = 200
#: Failures in the summary.
TOP_ERRORS = 20
#: Phases kept per run: their names are the target's and might be made up per request.
MAX_PHASES = 50
OTHER = "(other)"
PHASE = "phase."
#: What part of a request's latency each phase was: in thousandths, kept as µs.
PHASE_SHARE = "phase_share."
#: Outcomes that are no finished request.
_NOT_FINISHED = (Outcome.CANCELLED, Outcome.BUDGET_REFUSED)
_MAX_MESSAGE_LENGTH = 300
_ESCAPE = re.compile(r"[\x1b\x9b]\[?[0-?]*[ -/]*[@-~]")


def clean_text(text: str, limit: int = _MAX_MESSAGE_LENGTH) -> str:
    """``text`` from a target as harmless data.

    Terminal escape sequences go; what else does not print (controls, bidirectional marks, line ends) becomes a
    space, runs of space one, and what is beyond ``limit`` characters an ellipsis.
    """
    text = _ESCAPE.sub("", text[: 4 * limit])
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
        """Count another table's failures too."""
        for (outcome, message), row in other._rows.items():
            self._count(outcome, message, *row)

    def top(self, limit: int = TOP_ERRORS) -> list[dict[str, Any]]:
        """The most frequent first, as the summary's ``errors``."""
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


class Scope:
    """Counters, distributions and failures of one thing.

    ``hists`` and ``sums`` are keyed as in :class:`~agenttop.metrics.delta.LeafDelta`. ``sessions``, ``iterations``
    and ``dropped_iterations`` are None where they have no meaning (a single request).
    """

    __slots__ = ("dropped_iterations", "errors", "hists", "iterations", "outcomes", "sessions", "status", "sums")

    def __init__(self, *, iterations: bool = True) -> None:
        self.outcomes: Counter[str] = Counter()
        self.status: Counter[int] = Counter()
        self.sums: Counter[str] = Counter()
        self.hists: dict[str, Hist] = {}
        self.errors = ErrorTable()
        self.sessions = self.iterations = self.dropped_iterations = 0 if iterations else None

    @property
    def requests(self) -> int:
        """Requests that finished: neither cut by the end of the run nor refused by the budget."""
        return finished(self.outcomes)

    @property
    def failed(self) -> int:
        """Finished requests that are not ``ok``."""
        return self.requests - self.outcomes[Outcome.OK]

    def hist(self, metric: str) -> Hist:
        """The distribution to add to."""
        found = self.hists.get(metric)
        if found is None:
            found = self.hists[metric] = Hist()
        return found

    def count_iterations(self, sessions: int, iterations: int, dropped: int) -> None:
        """Add to the counters of a pool."""
        self.sessions = (self.sessions or 0) + sessions
        self.iterations = (self.iterations or 0) + iterations
        self.dropped_iterations = (self.dropped_iterations or 0) + dropped

    def merge(self, other: Scope) -> None:
        """Add all of another's."""
        self.outcomes.update(other.outcomes)
        self.status.update(other.status)
        self.sums.update(other.sums)
        for metric, hist in other.hists.items():
            self.hist(metric).merge(hist)
        self.errors.merge(other.errors)
        if other.iterations is not None:
            self.count_iterations(other.sessions or 0, other.iterations, other.dropped_iterations or 0)


def finished(outcomes: Counter[str]) -> int:
    """How many of these outcomes are finished requests."""
    return sum(outcomes.values()) - sum(outcomes[outcome] for outcome in _NOT_FINISHED)


def merged(scopes: Iterable[Scope], *, iterations: bool = True) -> Scope:
    """One scope of several."""
    whole = Scope(iterations=iterations)
    for scope in scopes:
        whole.merge(scope)
    return whole

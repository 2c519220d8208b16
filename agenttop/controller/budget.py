"""The controller's budget: grants to workers, when nothing is left, and the events about it."""

from __future__ import annotations

from collections.abc import Sequence

from agenttop.budget.ledger import Draw, Grant, Ledger
from agenttop.budget.terms import Terms
from agenttop.metrics.layout import Layout
from agenttop.metrics.snapshot import BudgetLine
from agenttop.metrics.spending import Spending
from agenttop.report.figures import count

#: Shares of a cap whose passing is told.
TOLD = (0.5, 0.8, 0.95)
SCARCE = "what is left of the budget is held by requests in flight: the next ones wait for them, so that fewer are sent"


class BudgetController:
    """Grants budget to workers, and sees when it is used up.

    Args:
        terms: of the profile; None without a budget.
        workers: how many there are.
        layout: names the requests.
        spending: what was used, kept up to date by others.
    """

    def __init__(self, terms: Terms | None, workers: int, layout: Layout, spending: Spending) -> None:
        self._ledger = Ledger(terms.cap, workers) if terms is not None else None
        self._alive = list(range(workers))
        self._scarce = self._told_scarce = False
        self._layout = layout
        self._spending = spending
        self._told: dict[str, float] = {}
        self._overran: dict[int, int] = {}

    def draw(self, worker: int, draw: Draw) -> dict[int, Grant]:
        """Return the answer to a worker, and what others are told of it: that the budget has become scarce."""
        assert self._ledger is not None
        grant = self._ledger.draw(worker, draw)
        news = self._ledger.scarce and not self._scarce
        self._scarce = self._ledger.scarce
        others = [other for other in self._alive if other != worker] if news else []
        return {worker: grant} | {other: self._ledger.grant(other) for other in others}

    def gone(self, worker: int) -> None:
        """Note that a worker is lost."""
        if self._ledger is not None:
            self._ledger.gone(worker)
            self._alive = [other for other in self._alive if other != worker]

    @property
    def used_up(self) -> bool:
        """Not even all that may come back could pay for a request that waits."""
        return self._ledger is not None and self._ledger.dry

    def news(self) -> list[str]:
        """Return new events: a share of a cap was passed, an answer used more than its worst case."""
        found = []
        if self._scarce and not self._told_scarce:
            self._told_scarce = True
            found.append(SCARCE)
        for line in self._spending.lines():
            share = line.used / line.cap if line.cap else 0.0
            passed = max((limit for limit in TOLD if share >= limit), default=0.0)
            if passed > self._told.get(line.name, 0.0):
                self._told[line.name] = passed
                found.append(f"{passed:.0%} of the budget used: {told(line)}")
        for request, tokens in self._spending.overran.items():
            if request not in self._overran:
                row = self._layout.requests[request]
                name = f"{self._layout.pools[row.pool].name}/{row.name}"
                text = f"an answer of {name} used {count(tokens)} tokens, more than its worst case"
                found.append(f"{text}: the budget may be overrun; write more max_output_tokens or max_input_tokens")
            self._overran[request] = tokens
        return found


def told(line: BudgetLine) -> str:
    """Return a line of the budget in words."""
    if line.name == "cost_usd":
        return f"{line.used:.4g} of {line.cap or 0:g} USD"
    return f"{count(line.used)} of {count(line.cap or 0)} {line.name}"


def used_up(lines: Sequence[BudgetLine], refused: int) -> str:
    """Return the message of a run whose budget is used up."""
    short = [line for line in lines if line.cap is not None and line.used < line.cap]
    text = "the budget is used up: " + ", ".join(told(line) for line in lines)
    if len(short) == len(lines):
        text += "; what is left is less than the next request may use at worst"
    return f"{text}; {count(refused)} request{'' if refused == 1 else 's'} not sent" if refused else text

"""Adds up what a run has used of its budget, from what its workers report."""

from __future__ import annotations

from typing import Any

from agenttop.budget.amount import NOTHING, PICO_PER_USD, Amount
from agenttop.metrics.delta import WorkerBudgetState
from agenttop.metrics.layout import Caps
from agenttop.metrics.snapshot import BudgetLine

_PLACES = 9


class Spending:
    """The budget states of all workers; those of lost workers as last reported."""

    def __init__(self, caps: Caps | None, *, priced: bool) -> None:
        self._caps = caps
        self._priced = priced
        self._states: dict[int, WorkerBudgetState] = {}
        self._gone: set[int] = set()

    def fold(self, worker: int, state: WorkerBudgetState) -> None:
        """Take a worker's budget state."""
        self._states[worker] = state

    def forget(self, worker: int) -> None:
        """Note a lost worker: what it had in flight counts as used."""
        self._gone.add(worker)

    @property
    def used(self) -> Amount:
        """Return what requests have used; of lost workers, what was in flight as well."""
        total = NOTHING
        for worker, state in self._states.items():
            total = total.plus(state.spent.plus(state.held) if worker in self._gone else state.spent)
        return total

    @property
    def held(self) -> Amount:
        """Return what requests in flight may use at worst."""
        total = NOTHING
        for worker, state in self._states.items():
            total = total if worker in self._gone else total.plus(state.held)
        return total

    @property
    def kept(self) -> int:
        """Return how many requests were counted at their worst case because their answers told no tokens."""
        return sum(state.kept for state in self._states.values())

    @property
    def overran(self) -> dict[int, int]:
        """Return by request the most tokens of one that used more than its worst case."""
        found: dict[int, int] = {}
        for state in self._states.values():
            for request, tokens in state.overran.items():
                found[request] = max(tokens, found.get(request, 0))
        return found

    def lines(self) -> tuple[BudgetLine, ...]:
        """Return the state of each cap; nothing without a budget."""
        caps = self._caps
        if caps is None:
            return ()
        used, held = self.used, self.held
        lines = (
            BudgetLine("requests", caps.requests, used.requests, held.requests),
            BudgetLine("tokens", caps.tokens, used.tokens, held.tokens),
            BudgetLine("cost_usd", caps.cost_usd, used.cost / PICO_PER_USD, held.cost / PICO_PER_USD),
        )
        return tuple(line for line in lines if line.cap is not None)

    def summary(self) -> dict[str, dict[str, Any]]:
        """Return the summary's ``budget``: amounts without a cap too, money only if there are prices."""
        caps = self._caps
        if caps is None:
            return {}
        used, lost = self.used, self._lost()
        found: dict[str, dict[str, Any]] = {
            "requests": {"cap": caps.requests, "used": used.requests},
            "tokens": {"cap": caps.tokens, "used": used.tokens, "at_worst_case_requests": self.kept},
        }
        if self._priced:
            cost = round(used.cost / PICO_PER_USD, _PLACES)
            found["cost_usd"] = {"cap": caps.cost_usd, "used": cost}
        for name, value in (("requests", lost.requests), ("tokens", lost.tokens)):
            if value:
                found[name]["lost"] = value
        if lost.cost and self._priced:
            found["cost_usd"]["lost"] = round(lost.cost / PICO_PER_USD, _PLACES)
        return found

    def _lost(self) -> Amount:
        """Return what lost workers may have used besides: nobody knows what they sent last."""
        total = NOTHING
        for worker in self._gone & set(self._states):
            state = self._states[worker]
            total = total.plus(state.granted.minus(state.spent).minus(state.held).high(NOTHING))
        return total

"""Takes what workers report, and passes it to everything that keeps some of it."""

from __future__ import annotations

from collections.abc import Iterable

from agenttop.controller.answers import Answers
from agenttop.controller.box import Box
from agenttop.controller.budget import BudgetController
from agenttop.controller.data_exhaustion import DataExhaustion
from agenttop.controller.items import Item
from agenttop.controller.records import Records
from agenttop.controller.searching import Searching
from agenttop.controller.spec import RunSpec
from agenttop.controller.watcher import Watcher
from agenttop.journal.figures import Figures
from agenttop.metrics.delta import Delta, PoolState
from agenttop.users.terms import terms_of

#: Characters of a warning.
MAX_WARNING = 1000


class Intake:
    """Takes what the workers of one run report.

    Args:
        spec: of the run.
        figures: it and what follows are kept up to date.
        records: likewise.
        search: likewise; None where the run has none.
        watcher: is told what is worth an event.
        box: the workers, who are answered.
        answers: takes graded answers.
    """

    def __init__(
        self,
        spec: RunSpec,
        figures: Figures,
        records: Records,
        search: Searching | None,
        watcher: Watcher,
        box: Box,
        answers: Answers | None = None,
    ) -> None:
        aggregate = figures.aggregate
        self.budget = BudgetController(terms_of(spec.profile), spec.workers, aggregate.layout, aggregate.spending)
        self._on_loss = spec.on_loss
        self._pools = [pool.name for pool in spec.profile.pools]
        self.data = DataExhaustion(self._pools, spec.workers)
        self._figures = figures
        self._records = records
        self._search = search
        self._watcher = watcher
        self._box = box
        self._answers = answers
        self.lost = 0
        """Workers that ended as they should not …"""
        self.stopped_s: list[float] = []
        """… and of those that stopped by themselves when they did, in seconds of the run."""
        self._heard: dict[int, float] = {}
        """How far each worker has told, in seconds of the run."""
        self._given_up: set[int] = set()

    def take(self, item: Item, elapsed: float, *, ending: bool) -> None:
        """Take an item of a worker, ``elapsed`` seconds after the run began.

        While the run is ``ending``, used up data is no news.
        """
        if item.draw is not None:
            for worker, grant in self.budget.draw(item.worker, item.draw).items():
                self._box.grant(worker, grant)
        elif item.delta is not None:
            self._delta(item.delta)
            self._used_up(self.data.fold(item.worker, item.delta.states), elapsed, ending=ending)
            self._notes(item.delta.states, elapsed)
        elif item.answers and self._answers is not None:
            if why := self._answers.take(item.answers):
                self.warn(elapsed, why, "error")
        elif item.lost:
            self._box_lost(item, elapsed, ending=ending)
        elif item.ended:
            if item.stopped_s is not None:
                self.stopped_s.append(item.stopped_s)
            self._gone(item.worker, item.exit, elapsed, ending=ending)

    def behind(self, t_s: float, alive: Iterable[int]) -> list[int]:
        """Return who of the workers has not told yet what was up to ``t_s`` and is still waited for."""
        return [worker for worker in alive if worker not in self._given_up and self._heard.get(worker, 0.0) < t_s]

    def give_up(self, t_s: float, alive: Iterable[int]) -> None:
        """Wait no more for those that are behind, until they are heard again."""
        self._given_up.update(self.behind(t_s, alive))

    def warn(self, elapsed: float, text: str, level: str) -> None:
        """Report an event that also goes into the summary's warnings."""
        self._watcher.say(elapsed, text, level)
        # A box has said some of it: its last words, say.
        self._figures.aggregate.workers.warn(f"{self._watcher.safe(text, MAX_WARNING)} (at {elapsed:.0f} s)")

    def _delta(self, delta: Delta) -> None:
        self._heard[delta.worker] = delta.t_s
        self._given_up.discard(delta.worker)
        self._figures.fold(delta)
        self._records.fold(delta)
        if self._search is not None:
            self._search.fold(delta)
        self._watcher.exceptions(delta.errors)

    def _gone(self, worker: int, why: str, elapsed: float, *, ending: bool) -> None:
        """Forget a worker that ended; ``why`` is empty if it ended properly."""
        self._forget(worker, elapsed, ending=ending)
        if why:
            self.lost += 1
            left = len(self._box.alive)
            where = f"its users go to the other {left}" if left else "none is left"
            self.warn(elapsed, f"{self._figures.aggregate.boxes.worker(worker)} {why}: {where}", "error")

    def _box_lost(self, item: Item, elapsed: float, *, ending: bool) -> None:
        """Forget all workers of a box that is gone."""
        heard_s = min((self._heard.get(worker, 0.0) for worker in item.lost), default=0.0)
        for worker in item.lost:
            self._forget(worker, elapsed, ending=ending)
        self.lost += len(item.lost)
        left = len(self._box.alive)
        said = {"shrink": "the others keep theirs", "stop": "the run ends"}
        where = said.get(self._on_loss, f"its users go to the {left} workers left") if left else "none is left"
        unheard = f"what its workers sent after {heard_s:.1f} s is in no figure"
        self.warn(elapsed, f"{item.exit}: {unheard}; {where}", "error")

    def _forget(self, worker: int, elapsed: float, *, ending: bool) -> None:
        self._figures.gone(worker)
        self._records.gone(worker)
        if self._search is not None:
            self._search.forget(worker)
        self._used_up(self.data.forget(worker), elapsed, ending=ending)
        self.budget.gone(worker)

    def _used_up(self, news: list[str], elapsed: float, *, ending: bool) -> None:
        """Warn that pools whose data is used up do less from here on than planned."""
        for text in news if not ending else ():
            self.warn(elapsed, text, "info")

    def _notes(self, states: list[PoolState], elapsed: float) -> None:
        """Report the notes that workers have about their users: they repeat them, each is reported once."""
        workers = self._figures.aggregate.workers
        for state in states:
            for note in state.notes:
                text = f"{self._pools[state.pool]}: {note}"
                if text not in workers.warnings:
                    self._watcher.say(elapsed, text, "warn")
                    workers.warn(text)

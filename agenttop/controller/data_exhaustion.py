"""Tracks which pools have used up their data, from what the workers report; when all have, the run ends."""

from __future__ import annotations

from collections.abc import Sequence

from agenttop.metrics.delta import PoolState


class DataExhaustion:
    """The data of a run.

    Args:
        pools: their names.
        workers: how many there are.
    """

    def __init__(self, pools: Sequence[str], workers: int) -> None:
        self._pools = tuple(pools)
        self._states: dict[int, dict[int, PoolState]] = {worker: {} for worker in range(workers)}
        self._said: set[tuple[int, str]] = set()
        self._lost = False

    def fold(self, worker: int, states: Sequence[PoolState]) -> list[str]:
        """Take a worker's states; return what is new, in words."""
        self._states[worker] = {state.pool: state for state in states}
        return self._news()

    def forget(self, worker: int) -> list[str]:
        """Forget a lost worker and the rows that it had not handed out; return what is new, in words."""
        self._states.pop(worker, None)
        self._lost = True
        return self._news()

    @property
    def over(self) -> bool:
        """Return whether no pool has a user or could begin one because data is used up."""
        pools = range(len(self._pools))
        return bool(self._said) and all(all(state.over for state in self._of(pool)) for pool in pools)

    def _end_of(self, file: str) -> str:
        if self._lost:
            return f"no rows of {file} are left; what a worker that is gone had not used is lost"
        return f"every row of {file} has been used"

    def _of(self, pool: int) -> list[PoolState]:
        """Return a pool's state of each worker; for a worker that has not reported one that is not over."""
        return [states.get(pool, PoolState(pool, 0, 0)) for states in self._states.values()]

    def _news(self) -> list[str]:
        news = []
        for pool, name in enumerate(self._pools):
            states = self._of(pool)
            for file in sorted({file for state in states for file in state.used_up}):
                if (pool, file) not in self._said and all(file in state.used_up or state.over for state in states):
                    self._said.add((pool, file))
                    news.append(f"{name}: {self._end_of(file)}")
        return news

"""Chooses which row of its data a user takes next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agenttop.profile.model import CheckedData, Data
from agenttop.profile.rows import Rows, load_rows
from agenttop.users.random import SplitMix

# The n-th row (n = 0, 1, …) that the worker of shard w among s shards hands out, of R rows:
#
#     sequential   (w + n·s) mod R
#     once         w + n·s, while that is below R
#     random       drawn by the user who asks, from its own seed
#
# So workers need not ask each other, and none repeats what another has had: of once every row is used, of sequential
# every row before any is used again, as far as the workers are equally fast. A row is used when it is handed out,
# whatever becomes of its requests. A worker's rows stay its own: when it dies, those of once that it has not handed out
# yet are lost, since nobody knows which they are.


@dataclass(frozen=True, slots=True)
class Feed:
    """The data of a task or a pool."""

    name: str
    """Name of the file, without its folder, as it may be shown."""
    rows: Rows
    order: str
    """``sequential``, ``random`` or ``once``."""


class Feeds:
    """Compiles data: each file is read once, however often it is named."""

    def __init__(self) -> None:
        self._rows: dict[str, Rows] = {}
        self.found: list[Feed] = []
        """The feeds of the present pool."""

    def add(self, data: Data | None) -> int:
        """Return the index of the feed among those of the pool; -1 if there is no data.

        Raises:
            DataError: the file is not what it was when the profile was checked.
        """
        if data is None:
            return -1
        assert isinstance(data, CheckedData)  # as every profile that was loaded has it
        if data.file not in self._rows:
            self._rows[data.file] = load_rows(Path(data.file), data.sha256, data.shown)
        self.found.append(Feed(data.shown or Path(data.file).name, self._rows[data.file], data.order))
        return len(self.found) - 1

    def take(self) -> tuple[Feed, ...]:
        """Return the feeds of the present pool; the next one begins with none."""
        found, self.found = tuple(self.found), []
        return found


class Feeder:
    """The position of one worker in one feed.

    Args:
        feed: what is handed out; it has a row at least.
        shard: of the worker, from 0; one beyond the last of ``shards`` has no rows of ``once``.
        shards: how many workers share the rows.
    """

    __slots__ = ("_next", "_order", "_rows", "_shards", "name")

    def __init__(self, feed: Feed, shard: int, shards: int) -> None:
        self.name = feed.name
        self._rows = feed.rows
        self._order = feed.order
        self._shards = shards
        if feed.order == "once":
            self._next = shard if shard < shards else len(feed.rows)
        else:
            self._next = shard % len(feed.rows)

    def next_row(self, random: SplitMix) -> int:
        """Take a row and return its number, from 0; -1 if all have been used."""
        rows = len(self._rows)
        if self._order == "random":
            return random.bits() % rows
        row = self._next
        if self._order == "sequential":
            self._next = (row + self._shards) % rows
        elif row >= rows:
            return -1
        else:
            self._next = row + self._shards
        return row

    def feed(self, variables: dict[str, str], random: SplitMix) -> bool:
        """Put the next row into the variables; return False if there is none."""
        row = self.next_row(random)
        if row < 0:
            return False
        self._rows.fill(variables, row)
        return True


def shard_of(worker: int, workers: int, pool: int, most_users: int) -> tuple[int, int]:
    """Return the worker's shard and the number of shards: a worker that never has a user of the pool holds no rows.

    Args:
        worker: its number, from 0.
        workers: how many there are.
        pool: index of the pool; users are dealt out from that worker on (``schedule.shares``).
        most_users: that the plan ever wants of the pool.
    """
    return (worker - pool) % workers, max(min(workers, most_users), 1)

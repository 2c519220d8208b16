"""What the users of one pool on one worker share, and what they ask of it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from time import perf_counter_ns
from typing import Any

from agenttop.metrics.recorder import Leaf, Recorder
from agenttop.quality.levels import Level
from agenttop.quality.spread import Spread
from agenttop.users.compiled import CompiledPool, CompiledTask
from agenttop.users.feeder import Feeder, shard_of
from agenttop.users.handover import Handover
from agenttop.users.quotas import Quotas
from agenttop.users.refusals import Conformance
from agenttop.users.reservations import Reservations
from agenttop.wire.target import Target
from agenttop.wire.transport import Connection, Connector


class PoolShared(ABC):
    """The pool as its users see it; the rest is in ``users.pool``."""

    #: How long a paused user sleeps before it looks again by itself; it is woken earlier.
    pause_s = 60.0

    def __init__(
        self,
        compiled: CompiledPool,
        *,
        loop: asyncio.AbstractEventLoop,
        recorder: Recorder,
        transport: Connector,
        epoch_ns: int,
        seed: int,
        worker: int,
        workers: int,
        redirects: bool,
        most_users: int = 1 << 62,
        till: Reservations | None = None,
        answers: Handover | None = None,
    ) -> None:
        self.compiled = compiled
        self.loop = loop
        self.recorder = recorder
        self.transport = transport
        self.epoch_ns = epoch_ns
        self.seed = seed
        self.redirects = redirects
        self.till = till
        """The budget at which its users hold what requests may use; None without a budget."""
        policy = compiled.refusals
        self.conformance = Conformance(policy) if policy is not None and policy.judged else None
        """Judges refusals; None if the profile has no ``[rate_limit]``."""
        self.quotas = Quotas(epoch_ns)
        """What remains of the target's limits."""
        self.working = True
        """New tasks may be begun."""
        self.sending = True
        """New requests may be sent."""
        self.paused = False
        self.leaves: list[Leaf] = []
        """Leaves under which requests sent now are counted, by request."""
        self.tally = recorder.count(compiled.index, 0)
        """The counts of the present stage."""
        self.stage = 0
        self.mark = 0
        shard, shards = shard_of(worker, workers, compiled.index, most_users)
        self.feeders = [Feeder(feed, shard, shards) for feed in compiled.feeds]
        """This worker's position in the pool's data, by index."""
        self.spreads = [
            Spread(len(each.cases), shard, shards, f"{seed}/{each.pool}/{each.task}") for each in compiled.questions
        ]
        """Its course through the cases of graded tasks, likewise."""
        self.answers = Handover() if answers is None else answers
        """Where graded answers go."""
        self.level = Level("")
        """The level of load at present."""
        self.used_up: tuple[str, ...] = ()
        """Data files of which no rows are left here."""
        self.notes: tuple[str, ...] = ()
        """Notes about its users, each told once in the run."""
        self.planned = shard < most_users
        """The plan has users of this pool on this worker at some time."""
        self.closed = False
        """No other user is begun, because there is no data for one."""

    # -- what users ask

    def elapsed(self) -> float:
        """Return the seconds since the run began."""
        return (perf_counter_ns() - self.epoch_ns) / 1e9

    async def connect(self, target: Target) -> Connection:
        """Return a connection to the target; its ``failure`` says why there is none."""
        connection = await self.transport.connect(target)
        connection.whose = self.compiled.name
        return connection

    def sessions_used_up(self) -> None:
        """Note that every row of the pool's data has been used: sessions under way go on, no other begins."""
        if not self.closed:
            self.used_up = (*self.used_up, self.feeders[self.compiled.feed].name)
            self.closed = True

    def note(self, text: str) -> None:
        """Add a note for the user, once."""
        if text not in self.notes:
            self.notes = (*self.notes, text)

    @abstractmethod
    def wait_for_work(self, user: Any) -> None:
        """Take a user of an open pool that has nothing to do."""

    @abstractmethod
    def task_used_up(self, task: CompiledTask) -> bool:
        """Note that every row of a task's data has been used: the task is not chosen any more.

        Return False if no task is left, so that all users leave.
        """

    @abstractmethod
    def left(self, user: Any) -> None:
        """Forget a user whose life is over."""

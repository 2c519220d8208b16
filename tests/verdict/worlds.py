"""Seeded targets whose truth is known, and the seconds that a run against them would close.

A closed loop in discrete events: users come and go as the plan says, each sends a request, waits for its answer,
thinks, sends the next. A target has slots (or none) with one queue before them; besides it may leak slots, limit its
rate, crash, hang, and be noisy.
"""

from __future__ import annotations

import heapq
import math
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from agenttop.metrics.histogram import fold
from agenttop.verdict.assessor import Assessor
from agenttop.verdict.second import Answers, Second

#: Users wait so long after a failed connection.
BACKOFF_S = 0.25


@dataclass(frozen=True)
class Target:
    """A target. Times are seconds; service times are lognormal around a median."""

    slots: int = 0
    """Requests that are served at a time; 0: all."""
    median_s: float = 0.5
    sigma: float = 0.3
    outliers: float = 0.0
    """Share of requests that take eight times as long."""
    errors: float = 0.0
    """Share of requests that are answered with a 500."""
    leak: int = 0
    """Every so many requests a slot is lost."""
    leak_from_s: float = 0.0
    limit_per_s: float = 0.0
    """Requests a second that are let through, with as many at once; 0: no limit."""
    down: tuple[float, float] = (math.inf, math.inf)
    """While it is down connections are refused."""
    stuck: tuple[float, float] = (math.inf, math.inf)
    """While it is stuck nothing is answered; afterwards all that waits is."""
    slow: tuple[float, float, float] = (math.inf, math.inf, 1.0)
    """Between two times everything takes so many times as long."""

    @property
    def mean_s(self) -> float:
        """Return the mean service time."""
        return self.median_s * math.exp(self.sigma**2 / 2) * (1 + 7 * self.outliers)


@dataclass(order=True)
class _Event:
    t_s: float
    number: int
    what: str = field(compare=False)
    user: int = field(compare=False)


@dataclass
class _Ended:
    """What ended in the open second."""

    latency: array[int] = field(default_factory=lambda: array("q"))
    refused: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    llm_us: float = 0.0


class World:
    """One run: ``seconds()`` yields what a controller would have closed.

    Args:
        target: of it.
        users: how many there are to be, by time.
        length_s: of the run.
        think: shortest and longest pause in seconds.
        seed: equal ones give equal runs.
        patience_s: the client gives up after so long.
    """

    def __init__(
        self,
        target: Target,
        users: Callable[[float], int],
        length_s: int,
        *,
        think: tuple[float, float] = (0.5, 1.5),
        seed: int = 1,
        patience_s: float = 60.0,
    ) -> None:
        self.target, self.users, self.length_s, self.think, self.patience_s = target, users, length_s, think, patience_s
        self.random = Random(seed)
        self._events: list[_Event] = []
        self._number = 0
        self._there: set[int] = set()
        self._sent: dict[int, float] = {}
        self._waiting: deque[int] = deque()
        self._held: deque[int] = deque()
        self._busy = 0
        self._lost = 0
        self._answered = 0
        self._tokens, self._filled_s = target.limit_per_s, 0.0
        self._ended = _Ended()

    def seconds(self) -> Iterator[Second]:
        """Yield every second of the run."""
        for second in range(1, self.length_s + 1):
            for quarter in range(4):
                self._population(second - 1 + quarter / 4)
                self._until(second - 1 + (quarter + 1) / 4)
            yield self._close(float(second))

    def _population(self, t_s: float) -> None:
        wanted = self.users(t_s)
        for user in range(wanted):
            if user not in self._there:
                self._there.add(user)
                if user not in self._sent:
                    self._after(t_s + self.random.uniform(0, 0.05), "send", user)
        for user in [user for user in self._there if user >= wanted]:
            self._there.discard(user)

    def _until(self, end_s: float) -> None:
        while self._events and self._events[0].t_s < end_s:
            event = heapq.heappop(self._events)
            getattr(self, f"_{event.what}")(event.t_s, event.user)

    def _send(self, t_s: float, user: int) -> None:
        target = self.target
        if user not in self._there or user in self._sent:
            return
        self._sent[user] = t_s
        if target.down[0] <= t_s < target.down[1]:
            self._end(t_s, user, "connect_error", BACKOFF_S)
        elif target.limit_per_s and not self._admitted(t_s):
            self._end(t_s + 0.01, user, "rate_limited")
        elif self.random.random() < target.errors:
            self._end(t_s + 0.05, user, "server_error")
        else:
            self._after(t_s + self.patience_s, "give_up", user)
            self._waiting.append(user)
            self._serve(t_s)

    def _serve(self, t_s: float) -> None:
        target = self.target
        if target.stuck[0] <= t_s < target.stuck[1]:
            if not any(event.what == "wake" for event in self._events):
                self._after(target.stuck[1], "wake", -1)
            return
        while self._waiting and (not target.slots or self._busy + self._lost < target.slots):
            user = self._waiting.popleft()
            if user not in self._sent:
                continue
            self._busy += 1
            self._after(t_s + self._takes(t_s, user), "served", user)

    def _takes(self, t_s: float, user: int) -> float:
        """Return how long a request takes that begins to be served."""
        target = self.target
        took = self.random.lognormvariate(math.log(target.median_s), target.sigma)
        took *= 8 if self.random.random() < target.outliers else 1
        return took * (target.slow[2] if target.slow[0] <= t_s < target.slow[1] else 1)

    def _wake(self, t_s: float, _: int) -> None:
        held, self._held = self._held, deque()
        for user in held:
            self._served_by(t_s, user)
        self._serve(t_s)

    def _served(self, t_s: float, user: int) -> None:
        if self.target.stuck[0] <= t_s < self.target.stuck[1]:
            self._held.append(user)
            return
        self._served_by(t_s, user)
        self._serve(t_s)

    def _served_by(self, t_s: float, user: int) -> None:
        target = self.target
        self._busy -= 1
        self._answered += 1
        if target.leak and t_s >= target.leak_from_s and self._answered % target.leak == 0:
            self._lost += 1
        if user in self._sent:
            self._end(t_s, user, "ok")

    def _give_up(self, t_s: float, user: int) -> None:
        sent = self._sent.get(user)
        if sent is not None and abs(t_s - self.patience_s - sent) < 1e-9:
            self._end(t_s, user, "timeout")

    def _end(self, t_s: float, user: int, outcome: str, wait_s: float = 0.0) -> None:
        sent = self._sent.pop(user)
        if outcome == "ok":
            self._ended.latency.append(int((t_s - sent) * 1e9))
            self._ended.llm_us += (t_s - sent) * 1e6 - 20_000
        elif outcome == "rate_limited":
            self._ended.refused += 1
        else:
            self._ended.failures[outcome] += 1
        self._after(t_s + wait_s + self.random.uniform(*self.think), "send", user)

    def _admitted(self, t_s: float) -> bool:
        rate = self.target.limit_per_s
        self._tokens = min(rate, self._tokens + (t_s - self._filled_s) * rate)
        self._filled_s = t_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _after(self, t_s: float, what: str, user: int) -> None:
        self._number += 1
        heapq.heappush(self._events, _Event(t_s, self._number, what, user))

    def _close(self, t_s: float) -> Second:
        ended, self._ended = self._ended, _Ended()
        ok = len(ended.latency)
        latency = fold(ended.latency) if ok else None
        answers = Answers(ok, ended.refused, dict(ended.failures), latency)
        return Second(
            t_s,
            1.0,
            len(self._there),
            {0: answers} if ok or ended.refused or ended.failures else {},
            in_flight=len(self._sent),
            oldest_s=max((t_s - sent for sent in self._sent.values()), default=0.0),
            phases={"context_load": (20_000.0 * ok, ok), "llm_call": (ended.llm_us, ok)} if ok else {},
            sending=self.users(t_s - 0.001) > 0,
        )


def steps(*levels: tuple[int, int]) -> Callable[[float], int]:
    """Return a plan of (seconds, users), one after another."""

    def users(t_s: float) -> int:
        end = 0.0
        for length, wanted in levels:
            end += length
            if t_s < end:
                return wanted
        return levels[-1][1]

    return users


def ramp(start: int, end: int, length_s: float) -> Callable[[float], int]:
    """Return a plan that grows evenly."""
    return lambda t_s: round(start + (end - start) * min(1.0, t_s / length_s))


def arrivals(target: Target, rate: Callable[[float], float], length_s: int, *, seed: int = 1) -> Iterator[Second]:
    """Yield the seconds of a run of arrivals that come by chance, ``rate`` a second, before the target's slots."""
    random, free = Random(seed), [0.0] * (target.slots or 10_000)
    at_s, served = 0.0, []
    while at_s < length_s:
        at_s += random.expovariate(max(rate(at_s), 1e-3))
        begin_s = max(at_s, heapq.heappop(free))
        end_s = begin_s + random.lognormvariate(math.log(target.median_s), target.sigma)
        heapq.heappush(free, end_s)
        served.append((at_s, end_s))
    for second in range(1, length_s + 1):
        took = array("q", (int((end - sent) * 1e9) for sent, end in served if second - 1 <= end < second))
        waiting = [sent for sent, end in served if sent < second <= end]
        yield Second(
            float(second),
            1.0,
            rate(second - 0.5),
            {0: Answers(len(took), latency=fold(took))} if took else {},
            unit="rate",
            in_flight=len(waiting),
            oldest_s=second - min(waiting, default=second),
        )


def judged(seconds: Iterable[Second], names: Sequence[str] = ("chat/simple",)) -> tuple[Assessor, list[str]]:
    """Return the verdict on a run, and its state at the end of every second."""
    assessor, states = Assessor(names), []
    for second in seconds:
        assessor.second(second)
        states.append(assessor.now.state)
    return assessor, states


def after(states: Sequence[str], t_s: int, wanted: Sequence[str]) -> int | None:
    """Return how many seconds after ``t_s`` a state was one of those wanted; None if it never was."""
    return next((at + 1 - t_s for at in range(t_s, len(states)) if states[at] in wanted), None)

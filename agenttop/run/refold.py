"""A run folded again from what its journal has of every second: for a summary, and for a replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec

from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import Delta
from agenttop.metrics.searched import SearchState
from agenttop.metrics.situation import Situation
from agenttop.metrics.snapshot import KEPT_EVENTS, ByHand, Edited, Event, Snapshot, Tick
from agenttop.run.by_hand import KEPT
from agenttop.run.summarize import RunHeader
from agenttop.run.verdicts import breaker_of_file, measured, rules_of_file
from agenttop.thresholds.judge import Judge


class Second(msgspec.Struct, frozen=True):
    """One second: how things stood at its end, and what was new."""

    situation: Situation
    deltas: list[Delta]
    controls: list[dict[str, Any]] = []
    events: list[Event] = []
    gone: list[int] = []
    """Workers that were lost in it."""
    search: dict[str, Any] | None = None
    """How far a search for capacity had come, where a step of it was over."""
    edited: Edited | None = None
    """The plan, where it was edited in it."""


class Refold:
    """What the controller had in its hands, up to the last second that was added; of a run that is only looked at
    (``live_only``) no more than a picture needs.
    """

    def __init__(self, header: RunHeader, *, live_only: bool = False) -> None:
        self.layout = header.layout
        self.aggregate = Aggregate(header.layout, live_only=live_only)
        self.judge = Judge(rules_of_file(header.profile, header.layout), header.layout)
        self.breaker = breaker_of_file(header.profile)
        self.events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self.by_hand: dict[float, ByHand] = {}
        """What was done by hand, by the time it began: a second has the newest alone."""
        self.end_s = 0.0
        """When the last second ended."""
        self.sending_s = 0.0
        """When requests were last sent."""
        self.search: dict[str, Any] | None = None
        """How far a search for capacity had come."""
        self._sending = True
        self._spans = [(stage.start_s, stage.end_s) for stage in header.layout.stages]
        self._situation = Situation(0.0, state="starting")

    def add(self, second: Second) -> Tick:
        """Fold the next second; what the timeline has of it."""
        if second.edited is not None:
            self.aggregate.replan(second.edited)
            self.judge.grow(self.aggregate.layout)
            self.layout = self.aggregate.layout
            self._spans = [(stage.start_s, stage.end_s) for stage in second.edited.stages]
        for delta in second.deltas:
            self.aggregate.fold(delta)
            self.judge.fold(delta)
            self.breaker.fold(delta)
        for worker in second.gone:
            self.aggregate.worker_gone(worker)
        tick = self.aggregate.second(second.situation)
        self.events.extend(second.events)
        self._hand(second.situation.by_hand)
        self.search = second.search or self.search
        self._situation = second.situation
        self.end_s = second.situation.t_s
        self._sending = self._sending and second.situation.state != "draining"
        self.sending_s = self.end_s if self._sending else self.sending_s
        seconds = measured(self.sending_s, self.layout.warmup_s, self._spans)
        self.judge.second(self.end_s, seconds, sending=self._sending, running=False)
        opens = second.situation.state == "running" and self.breaker.second(self.end_s)
        if opens and second.search is not None:  # it failed a level, and the search went on
            self.breaker.reset(self.end_s)
        return tick

    def snapshot(self) -> Snapshot:
        """The picture at the end of the last second, with all events that are kept."""
        events = tuple(self.events)
        picture = self.aggregate.snapshot(msgspec.structs.replace(self._situation, events=events))
        search = None if self.search is None else msgspec.convert(self.search, SearchState)
        return msgspec.structs.replace(
            picture, events=events, thresholds=self.judge.verdicts, breaker=self.breaker.state, search=search
        )

    def _hand(self, marks: Iterable[ByHand]) -> None:
        self.by_hand.update((mark.t_s, mark) for mark in marks)
        for t_s in list(self.by_hand)[:-KEPT]:
            del self.by_hand[t_s]

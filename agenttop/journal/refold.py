"""A run folded again from what its journal has of every second: for a summary, and for a replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from agenttop.journal.summarize import RunHeader
from agenttop.journal.verdicts import Span, breaker_of_file, measured, rules_of_file, still_sent
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import Delta
from agenttop.metrics.run_state import RunState
from agenttop.metrics.searched import SearchState
from agenttop.metrics.snapshot import KEPT_EVENTS, KEPT_MARKS, Edited, Event, ManualChange, Snapshot, StageInfo, Tick
from agenttop.thresholds.judge import Judge


class Second(msgspec.Struct, frozen=True):
    """One second: how things stood at its end, and what was new."""

    situation: RunState
    deltas: list[Delta]
    controls: list[dict[str, Any]] = []
    events: list[Event] = []
    gone: list[int] = []
    """Workers that were lost in it."""
    search: dict[str, Any] | None = None
    """How far a search for capacity had come, where a step of it was over."""
    edited: Edited | None = None
    """The plan, where it was edited in it."""
    spans: dict[int, Span] = {}
    """When stages were, of those for which that has changed in it: begin and end, in seconds since the run began."""
    sending_ended_s: float | None = None
    """When the sending ended, where it has."""


class Refold:
    """What the controller had in its hands, up to the last second that was added; of a run that is only looked at
    (``live_only``) no more than a picture needs.
    """

    def __init__(self, header: RunHeader, *, live_only: bool = False) -> None:
        self.layout = header.layout
        self.aggregate = Aggregate(header.layout, live_only=live_only)
        self.judge = Judge(rules_of_file(header.profile, header.layout), header.layout)
        self.breaker = breaker_of_file(header.profile)
        self._searches = "search" in header.profile
        self.events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self.by_hand: dict[float, ManualChange] = {}
        """The newest last, by the times they are known by."""
        self.end_s = 0.0
        """When the last second ended."""
        self.sending_s = 0.0
        """When requests were last sent."""
        self.search: dict[str, Any] | None = None
        """How far a search for capacity had come."""
        self.spans: dict[int, Span] = {}
        """When stages were; empty where the journal does not say."""
        self._sending_ended_s: float | None = None
        self._planned = _planned(header.layout.stages)
        self._situation = RunState(0.0, state="starting")

    def add(self, second: Second) -> Tick:
        """Fold the next second; what the timeline has of it."""
        if second.edited is not None:
            self.aggregate.replan(second.edited)
            self.judge.grow(self.aggregate.layout)
            self.layout = self.aggregate.layout
            self._planned = _planned(second.edited.stages)
        for delta in second.deltas:
            self.aggregate.fold(delta)
            self.judge.fold(delta)
            self.breaker.fold(delta)
        for worker in second.gone:
            self.aggregate.worker_gone(worker)
        tick = self.aggregate.second(second.situation)
        self.events.extend(second.events)
        self.search = second.search or self.search
        self._situation = second.situation
        self.end_s = second.situation.t_s
        self._spans_and_sending(second)
        self._keep(second.situation.by_hand)
        seconds = measured(self.sending_s, self.layout.warmup_s, self.stage_spans or self._planned)
        sending = still_sent(self.end_s, self.sending_s)
        self.judge.second(self.end_s, seconds, sending=sending, running=False)
        opens = second.situation.state == "running" and self.breaker.second(self.end_s)
        if self._searches and (opens or _failed_level(second.search)):
            self.breaker.reset(self.end_s)  # it says nothing of the level that follows
        return tick

    @property
    def stage_spans(self) -> list[Span | None] | None:
        """When each stage was, None of one that was not; None where the journal does not say."""
        return [self.spans.get(stage.index) for stage in self.layout.stages] if self.spans else None

    def snapshot(self) -> Snapshot:
        """The picture at the end of the last second, with all events that are kept."""
        events = tuple(self.events)
        picture = self.aggregate.snapshot(msgspec.structs.replace(self._situation, events=events))
        search = None if self.search is None else msgspec.convert(self.search, SearchState)
        return msgspec.structs.replace(
            picture, events=events, thresholds=self.judge.verdicts, breaker=self.breaker.state, search=search
        )

    def _keep(self, marks: Sequence[ManualChange]) -> None:
        """A second has the newest alone, and those that have grown again."""
        self.by_hand.update((mark.t_s, mark) for mark in marks)
        while len(self.by_hand) > KEPT_MARKS:
            del self.by_hand[next(iter(self.by_hand))]

    def _spans_and_sending(self, second: Second) -> None:
        self.spans.update(second.spans)
        if self._sending_ended_s is None:
            self._sending_ended_s = second.sending_ended_s
        if self._sending_ended_s is None and second.situation.state == "draining":
            self._sending_ended_s = self.sending_s  # a journal that does not say: to the second
        self.sending_s = self.end_s if self._sending_ended_s is None else self._sending_ended_s


def _failed_level(search: dict[str, Any] | None) -> bool:
    """Whether a level is over that does not hold."""
    return search is not None and bool(search["steps"]) and not search["steps"][-1]["holds"]


def _planned(stages: Sequence[StageInfo]) -> list[Span | None]:
    return [(stage.start_s, stage.end_s) for stage in stages]

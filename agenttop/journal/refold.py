"""A run folded again from what its journal has of every second: for a summary, and for a replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from agenttop.journal.figures import Figures, Span
from agenttop.journal.rules import rules_as_written
from agenttop.journal.summarize import RunHeader
from agenttop.metrics.delta import Delta
from agenttop.metrics.run_state import RunState
from agenttop.metrics.searched import SearchState
from agenttop.metrics.snapshot import KEPT_EVENTS, KEPT_MARKS, Edited, Event, ManualChange, Snapshot, StageInfo, Tick


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
        rules = header.rules if header.rules is not None else rules_as_written(header.profile, header.layout)
        self.figures = Figures(header.layout, rules, live_only=live_only)
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
        now = second.situation
        if second.edited is not None:
            self.figures.replan(second.edited)
            self._planned = _planned(second.edited.stages)
        for delta in second.deltas:
            self.figures.fold(delta)
        for worker in second.gone:
            self.figures.gone(worker)
        self.events.extend(second.events)
        self.search = second.search or self.search
        self._situation = now
        self.end_s = now.t_s
        self._spans_and_sending(second)
        self._keep(now.by_hand)
        # What ended the run was judged before it did: the second is of a run that went on.
        ended_s = None if now.state == "running" else self.sending_s
        spans = self.stage_spans or self._planned
        return self.figures.second(now, spans, sending_ended_s=ended_s, search=second.search).tick

    @property
    def stage_spans(self) -> list[Span | None] | None:
        """When each stage was, None of one that was not; None where the journal does not say."""
        stages = self.figures.aggregate.layout.stages
        return [self.spans.get(stage.index) for stage in stages] if self.spans else None

    def snapshot(self) -> Snapshot:
        """The picture at the end of the last second, with all events that are kept."""
        events = tuple(self.events)
        search = None if self.search is None else msgspec.convert(self.search, SearchState)
        picture = self.figures.snapshot(msgspec.structs.replace(self._situation, events=events), search)
        return msgspec.structs.replace(picture, events=events)

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


def _planned(stages: Sequence[StageInfo]) -> list[Span | None]:
    return [(stage.start_s, stage.end_s) for stage in stages]

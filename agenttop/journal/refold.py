"""Folds a run again from the seconds of its journal, for a summary or a replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from agenttop.journal.figures import Figures, Span
from agenttop.journal.rules import rules_as_written
from agenttop.journal.setups import with_setups
from agenttop.journal.summarize import RunHeader
from agenttop.metrics.delta import Delta
from agenttop.metrics.run_state import RunState
from agenttop.metrics.searched import SearchState
from agenttop.metrics.snapshot import KEPT_EVENTS, KEPT_MARKS, Edited, Event, ManualChange, Snapshot, StageInfo, Tick
from agenttop.quality.curve import JudgeUse
from agenttop.quality.score import Score


class Second(msgspec.Struct, frozen=True):
    """One second of the journal: the state at its end, and what was new."""

    situation: RunState
    deltas: list[Delta]
    controls: list[dict[str, Any]] = []
    events: list[Event] = []
    gone: list[int] = []
    """Workers that were lost in it."""
    search: dict[str, Any] | None = None
    """The summary's ``search`` so far, if a step of it was over."""
    edited: Edited | None = None
    """The plan, if it was edited in it."""
    spans: dict[int, Span] = {}
    """Begin and end, in seconds since the run began, of stages for which that has changed in it."""
    sending_ended_s: float | None = None
    """When the sending ended, in seconds since the run began, if it has."""
    answers: int = 0
    """Answers that were handed over to be graded in it."""
    scores: list[Score] = []
    """Of answers, also of earlier seconds."""
    judge: JudgeUse | None = None
    """What the judge has done so far, if that has changed."""


class Refold:
    """The state of a run as its controller had it at the end of the last second added; with ``live_only`` as much as a
    snapshot needs.
    """

    def __init__(self, header: RunHeader, *, live_only: bool = False) -> None:
        rules = header.rules if header.rules is not None else rules_as_written(header.profile, header.layout)
        layout = with_setups(header.layout, header.profile)
        self.figures = Figures(layout, rules, live_only=live_only, golden=header.golden, boxes=header.info.boxes)
        self.events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self.manual_changes: dict[float, ManualChange] = {}
        """Manual changes by the times that identify them, the newest last."""
        self.end_s = 0.0
        """When the last second ended, in seconds since the run began."""
        self.sending_s = 0.0
        """When requests were last sent, in seconds since the run began."""
        self.search: dict[str, Any] | None = None
        """The summary's ``search`` so far; None without a search."""
        self.spans: dict[int, Span] = {}
        """Begin and end of stages; empty if the journal does not say."""
        self._sending_ended_s: float | None = None
        self._planned = _planned(header.layout.stages)
        self._run_state = RunState(0.0, state="starting")

    def add(self, second: Second) -> Tick:
        """Fold the next second and return its tick."""
        now = second.situation
        if second.edited is not None:
            self.figures.replan(second.edited)
            self._planned = _planned(second.edited.stages)
        for delta in second.deltas:
            self.figures.fold(delta)
        for worker in second.gone:
            self.figures.gone(worker)
        self.figures.graded(second.answers, second.scores, second.judge)
        self.events.extend(second.events)
        self.search = second.search or self.search
        self._run_state = now
        self.end_s = now.t_s
        self._spans_and_sending(second)
        self._keep(now.by_hand)
        # What ended the run was judged before it did: the second is of a run that went on.
        ended_s = None if now.state == "running" else self.sending_s
        spans = self.stage_spans or self._planned
        return self.figures.second(now, spans, sending_ended_s=ended_s, search=second.search).tick

    @property
    def stage_spans(self) -> list[Span | None] | None:
        """Return begin and end of each stage, None for one that was not; None if the journal does not say."""
        stages = self.figures.aggregate.layout.stages
        return [self.spans.get(stage.index) for stage in stages] if self.spans else None

    def snapshot(self) -> Snapshot:
        """Return the snapshot at the end of the last second, with all events that are kept."""
        events = tuple(self.events)
        search = None if self.search is None else msgspec.convert(self.search, SearchState)
        picture = self.figures.snapshot(msgspec.structs.replace(self._run_state, events=events), search)
        return msgspec.structs.replace(picture, events=events)

    def _keep(self, marks: Sequence[ManualChange]) -> None:
        """Keep the manual changes of a second: it has only the newest, and those that have grown."""
        self.manual_changes.update((mark.t_s, mark) for mark in marks)
        while len(self.manual_changes) > KEPT_MARKS:
            del self.manual_changes[next(iter(self.manual_changes))]

    def _spans_and_sending(self, second: Second) -> None:
        self.spans.update(second.spans)
        if self._sending_ended_s is None:
            self._sending_ended_s = second.sending_ended_s
        if self._sending_ended_s is None and second.situation.state == "draining":
            self._sending_ended_s = self.sending_s  # a journal that does not say: to the second
        self.sending_s = self.end_s if self._sending_ended_s is None else self._sending_ended_s


def _planned(stages: Sequence[StageInfo]) -> list[Span | None]:
    return [(stage.start_s, stage.end_s) for stage in stages]

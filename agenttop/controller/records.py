"""What a run leaves behind: its journal while it goes, its summary when it is over."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from agenttop.controller.spec import RunSpec
from agenttop.exits import DONE, FAILED
from agenttop.journal.journal import JournalWriter
from agenttop.journal.places import SUMMARY
from agenttop.journal.summarize import build_summary, run_header
from agenttop.journal.verdicts import Span
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.compact import compact
from agenttop.metrics.delta import Delta
from agenttop.metrics.run_state import RunState
from agenttop.metrics.snapshot import KEPT_EVENTS, Edited, Event, ManualChange, RunInfo
from agenttop.report.summary import write_summary
from agenttop.steering.plan import Plan, written_stages


@dataclass(slots=True)
class _New:
    """What the journal has not taken."""

    deltas: list[Delta] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    spans: dict[int, Span] = field(default_factory=dict)


class Records:
    """The records of one run.

    Raises:
        OSError: the journal cannot be begun.
    """

    def __init__(self, spec: RunSpec, plan: Plan, aggregate: Aggregate) -> None:
        self._spec = spec
        self._aggregate = aggregate
        self._layout = plan.layout
        profile, layout, limit = spec.profile, plan.layout, spec.limit_s
        self._info = RunInfo(
            run_id=spec.run_id,
            name=profile.name or Path(spec.profile_name).stem,
            profile=spec.profile_name,
            target=str(spec.masked.get("target", "")),
            started_at=_now(),
            duration_s=plan.duration_s if limit is None else min(limit, plan.duration_s),
            warmup_s=profile.warmup,
            stages=layout.stages,
            pools=tuple(info.name for info in layout.pools),
            seed=profile.seed,
            workers=spec.workers,
            directory=spec.directory,
        )
        header = run_header(self._info, layout, spec.masked, spec.sha256)
        durations_s = tuple(stage.duration for stage in written_stages(profile))
        self._header = replace(header, references=spec.references, folder=spec.folder, durations_s=durations_s)
        self._journal = JournalWriter(spec.directory, self._header)
        self._controls_written = 0
        self._edited: Edited | None = None
        """Not written yet."""
        self._new = _New()
        self._unwritten = ""
        """Why the journal has not taken the last second."""

    def describe(self, events: Iterable[Event], by_hand: tuple[ManualChange, ...] = ()) -> RunInfo:
        """What a viewer is told first: the timeline, ``events`` and what was done ``by_hand`` so far in it."""
        history = self._aggregate.timeline.overview()
        return replace(self._info, history=history, events=tuple(events), by_hand=by_hand)

    def begin_anew(self) -> None:
        """The run begins now, and not when it was armed.

        Raises:
            OSError: the journal cannot be written.
        """
        now = _now()
        self._info = replace(self._info, started_at=now)
        self._header = replace(self._header, info=replace(self._header.info, started_at=now))
        self._journal.begin_anew(self._header)

    def replan(self, edited: Edited) -> None:
        """The plan was edited: viewers who come late are told, and the journal is with the next second."""
        self._edited = edited
        self._info = edited.of(self._info)

    def second(
        self,
        situation: RunState,
        deltas: Sequence[Delta],
        *,
        controls: Sequence[Mapping[str, Any]],
        events: Sequence[Event],
        gone: Sequence[int],
        search: Mapping[str, Any] | None = None,
        spans: Mapping[int, Span] | None = None,
        sending_ended_s: float | None = None,
    ) -> None:
        """Append a second. ``controls`` are all so far; the rest is new.

        Raises:
            OSError: it cannot be written.
        """
        late = self._new
        new = _New(
            [*late.deltas, *deltas], [*late.events, *events], [*late.gone, *gone], {**late.spans, **(spans or {})}
        )
        try:
            self._journal.second(
                situation,
                new.deltas,
                controls=controls[self._controls_written :],
                events=new.events,
                gone=new.gone,
                search=search,
                edited=self._edited,
                spans=new.spans,
                sending_ended_s=sending_ended_s,
            )
        except OSError as error:
            self._unwritten = error.strerror or str(error)
            # The next one has it as well, so that nothing is lost but in which second it was.
            self._new = _New(compact(new.deltas), new.events[-KEPT_EVENTS:], new.gone, new.spans)
            raise
        self._new = _New()
        self._unwritten = ""
        self._controls_written = len(controls)
        self._edited = None

    def finish(
        self,
        *,
        duration_s: float,
        sending_ended_s: float,
        stop_reason: str,
        exit_code: int,
        stage_spans: Sequence[tuple[float, float] | None],
        controls: Sequence[Mapping[str, Any]],
        thresholds: Sequence[Mapping[str, Any]],
        search: Mapping[str, Any] | None = None,
        message: str,
    ) -> Finished:
        """Write the summary to the run's directory and to where the user wants it. What cannot be written is said, and
        a run that would be done has failed for it.
        """
        summary = build_summary(
            self._aggregate,
            self._header,
            duration_s=duration_s,
            sending_ended_s=sending_ended_s,
            stop_reason=stop_reason,
            exit_code=exit_code,
            ended_at=_now(),
            stage_spans=stage_spans,
            controls=controls,
            thresholds=thresholds,
            search=search,
        )
        summary["generator"]["warnings"] += self._spec.warnings
        end = _End(summary, message, exit_code)
        if self._unwritten:
            end.lacks.append(f"the end of the run is not in its journal: {self._unwritten}")
        own, out = os.path.join(self._spec.directory, SUMMARY), self._spec.out
        # The run's own last: it has what became of the other one.
        elsewhere = out is not None and end.write(out)
        kept = end.write(own)
        if out is not None and elsewhere and not kept:
            end.write(out)
        self._journal.close()
        return Finished(own if kept else "", end.message, end.exit_code)


class Finished(NamedTuple):
    """What became of the records: the path of the summary, empty where it could not be written; what is to be said; the
    exit code.
    """

    path: str
    message: str
    exit_code: int


class _End:
    """A summary on its way to files, with what could not be done so far in it."""

    def __init__(self, summary: dict[str, Any], message: str, exit_code: int) -> None:
        self._summary = summary
        self._said = message
        self._exit_code = exit_code
        self.lacks: list[str] = []
        """What was asked for and could not be done."""

    @property
    def message(self) -> str:
        return "; ".join(text for text in (self._said, *self.lacks) if text)

    @property
    def exit_code(self) -> int:
        return self._exit_code or (FAILED if self.lacks else DONE)

    def write(self, place: str) -> bool:
        """Write it, and note where that cannot be."""
        self._summary["run"]["exit_code"] = self.exit_code
        if self.message:
            self._summary["run"]["message"] = self.message
        try:
            write_summary(place, self._summary)
        except OSError as error:
            self.lacks.insert(0, f"cannot write the summary to {place}: {error.strerror}")
            return False
        return True


def _now() -> str:
    """RFC 3339, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

"""Writes what a run leaves behind: its journal while it goes, its summary when it is over."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from agenttop.controller.ending import End
from agenttop.controller.gating import gated
from agenttop.controller.spec import RunSpec
from agenttop.journal.answers import FILE_NAME, AnswersWriter
from agenttop.journal.figures import Figures, Span
from agenttop.journal.journal import JournalWriter
from agenttop.journal.places import SUMMARY
from agenttop.journal.summarize import build_summary, run_header
from agenttop.journal.verdicts import summed
from agenttop.metrics.compact import compact
from agenttop.metrics.delta import Delta
from agenttop.metrics.run_state import RunState
from agenttop.metrics.snapshot import KEPT_EVENTS, Edited, Event, ManualChange, RunInfo
from agenttop.quality.answer import Answer
from agenttop.quality.curve import JudgeUse
from agenttop.quality.score import Score
from agenttop.report.summary import write_summary
from agenttop.steering.plan import Plan, written_stages


@dataclass(slots=True)
class _New:
    """What is not yet in the journal."""

    deltas: list[Delta] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    spans: dict[int, Span] = field(default_factory=dict)
    search: Mapping[str, Any] | None = None
    edited: Edited | None = None
    answers: int = 0
    scores: list[Score] = field(default_factory=list)
    judge: JudgeUse | None = None


class Records:
    """The records of one run; nothing is written before :meth:`open`."""

    def __init__(self, spec: RunSpec, plan: Plan, figures: Figures) -> None:
        self._spec = spec
        self._figures = figures
        self._layout = plan.layout
        profile, layout = spec.profile, plan.layout
        self._info = RunInfo(
            run_id=spec.run_id,
            name=profile.name or Path(spec.profile_name).stem,
            profile=spec.profile_name,
            target=str(spec.masked.get("target", "")),
            started_at=_now(),
            duration_s=self._lasts_s(plan),
            warmup_s=profile.warmup,
            stages=layout.stages,
            pools=tuple(info.name for info in layout.pools),
            seed=profile.seed,
            workers=spec.workers,
            directory=spec.directory,
            boxes=spec.boxes,
        )
        rules = figures.rules.writable(spec.references)
        golden = None if figures.quality is None else figures.quality.golden
        header = run_header(self._info, layout, spec.masked, spec.sha256, rules, golden)
        durations_s = tuple(stage.duration for stage in written_stages(profile))
        self._header = replace(header, references=spec.references, folder=spec.folder, durations_s=durations_s)
        self._journal: JournalWriter | None = None
        self._answers = AnswersWriter(spec.directory)
        self._controls_written = 0
        self._new = _New()
        self._unwritten = ""
        """Why the last second is not in the journal; empty if it is."""

    def open(self) -> None:
        """Begin the journal.

        Raises:
            OSError: it cannot be.
        """
        self._journal = JournalWriter(self._spec.directory, self._header)

    def info(self) -> RunInfo:
        """Return the run as it is planned now."""
        return self._info

    def describe(self, events: Iterable[Event], by_hand: tuple[ManualChange, ...] = ()) -> RunInfo | None:
        """Return the first message to a viewer; None before the journal is open.

        It has the timeline, ``events`` and manual changes (``by_hand``) so far.
        """
        if self._journal is None:
            return None
        aggregate = self._figures.aggregate
        history, pasts = aggregate.timeline.overview(), aggregate.trends.told()
        return replace(self._info, history=history, events=tuple(events), by_hand=by_hand, pasts=pasts)

    def begin_anew(self) -> None:
        """Note that the load begins now, and not when the run was launched or armed.

        Raises:
            OSError: the journal cannot be written.
        """
        now = _now()
        self._info = replace(self._info, started_at=now)
        self._header = replace(self._header, info=replace(self._header.info, started_at=now))
        assert self._journal is not None
        self._journal.begin_anew(self._header)

    def replan(self, plan: Plan) -> Edited:
        """Take an edited plan, for viewers that come late and for the next second of the journal; return the edit."""
        edited = Edited(plan.layout.stages, self._lasts_s(plan))
        self._new.edited = edited
        self._info = edited.of(self._info)
        return edited

    def fold(self, delta: Delta) -> None:
        """Take what is new on one worker, for the second that is written next."""
        self._new.deltas.append(delta)

    def gone(self, worker: int) -> None:
        """Take the loss of a worker, for the second that is written next."""
        self._new.gone.append(worker)

    @property
    def answers_unwritten(self) -> str:
        """Return how many graded answers are not written down, and why; empty if all are."""
        count = self._answers.unwritten
        return f"{count} graded answers are not in {FILE_NAME}: {self._answers.why}" if count else ""

    def answers(self, answers: Iterable[Answer]) -> tuple[bool, str]:
        """Write graded answers. Return whether they could be, and why not, once for every reason."""
        before, unwritten = self._answers.why, self._answers.unwritten
        self._answers.append(answers)
        why = self._answers.why
        told = "" if why == before else f"graded answers cannot be written: {why}"
        return self._answers.unwritten == unwritten, told

    def graded(self, answers: int, scores: Iterable[Score], judge: JudgeUse | None) -> None:
        """Take what is new about grading, for the second that is written next."""
        self._new.answers += answers
        self._new.scores += scores
        self._new.judge = judge or self._new.judge

    def second(
        self,
        run_state: RunState,
        *,
        controls: Sequence[Mapping[str, Any]],
        events: Sequence[Event],
        search: Mapping[str, Any] | None = None,
        spans: Mapping[int, Span] | None = None,
        sending_ended_s: float | None = None,
    ) -> str:
        """Append a second. ``controls`` are all so far; ``events``, ``search`` and ``spans`` are what is new.

        Returns:
            Why it cannot be written, once for every reason; empty where it was. What could not be is with the next one,
            so that nothing is lost but in which second it was.
        """
        assert self._journal is not None
        new = self._new
        new.events += events
        new.spans.update(spans or {})
        new.search = search or new.search
        try:
            self._journal.second(
                run_state,
                new.deltas,
                controls=controls[self._controls_written :],
                events=new.events,
                gone=new.gone,
                search=new.search,
                edited=new.edited,
                spans=new.spans,
                sending_ended_s=sending_ended_s,
                answers=new.answers,
                scores=new.scores,
                judge=new.judge,
            )
        except OSError as error:
            # It may be full for long: what waits is kept small.
            new.deltas, new.events = compact(new.deltas), new.events[-KEPT_EVENTS:]
            before, self._unwritten = self._unwritten, error.strerror or str(error)
            return self._unwritten if self._unwritten != before else ""
        self._new = _New()
        self._unwritten = ""
        self._controls_written = len(controls)
        self._unwritten = ""
        return ""

    def summary(
        self,
        *,
        duration_s: float,
        sending_ended_s: float,
        end: End,
        stage_spans: Sequence[Span | None],
        controls: Sequence[Mapping[str, Any]],
        search: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the summary of the run as things stand."""
        return build_summary(
            self._figures.aggregate,
            self._header,
            duration_s=duration_s,
            sending_ended_s=sending_ended_s,
            stop_reason=end.stop_reason,
            exit_code=end.exit_code,
            ended_at=_now(),
            stage_spans=stage_spans,
            controls=controls,
            thresholds=summed(self._figures.judge.verdicts),
            quality=None if self._figures.quality is None else self._figures.quality.summary(),
            search=search,
            assessor=self._figures.assessor,
        )

    def finish(self, summary: dict[str, Any], end: End) -> tuple[str, End]:
        """Write the summary to the run's directory and to where the user wants it.

        Returns:
            Its path, empty where it could not be written, and the end with what could not be done in it.
        """
        assert self._journal is not None
        summary["gate"], end = gated(self._spec, summary, end)
        summary["generator"]["warnings"] += self._spec.warnings
        outlet = _Outlet(summary, end)
        if self._unwritten:
            outlet.lacks.append(f"the end of the run is not in its journal: {self._unwritten}")
        own, out = os.path.join(self._spec.directory, SUMMARY), self._spec.out
        # The run's own last: it has what became of the other one.
        elsewhere = out is not None and outlet.write(out)
        for path in self._spec.reports:
            outlet.report(path)
        kept = outlet.write(own)
        if out is not None and elsewhere and not kept:
            outlet.write(out)
        self._journal.close()
        self._answers.close()
        return own if kept else "", outlet.end

    def _lasts_s(self, plan: Plan) -> float:
        """Return how long the run will last, in seconds."""
        limit_s = self._spec.limit_s
        return plan.duration_s if limit_s is None else min(limit_s, plan.duration_s)


class _Outlet:
    """A summary on its way to files, with what could not be done so far in it."""

    def __init__(self, summary: dict[str, Any], end: End) -> None:
        self._summary = summary
        self._end = end
        self.lacks: list[str] = []
        """What was asked for and could not be done."""

    @property
    def end(self) -> End:
        """Return the run's end as things stand."""
        return self._end.lacking(self.lacks)

    def write(self, place: str) -> bool:
        """Write it and return True; note where that cannot be, and return False."""
        self._settle()
        try:
            write_summary(place, self._summary)
        except OSError as error:
            self.lacks.insert(0, f"cannot write the summary to {place}: {error.strerror}")
            return False
        return True

    def report(self, place: str) -> None:
        """Write a report of it, or note why that cannot be."""
        self._settle()
        try:
            from agenttop.journal.beside import write_run  # not imported by runs that are asked for no report

            write_run(place, self._summary["run"]["directory"], self._summary)
        except OSError as error:
            self.lacks.append(f"cannot write the report to {place}: {error.strerror}")
        except Exception as error:  # a run does not fail for how it is told
            self.lacks.append(f"cannot write the report to {place}: {type(error).__name__}: {error}")

    def _settle(self) -> None:
        """Put the end as things stand into the summary."""
        end = self.end
        self._summary["run"]["exit_code"] = end.exit_code
        if end.message:
            self._summary["run"]["message"] = end.message


def _now() -> str:
    """Return the time in RFC 3339, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

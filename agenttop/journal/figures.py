"""Makes a run's figures: folds what its workers report, judges it, and draws snapshots.

The controller holds one while the run goes on, and whoever folds its journal again another: what is seen live is what a
replay shows. It stands here and not beside the controller because a journal is what makes the same figures twice. A
second is closed in this order:

    aggregate  ─►  verdict  ─►  thresholds, one of which may end the run  ─►  circuit breaker, of a run that goes on
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from agenttop.journal.rules import Rules
from agenttop.journal.stage_board import StageBoard
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.assessment import Assessment
from agenttop.metrics.boxes import BoxInfo
from agenttop.metrics.delta import Delta
from agenttop.metrics.layout import Layout
from agenttop.metrics.run_state import RunState
from agenttop.metrics.searched import SearchState
from agenttop.metrics.snapshot import Edited, Snapshot, Tick, Verdict
from agenttop.quality.brief import Golden
from agenttop.quality.curve import Curve, JudgeUse
from agenttop.quality.score import Score
from agenttop.thresholds.breaker import Breaker
from agenttop.thresholds.judge import Judge, Seconds
from agenttop.verdict.assessor import Assessor
from agenttop.verdict.observe import names_of, second_of

#: Begin and end of a stage, in seconds since the run began.
Span = tuple[float, float]
#: A controller looks at the clock so often: the end of the sending is late by so much at most.
STEP_S = 0.05


@dataclass(frozen=True, slots=True)
class Closed:
    """The result of closing a second."""

    tick: Tick
    """The second's tick in the timeline."""
    failed: list[Verdict]
    """Thresholds that fail now and did not before."""
    aborting: Verdict | None
    """The threshold that ends the run; None if none does."""
    opens: bool
    """The circuit breaker opens: it ends the run, or fails the level of a search."""
    verdict: Assessment | None = None
    """The verdict on the target, if its state has changed."""


class Figures:
    """The figures of one run up to now.

    Args:
        layout: of the run.
        rules: it is judged by.
        live_only: there will be no summary, only pictures (see :class:`.Aggregate`).
        golden: its golden set; None where nothing is graded.
        boxes: of a fleet.

    Raises:
        UnknownTagError: a rule names a pool, request or stage that the layout does not have.
    """

    def __init__(
        self,
        layout: Layout,
        rules: Rules,
        *,
        live_only: bool = False,
        golden: Golden | None = None,
        boxes: Sequence[BoxInfo] = (),
    ) -> None:
        self.rules = rules
        self.aggregate = Aggregate(layout, live_only=live_only, boxes=boxes)
        self.quality = None if golden is None else Curve(golden)
        self.judge = Judge(rules.thresholds, layout, None if self.quality is None else self.quality.figure)
        self.breaker = Breaker(rules.breaker)
        self.assessor = Assessor(names_of(layout))
        self.stages = StageBoard()
        self._ahead: list[Delta] = []
        """Told already, of seconds that are still to be judged."""

    def fold(self, delta: Delta) -> None:
        """Take what is new on one worker.

        Raises:
            IndexError: it speaks of a pool, request or stage the layout does not have.
        """
        self.aggregate.fold(delta)
        self._ahead.append(delta)

    def graded(self, answers: int, scores: Sequence[Score], judge: JudgeUse | None = None) -> None:
        """Take how many answers more are there to be graded, new scores, and what the judge has done so far."""
        if self.quality is None:
            return
        if answers:
            self.quality.asked(answers)
        if scores:
            self.quality.take(scores)
        if judge is not None:
            self.quality.judged(judge)

    def gone(self, worker: int) -> None:
        """Forget a lost worker's users and requests in flight; what it has counted stays."""
        self.aggregate.worker_gone(worker)

    def replan(self, edited: Edited) -> None:
        """Take an edited plan: there are more stages from now on."""
        self.aggregate.replan(edited)
        self.judge.grow(self.aggregate.layout)

    def second(
        self,
        now: RunState,
        spans: Sequence[Span | None],
        *,
        sending_ended_s: float | None = None,
        search: Mapping[str, Any] | None = None,
    ) -> Closed:
        """Close a second and judge it.

        Args:
            now: how things stand at its end.
            spans: when each stage was; None of one that was not.
            sending_ended_s: when the sending ended, where it has.
            search: the summary's, where a level was over in this second.
        """
        before = self.aggregate.timeline.last
        tick = self.aggregate.second(now)
        verdict = self.assessor.second(second_of(self.aggregate, now, now.t_s - (before.t_s if before else 0.0)))
        ahead, self._ahead = self._ahead, []
        for delta in ahead:
            if delta.second is not None and delta.second >= now.t_s:
                self._ahead.append(delta)
                continue
            end_s = None if delta.second is None else min(delta.second + 1.0, now.t_s)
            self.judge.fold(delta, end_s)
            self.breaker.fold(delta, end_s)
        end_s = now.t_s if sending_ended_s is None else sending_ended_s
        running = now.state == "running" and now.alive > 0
        self.stages.second(tick, spans, self.aggregate.layout.warmup_s, sending_ended_s)
        seconds = measured(end_s, self.aggregate.layout.warmup_s, spans)
        failed = self.judge.second(now.t_s, seconds, sending=still_sent(now.t_s, end_s), running=running)
        aborting = self.judge.aborting if running else None
        opens = running and aborting is None and self.breaker.second(now.t_s)
        if self.rules.by_level and (opens or level_failed(search)):
            # How a level failed is nothing against the one that follows: not even in the second they share.
            opens = opens and not level_failed(search)
            self.breaker.reset(now.t_s)
        return Closed(tick, failed, aborting, opens, verdict)

    def snapshot(self, now: RunState, search: SearchState | None = None) -> Snapshot:
        """Return the snapshot for viewers; right after :meth:`second` it shows exactly that second."""
        picture = self.aggregate.snapshot(now)
        quality = None if self.quality is None else self.quality.state
        return replace(
            picture,
            thresholds=self.judge.verdicts,
            breaker=self.breaker.state,
            search=search,
            quality=quality,
            verdict=self.assessor.now,
            stage_rows=self.stages.rows(self.aggregate, self.assessor),
        )


def measured(end_s: float, warmup_s: float, spans: Sequence[Span | None]) -> Seconds:
    """Return a function for the measured seconds up to ``end_s``, when the sending ended, or now; ``spans`` are of
    stages.
    """

    def seconds(stages: frozenset[int] | None) -> float:
        if stages is None:
            return max(0.0, end_s - warmup_s)
        found = [span for index in stages if (span := spans[index]) is not None]
        return sum(max(0.0, min(end, end_s) - max(start, warmup_s)) for start, end in found)

    return seconds


def still_sent(t_s: float, sending_ended_s: float) -> bool:
    """Return whether requests were still sent in the second that ends at ``t_s``, or at its very end."""
    return t_s <= sending_ended_s + STEP_S


def level_failed(search: Mapping[str, Any] | None) -> bool:
    """Return whether the last level that is over in a summary's ``search`` does not hold, and another follows."""
    if search is None or not search["steps"] or search.get("stopped"):
        return False
    return not search["steps"][-1]["holds"]

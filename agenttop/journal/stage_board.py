"""The table of stages of a run that goes on: the rows of its report, as of the last second that was closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.phases import MAX_STAGES_TOLD
from agenttop.metrics.snapshot import StageInfo, StageRow, Tick
from agenttop.report.phases import Driven, load_words
from agenttop.report.stages import stage_rows
from agenttop.verdict.assessor import Assessor

#: A stage that nothing was sent in for so long is over, though no other of its pool has followed.
QUIET_S = 1.0


class StageBoard:
    """What rows are made of besides what was counted. Of more than are told live the first stage stays, and the newest.

    Times are seconds since the run began.
    """

    def __init__(self) -> None:
        self._driven: dict[int, Driven] = {}
        self._spans: dict[int, tuple[float, float]] = {}
        self._end_s = self._warmup_s = 0.0
        self._sending = True
        self._figures: dict[int, tuple[tuple[int, float], Mapping[str, Any]]] = {}
        """By stage what its figures were made of, and they: those of stages that are over do not change any more."""

    def second(
        self,
        tick: Tick,
        spans: Sequence[tuple[float, float] | None],
        warmup_s: float,
        sending_ended_s: float | None = None,
    ) -> None:
        """Take a second that was closed.

        Args:
            tick: of it.
            spans: begin and end of each stage; None of one that was not.
            warmup_s: end of the warm-up.
            sending_ended_s: when the sending ended; None while it goes on.
        """
        self._sending, self._warmup_s = sending_ended_s is None, warmup_s
        self._end_s = tick.t_s if sending_ended_s is None else sending_ended_s
        begun = ((index, span) for index, span in enumerate(spans) if span is not None)
        self._spans = {index: span for index, span in begun if span[0] < self._end_s}
        if tick.stage >= 0 and tick.t_s > warmup_s:
            self._driven.setdefault(tick.stage, Driven()).add(tick.target, manual=tick.manual)

    def rows(self, aggregate: Aggregate, assessor: Assessor) -> tuple[StageRow, ...]:
        """Return the rows of the stages that had requests, in the order of the summary.

        The state of a stage that goes on is that of now: it may change.
        """
        stages = aggregate.layout.stages
        groups = {pool: at for at, pool in enumerate(dict.fromkeys(stage.pool for stage in stages))}
        there = [stage for stage in stages if aggregate.stage_count(stage.index)]
        there.sort(key=lambda stage: (groups[stage.pool], stage.start_s, stage.index))
        if len(there) > MAX_STAGES_TOLD:
            there = [there[0], *there[1 - MAX_STAGES_TOLD :]]
        going = sorted(filter(self._goes_on, stages), key=self._begin_s)
        present = {stage.pool: stage.index for stage in going}.values()  # of each pool the last to begin
        found = [self._stage(stage, aggregate) for stage in there]
        for stage in found:
            stage["over"] = stage["index"] not in present
            now = {"state": assessor.now.state}
            stage["verdict"] = assessor.record.of_stage(stage["index"]) if stage["over"] else now
        return tuple(stage_rows(found, self._load))

    def _begin_s(self, stage: StageInfo) -> float:
        return self._spans.get(stage.index, (-1.0, -1.0))[0]

    def _goes_on(self, stage: StageInfo) -> bool:
        """Return whether a stage may be the present one of its pool."""
        return self._sending and self._spans.get(stage.index, (0.0, -QUIET_S))[1] >= self._end_s - QUIET_S

    def _stage(self, stage: StageInfo, aggregate: Aggregate) -> dict[str, Any]:
        """Return of the summary's stage what a row is made of."""
        start_s, end_s = self._spans.get(stage.index, (0.0, 0.0))
        measured_s = max(0.0, min(end_s, self._end_s) - max(start_s, self._warmup_s))
        key = (aggregate.stage_count(stage.index), measured_s)
        known = self._figures.get(stage.index)
        if known is None or known[0] != key:
            known = self._figures[stage.index] = key, aggregate.stage_figures(stage.index, measured_s)
        return {
            "index": stage.index,
            "name": stage.name,
            "pool": stage.pool,
            "unit": stage.unit,
            "target_start": stage.target_start,
            "target_end": stage.target_end,
            **known[1],
        }

    def _load(self, stage: Mapping[str, Any]) -> tuple[float, str]:
        return load_words(stage, self._driven.get(stage["index"], Driven()))

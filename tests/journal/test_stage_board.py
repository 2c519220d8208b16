"""Tests of agenttop.journal.stage_board: what the screen says of stages is what the report says."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from agenttop.journal.figures import Figures
from agenttop.journal.rules import Rules
from agenttop.journal.summarize import build_summary, run_header
from agenttop.metrics.delta import LeafDelta
from agenttop.metrics.phases import MAX_STAGES_TOLD
from agenttop.metrics.snapshot import Edited, StageInfo, StageRow
from agenttop.report.stages import rows_of
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=50, warmup_s=4.0, storm=(20, 25))


def followed(run: FakeRun, seconds: int, *, ended_s: float | None = None, manual: bool = False) -> Figures:
    """The figures of a run as its controller had them at the end of a second."""
    figures = Figures(run.layout, Rules())
    for second in range(1, seconds + 1):
        for delta in run.deltas(second):
            figures.fold(delta)
        now = run.situation(second)
        if manual:
            now = msgspec.structs.replace(now, target_users=33, manual=("all",))
        spans = [
            (stage.start_s, min(stage.end_s, second + 0.03)) if stage.start_s < second else None
            for stage in figures.aggregate.layout.stages
        ]
        figures.second(now, spans, sending_ended_s=ended_s)
    return figures


def live(figures: Figures, run: FakeRun, second: int) -> tuple[StageRow, ...]:
    return figures.snapshot(run.situation(second)).stage_rows


def reported(figures: Figures, run: FakeRun, ended_s: float) -> list[StageRow]:
    """The rows of a report that is written now."""
    layout = figures.aggregate.layout
    spans = [(stage.start_s, min(stage.end_s, ended_s)) if stage.start_s < ended_s else None for stage in layout.stages]
    summary = build_summary(
        figures.aggregate, run_header(run.info(), run.layout, {}, "0" * 64),
        duration_s=ended_s, sending_ended_s=ended_s, stop_reason="completed", exit_code=0,
        stage_spans=spans, assessor=figures.assessor,
    )  # fmt: skip
    return rows_of(summary)


@pytest.mark.parametrize("seconds", [9, 25, 50])
@pytest.mark.parametrize("manual", [False, True])
def test_they_are_the_rows_of_a_report_written_now(seconds: int, manual: bool) -> None:
    figures = followed(RUN, seconds, manual=manual)
    rows, of_report = live(figures, RUN, seconds), reported(figures, RUN, float(seconds))
    assert len(rows) == {9: 1, 25: 2, 50: 3}[seconds]
    for row, other in zip(rows, of_report, strict=True):
        assert msgspec.structs.replace(row, state="", over=True) == msgspec.structs.replace(other, state="")
    assert {row.load for row in rows} == {"33 users"} if manual else rows[0].load.endswith(" users")


def test_the_percentiles_are_of_all_counts_of_the_stage() -> None:
    figures = followed(RUN, 50)
    _, hold, _ = live(figures, RUN, 50)
    latency = figures.aggregate.stage(1).hist("latency")
    assert hold.samples == latency.count
    assert hold.p95_ms == pytest.approx((latency.percentile(95) or 0) / 1000)
    assert hold.rps == pytest.approx(hold.requests / 30, abs=1e-5)


def test_the_present_stage_is_not_over_and_its_rate_is_of_the_time_so_far() -> None:
    figures = followed(RUN, 25)
    ramp, hold = live(figures, RUN, 25)
    assert (ramp.over, hold.over) == (True, False)
    assert hold.rps == pytest.approx(hold.requests / 15, abs=1e-5)
    assert hold.state == figures.assessor.now.state, "of one that goes on that of now"
    assert ramp.state == (figures.assessor.record.of_stage(0) or {})["state"]
    assert all(row.over for row in live(followed(RUN, 25, ended_s=24.5), RUN, 25)), "nothing is sent any more"


def test_the_stages_of_pools_go_on_beside_each_other() -> None:
    ramp, hold, drain = RUN.layout.stages
    stages = (replace_stage(ramp, pool="chat"), replace_stage(hold, pool="tools", start_s=0.0, end_s=50.0), drain)
    run = FakeRun(seconds=50, storm=None)
    run.layout = msgspec.structs.replace(RUN.layout, stages=stages, warmup_s=0.0)
    rows = live(followed(run, 9), run, 9)
    assert [row.over for row in rows] == [False]
    figures = followed(run, 30)
    assert [(row.name, row.over) for row in live(figures, run, 30)] == [("chat/ramp", True), ("tools/hold", False)]


def replace_stage(stage: StageInfo, **changes: object) -> StageInfo:
    return msgspec.structs.replace(stage, name=f"{changes['pool']}/{stage.name}", **changes)


def test_an_edited_plan_is_told_in_its_order() -> None:
    figures = followed(RUN, 15)
    ramp, hold, drain = RUN.layout.stages
    new = StageInfo(3, "more", 12.0, 40.0, 60.0, 60.0, "users")
    stages = (ramp, msgspec.structs.replace(hold, end_s=12.0), msgspec.structs.replace(drain, dropped=True), new)
    figures.replan(Edited(stages, 40.0))
    for delta in RUN.deltas(16):
        leaves = [leaf_in(leaf, 3) for leaf in delta.leaves]
        figures.fold(msgspec.structs.replace(delta, leaves=leaves))
    now = msgspec.structs.replace(RUN.situation(16), stage=3)
    figures.second(now, [(0.0, 10.0), (10.0, 12.0), None, (12.0, 16.03)])
    rows = figures.snapshot(now).stage_rows
    assert [(row.stage, row.name, row.over) for row in rows] == [
        (0, "ramp", True),
        (1, "hold", True),
        (3, "more", False),
    ]


def leaf_in(leaf: LeafDelta, stage: int) -> LeafDelta:
    return msgspec.structs.replace(leaf, stage=stage)


def test_of_very_many_the_first_and_the_newest_are_told() -> None:
    run = FakeRun(seconds=40, storm=None)
    stages = tuple(StageInfo(at, f"s{at}", float(at), at + 1.0, 20.0, 20.0, "users") for at in range(40))
    run = replace(run)
    run.layout = msgspec.structs.replace(run.layout, stages=stages)
    figures = Figures(run.layout, Rules())
    for second in range(1, 41):
        for delta in RUN.deltas(min(second + 5, 48)):
            figures.fold(msgspec.structs.replace(delta, leaves=[leaf_in(leaf, second - 1) for leaf in delta.leaves]))
        spans = [(stage.start_s, stage.end_s) if stage.start_s < second else None for stage in stages]
        figures.second(msgspec.structs.replace(run.situation(second), stage=second - 1), spans)
    rows = live(figures, run, 40)
    assert [row.stage for row in rows] == [0, *range(41 - MAX_STAGES_TOLD, 40)]

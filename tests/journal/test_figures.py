"""What is seen live is what a replay shows: one class holds the figures of both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from agenttop.journal.figures import Figures, Span, level_failed
from agenttop.journal.journal import JournalWriter, rebuild
from agenttop.journal.playback import Playback
from agenttop.journal.rules import Rules
from agenttop.journal.summarize import run_header
from agenttop.journal.verdicts import summed
from agenttop.metrics.searched import SearchState, SearchStep
from agenttop.metrics.snapshot import BreakerState, Edited, StageInfo, Verdict
from agenttop.thresholds.breaker import BreakerRule
from agenttop.thresholds.expression import parse_threshold
from agenttop.thresholds.judge import Rule
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=40, storm=(20, 30))
BREAKER = BreakerRule(0.05, 5.0, 5, True)
Seen = tuple[tuple[Verdict, ...], BreakerState | None, int]


def rule(text: str, **rest: Any) -> Rule:
    return Rule(text, parse_threshold(text), **rest)


class Live:
    """A run as its controller keeps it, and its journal."""

    def __init__(self, folder: Path, rules: Rules) -> None:
        self.folder = folder
        self.figures = Figures(RUN.layout, rules)
        self.seen: list[Seen] = []
        self.opened: list[int] = []
        self.aborted: list[int] = []
        self._journal = JournalWriter(folder, run_header(RUN.info(), RUN.layout, {}, "0" * 64, rules))

    def play(
        self,
        *,
        ended_s: float | None = None,
        search: dict[int, dict[str, Any]] | None = None,
        edited: dict[int, Edited] | None = None,
        gone: dict[int, list[int]] | None = None,
    ) -> None:
        """All its seconds; the sending ends at ``ended_s``, or where a gate ends the run."""
        for second in range(1, RUN.seconds):
            halted = ended_s is not None and ended_s < second
            now = msgspec.structs.replace(RUN.situation(second), state="draining" if halted else "running")
            if (plan := (edited or {}).get(second)) is not None:
                self.figures.replan(plan)
            for delta in RUN.deltas(second):
                self.figures.fold(delta)
            lost = (gone or {}).get(second, [])
            for worker in lost:
                self.figures.gone(worker)
            spans: dict[int, Span] = {0: (0.0, min(second, 7.5)), **({1: (7.5, float(second))} if second > 7 else {})}
            news = (search or {}).get(second)
            stages = len(self.figures.aggregate.layout.stages)
            closed = self.figures.second(
                now,
                [spans.get(index) for index in range(stages)],
                sending_ended_s=ended_s if halted else None,
                search=news,
            )
            if closed.opens:
                self.opened.append(second)
            if closed.aborting is not None:
                self.aborted.append(second)
                ended_s = second + 0.07  # as a controller notices it
            picture = self.figures.snapshot(now)
            self.seen.append((picture.thresholds, picture.breaker, picture.in_flight))
            self._journal.second(
                now, RUN.deltas(second), search=news, edited=plan, spans=spans, gone=lost, sending_ended_s=ended_s
            )
        self._journal.close()

    def replayed(self) -> list[Seen]:
        """The same, wherever one goes in the replay."""
        found = []
        with Playback(self.folder) as playback:
            for count in range(1, len(playback) + 1):
                playback.move(count)
                picture = playback.snapshot()
                found.append((picture.thresholds, picture.breaker, picture.in_flight))
        return found


def test_a_threshold_that_ended_the_run(tmp_path: Path) -> None:
    rules = [
        rule("error_rate < 1%", abort=True, delay_s=12.0),
        rule("requests{stage:hold} rate > 0"),
        rule("requests rate > 0"),
        rule("latency p95 < 1s", window_s=5.0),
    ]
    live = Live(tmp_path, Rules(tuple(rules), BREAKER))
    live.play()
    assert len(live.aborted) == 1
    verdicts, breaker, _ = live.seen[live.aborted[0] - 1]
    assert verdicts[0].aborted_run
    assert breaker == live.seen[live.aborted[0] - 2][1] != live.seen[live.aborted[0] - 3][1], "it is asked no more"
    assert live.replayed() == live.seen
    assert rebuild(tmp_path)["thresholds"] == summed(live.figures.judge.verdicts)


def searched(*holds: bool) -> dict[str, Any]:
    """A search, of which levels are over that hold or do not."""
    verdict = {True: "pass", False: "fail"}
    steps = [SearchStep(8.0, 0.0, 2.0, 1.0, 10, 10, 1.0, 0.7, 1.0, verdict[each], each, 0.97) for each in holds]
    found: dict[str, Any] = msgspec.to_builtins(SearchState("users", None, 0.95, 0.95, steps=tuple(steps)))
    return {key: value for key, value in found.items() if key not in ("now", "phase")}


def test_a_breaker_that_opens_fails_a_level_of_a_search(tmp_path: Path) -> None:
    live = Live(tmp_path, Rules((), BREAKER, by_level=True))
    live.play(search={15: searched(True), 27: searched(True, False)})
    assert live.opened
    assert 27 not in live.opened, "how a level failed is nothing against the next"
    reset = BreakerState(0.0, BREAKER.failed, 0, BREAKER.over_s)
    assert [live.seen[second - 1][1] for second in (*live.opened, 27)] == [reset] * (len(live.opened) + 1)
    assert live.seen[14][1] != reset
    assert live.replayed() == live.seen


def test_a_run_that_drains_with_an_edited_plan_and_a_worker_less(tmp_path: Path) -> None:
    ramp, hold, drain = RUN.layout.stages
    spike = StageInfo(3, "hold", 20.0, 40.0, 60.0, 90.0, "users")
    edited = Edited((ramp, hold, msgspec.structs.replace(drain, dropped=True), spike), 40.0)
    rules = Rules((rule("requests{stage:hold} rate > 0"), rule("rps > 1")), BREAKER)
    live = Live(tmp_path, rules)
    live.play(ended_s=33.4, edited={20: edited}, gone={25: [1]})
    assert live.seen[24][2] < live.seen[23][2], "what was in flight there is forgotten"
    assert live.replayed() == live.seen


def test_without_a_worker_nobody_ends_a_run(tmp_path: Path) -> None:
    figures = Figures(RUN.layout, Rules((rule("requests count > 1000000", abort=True),), BreakerRule(0.01, 1.0, 1)))
    for second in range(1, 30):
        for delta in RUN.deltas(second):
            figures.fold(delta)
        closed = figures.second(msgspec.structs.replace(RUN.situation(second), alive=0), [None, None, None])
        assert (closed.aborting, closed.opens) == (None, False)


@pytest.mark.parametrize(
    ("search", "failed"),
    [
        (None, False),
        ({"steps": []}, False),
        ({"steps": [{"holds": False}, {"holds": True}]}, False),
        ({"steps": [{"holds": False}], "stopped": ""}, True),
        ({"steps": [{"holds": False}], "stopped": "below_min"}, False),
    ],
)
def test_a_level_that_failed_and_is_followed_by_another(search: dict[str, Any] | None, failed: bool) -> None:
    assert level_failed(search) is failed

"""The quality of answers in figures, journal and thresholds: a replay and a rebuilt summary show what was seen live."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenttop.journal.figures import Figures
from agenttop.journal.journal import JournalWriter, rebuild
from agenttop.journal.playback import Playback
from agenttop.journal.rules import Rules
from agenttop.journal.summarize import build_summary, run_header
from agenttop.metrics.graded import QualityState
from agenttop.metrics.snapshot import Verdict
from agenttop.quality.brief import CaseBrief, Golden
from agenttop.quality.curve import JudgeUse
from agenttop.quality.score import Score
from agenttop.report.summary import check_summary
from agenttop.thresholds.expression import ThresholdError, parse_threshold
from agenttop.thresholds.judge import Rule
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=20, storm=(30, 40))
GOLDEN = Golden(
    (CaseBrief("a", ("tools",), input="Where is it?"), CaseBrief("b", ("hours",)), CaseBrief("c", ("tools",)))
)
RULES = Rules(
    tuple(
        Rule(text, parse_threshold(text))
        for text in ("quality.score >= 90%", "quality{slice:tools} score > 80%", "quality.judge_errors count < 1")
    )
)


def scores(second: int) -> list[Score]:
    wrong = second > 10
    return [
        Score(case, "peak" if wrong else "low", 40 if wrong else 4, at_s=second, value=float(not wrong or case == "b"))
        for case in "abc"
    ]


def play(folder: Path) -> tuple[Figures, list[tuple[QualityState | None, tuple[Verdict, ...]]]]:
    figures, seen = Figures(RUN.layout, RULES, golden=GOLDEN), []
    header = run_header(RUN.info(), RUN.layout, {}, "0" * 64, RULES, GOLDEN)
    with JournalWriter(folder, header) as journal:
        for second in range(1, RUN.seconds):
            now = RUN.situation(second)
            for delta in RUN.deltas(second):
                figures.fold(delta)
            judge = JudgeUse(calls=second) if second % 5 == 0 else None
            figures.graded(3, scores(second), judge)
            figures.second(now, [(stage.start_s, stage.end_s) for stage in RUN.layout.stages])
            snapshot = figures.snapshot(now)
            seen.append((snapshot.quality, snapshot.thresholds))
            journal.second(now, RUN.deltas(second), answers=3, scores=scores(second), judge=judge)
    return figures, seen


def test_a_replay_shows_the_quality_of_every_second(tmp_path: Path) -> None:
    _, seen = play(tmp_path)
    with Playback(tmp_path) as playback:
        for second in (*range(1, RUN.seconds), 3, RUN.seconds - 1):  # also back, from a copy that is kept
            playback.move(second)
            snapshot = playback.snapshot()
            assert (snapshot.quality, snapshot.thresholds) == seen[second - 1]


def test_a_summary_that_is_rebuilt_has_it(tmp_path: Path) -> None:
    figures, _ = play(tmp_path)
    summary = rebuild(tmp_path)
    assert figures.quality is not None
    assert summary["quality"] == figures.quality.summary()
    assert summary["quality"]["drop"]["drop"] == pytest.approx(2 / 3)
    assert summary["quality"]["failed"][0]["input"] in ("", "Where is it?")
    assert [row["verdict"] for row in summary["thresholds"]] == ["fail", "fail", "pass"]


def test_the_summary_is_of_its_schema(tmp_path: Path) -> None:
    figures, _ = play(tmp_path)
    assert figures.quality is not None
    summary = build_summary(
        figures.aggregate,
        run_header(RUN.info(), RUN.layout, {}, "0" * 64, RULES, GOLDEN),
        duration_s=20.0,
        sending_ended_s=20.0,
        stop_reason="completed",
        exit_code=0,
        quality=figures.quality.summary(),
    )
    check_summary(summary)


def test_scores_of_a_run_that_grades_nothing_are_no_harm() -> None:
    figures = Figures(RUN.layout, Rules())
    figures.graded(1, scores(1))
    assert figures.snapshot(RUN.situation(1)).quality is None


@pytest.mark.parametrize(
    ("text", "method", "limit"),
    [
        ("quality.score >= 90%", "score", 0.9),
        ("quality score >= 90%", "score", 0.9),
        ("quality >= 0.9", "score", 0.9),
        ("quality{slice:refunds} score > 80%", "score", 0.8),
        ("quality{stage:peak} > 85%", "score", 0.85),
        ("quality.drop < 2%", "drop", 0.02),
        ("quality.judge_errors count < 1", "judge_errors", 1.0),
        ("quality.judge_errors < 1", "judge_errors", 1.0),
    ],
)
def test_thresholds_on_quality(text: str, method: str, limit: float) -> None:
    expression = parse_threshold(text)
    assert (expression.metric, expression.method) == ("quality", method)
    assert expression.limit == pytest.approx(limit)
    assert parse_threshold(str(expression)) == expression


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("quality.scor > 1%", 'did you mean "score"'),
        ("quality.score p95 > 1%", "expected one of"),
        ("quality.score > 110%", "at most 1"),
        ("quality{pool:chat} > 90%", "no tag"),
        ("quality{stage:peak} drop < 2%", "of the whole run"),
        ("quality.score count > 90%", "expected one of"),
    ],
)
def test_what_is_no_threshold_on_quality(text: str, words: str) -> None:
    with pytest.raises(ThresholdError, match=words):
        parse_threshold(text)

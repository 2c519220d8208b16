"""Tests of agenttop.verdict.window and agenttop.verdict.second: as many of the last seconds as a judgement needs."""

from __future__ import annotations

from agenttop.metrics.delta import HistDelta
from agenttop.verdict.baseline import Baseline
from agenttop.verdict.second import Answers, Second
from agenttop.verdict.window import LONGEST_S, MIN_ANSWERS, Share, Window, p95_ms, sums_of
from tests.verdict.test_baseline import records


def second(t_s: float, ok: int, ms: float = 100.0, **more: object) -> Second:
    latency: HistDelta | None = records(*[ms] * ok) if ok else None
    return Second(t_s, 1.0, 5.0, {0: Answers(ok, latency=latency, ttft=latency)}, **more)  # type: ignore[arg-type]


def window(answers: int, seconds: int, ms: float = 100.0) -> Window:
    found, baseline = Window(), Baseline()
    for t_s in range(1, seconds + 1):
        one = second(float(t_s), answers, ms)
        found.add(one, sums_of(one, baseline))
    return found


def test_it_is_six_seconds_where_these_have_enough_answers() -> None:
    assert window(50, 30).sums.seconds == 6
    assert window(50, 30).sums.ok == 300
    assert len(window(50, 30).seconds) == 6


def test_it_is_longer_where_answers_are_few_but_not_for_ever() -> None:
    assert window(1, 60).sums.ok == MIN_ANSWERS
    assert window(0, 300).sums.seconds == LONGEST_S


def test_its_distributions_and_phases() -> None:
    found, baseline = Window(), Baseline()
    for t_s in range(1, 13):
        one = second(float(t_s), 10, 100.0 if t_s <= 6 else 200.0, phases={"llm": (t_s * 10_000.0, 10)})
        found.add(one, sums_of(one, baseline))
    assert 199 < (p95_ms(found.latency()) or 0) < 201
    assert found.latency(1) is None
    assert found.ttft() is not None
    assert found.phase_ms() == {"llm": 9.5}
    assert p95_ms(None) is None


def test_what_is_counted_of_a_second() -> None:
    baseline = Baseline()
    for t_s in (1.0, 2.0, 6.0):
        baseline.take(second(t_s, 200))
    answers = {
        0: Answers(3, 2, {"timeout": 1, "server_error": 4}, records(100.0, 100.0, 900.0), records(100.0, 900.0, 900.0)),
        7: Answers(1, latency=records(5000.0)),
    }
    found = sums_of(Second(9.0, 1.0, 5.0, answers), baseline)
    assert (found.ok, found.refused, found.failed, found.finished, found.answered) == (4, 2, 5, 11, 10)
    assert found.late == Share(1, 3)  # of a request without first answers nothing is known
    assert found.late_of == {0: Share(1, 3)}
    assert found.late_ttft == Share(2, 3)
    assert found.slower == Share(1, 3)
    assert (found.refused_of, found.failed_of) == ({0: 2}, {0: 5})
    assert answers[0].failed == 5

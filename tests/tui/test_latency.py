"""Tests of agenttop.tui.panes.latency."""

from __future__ import annotations

import msgspec

from agenttop.metrics.heat import BUCKETS, lower_ms
from agenttop.metrics.snapshot import Tick
from agenttop.tui.history import History
from agenttop.tui.look import LIGHT, PLAIN, RGB, Look
from agenttop.tui.panes import latency
from agenttop.tui.text import Line
from agenttop.tui.view import View
from tests.tui.sim import Sim


def bucket(ms: float) -> int:
    return max(each for each in range(BUCKETS) if lower_ms(each) <= ms)


def tick(t_s: int, ttft_ms: float, total_ms: float, answers: int = 40, slow_ms: float | None = None) -> Tick:
    """A second of ``answers`` that took so long, and one more that was slow."""
    counts = [0] * BUCKETS
    counts[bucket(total_ms)] = answers
    if slow_ms is not None:
        counts[bucket(slow_ms)] += 1
    ttft = (*[0] * bucket(ttft_ms), answers)
    p99 = slow_ms or total_ms
    return Tick(
        float(t_s), 0, 1, 1.0, 1, float(answers), 0.0, 0.0, latency_p50_ms=total_ms, latency_p95_ms=total_ms,
        latency_p99_ms=p99, ttft_p50_ms=ttft_ms, ttft_p95_ms=ttft_ms, ttft_p99_ms=ttft_ms,
        latency_counts=tuple(counts), ttft_counts=ttft,
    )  # fmt: skip


def view(*ticks: Tick, look: Look = RGB) -> View:
    sim = Sim("ramp")
    info = msgspec.structs.replace(sim.info, history=ticks)
    return View(info, msgspec.structs.replace(sim.until(60)[-1], t_s=ticks[-1].t_s), History(info), look)


def words(lines: list[Line]) -> str:
    return "\n".join(map(str, lines))


def test_first_tokens_and_totals_have_one_scale_where_both_can_be_read_on_it() -> None:
    near = view(*(tick(t, 180.0, 950.0) for t in range(1, 61)))
    for pane in (latency.ttft, latency.total):
        text = words(pane(near, 60, 8))
        assert " 1000 " in text
        assert "own scale" not in text


def test_each_has_its_own_where_one_is_ten_times_the_other_and_the_title_says_so() -> None:
    far = view(*(tick(t, 180.0, 9500.0) for t in range(1, 61)))
    first, total = (words(pane(far, 60, 8)) for pane in (latency.ttft, latency.total))
    assert " 200 " in first
    assert "10000 " in total
    assert all("own scale, ms of 10s" in text.splitlines()[0] for text in (first, total))


def test_an_outlier_does_not_fix_the_scale() -> None:
    """Of 2 400 answers three took a minute."""
    seconds = [tick(t, 180.0, 950.0, slow_ms=60_000.0 if t in (20, 30, 40) else None) for t in range(1, 61)]
    lines = latency.total(view(*seconds), 80, 9)
    assert " 2000 " in words(lines), "the top of their bucket, made round; not 60 s"
    assert str(lines[1]).count("▲") >= 3, "where they were is seen"


def test_many_slow_ones_are_on_the_scale() -> None:
    seconds = [tick(t, 180.0, 950.0, slow_ms=60_000.0) for t in range(1, 61)]
    text = words(latency.total(view(*seconds), 80, 9))
    assert "▲" not in text
    assert " 1000 " not in text


def test_a_median_that_leaps_is_on_the_scale_at_once() -> None:
    seconds = [tick(t, 180.0, 900.0 if t < 300 else 30_000.0) for t in range(1, 301)]
    assert "30000 " in words(latency.total(view(*seconds), 80, 9)) or "40000 " in words(
        latency.total(view(*seconds), 80, 9)
    )


def test_what_is_of_few_samples_is_lighter_and_keeps_its_colour() -> None:
    for look in (RGB, LIGHT):
        few = look.lighter(look.middle)
        assert few.color != look.middle.color
        assert few.color != look.lighter(look.high).color
    assert PLAIN.lighter(PLAIN.middle).dim
    few_, many = (view(*(tick(t, 180.0, 950.0, answers) for t in range(1, 61))) for answers in (3, 40))
    drawn = [
        {part.style.color for line in latency.total(each, 80, 9)[1:-2] for part in line.strip(55)[1:] if part.style}
        for each in (few_, many)
    ]
    assert RGB.middle.color in drawn[1] - drawn[0]
    assert RGB.lighter(RGB.middle).color in drawn[0]

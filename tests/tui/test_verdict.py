"""Tests of agenttop.tui.panes.header, agenttop.tui.panes.plan: the verdict under the title, the knee on the plan."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from agenttop.metrics.assessment import Assessment, Estimate, Knee
from agenttop.tui.history import History
from agenttop.tui.look import ASCII, RGB, Look
from agenttop.tui.panes import header, plan
from agenttop.tui.view import View
from tests.tui.sim import SCENARIOS, Sim

SENTENCE = "p95 6.32s ×5.1 · flat at 7.93/s since ~12 users · llm_call ×6.6"


def knee(unit: str = "users") -> Knee:
    one = Estimate(0.5, 0.4, 0.6)
    return Knee(unit, Estimate(12.2, 10.0, 15.0), Estimate(7.9, 7.0, 9.0), Estimate(4.0, 3.0, 5.0), one, one, 40.0)


def verdict(state: str, words: str = SENTENCE, found: Knee | None = None) -> Assessment:
    return Assessment(state, 42.0, 40.0, "users", words, knee=found)


def view(found: Assessment | None, scenario: str = "ramp", look: Look = RGB, **changes: object) -> View:
    sim = Sim(scenario)
    history = History(sim.info)
    snapshots = sim.until(SCENARIOS[scenario])
    for snapshot in snapshots:
        history.add(snapshot.tick)
    return View(sim.info, msgspec.structs.replace(snapshots[-1], verdict=found, **changes), history, look)


def notices(found: View, width: int = 120) -> str:
    return str(header.ruled(found, width, 2)[1])


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_word_stands_under_the_title_at_every_width(width: int) -> None:
    line = header.ruled(view(verdict("queues")), width, 2)[1]
    assert "! QUEUES  p95 6.32s" in str(line)
    assert line.width == width
    assert ("llm_call ×6.6" in str(line)) == (width >= 80)


def test_a_target_that_keeps_up_is_quietly_said_to() -> None:
    found = view(verdict("keeps_up", "p95 620ms at 12 users, 7.20/s"))
    assert "KEEPS UP  p95 620ms at 12 users, 7.20/s" in notices(found)
    assert "!" not in notices(found)
    assert header.bare(found, 120, 2)[1].width


def test_what_the_verdict_says_is_not_said_twice() -> None:
    assert "! 16% failing" in notices(view(None, "errors"))
    told = notices(view(verdict("fails", "15.9% fail (server error) since 45 users"), "errors"))
    assert "FAILS  15.9%" in told
    assert "failing" not in told


def test_it_gives_way_to_other_notices_but_stays() -> None:
    found = view(verdict("queues"), manual=("all",))
    assert "MANUAL  r releases" in notices(found, 80)
    assert "! QUEUES  p95 6.32s" in notices(found, 80)


def test_why_the_generator_is_saturated_gives_way_to_it() -> None:
    found = view(verdict("queues"), "saturated")
    assert "! saturated: " in notices(view(None, "saturated"), 80)
    assert "llm_call ×6.6" in notices(found, 80)
    assert "! saturated: " in notices(found, 200)
    assert "SATURATED" in str(header.ruled(found, 80, 2)[0])


def test_on_a_terminal_without_unicode_it_has_none() -> None:
    found = view(verdict("queues", "queue 3.00ms → 1.2s · ×5 (10–15)"), look=dataclasses.replace(RGB, glyphs=ASCII))
    assert "queue 3.00ms -> 1.2s - x5 (10-15)" in notices(found)
    assert notices(found).isascii()


def test_before_anything_is_known_nothing_is_said() -> None:
    assert "UNKNOWN" not in notices(view(None))
    assert "UNKNOWN  warm-up" in notices(view(verdict("unknown", "warm-up")))


@pytest.mark.parametrize(("unit", "words"), [("users", "knee ~12 users"), ("rate", "knee ~12.2/s")])
def test_the_knee_stands_on_the_plan(unit: str, words: str) -> None:
    found = view(verdict("queues", found=knee(unit)))
    names, _ = plan.compact(found, 80, 2)
    assert str(names).rstrip().endswith(words)
    assert names.width <= 80
    assert any(words.removeprefix("knee ") in str(line) for line in plan.full(found, 100, 12))
    assert "knee" not in str(plan.compact(view(verdict("queues")), 80, 2)[0])

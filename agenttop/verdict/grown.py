"""What has grown since the first level: which phase, which request, by how much."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agenttop.metrics.assessment import VerdictCause
from agenttop.report.figures import ms
from agenttop.verdict.baseline import Baseline
from agenttop.verdict.window import Window, p95_ms

MODEL, QUEUE, TOOLS, PHASE = "model", "queue", "tools", "phase"
#: What the name of a phase says of it.
_KINDS = (
    (QUEUE, re.compile(r"queue|wait|pending", re.I)),
    (MODEL, re.compile(r"llm|model|generat|inference|completion|prefill|decode", re.I)),
    (TOOLS, re.compile(r"tool", re.I)),
)
#: A phase with less than this part of what was lost is not told, and one that has not grown by so much has not grown.
TOLD, GREW = 0.25, 1.2
#: From this part of the late answers on one request is meant.
MOSTLY = 0.8
#: Durations below are compared with it: nothing has grown a thousand times from nothing.
_LEAST_MS = 1.0


@dataclass(frozen=True, slots=True)
class Growth:
    """A duration before and now, in ms."""

    name: str
    before_ms: float
    now_ms: float
    part: float = 1.0
    """Of all that was lost."""
    told: float = 1.0
    """The part of the answers that tell it."""

    @property
    def times(self) -> float:
        """Return how many times as long it is."""
        return self.now_ms / max(self.before_ms, _LEAST_MS)

    @property
    def words(self) -> str:
        """Return it in words: ``llm_call ×6.6``, from almost nothing ``queue 4ms → 1.2s``."""
        if self.before_ms < 0.05 * self.now_ms:
            return f"{self.name} {ms(self.before_ms)} → {ms(self.now_ms)}"
        return f"{self.name} {times(self.times)}"


def times(value: float) -> str:
    """Return a factor: ``×1.3 ×12``."""
    return f"×{value:.1f}" if value < 9.95 else f"×{value:.0f}"


def phases(baseline: Baseline, window: Window) -> list[Growth]:
    """Return the phases that have grown, the one that cost most first."""
    before, now = baseline.phase_ms(), window.phase_ms()
    grown = {
        name: (before[name], now[name])
        for name in before.keys() & now.keys()
        if now[name] > GREW * before[name] and now[name] - before[name] > _LEAST_MS
    }
    lost = sum(after - first for first, after in grown.values())
    found = [
        Growth(name, first, after, (after - first) / lost, baseline.told(name))
        for name, (first, after) in grown.items()
    ]
    return sorted((growth for growth in found if growth.part >= TOLD), key=lambda growth: -growth.part)


def latency(baseline: Baseline, window: Window, request: int | None = None) -> Growth | None:
    """Return how p95 has grown, of one request or of all; None where that is not known."""
    return _growth(baseline.first_p95_ms(request), p95_ms(window.latency(request)), "p95")


def ttft(baseline: Baseline, window: Window) -> Growth | None:
    """Return how the p95 of the time to first token has grown."""
    return _growth(baseline.first_p95_ms(None, of_ttft=True), p95_ms(window.ttft()), "first token p95")


def request(window: Window, names: Sequence[str]) -> int | None:
    """Return the request that is meant: most late answers are its, though most answers are not; None if there is none
    like that.
    """
    late = window.sums.late_of
    whole, answers = sum(share.part for share in late.values()), sum(share.whole for share in late.values())
    if len(names) < 2 or not whole:
        return None
    worst = max(late, key=lambda index: late[index].part)
    mine = late[worst]
    return worst if mine.part >= MOSTLY * whole and mine.whole < MOSTLY * answers else None


def kind_of(phase: str) -> str:
    """Return what the name of a phase says of it."""
    return next((kind for kind, pattern in _KINDS if pattern.search(phase)), PHASE)


_WORDS: Mapping[str, str] = {
    MODEL: "calls of the model wait for a free slot",
    QUEUE: "requests wait in the agent's queue",
    TOOLS: "tools take longer",
}


def reasons(grown: Sequence[Growth]) -> tuple[VerdictCause, ...]:
    """Return grown phases as reasons."""
    found = []
    for growth in grown:
        kind = kind_of(growth.name)
        text = _WORDS.get(kind)
        found.append(VerdictCause(kind, f"{text}: {growth.words}" if text else growth.words, round(growth.part, 4)))
    return tuple(found)


def _growth(before: float | None, now: float | None, name: str) -> Growth | None:
    return None if before is None or now is None else Growth(name, before, now)

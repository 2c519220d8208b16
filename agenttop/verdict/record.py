"""What a verdict leaves behind: every change, each state at its worst, and the state of each stage."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from agenttop.metrics.assessment import BAD, KEEPS_UP, QUEUES, SLOWS, UNKNOWN, Assessment
from agenttop.verdict.grown import Growth
from agenttop.verdict.telling import Told

#: Changes that are kept: the first ones and the newest.
MAX_CHANGES = 200
#: A load within this ratio of another is the same.
SAME = 1.05


class Record:
    """The record of one run."""

    def __init__(self) -> None:
        self.changes: list[Assessment] = []
        """Every verdict as it was when its state began."""
        self.grown: tuple[Growth, ...] = ()
        """Phases as they had grown when answers took longest."""
        self._worst: dict[str, tuple[float, Assessment]] = {}
        """By bad state: how bad it was at its worst, and the verdict then."""
        self._slowest = 0.0
        self._well: Assessment | None = None
        self._stages: dict[int, Counter[str]] = {}

    def change(self, now: Assessment) -> None:
        """Note a state that begins."""
        if len(self.changes) >= MAX_CHANGES:
            del self.changes[MAX_CHANGES // 2]
        self.changes.append(now)

    def note(self, now: Assessment, told: Told) -> None:
        """Note a sentence that was made anew."""
        if now.state == KEEPS_UP:
            self._well = now
        if now.state not in BAD:
            return
        if told.grown and told.weight > self._slowest:
            self._slowest, self.grown = told.weight, told.grown
        known = self._worst.get(now.state)
        if known is None:
            self._worst[now.state] = (told.weight, now)
        elif told.weight > known[0]:
            first = known[1]
            now = msgspec.structs.replace(now, since_s=first.since_s, load=first.load)
            self._worst[now.state] = (told.weight, now)

    def second(self, stage: int, state: str) -> None:
        """Count a second of a stage."""
        self._stages.setdefault(stage, Counter())[state] += 1

    @property
    def worst(self) -> list[Assessment]:
        """Return each bad state at its worst, since it first was so; the worst first. A queue slows as well."""
        found = [state for state in BAD if state in self._worst and (state != SLOWS or QUEUES not in self._worst)]
        return [self._worst[state][1] for state in found]

    def final(self, now: Assessment) -> Assessment:
        """Return the verdict on the whole run: its worst state, or the newest with which it did well."""
        return next(iter(self.worst), None) or self._well or now

    def of_stage(self, stage: int) -> dict[str, Any] | None:
        """Return the summary's ``verdict`` of a stage: the state that lasted longest in it; None of one without."""
        seconds = self._stages.get(stage)
        if not seconds:
            return None
        known = {state: count for state, count in seconds.items() if state != UNKNOWN} or seconds
        return {"state": max(known, key=lambda state: known[state]), "seconds": dict(seconds)}

    def spoils(self, load: float) -> bool:
        """Return whether a load is not held: the target once did badly at it, or at less."""
        return any(worst.load <= load * SAME for worst in self.worst)

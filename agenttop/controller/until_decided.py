"""Lets a run go on at its last level of load until the gate of its profile is decided, or for as long as it may.

    before ──plan nearly over──► looking ──undecided──► waiting ──twice the time, or the most it may──► looking
                                    └────decided, or as long as it may───► over

The plan's clock is held shortly before its end. It is looked at as the data doubles, and no more often: whoever looks
all the time finds what chance made (P. Armitage et al., Repeated significance tests on accumulating data, 1969).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agenttop.controller.gating import compared
from agenttop.controller.move import Move
from agenttop.profile.model import Profile
from agenttop.quality.margins import IncomparableError
from agenttop.quality.row import UNDECIDED
from agenttop.schedule.control import Control
from agenttop.schedule.quantities import format_duration
from agenttop.steering.plan import Plan, levels_of

#: The plan is held so long before its end, in seconds, that every worker hears of it in time.
LEAD_S = 1.0
#: How long it may last in all, in lengths of the plan, unless the user says so.
TIMES = 4
#: A further look is worth its while with so many times the data.
_WORTH = 1.2


def most_of(plan: Plan, asked_s: float | None, limit_s: float | None) -> float:
    """Return how long a run may last until its gate is decided, in seconds.

    Args:
        plan: likewise.
        asked_s: what the user says of it; 0 or None: nothing.
        limit_s: what ends every run; None: nothing.
    """
    most_s = asked_s or TIMES * plan.duration_s
    return most_s if limit_s is None else min(most_s, limit_s)


def problem_of(profile: Profile, plan: Plan, most_s: float) -> str:
    """Return why a run of this profile cannot go on until its gate is decided, for ``most_s`` seconds in all; empty if
    it can.
    """
    if profile.gate is None:
        return "there is no [gate] to decide; write one in the profile"
    if profile.search is not None:
        return "a search ends by itself"
    if most_s <= plan.duration_s:
        return (
            f"the run may last {format_duration(most_s)}, and its plan is {format_duration(plan.duration_s)} long "
            f"already; say more, such as --until-decided {format_duration(TIMES * plan.duration_s)}"
        )
    loads = {level.load for level in levels_of(plan).all if level.end_s > profile.warmup}
    if len(loads) > 1:
        return (
            f"the plan has {len(loads)} levels of load, and more of one alone would not be what its base is; write one "
            "stage, or a warmup as long as the others"
        )
    quality = profile.quality
    if quality is not None and profile.gate.max_score_drop:
        asks = any(spec.type == "judge" for case in getattr(quality, "found", ()) for spec in case.graders)
        if quality.when == "after" or (asks and quality.judge is not None and not quality.judge.live):
            return 'answers are graded when the load has ended; write quality.when = "live", of a judge live = true'
    return ""


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of a gate while the run goes on."""

    decided: bool
    words: str


class Awaited(Protocol):
    """What is used of a future with a :class:`Look`."""

    def done(self) -> bool:
        """Return whether it is there."""

    def result(self) -> Look:
        """Return it."""


def look_at(profile: Profile, bases: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> Look:
    """Return whether the gate is decided by what a run has measured so far: it blocks, or nothing is open."""
    assert profile.gate is not None
    try:
        found = compared(profile.gate, bases, summary)
    except IncomparableError as error:
        return Look(decided=True, words=f"it cannot be compared: {error}")
    open_ = [row for row in found.rows if row.margin is not None and row.verdict == UNDECIDED]
    return Look(decided=found.verdict == "block" or not open_, words=found.words.removesuffix("; let pass"))


class UntilDecided:
    """Holds and ends the plan of one run. Times are seconds since the run began.

    Args:
        most_s: how long the run may last.
        look: begins to look at the gate, beside the run, and returns what will be known of it.
    """

    def __init__(self, most_s: float, look: Callable[[float], Awaited]) -> None:
        self._most_s = most_s
        self._look = look
        self._look_s = 0.0
        """When it was looked at last, or is next."""
        self._looking: Awaited | None = None
        self.state = "before"
        """``before``, ``waiting``, ``looking`` or ``over``."""

    def look_at(self, elapsed: float, control: Control, end_s: float) -> Move:
        """Move on with the time: return the controls to set and what to say.

        Args:
            elapsed: likewise.
            control: the controls as they are; a plan that somebody holds or lets go on by hand is theirs.
            end_s: when the plan ends as things stand.
        """
        if self.state == "before":
            return self._before(elapsed, control, end_s)
        if self.state in ("waiting", "looking") and control.held_at is None:
            self.state = "over"
        if self.state == "waiting" and elapsed >= self._look_s:
            self.state, self._looking = "looking", self._look(elapsed)
        if self.state != "looking" or self._looking is None or not self._looking.done():
            return Move(control)
        look = self._looking.result()
        later = min(2 * self._look_s, self._most_s - LEAD_S)
        if not look.decided and later > _WORTH * elapsed:
            self.state, self._look_s = "waiting", later
            return Move(control, [f"the gate is not decided, the run goes on: {look.words}"], level="warn")
        self.state = "over"
        how = "is decided" if look.decided else "is not decided in the time it has"
        level = "info" if look.decided else "warn"
        return Move(control.resume(elapsed), [f"the gate {how}: {look.words}"], level=level)

    def _before(self, elapsed: float, control: Control, end_s: float) -> Move:
        if control.held_at is not None or elapsed < end_s - LEAD_S:
            return Move(control)
        if elapsed >= end_s or self._most_s <= end_s:
            self.state = "over"
            return Move(control)
        self.state, self._look_s = "waiting", elapsed
        return Move(control.hold(elapsed))

"""The verdict on a target, second by second.

    hangs > fails > refuses > (times that cannot be trusted: unknown) > queues > slows > keeps up

The worst sign that is on is the state. Signs are steadied (``sign``): three seconds on end; only silence is told at
once, for it has lasted five already. A target that no sign is left of recovers for ten seconds before it keeps up. A
queue does not go before its delay does, so that ``queues`` does not fall back to ``slows``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from agenttop.metrics.assessment import (
    BAD,
    FAILS,
    HANGS,
    KEEPS_UP,
    QUEUES,
    RECOVERS,
    REFUSES,
    SLOWS,
    UNKNOWN,
    Assessment,
    Estimate,
    Knee,
)
from agenttop.verdict import signs, words
from agenttop.verdict.knee import knee_of
from agenttop.verdict.record import Record
from agenttop.verdict.second import USERS, Second
from agenttop.verdict.seen import Seen
from agenttop.verdict.sign import CONFIRM, Sign
from agenttop.verdict.telling import Told, tell
from agenttop.verdict.window import MIN_ANSWERS

#: A target recovers for so long before it keeps up.
RECOVER_S = 10.0
#: The sentence is made anew so often while the state stays.
REFRESH_S = 5.0
#: A load is held once nothing was wrong for so long after it.
HELD_S = 12.0


class Assessor:
    """The verdict of one run.

    Args:
        names: of its requests, by index.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.now = Assessment(UNKNOWN, 0.0, 0.0, USERS, "no answer yet")
        self.record = Record()
        self._seen = Seen(tuple(names))
        self._signs = {state: Sign(at_once=state == HANGS) for state in BAD}
        self._doubt = Sign()
        self._doubted = ""
        self._was = ("", 0.0)
        """The last bad state, and when it ended."""
        self._told_s = 0.0
        self._loads: deque[tuple[float, float]] = deque()
        self._held: float | None = None

    def second(self, second: Second) -> Assessment | None:
        """Take a closed second; return the verdict if its state has changed."""
        self._seen.take(second)
        if not second.sending:
            return None
        if second.warmup:
            return self._become(UNKNOWN, second, "warm-up")
        self._look(second)
        state, why = self._state()
        state = self._steadied(state, second)
        self._hold(second)
        change = self._become(state, second, why)
        self.record.second(second.stage, state)
        return change

    @property
    def knee(self) -> Knee | None:
        """Return the knee; None of a target that was never seen to queue or to refuse: it has not been passed."""
        if not any(worst.state in (QUEUES, REFUSES) for worst in self.record.worst):
            return None
        return knee_of(self._seen.levels.rested(), self._seen.unit)

    @property
    def held(self) -> float | None:
        """Return the highest load at which the target was seen to keep up; None if there is none."""
        return None if self._held is None or self.record.spoils(self._held) else self._held

    @property
    def final(self) -> Assessment:
        """Return the verdict on the run so far, with the knee, or the load that it holds at least."""
        knee = self.knee
        return msgspec.structs.replace(
            self.record.final(self.now), knee=knee, holds=None if knee is not None else self.held
        )

    def bound(self) -> str:
        """Return the knee in words, or the load that is held at least; empty where neither is known."""
        if (knee := self.knee) is not None:
            queued = any(worst.state == QUEUES for worst in self.record.worst)
            return words.knee(knee, self.record.grown, queued=queued)
        return words.holds(self.held, self._seen.unit) if self.held is not None else ""

    def summary(self) -> dict[str, Any]:
        """Return the summary's ``verdict``."""
        final = self.final
        found: dict[str, Any] = msgspec.to_builtins(final)
        others = [other for other in self.record.worst if other.state != final.state]
        return {
            "state": found["state"],
            "since_s": found["since_s"],
            "users": found["load"],
            "unit": found["unit"],
            "words": found["words"],
            "bound": self.bound(),
            "evidence": list(found["evidence"]),
            "causes": list(found["causes"]),
            "knee": None if final.knee is None else _knee(final.knee),
            "holds": found["holds"],
            "others": [_brief(other) for other in others],
            "changes": [_brief(change) for change in self.record.changes],
        }

    # -- a second

    def _look(self, second: Second) -> None:
        """Let every sign look at a second."""
        seen, on = self._seen, {state: sign.on for state, sign in self._signs.items()}
        slow = signs.slows(seen.window.sums, on[SLOWS])
        held = {
            HANGS: seen.hangs,
            FAILS: None if second.blocked else signs.fails(seen.window.sums, on[FAILS]),
            REFUSES: signs.refuses(seen.window.sums, on[REFUSES]),
            QUEUES: slow if not slow or on[QUEUES] else seen.flat(second.load),
            SLOWS: slow,
        }
        begin_s = second.t_s - second.seconds
        for state, holds in held.items():
            self._signs[state].look(begin_s, second.load, holds)
        self._doubt.look(begin_s, second.load, bool(second.doubts))
        self._doubted = second.doubts or self._doubted

    def _state(self) -> tuple[str, str]:
        """Return the state, and why it is unknown if it is."""
        worst = next((state for state in BAD if self._signs[state].on), None)
        if worst in (HANGS, FAILS, REFUSES):
            return worst, ""
        if self._doubt.on:
            return UNKNOWN, f"the load generator is saturated: {self._doubted}"
        if worst is not None:
            return worst, ""
        if self._seen.window.sums.ok < MIN_ANSWERS or self._seen.window.sums.seconds < CONFIRM:
            return UNKNOWN, words.few(self._seen.window.sums, self._seen.oldest_s)
        return KEEPS_UP, ""

    def _steadied(self, state: str, second: Second) -> str:
        """Return the state of a target that does well again: it recovers first."""
        if self.now.bad and state != self.now.state:
            self._was = (self.now.word, second.t_s)
        was, ended_s = self._was
        return RECOVERS if state == KEEPS_UP and was and second.t_s - ended_s < RECOVER_S else state

    def _hold(self, second: Second) -> None:
        """Note the load that is held."""
        trouble = [sign.since_s for sign in self._signs.values() if sign.on]
        if trouble:
            self._loads = deque(item for item in self._loads if item[0] < min(trouble) - HELD_S / 2)
        elif self.now.state in (KEEPS_UP, RECOVERS) and not self._doubt.on:
            self._loads.append((second.t_s, second.load))
        while self._loads and self._loads[0][0] <= second.t_s - HELD_S:
            self._held = max(self._held or 0.0, self._loads.popleft()[1])

    def _become(self, state: str, second: Second, why: str) -> Assessment | None:
        """Take the state of this second; return the verdict if it is another than before."""
        same = state == self.now.state
        if same and (second.t_s - self._told_s < REFRESH_S if state != UNKNOWN else why == self.now.words):
            return None
        since_s, load = (self.now.since_s, self.now.load) if same else self._began(state, second)
        self._told_s = second.t_s
        knee = self.knee if state not in (QUEUES, REFUSES) else knee_of(self._seen.levels.rested(), second.unit)
        told = Told(why)
        if state != UNKNOWN:
            was = (self._was[0], second.t_s - self._was[1])
            told = tell(state, self._seen, load=second.load, began_at=load, knee=knee, quotas=second.quotas, was=was)
        self.now = Assessment(
            state=state,
            since_s=round(since_s, 3),
            load=round(load, 3),
            unit=second.unit,
            words=told.words,
            evidence=told.evidence,
            causes=told.causes,
            knee=knee,
            holds=self.held,
        )
        self.record.note(self.now, told)
        if same:
            return None
        self.record.change(self.now)
        return self.now

    def _began(self, state: str, second: Second) -> tuple[float, float]:
        """Return when a state began, and at what load."""
        if state == HANGS:
            return second.t_s - self._seen.silence.quiet_s, second.load
        sign = self._signs.get(SLOWS if state == QUEUES else state)
        return (sign.since_s, sign.load) if sign is not None and sign.on else (second.t_s, second.load)


def _knee(knee: Knee) -> dict[str, Any]:
    """Return the summary's ``knee``: every estimate as a number, with its interval beside it."""
    found: dict[str, Any] = {"unit": knee.unit, "users": knee.load.value, "interval": _ends(knee.load)}
    for name in ("per_s", "served", "response_s", "think_s"):
        found |= {name: getattr(knee, name).value, f"{name}_interval": _ends(getattr(knee, name))}
    found |= {"most": knee.most, "refused": knee.refused, "scaling": None}
    if (law := knee.scaling) is not None:
        found["scaling"] = {
            "contention": law.contention.value,
            "contention_interval": _ends(law.contention),
            "coherency": law.coherency.value,
            "coherency_interval": _ends(law.coherency),
            "falls": law.falls,
            "peak": law.peak,
        }
    return found


def _ends(estimate: Estimate) -> list[float]:
    return [estimate.low, estimate.high]


def _brief(assessment: Assessment) -> dict[str, Any]:
    """Return a verdict without its evidence."""
    return {
        "state": assessment.state,
        "since_s": assessment.since_s,
        "users": assessment.load,
        "words": assessment.words,
    }

"""Grades how far the load generator can be trusted: what its own lateness is of the times that are shown.

    ok         :mod:`agenttop.metrics.saturation` finds nothing amiss
    late       it is late or busy, but no middle time shown is longer for it by more than 5 %, and not all by 5 ms
    saturated  lag p99, or one turn of its loop, > 5 % of the middle first token or latency, whichever is less; or the
               middle lag > 5 ms, which all times are then too long by; or a core all used (95 %); or files, ports,
               network or a worker gone: then it is not the load that was planned

An episode lasts from its first second until its grade has been gone for 5 s, so that it is told once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agenttop.metrics.exhaustion import Reason
from agenttop.metrics.saturation import LAGS
from agenttop.metrics.snapshot import Trust

OK, LATE, SATURATED = GRADES = ("ok", "late", "saturated")
#: From this part of a middle time on lateness spoils it.
SHARE = 0.05
#: From so many milliseconds of middle lag on all times are too long.
LONGER_MS = 5.0
#: A core that is used so much has no room for the load that was planned.
FULL_PERCENT = 95.0
#: An episode ends when its grade has been gone for so many seconds.
CALM_S = 5.0
#: Kinds of reason that make times longer, by how they are told; with that of the CPU they are graded, all others
#: spoil what is measured.
_LATE = {LAGS[0]: "lag", LAGS[1]: "schedule lag", "turn": "a turn of"}
_CPU = "CPU"


@dataclass(frozen=True, slots=True)
class Times:
    """Middle times of the live window in ms; None without records."""

    first_token: float | None = None
    latency: float | None = None
    lag: float | None = None
    lag_p99: float | None = None

    @property
    def shown(self) -> tuple[float, str] | None:
        """Return the one that lateness spoils most, and its name."""
        named = ((self.first_token, "first token p50"), (self.latency, "p50"))
        return min(((ms, name) for ms, name in named if ms), default=None)


def grade(reasons: Sequence[Reason], told: Sequence[str], times: Times) -> Trust:
    """Return the grade of one second, and its words: ``lag 6ms, 1 % of p50``.

    Args:
        reasons: why the generator is short of something, see :class:`~agenttop.metrics.saturation.Saturation`.
        told: the same in words, with the worker of each.
        times: of the window.
    """
    if not reasons:
        return Trust(OK)
    late = [(_ms(reason), _LATE[reason.kind]) for reason in reasons if reason.kind in _LATE]
    ms, what = max(late, default=(times.lag_p99 or 0.0, "lag"))
    shown = times.shown
    share = ms / shown[0] if shown is not None else None
    part = f"{percent(share)} of {shown[1]}" if shown is not None and share is not None else ""
    spoils = (
        (share or 0.0) > SHARE
        or (times.lag or 0.0) > LONGER_MS
        or any(reason.kind not in _LATE and (reason.kind != _CPU or reason.value >= FULL_PERCENT) for reason in reasons)
    )
    if spoils:
        words = "; ".join([*told, *([f"{what} is {part}"] if part and late else [])])
    else:
        busy = next((f"CPU {reason.value:.0f} %, " for reason in reasons if reason.kind == _CPU), "")
        words = f"{busy}{what} {ms:.0f}ms{f', {part}' if part else ''}"
    return Trust(SATURATED if spoils else LATE, words, ms, share, part)


def percent(share: float) -> str:
    """Return a part of 1 as it is told of lateness: ``0.4 %``, ``12 %``."""
    return f"{share * 100:.1f} %" if share < 0.0095 else f"{share * 100:.0f} %"


def grade_of(generator: Mapping[str, Any]) -> str:
    """Return the worst grade of a summary's ``generator``; of a run of an older version what it said instead."""
    return str(generator.get("grade") or (SATURATED if generator.get("saturated") else OK))


class Episodes:
    """The grade as it is told, second after second, and the worst of the run."""

    def __init__(self) -> None:
        self.now = Trust(OK)
        self.found = Trust(OK)
        """The grade of the last second by itself."""
        self.worst = Trust(OK)
        """Of the seconds that count."""
        self.spoilt_s = 0.0
        """Seconds that count and were saturated by themselves."""
        self._t_s = 0.0
        self._last = [(-CALM_S, self.now)] * len(GRADES)
        """Of each grade when it was found last, and the words of it."""

    def second(self, t_s: float, found: Trust, *, counts: bool = True) -> None:
        """Close the second that ends at ``t_s``; one of the warm-up does not count."""
        before_s, self._t_s, self.found = self._t_s, t_s, found
        self._last[_rank(found)] = (t_s, found)
        self.now = next(trust for at_s, trust in reversed(self._last) if t_s - at_s < CALM_S)
        if counts:
            self.worst = max(self.worst, found, key=_badness)
            self.spoilt_s += max(0.0, t_s - before_s) if found.grade == SATURATED else 0.0


def _ms(reason: Reason) -> float:
    return reason.value / 1000 if reason.kind in LAGS else reason.value


def _rank(trust: Trust) -> int:
    return GRADES.index(trust.grade)


def _badness(trust: Trust) -> tuple[int, float, float]:
    return _rank(trust), trust.share or 0.0, trust.late_ms or 0.0

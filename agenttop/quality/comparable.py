"""Whether two sides can be compared: same load, a generator that kept up, a target that stayed as it was."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from agenttop.metrics.trust import SATURATED, grade_of
from agenttop.quality.bootstrap import percentile
from agenttop.quality.pieces import Pieces
from agenttop.quality.row import OK, UNDECIDED, Row
from agenttop.quality.student import t_tail

#: Users that one side reached may differ by so much of the other's.
USERS = 0.05
#: A run has drifted where its halves differ by more than this, surely.
DRIFT, SURELY = 0.1, 0.01
#: Pieces that half a run must have to be held against the other half.
MIN_HALF = 6
#: Keys of a profile that say what load there is: where they differ, so do the times.
LOAD = ("stages", "warmup", "users", "duration", "search", "connection")
_LOAD_OF_POOL = ("weight", "stages", "arrivals", "think_time", "pacing", "max_users", "connection")
#: Keys that change nothing of what is measured.
_ASIDE = ("name", "target", "thresholds", "gate", "description", "capacity")
#: Keys that are told.
_TOLD = 6


@dataclass(frozen=True, slots=True)
class Likeness:
    """Whether the sides were measured alike. ``times`` says why times cannot be compared, ``load`` why nothing can;
    empty where they can.
    """

    row: Row
    times: str
    load: str


def likeness(base: Sequence[Mapping[str, Any]], head: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> Likeness:
    """Return whether two sides were measured alike, with further ``notes`` in its row."""
    late, wrong, notes = [], [], list(notes)
    for side, summaries in (("base", base), ("head", head)):
        if any(grade_of(summary["generator"]) == SATURATED for summary in summaries):
            late.append(f"{side}: the load generator was saturated, its times are too long")
        if any(summary["run"].get("incomplete") for summary in summaries):
            wrong.append(f"{side}: a run was cut off")
    users = [_users(summaries) for summaries in (base, head)]
    if None not in users and abs((users[0] or 0) - (users[1] or 0)) > USERS * max(users[0] or 0, users[1] or 0):
        wrong.append(f"users reached: {users[0]:g} and {users[1]:g}")
    changed = differences(base[-1]["profile"], head[-1]["profile"])
    load = [key for key in changed if _is_load(key)]
    if load:
        wrong.append(f"another load: {_told(load)}")
    other = [key for key in changed if key not in load]
    if other:
        notes.append(f"profile differs in {_told(other)}")
    targets = [{summary["run"].get("target", "") for summary in summaries} for summaries in (base, head)]
    if targets[0] != targets[1]:
        notes.append("another target")
    verdict = UNDECIDED if wrong or late else OK
    note = "; ".join((*wrong, *late, *notes)) or "same load, same profile"
    row = Row(name="comparable", verdict=verdict, note=note)
    return Likeness(row, "; ".join((*wrong, *late)), "; ".join(wrong))


def drift_row(base: Sequence[Pieces], head: Sequence[Pieces]) -> Row:
    """Return the row that says whether a side drifted: the second half of its longest level against the first."""
    found, known = [], False
    for side, runs in (("base", base), ("head", head)):
        for run in runs:
            change = drift(run)
            known |= change is not None
            if change:
                found.append(
                    f"{side}: latency {abs(change):.0%} {'higher' if change > 0 else 'lower'} in its second half"
                )
    if found:
        return Row(name="drift", verdict=UNDECIDED, note="; ".join(found))
    if not known:
        return Row(name="drift", verdict=UNDECIDED, note="too short to say")
    return Row(name="drift", verdict=OK, note="no run drifted")


def drift(run: Pieces) -> float | None:
    """Return by how much of itself the median latency of a run's longest level surely changed from its first half to
    its second; 0 where it did not, None where nobody can say.
    """
    levels = [int(level) for level in np.unique(run.levels) if level >= 0 and level not in run.sloped]
    if not levels:
        return None
    at = np.flatnonzero(run.levels == max(levels, key=lambda level: int((run.levels == level).sum())))
    half = at.size // 2
    if half < MIN_HALF:
        return None
    # The drift within a half is a slope, and no likeness of neighbours.
    level = replace(run, sloped=frozenset(levels))
    first, second = (
        percentile([level.part(part)], "latency", 50, least=MIN_HALF) for part in (at[:half], at[at.size - half :])
    )
    if first.error is None or second.error is None:
        return None
    change = math.log(second.value / first.value)
    error = math.hypot(first.error, second.error)
    p = 2 * t_tail(abs(change) / error, min(first.freedom, second.freedom)) if error > 0 else float(change == 0)
    return math.expm1(change) if p < SURELY and abs(math.expm1(change)) > DRIFT else 0.0


def differences(base: Any, head: Any, key: str = "") -> list[str]:
    """Return the keys in which two profiles differ, dotted; of a list of things with names, by these."""
    if isinstance(base, Mapping) and isinstance(head, Mapping):
        names = dict.fromkeys((*base, *head))
        skipped = _ASIDE if not key else ()
        return [
            found
            for name in names
            if name not in skipped
            for found in differences(base.get(name), head.get(name), f"{key}.{name}" if key else str(name))
        ]
    if _named(base) and _named(head):
        return differences({row["name"]: row for row in base}, {row["name"]: row for row in head}, key)
    return [] if base == head else [key]


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) and "name" in row for row in value)


def _is_load(key: str) -> bool:
    parts = key.split(".")
    if parts[0] == "pools":
        return len(parts) <= 2 or parts[2] in _LOAD_OF_POOL or parts[-1] == "weight"
    return parts[0] in LOAD


def _told(keys: Sequence[str]) -> str:
    more = len(keys) - _TOLD
    return ", ".join(keys[:_TOLD]) + (f" and {more} more" if more > 0 else "")


def _users(summaries: Sequence[Mapping[str, Any]]) -> float | None:
    found = list(_known(summaries))
    return sum(found) / len(found) if found else None


def _known(summaries: Sequence[Mapping[str, Any]]) -> Iterator[float]:
    for summary in summaries:
        users = summary["run"].get("users_max")
        if users:  # of a run of less than a second nobody counted them
            yield float(users)

"""Manual changes, for the marks of trends and for events: keys pressed in quick succession are one change.

Ten ``+`` in a second are one mark and one event, ``users 40 → 50``; where they turn the turns are told, ``users 36 → 46
→ 36``, for that load was there. The summary's ``controls`` still have each of them.
A mark is there at once and grows; its event is told when the keys have rested for :data:`REST_S`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from agenttop.metrics.snapshot import KEPT_MARKS, SENT_MARKS, ManualChange
from agenttop.steering.apply import Change
from agenttop.steering.command import Command
from agenttop.steering.effects import moved

REST_S = 2.0
#: A group that turns more often is told by its first, its last, and its highest and lowest values.
MOST_TURNS = 6
#: Time and text of an event.
EventText = tuple[float, str]


@dataclass(slots=True)
class _Group:
    """Steps of one command, for one pool and from one source."""

    op: str
    pool: str | None
    by: str
    path: list[float | str | None]
    """What it was before, where it turned, and what it is."""
    begun_s: float
    last_s: float

    def step(self, after: float | str | None) -> None:
        """Take the next value."""
        path = self.path
        if len(path) > 1 and _up(path[-2], path[-1]) == _up(path[-1], after):
            path[-1] = after
        elif after != path[-1]:
            path.append(after)
        if len(path) > MOST_TURNS:  # the highest and the lowest stay, in their order
            inner = range(1, len(path) - 1)
            ends = {max(inner, key=lambda i: _number(path[i])), min(inner, key=lambda i: _number(path[i]))}
            self.path = [path[0], *(path[i] for i in sorted(ends)), path[-1]]


def _number(value: float | str | None) -> float:
    return float(value or 0)


def _up(before: float | str | None, after: float | str | None) -> bool | None:
    """Return whether it goes up; None if it stays."""
    return None if before == after else _number(after) > _number(before)


class ManualChanges:
    """The manual changes of a run, in order of time."""

    def __init__(self) -> None:
        self._done: deque[ManualChange] = deque(maxlen=KEPT_MARKS)
        self._group: _Group | None = None

    def add(self, t_s: float, by: str, command: Command, change: Change) -> list[EventText]:
        """Note a change; return the events to report now. Steps (``users +N`` and rates) are grouped."""
        group = self._group
        key = (command.op, change.pool, by)
        step = command.relative or command.op == "rate"
        if group is not None and step and (group.op, group.pool, group.by) == key and t_s - group.last_s < REST_S:
            group.last_s = t_s
            group.step(change.after)
            self._done[-1] = ManualChange(self._done[-1].t_s, moved(group.op, group.pool, *group.path))
            return []
        told = self.rested(t_s, now=True)
        self.mark(t_s, change.said)
        if step:
            self._group = _Group(*key, [change.before, change.after], t_s, t_s)
            return told
        return [*told, (t_s, f"{by}: {change.said}")]

    def mark(self, t_s: float, text: str) -> None:
        """Note a change whose event is reported elsewhere."""
        self._done.append(ManualChange(round(t_s, 3), text))

    def rested(self, t_s: float, *, now: bool = False) -> list[EventText]:
        """Return the event of steps that are over, once: after their rest, or ``now`` because another change comes."""
        group = self._group
        if group is None or (not now and t_s - group.last_s < REST_S):
            return []
        self._group = None
        return [(group.begun_s, f"{group.by}: {self._done[-1].text}")]

    @property
    def all(self) -> tuple[ManualChange, ...]:
        """Return all changes that are kept."""
        return tuple(self._done)

    @property
    def newest(self) -> tuple[ManualChange, ...]:
        """Return the changes for a snapshot."""
        return tuple(self._done)[-SENT_MARKS:]

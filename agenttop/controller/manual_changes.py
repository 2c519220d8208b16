"""What is done by hand, as the trends mark it and the events tell it: keys pressed fast are one change.

Ten ``+`` in a second are one mark and one event, ``users 40 → 50``; the summary's ``controls`` still have each of them.
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
#: Time and text of an event.
EventText = tuple[float, str]


@dataclass(slots=True)
class _Group:
    """Steps of one kind, for one pool and by one hand."""

    op: str
    pool: str | None
    by: str
    before: float | str | None
    begun_s: float
    last_s: float


class ManualChanges:
    """Everything that was done by hand, in order of time."""

    def __init__(self) -> None:
        self._done: deque[ManualChange] = deque(maxlen=KEPT_MARKS)
        self._group: _Group | None = None

    def add(self, t_s: float, by: str, command: Command, change: Change) -> list[EventText]:
        """Note what was done; the events that are to be told now. Steps are ``users +N`` and rates."""
        group = self._group
        key = (command.op, change.pool, by)
        step = command.relative or command.op == "rate"
        if group is not None and step and (group.op, group.pool, group.by) == key and t_s - group.last_s < REST_S:
            group.last_s = t_s
            self._done[-1] = ManualChange(self._done[-1].t_s, moved(group.op, group.pool, group.before, change.after))
            return []
        told = self.rested(t_s, now=True)
        self.mark(t_s, change.said)
        if step:
            self._group = _Group(*key, change.before, t_s, t_s)
            return told
        return [*told, (t_s, f"{by}: {change.said}")]

    def mark(self, t_s: float, text: str) -> None:
        """Note something whose event is told by somebody else."""
        self._done.append(ManualChange(round(t_s, 3), text))

    def rested(self, t_s: float, *, now: bool = False) -> list[EventText]:
        """The event of steps that are over, once: after their rest, or ``now`` since something else comes."""
        group = self._group
        if group is None or (not now and t_s - group.last_s < REST_S):
            return []
        self._group = None
        return [(group.begun_s, f"{group.by}: {self._done[-1].text}")]

    @property
    def all(self) -> tuple[ManualChange, ...]:
        """What is kept."""
        return tuple(self._done)

    @property
    def newest(self) -> tuple[ManualChange, ...]:
        """What every snapshot has."""
        return tuple(self._done)[-SENT_MARKS:]

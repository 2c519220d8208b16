"""The class of users written in Python, as a loaded profile has it."""

from __future__ import annotations

from dataclasses import dataclass

from agenttop.profile.model import Pool


@dataclass(frozen=True, slots=True)
class ScriptTask:
    """A task of a class: its method, the row it is counted under, its weight."""

    method: str
    row: str
    weight: float


@dataclass(frozen=True, slots=True)
class Script:
    """A class of a file. ``file`` is absolute, and was these bytes; ``shown`` is its name as it may be shown."""

    file: str
    shown: str
    sha256: str
    class_name: str
    tasks: tuple[ScriptTask, ...]
    setup: bool
    teardown: bool
    requests: tuple[str, ...]
    """Rows beside those of hooks and tasks."""

    @property
    def rows(self) -> tuple[str, ...]:
        """Return the rows that requests of this class can be counted under, in the order of a user's life."""
        tasks = [task.row for task in self.tasks if task.weight > 0]
        hooks = (["setup"] if self.setup else [], ["teardown"] if self.teardown else [])
        return tuple(dict.fromkeys((*hooks[0], *tasks, *self.requests, *hooks[1])))


class ScriptedPool(Pool):
    """A pool with ``python`` of a profile that has been loaded."""

    script: Script


def rows_of(pool: Pool) -> tuple[str, ...]:
    """Return the rows that the class of a pool gives it; none without a class."""
    return pool.script.rows if isinstance(pool, ScriptedPool) else ()


def is_optional(pool: Pool, row: str) -> bool:
    """Return whether a row may stay empty: it is of a hook or a task that sends under other names, or nothing."""
    return isinstance(pool, ScriptedPool) and row not in pool.script.requests

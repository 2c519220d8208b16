"""The Python side of a pool, ready to play: its class, its rows, and who plays it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from agenttop.profile.model import Pool, Profile
from agenttop.profile.script import ScriptedPool
from agenttop.scripting.load import load_class
from agenttop.scripting.user import User
from agenttop.users.adhoc import Steps
from agenttop.users.compiled import CompiledPool, CompiledTask
from agenttop.users.scripted import ScriptedUser

if TYPE_CHECKING:
    from agenttop.users.pool import PoolRuntime


@dataclass(frozen=True, slots=True)
class CompiledScript:
    """What the users of a pool are made of."""

    file: str
    person: type[User]
    """The user's own class."""
    rows: Mapping[str, int]
    """Index in the layout by hook and by method of a task: where its requests and its exceptions are counted."""
    named: Mapping[str, str]
    """What that row is called."""
    steps: Steps
    user: Callable[[PoolRuntime, int], ScriptedUser] = ScriptedUser
    """Makes a user of its number."""
    said: dict[str, set[str]] = field(default_factory=dict)
    """Messages of exceptions so far, by what was raised where."""
    checks: dict[str, str] = field(default_factory=dict)
    """Names of checks that the code has counted, as they are shown."""


def with_script(compiled: CompiledPool, profile: Profile, pool: Pool, rows: dict[tuple[int, str], int]) -> CompiledPool:
    """The pool with what its class does; as it is where it has none.

    Raises:
        OSError: the file is gone.
        ScriptError: it is not what it was when the profile was checked, or does not do here what it did there.
    """
    if not isinstance(pool, ScriptedPool):
        return compiled
    found = pool.script
    person = load_class(found.file, found.class_name, found.sha256)
    names = {name: rows[compiled.index, name] for name in found.rows}
    chosen = [task for task in found.tasks if task.weight > 0]
    # What a class without a setup sends there is nothing, but making its object may raise.
    first = next(iter(names))
    named = {hook: hook if hook in names else first for hook in ("setup", "teardown")}
    named |= {task.method: task.row for task in chosen}
    script = CompiledScript(
        found.file,
        person,
        {hook: names[row] for hook, row in named.items()},
        named,
        Steps(profile, pool, compiled.target, names, found.class_name),
    )
    return replace(
        compiled,
        tasks=tuple(CompiledTask(task.method, (), (0.0, 0.0), single=False) for task in chosen),
        renews=True,
        breathless=False,
        script=script,
        _weights=list(accumulate(task.weight for task in chosen)),
    )

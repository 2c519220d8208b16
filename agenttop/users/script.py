"""Compiles the Python side of a pool: its class, its rows, and what makes its users."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from agenttop.profile.model import Profile
from agenttop.profile.script import ScriptedPool
from agenttop.scripting.load import load_class
from agenttop.users.adhoc import Steps
from agenttop.users.compiled import CompiledPool
from agenttop.users.scripted import CompiledScript, ScriptedUser
from agenttop.users.shared import PoolShared


def maker_of(
    profile: Profile, compiled: CompiledPool, rows: dict[tuple[int, str], int]
) -> Callable[[PoolShared, int], ScriptedUser]:
    """Return what makes the users of a pool whose life is written in Python.

    Raises:
        OSError: the file is gone.
        ScriptError: it is not what it was when the profile was checked, or does not do here what it did there.
    """
    pool = profile.pools[compiled.index]
    assert isinstance(pool, ScriptedPool)
    found = pool.script
    instance = load_class(found.file, found.class_name, found.sha256)
    names = {name: rows[compiled.index, name] for name in found.rows}
    # What a class without a setup sends there is nothing, but making its object may raise.
    first = next(iter(names))
    named = {hook: hook if hook in names else first for hook in ("setup", "teardown")}
    named |= {task.method: task.row for task in found.tasks if task.weight > 0}
    script = CompiledScript(
        found.file,
        instance,
        {hook: names[row] for hook, row in named.items()},
        named,
        Steps(profile, pool, compiled.target, names, found.class_name),
    )
    return partial(ScriptedUser, script)

"""The base class of users written in Python, and the decorator of their tasks."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, Protocol, TypeVar, overload

from agenttop.scripting.client import Client

Method = TypeVar("Method", bound=Callable[..., Awaitable[Any]])

#: The attribute of a method that is a task.
MARK = "__agenttop_task__"


@dataclass(frozen=True, slots=True)
class Mark:
    """The arguments of ``@task`` on a method."""

    weight: float
    name: str | None


@overload
def task(method: Method, /) -> Method: ...
@overload
def task(weight: float = 1, /, *, name: str | None = None) -> Callable[[Method], Method]: ...
@overload
def task(*, weight: float, name: str | None = None) -> Callable[[Method], Method]: ...
def task(given: Any = 1, /, *, weight: Any = None, name: str | None = None) -> Any:
    """Make an async method a task: ``@task``, ``@task(3)``, ``@task(weight=3, name="ask")``.

    Args:
        given: the method, or the weight.
        weight: how often it is chosen, against the other tasks of its class; 0 is never.
        name: the row its requests are counted under; else the method's own name.

    Raises:
        ValueError: the weight is no number from 0 on.
    """
    if callable(given):
        return _marked(given, 1, None)
    heavy = given if weight is None else weight
    if isinstance(heavy, bool) or not isinstance(heavy, int | float) or not math.isfinite(heavy) or heavy < 0:
        raise ValueError(f"the weight of a task is a number of at least 0, not {heavy!r}")
    return lambda method: _marked(method, heavy, name)


def _marked(method: Any, weight: float, name: str | None) -> Any:
    setattr(method, MARK, Mark(float(weight), name))
    return method


class Life(Protocol):
    """Implements a user: see ``users.scripted``."""

    number: int
    iteration: int

    @property
    def leaving(self) -> bool: ...
    @property
    def given(self) -> Mapping[str, str]: ...
    @property
    def chance(self) -> Random: ...
    async def pause(self, seconds: float) -> None: ...
    def checked(self, name: str, passed: bool) -> None: ...


class User:
    """A virtual user of a pool.

    There is one object for every session: ``setup``, then tasks by their weights with the pool's pauses between them,
    then ``teardown``. An exception that leaves a hook or a task ends it there. It is counted and shown with its place;
    the user goes on with its next iteration, or with another session if it was in ``setup``.
    """

    requests: ClassVar[Sequence[str]] = ()
    """Rows for ``name=``, beside those named after the hooks and tasks."""

    client: Client
    """Sends this user's requests."""
    _life: Life

    async def setup(self) -> None:
        """Run once, before the tasks of a session."""

    async def teardown(self) -> None:
        """Run once, after its last task."""

    @property
    def number(self) -> int:
        """Return the user's number in its pool, from 1, over all workers: ``{user}`` of a profile."""
        return self._life.number

    @property
    def iteration(self) -> int:
        """Return the number of the user's present task, from 1; 0 in ``setup``."""
        return self._life.iteration

    @property
    def variables(self) -> Mapping[str, str]:
        """Return the columns of the session's row, if the pool has ``data``, and what a profile's steps have as well:
        ``session_uuid`` (new for each session) and ``iteration_uuid`` (for each task) among them.
        """
        return self._life.given

    @property
    def random(self) -> Random:
        """Return a random generator with the profile's seed: the same for the same user every time."""
        return self._life.chance

    @property
    def leaving(self) -> bool:
        """Return whether the user leaves after this task: for tasks that would never end by themselves."""
        return self._life.leaving

    async def sleep(self, seconds: float) -> None:
        """Pause within a task. Unlike ``asyncio.sleep`` it ends as soon as nothing may be sent any more.

        Raises:
            asyncio.CancelledError: that is so.
        """
        await self._life.pause(seconds)

    def check(self, name: str, passed: object) -> bool:
        """Count whether something held, and return it. A request does not fail by it: its ``checks=`` does that."""
        held = bool(passed)
        self._life.checked(name, held)
        return held

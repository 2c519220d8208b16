"""Makes dialects whose readers collect what answers say: to be graded, or to be sent with the next request."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, cast

from agenttop.dialects.base import Reader
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.heard import Heard
from agenttop.dialects.transcript import Listening


class Transcribed(Dialect):
    """A dialect whose readers collect as well.

    Args:
        dialect: which one.
        collects: makes a collector; by default that of the dialect's conversations, which it must have.
    """

    def __init__(self, dialect: Dialect, collects: Callable[[], Heard] | None = None) -> None:
        super().__init__()
        made = collects or dialect.transcript
        assert made is not None
        self.name = dialect.name
        self.terminal = dialect.terminal
        self.speaks = dialect.speaks
        self.reads_body = True
        self._given = (dialect,) if dialect.measured else ()
        self._listener = listener(dialect.read_by, made)  # type: ignore[arg-type]  # python/mypy#11470

    def reader(self) -> Listening:
        """Return a fresh reader with a collector."""
        return self._listener(*self._given)


@cache
def listener(reads: type[Reader], collects: Callable[[], Heard]) -> Callable[..., Listening]:
    """Return a reader class of this kind that feeds a collector of that kind as well."""

    def __init__(self: Any, *given: Any) -> None:
        reads.__init__(self, *given)
        self.heard = collects()

    name = f"Listening{reads.__name__}"
    return cast("type[Listening]", type(name, (Listening, reads), {"__slots__": ("heard",), "__init__": __init__}))

"""Makes dialects whose readers keep the turns of answers, so that these can be sent with the next request."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from agenttop.dialects.base import Reader
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.transcript import Listening, Transcript


class Transcribed(Dialect):
    """A dialect that has a transcript, and whose readers fill it."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__()
        assert dialect.transcript is not None
        self.name = dialect.name
        self.terminal = dialect.terminal
        self.reads_body = dialect.reads_body
        self._listener = listener(dialect.read_by, dialect.transcript)  # type: ignore[arg-type]  # python/mypy#11470

    def reader(self) -> Listening:
        """Return a fresh reader with a transcript."""
        return self._listener()


@cache
def listener(reads: type[Reader], keeps: type[Transcript]) -> type[Listening]:
    """Return a reader class of this kind that feeds a transcript of that kind as well."""

    def __init__(self: Any) -> None:
        reads.__init__(self)
        self.transcript = keeps()

    name = f"Listening{reads.__name__}"
    return cast("type[Listening]", type(name, (Listening, reads), {"__slots__": ("transcript",), "__init__": __init__}))

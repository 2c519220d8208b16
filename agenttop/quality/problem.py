"""What is wrong with a file of cases, so that its author knows where and what to change."""

from __future__ import annotations

import msgspec


class CaseProblem(msgspec.Struct, frozen=True):
    """One problem: ``str()`` is the line to print."""

    file: str
    line: int
    """From 1 on; 0: the file as a whole."""
    case: str
    """The case's id, where it has one."""
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        text = ": ".join(part for part in (place, f'case "{self.case}"' if self.case else "", self.message) if part)
        return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)

"""Regular expressions that users write: those of RE2, whose time is linear in the text.

Python's own go back and forth: ``(a+)+$`` on thirty letters holds a worker's loop for minutes, and with it all figures.
RE2 (https://github.com/google/re2/wiki/Syntax) knows no look-around and no references back; its classes are ASCII.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

#: What is wrong with a pattern that Python would take.
NO_RE2 = "regular expressions are those of RE2, without look-around and references back"


class PatternError(ValueError):
    """The text is no regular expression; the message says why."""


class Pattern:
    """A compiled regular expression."""

    __slots__ = ("_fullmatch", "_search", "text")

    def __init__(self, text: str, compiled: Any) -> None:
        self.text = text
        self._search = compiled.search
        self._fullmatch = compiled.fullmatch

    def found_in(self, text: str) -> bool:
        """Return whether it matches somewhere in ``text``."""
        return self._search(_bytes(text)) is not None

    def matches(self, text: str) -> bool:
        """Return whether it matches the whole of ``text``."""
        return self._fullmatch(_bytes(text)) is not None


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Pattern:
    """Compile a regular expression.

    Raises:
        PatternError: it is none, or takes too much memory.
    """
    import re2  # only who uses one pays for it

    options = re2.Options()
    options.log_errors = False
    try:
        return Pattern(text, re2.compile(_bytes(text), options))
    except re2.error as error:
        said = error.args[0] if error.args else error
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise PatternError(
            f"{reason} ({NO_RE2})" if "perl operator" in reason or "escape" in reason else reason
        ) from None


def _bytes(text: str) -> bytes:
    # A lone surrogate, as JSON may have one, matches nothing but itself.
    return text.encode("utf-8", "surrogatepass")

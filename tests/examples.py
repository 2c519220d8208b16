"""How many examples a property tries that is too dear for as many as the others."""

from __future__ import annotations

from hypothesis import settings


def at_most(count: int) -> int:
    """Return ``count``, or what the profile in force tries of every property where that is less."""
    return min(count, settings().max_examples)

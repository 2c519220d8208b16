"""What holds for all tests of users."""

from __future__ import annotations

from tests.wire.race import in_the_race

__all__ = ["in_the_race"]

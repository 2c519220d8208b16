"""What holds for all tests of users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agenttop.profile import python
from agenttop.scripting.load import describe, load_class
from tests.wire.race import in_the_race

__all__ = ["in_the_race"]


def _described(file: Path, class_name: str) -> Mapping[str, Any]:
    return describe(load_class(str(file), class_name))


@pytest.fixture(scope="module", autouse=True)
def _described_here() -> Iterator[None]:
    """A user's file is described in this process, which executes it in any case, and only once. That another process
    does it is tested with profiles (tests/profile/test_python.py).
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(python, "_described", _described)
        yield

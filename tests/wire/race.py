"""The keep-alive race without its clock, for all tests that are not about it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agenttop.wire import http1


@pytest.fixture(scope="module", autouse=True)
def in_the_race() -> Iterator[None]:
    """A connection that is lost before an answer is lost early enough to ask again, however long this machine was busy
    with other things. What is about that time sets it itself.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http1, "RACE_NS", 60_000_000_000)
        yield

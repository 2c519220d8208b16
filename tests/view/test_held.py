from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from agenttop.view import held

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN], ids=["heard", "ignored"])
def test_what_comes_early_comes_again_once_somebody_listens(before: signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, before)
    held.hold()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), number)
    heard: list[int] = []
    for number in NUMBERS:
        signal.signal(number, lambda came, _: heard.append(came))
    held.release()
    assert heard == [signal.SIGTERM, signal.SIGINT, signal.SIGTERM]
    held.release()
    assert len(heard) == 3


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    held.hold()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert held.heard() == (signal.SIGINT, signal.SIGTERM)

from __future__ import annotations

from collections.abc import Iterable

import pytest

from agenttop.controller.seconds import PATIENCE_S, SETTLE_S, Seconds


class Workers:
    """How far each worker has told."""

    def __init__(self, **told_s: float) -> None:
        self.told_s = {int(name[1:]): t_s for name, t_s in told_s.items()}
        self.given_up: set[int] = set()

    def behind(self, t_s: float, alive: Iterable[int]) -> list[int]:
        return [worker for worker in alive if worker not in self.given_up and self.told_s[worker] < t_s]

    def give_up(self, t_s: float, alive: Iterable[int]) -> None:
        self.given_up.update(self.behind(t_s, alive))


def test_a_second_is_closed_when_it_is_over_and_all_have_told() -> None:
    seconds, workers = Seconds(), Workers(w0=1.0, w1=0.75)
    assert seconds.due(1.0 + SETTLE_S - 0.001, workers, [0], patient=False) is None, "its last quarter is on its way"
    assert seconds.due(1.0 + SETTLE_S, workers, [0, 1], patient=False) is None, "one has not told of it"
    assert seconds.due(1.0 + SETTLE_S, workers, [0], patient=False) == 1.0, "whoever is gone is not waited for"
    assert seconds.due(1.0 + SETTLE_S, workers, [0], patient=False) is None, "once"
    assert seconds.closed == 1


def test_seconds_are_closed_one_after_the_other() -> None:
    seconds, workers = Seconds(), Workers(w0=3.25)
    ends = [seconds.due(3.5, workers, [0], patient=False) for _ in range(4)]
    assert ends == [1.0, 2.0, 3.0, None]


@pytest.mark.parametrize("patient", [False, True])
def test_who_does_not_tell_is_waited_for_only_so_long(patient: bool) -> None:
    seconds, workers = Seconds(), Workers(w0=9.0, w1=0.0)
    assert seconds.due(1.0 + PATIENCE_S - 0.001, workers, [0, 1], patient=patient) is None
    closed = seconds.due(1.0 + PATIENCE_S, workers, [0, 1], patient=patient)
    assert (closed, workers.given_up) == ((None, set()) if patient else (1.0, {1}))


@pytest.mark.parametrize(
    ("elapsed", "whole", "last"),
    [(1.5, [], 1.5), (1.0, [], 1.001), (3.0, [2.0, 3.0], 3.001), (4.25, [2.0, 3.0, 4.0], 4.25)],
)
def test_the_rest_is_whole_seconds_and_a_piece(elapsed: float, whole: list[float], last: float) -> None:
    seconds = Seconds()
    assert seconds.due(1.5, Workers(w0=1.0), [0], patient=False) == 1.0
    assert seconds.rest(elapsed) == (whole, last)

from __future__ import annotations

import pytest

from agenttop.controller.standstill import Standstill


def test_a_pause_is_told_and_one_beyond_the_lease_has_ended_the_load() -> None:
    still = Standstill()
    assert [still.look(t_s) for t_s in (0.05, 0.5, 1.4)] == ["", "", ""]
    assert still.look(3.4) == "the controller stood still for 2 s from 1 s on (stopped, or starved of its core)"
    assert still.sending_ended_s is None
    assert still.look(30.0).endswith(
        "for 27 s from 3 s on (stopped, or starved of its core): its workers stopped by themselves after 3 s"
    )
    assert still.sending_ended_s == 6.4
    assert still.lost
    assert still.look(30.1) == ""
    assert still.sending_ended_s is None
    assert not still.lost


@pytest.mark.parametrize(
    ("planned_s", "awake_s", "ended_s", "lost"),
    [
        (12.0, 10.9, None, False),  # nobody has stopped: the plan goes on
        (12.0, 12.5, 12.0, False),  # at the end of the plan
        (10.2, 12.5, 11.0, False),  # there they wait a second for the word to end
        (12.0, 40.0, 12.0, True),
        (14.0, 40.0, 13.0, True),  # their lease was over sooner
        (14.0, 12.9, None, False),
    ],
)
def test_workers_stopped_with_the_plan_or_with_their_lease(
    planned_s: float, awake_s: float, ended_s: float | None, lost: bool
) -> None:
    still = Standstill()
    still.look(10.0, planned_s)
    text = still.look(awake_s, planned_s)
    assert (still.sending_ended_s, still.lost) == (ended_s, lost)
    assert text.endswith("stopped by themselves with the plan") == (lost and ended_s == planned_s)


def test_when_the_last_one_was_over_is_known_of_short_ones_too() -> None:
    still = Standstill()
    seen = []
    for elapsed in (0.4, 0.8, 1.3, 1.4, 2.1, 2.5, 9.0, 9.4):
        still.look(elapsed)
        seen.append(still.over_s)
    assert seen == [0.0, 0.0, 1.3, 1.3, 2.1, 2.1, 9.0, 9.0], "half a second or more"

from __future__ import annotations

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
    assert still.look(30.1) == ""
    assert still.sending_ended_s is None

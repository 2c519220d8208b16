from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.worker.lease import LEASE_S, Lease


def looked(lease: Lease, begin: float, seconds: float, step: float = 0.01) -> float:
    """Look so often for so long; when that ends."""
    for number in range(round(seconds / step)):
        lease.look(begin + (number + 1) * step)
    return begin + seconds


@pytest.mark.parametrize("step", [0.01, 0.05, 0.1])
def test_it_is_over_when_nothing_came_for_long_enough(step: float) -> None:
    lease = Lease()
    now = looked(lease, 0.0, LEASE_S - 0.2, step)
    assert not lease.over
    looked(lease, now, 0.4, step)
    assert lease.over


def test_every_word_lends_it_again() -> None:
    lease, now = Lease(), 0.0
    for _ in range(10):
        now = looked(lease, now, LEASE_S - 0.5)
        lease.renew()
    assert not lease.over
    looked(lease, now, LEASE_S + 0.1)
    assert lease.over


@given(st.lists(st.floats(0.2, 1000), max_size=10))
def test_time_in_which_the_worker_did_not_run_is_nobodys_silence(pauses: list[float]) -> None:
    lease, now = Lease(), 0.0
    lease.look(now)
    for pause in pauses:
        now += pause
        lease.look(now)
    assert lease.silent_s <= 0.1 * len(pauses) + 1e-9
    assert not lease.over


def test_a_clock_that_goes_back_lends_no_time() -> None:
    lease = Lease()
    now = looked(lease, 0.0, LEASE_S - 0.1)
    silent_s = lease.silent_s
    lease.look(now - 2.0)
    assert lease.silent_s == silent_s
    looked(lease, now - 2.0, 0.2)
    assert lease.over

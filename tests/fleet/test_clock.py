from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agenttop.fleet.clock import KEPT, ClockOffset

offsets = st.integers(-(10**18), 10**18)
#: Ways there and back, in ns.
ways = st.tuples(st.integers(0, 10**9), st.integers(0, 10**9))


def trip(clock: ClockOffset, asked: int, offset: int, way: tuple[int, int]) -> None:
    """Measure a clock that is ahead by so much, over so long ways."""
    clock.add(asked, asked + way[0] + offset, asked + sum(way))


@given(offsets, st.lists(ways, min_size=1, max_size=40))
def test_the_offset_is_off_by_no_more_than_is_said(offset: int, found: list[tuple[int, int]]) -> None:
    clock = ClockOffset()
    for number, way in enumerate(found):
        trip(clock, number * 10**9, offset, way)
    assert abs(clock.offset - offset) <= clock.error + 1
    assert clock.trip == min(sum(way) for way in found[-KEPT:])


def test_what_was_agreed_drifts() -> None:
    clock = ClockOffset()
    for _ in range(KEPT):
        trip(clock, 0, 1000, (100, 100))
    assert clock.agree() == 1000
    assert clock.error == 100
    for _ in range(KEPT):
        trip(clock, 10**12, 31_000, (200, 200))
    assert clock.error == 30_000 + 200, "as the times of the run were told by the old one"

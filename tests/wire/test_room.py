"""Memory for what is large, of all connections together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agenttop.wire.room import LARGE, MAX_HELD, MAX_ROOM, Room


def test_what_is_not_large_takes_no_room() -> None:
    room = Room()
    assert all(room.change(0, LARGE) for _ in range(1000))
    assert room.used == 0
    assert room.change(LARGE, LARGE + 7)
    assert room.used == 7


def test_one_thing_has_a_limit_of_its_own() -> None:
    room = Room()
    assert room.change(0, MAX_HELD)
    assert room.used == MAX_HELD - LARGE
    other = Room()
    assert not other.change(0, MAX_HELD + 1)
    assert not other.change(MAX_HELD, MAX_HELD + 1)
    assert other.used == 0, "what found no room has changed nothing"


def test_all_together_have_one_too() -> None:
    room = Room()
    assert room.change(0, MAX_HELD)
    left = MAX_ROOM - room.used
    assert not room.change(0, LARGE + left + 1)
    assert room.change(0, LARGE + left)
    assert room.used == MAX_ROOM
    assert not room.change(LARGE, LARGE + 1)
    assert room.change(0, LARGE), "small things have their place"
    assert room.change(LARGE + 9, LARGE + 9), "what stays as it is asks for nothing"


def test_what_goes_gives_its_room_back_however_little_is_left() -> None:
    room = Room()
    assert room.change(0, MAX_HELD)
    assert room.change(0, LARGE + MAX_ROOM - room.used)
    assert room.change(MAX_HELD, MAX_HELD - 5)
    assert room.used == MAX_ROOM - 5
    assert room.change(MAX_HELD - 5, 0)
    assert room.used == MAX_ROOM - (MAX_HELD - LARGE)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, MAX_HELD + LARGE)), max_size=60))
def test_the_room_taken_is_that_of_what_is_there(changes: list[tuple[int, int]]) -> None:
    room, sizes = Room(), [0, 0, 0, 0]
    for which, size in changes:
        if room.change(sizes[which], size):
            sizes[which] = size
        else:
            assert size > sizes[which], "to take less is never refused"
        assert room.used == sum(max(held - LARGE, 0) for held in sizes) <= MAX_ROOM
    for size in sizes:
        assert room.change(size, 0)
    assert room.used == 0

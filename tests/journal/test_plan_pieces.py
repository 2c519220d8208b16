"""Any pieces amount to stages that want the same at any time."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agenttop.journal.plan_pieces import Piece, rate_stages, users_stages
from agenttop.schedule.quantities import parse_duration
from agenttop.schedule.stages import Ramp, Stage

#: Boundaries are written to the µs.
EDGE_S = 2e-6

_values = st.integers(0, 50).map(float) | st.floats(0, 50).map(lambda value: round(value, 3))


@st.composite
def pieces(draw: st.DrawFn) -> list[Piece]:
    """One after the other, level or not, joined or with jumps."""
    ends_ms = sorted(draw(st.sets(st.integers(1, 20_000), min_size=1, max_size=6)))
    found = []
    for start_ms, end_ms in pairwise([0, *ends_ms]):
        first = draw(_values)
        found.append(Piece(start_ms / 1000, end_ms / 1000, first, draw(st.just(first) | _values), ""))
    return found


def ramp_of(rows: list[dict[str, Any]], unit: str) -> Ramp:
    return Ramp([Stage(parse_duration(row["duration"]), row[unit], row.get("ramp") == "step") for row in rows])


def value(found: list[Piece], t_s: float) -> float:
    piece = next(piece for piece in found if piece.start_s <= t_s < piece.end_s)
    return piece.first + (piece.last - piece.first) * (t_s - piece.start_s) / (piece.end_s - piece.start_s)


@given(pieces(), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_rates(found: list[Piece], shares: list[float]) -> None:
    ramp = ramp_of(rate_stages(found), "rate")
    for t_s in (share * (found[-1].end_s - 2 * EDGE_S) for share in shares):
        if all(abs(t_s - piece.start_s) > EDGE_S for piece in found):
            steepest = max(abs(piece.last - piece.first) / (piece.end_s - piece.start_s) for piece in found)
            assert abs(ramp.at(t_s) - value(found, t_s)) <= 1e-6 + EDGE_S * steepest


@given(pieces(), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_users_are_whole_and_change_at_the_halves(found: list[Piece], shares: list[float]) -> None:
    rows = users_stages(found)
    assert all(row["users"] == int(row["users"]) for row in rows)
    ramp = ramp_of(rows, "users")
    assert abs(ramp.duration - found[-1].end_s) <= EDGE_S
    for t_s in (share * (found[-1].end_s - 2 * EDGE_S) for share in shares):
        near = [math.floor(value(found, max(0.0, t_s + edge)) + 0.5) for edge in (-EDGE_S, 0.0, EDGE_S)]
        assert ramp.users_at(t_s) in near


def test_a_plan_of_nothing_is_one_all_the_same() -> None:
    assert users_stages([Piece(0.0, 3.0, 0.0, 0.0, "paused")]) == [
        {"duration": "0s", "users": 1, "ramp": "step"},
        {"name": "paused", "duration": "3s", "users": 0, "ramp": "step"},
    ]

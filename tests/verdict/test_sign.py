"""A sign comes on when it has held for some seconds on end, and goes off in the same way."""

from __future__ import annotations

import pytest

from agenttop.verdict.sign import CONFIRM, Sign


def played(sign: Sign, says: str) -> str:
    """What the sign is after each second: ``+`` says that it holds, ``-`` that it does not, ``.`` nothing."""
    shown = ""
    for at, one in enumerate(says):
        sign.look(float(at), at * 10.0, {"+": True, "-": False, ".": None}[one])
        shown += "1" if sign.on else "0"
    return shown


@pytest.mark.parametrize(
    ("says", "shown"),
    [
        ("+++---", "001110"),
        ("++-+++", "000001"),
        ("+.+.+", "00001"),
        ("+++-+--+---", "00111111110"),
    ],
)
def test_three_seconds_on_end(says: str, shown: str) -> None:
    assert CONFIRM == 3
    assert played(Sign(), says) == shown


def test_it_began_with_the_first_of_them() -> None:
    sign = Sign()
    played(sign, "-+-+++")
    assert (sign.since_s, sign.load) == (3.0, 30.0)


def test_one_that_is_told_at_once_still_goes_slowly() -> None:
    assert played(Sign(at_once=True), "+--+---") == "1111110"

"""Shares as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.profile.percent import parse_percent


@pytest.mark.parametrize(
    ("value", "share"), [("50%", 0.5), ("0.5%", 0.005), (" 5 % ", 0.05), (0.05, 0.05), (1, 1.0), ("0.95", 0.95)]
)
def test_what_a_share_is(value: object, share: float) -> None:
    assert parse_percent(value) == pytest.approx(share)


@pytest.mark.parametrize("value", ["", "half", "%", "101%", "-5%", 50, -0.1, True, None, [], "nan", "inf", "1e3%"])
def test_what_a_share_is_not(value: object) -> None:
    with pytest.raises(ValueError, match="expected a percentage"):
        parse_percent(value)


@given(st.integers(min_value=0, max_value=100_000))
def test_a_share_survives_being_written(thousandths: int) -> None:
    share = thousandths / 100_000
    assert parse_percent(f"{share * 100:.10g}%") == pytest.approx(share)

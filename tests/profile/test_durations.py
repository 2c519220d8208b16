"""Durations and ranges of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.profile.durations import format_duration, format_span, parse_duration, parse_span


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("2s", 2), ("1m30s", 90), ("1h", 3600), ("1.5m", 90), (" 5s ", 5), (0, 0), ("0s", 0)],
)
def test_what_a_duration_is(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value", ["", "5", "5 s", "s", "5x", "-5s", "1m-5s", "٣s", "1e3s", 5, 5.0, True, None, [], "9" * 400 + "h"]
)
def test_what_a_duration_is_not(value: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(value)


@given(st.integers(min_value=0, max_value=10**9))
def test_a_duration_survives_being_written(milliseconds: int) -> None:
    assert round(parse_duration(format_duration(milliseconds / 1000)) * 1000) == milliseconds


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_an_error(text: str) -> None:
    message = ""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        message = str(error)
        seconds = 0
    assert seconds >= 0
    assert not message or repr(text) in message


def test_ranges() -> None:
    assert parse_span("2s..5s") == (2.0, 5.0)
    assert parse_span("2s") == (2.0, 2.0)
    assert format_span((2.0, 5.0)) == "2s..5s"
    assert format_span((0.5, 0.5)) == "500ms"
    with pytest.raises(ValueError, match="begins above its end"):
        parse_span("5s..2s")
    with pytest.raises(ValueError, match="duration"):
        parse_span("2s..")
    with pytest.raises(ValueError, match="duration"):
        parse_span((1, 2))

"""Quantities as people write them: what each is, and that a long text costs no more than its length."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.schedule import quantities
from agenttop.schedule.quantities import (
    MAX_DURATION_S,
    MAX_WORD,
    clock,
    excerpt,
    format_duration,
    format_number,
    format_span,
    parse_duration,
    parse_number,
    parse_span,
)


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


def test_only_nothing_at_all_is_written_as_nothing() -> None:
    assert format_duration(0) == "0s"
    assert format_duration(1e-6) == "1ms"
    assert format_duration(-1) == "0s"


def test_the_longest_duration() -> None:
    assert parse_duration("8784h") == MAX_DURATION_S
    with pytest.raises(ValueError, match=r"the duration '8785h' is too long; 366 days are the most"):
        parse_duration("8785h")


@pytest.mark.parametrize(
    ("text", "number"), [("80", 80), ("2.5", 2.5), ("", None), ("-1", None), ("1e3", None), ("٣", None), ("1.", None)]
)
def test_what_a_number_is(text: str, number: float | None) -> None:
    assert parse_number(text) == number


def test_numbers_are_written_without_an_exponent() -> None:
    assert [format_number(value) for value in (80.0, 2.5, 1e6, 1e-6)] == ["80", "2.5", "1000000", "0.000001"]


def test_clocks() -> None:
    assert [clock(seconds) for seconds in (-1, 134.9, 3734)] == ["00:00", "02:14", "1:02:14"]


class _Seen:
    """A pattern that notes how much of a text it was given."""

    def __init__(self, pattern: Any) -> None:
        self._pattern = pattern
        self.read = 0

    def match(self, text: str, at: int = 0) -> Any:
        found = self._pattern.match(text, at)
        self.read += (found.end() if found else len(text)) - at
        return found

    def fullmatch(self, text: str) -> Any:
        self.read += len(text)
        return self._pattern.fullmatch(text)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[_Seen]:
    patterns = [_Seen(getattr(quantities, name)) for name in ("_PART", "_NUMBER")]
    for name, pattern in zip(("_PART", "_NUMBER"), patterns, strict=True):
        monkeypatch.setattr(quantities, name, pattern)
    return patterns


LONG = ("9" * 1_000_000, "1s" * 500_000, "9" * 999_999 + "s", " " * 1_000_000, "-" * 1_000_000, "1." * 500_000)


@pytest.mark.parametrize("text", LONG, ids=lambda text: f"{text[:4]}...{text[-2:]}")
def test_a_long_text_is_refused_before_any_pattern_sees_it(text: str, seen: list[_Seen]) -> None:
    for parse in (parse_duration, parse_span):
        with pytest.raises(ValueError, match="duration") as caught:
            parse(text)
        assert len(str(caught.value)) < 250, "an error quotes a little of it"
    for both in (f"{text}..1s", f"1s..{text}"):
        with pytest.raises(ValueError, match="duration"):
            parse_span(both)
    assert parse_number(text) is None
    assert [pattern.read for pattern in seen][1] == 0
    assert seen[0].read <= 2, "nothing but the 1s of 1s..999"


@given(st.text(alphabet="0123456789.smh", max_size=MAX_WORD))
def test_a_pattern_reads_each_character_of_a_duration_once(text: str) -> None:
    pattern, quantities._PART = quantities._PART, _Seen(quantities._PART)  # type: ignore[assignment]
    seen: Any = quantities._PART
    try:
        with contextlib.suppress(ValueError):
            parse_duration(text)
    finally:
        quantities._PART = pattern
    assert seen.read <= len(text)


def test_an_excerpt_is_short() -> None:
    assert excerpt("abc") == "'abc'"
    assert excerpt("9" * 1000) == f"'{'9' * 60}'… (1000 characters)"

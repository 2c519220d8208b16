"""When limits are whole again, as targets write it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.resets import parse_reset, reset_after

NOW = 1_700_000_000.0
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
"""The same instant."""


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("6m0s", 360.0),
        ("120ms", 0.12),
        ("1h0m1.5s", 3601.5),
        ("0s", 0.0),
        (" 20 ", 20.0),
        ("1.5", 1.5),
        ("1700000030", 30.0),
        ("1700000030000", 30.0),
        ("1600000000", 0.0),
        ("2023-11-14T22:13:50Z", 30.0),
        ("2023-11-14T23:13:50+01:00", 30.0),
        ("2023-11-14T22:13:10Z", 0.0),
        ("soon", None),
        ("", None),
        ("6m0s!", None),
        ("-1", None),
    ],
)
def test_a_reset(value: str, seconds: float | None) -> None:
    assert parse_reset(value, NOW) == (seconds if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"x-ratelimit-limit-requests": "5"}, None),
        ({"x-ratelimit-reset": "7"}, 7.0),
        ({"ratelimit-reset": "8"}, 8.0),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "9s"}, 9.0),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "9s",
            },
            1.0,
        ),
        ({"anthropic-ratelimit-input-tokens-reset": "2023-11-14T22:13:25Z"}, 5.0),
        # the target's own clock is the one that counts
        ({"anthropic-ratelimit-requests-reset": "2023-11-14T22:13:25Z", "date": DATE.replace("20 G", "21 G")}, 4.0),
        ({"x-ratelimit-reset-tokens": "never"}, None),
        # the field of the IETF's drafts, from 08 on and 07
        ({"ratelimit": '"default";r=0;t=50'}, 50.0),
        ({"ratelimit": '"hour";r=5;t=3000, "burst";r=0;t=2'}, 2.0),
        ({"ratelimit": "limit=100, remaining=0, reset=7"}, 7.0),
        ({"ratelimit": '"default";r=0', "ratelimit-policy": '"default";q=10;w=60'}, None),
    ],
)
def test_the_reset_of_an_answer(headers: dict[str, str], seconds: float | None) -> None:
    assert reset_after(headers, NOW) == seconds


@given(st.text(max_size=40))
def test_a_reset_never_raises_and_is_never_negative(value: str) -> None:
    seconds = parse_reset(value, NOW)
    assert seconds is None or seconds >= 0


def test_a_time_without_a_zone_is_utc_wherever_this_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert parse_reset("2023-11-14T22:13:50", NOW) == pytest.approx(30.0)
        assert reset_after({"x-ratelimit-reset": "2023-11-14T22:13:50", "date": DATE}, 0.0) == pytest.approx(30.0)
    finally:
        monkeypatch.undo()
        time.tzset()

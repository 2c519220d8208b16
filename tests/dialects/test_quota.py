"""What remains of a limit, as each provider writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.quota import MAX_NAME_LENGTH, MAX_QUOTAS, Quota, read_quotas

NOW = 1_700_000_000.0
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
"""The same instant."""

OPENAI = {
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-limit-tokens": "150000",
    "x-ratelimit-remaining-requests": "59",
    "x-ratelimit-remaining-tokens": "149984",
    "x-ratelimit-reset-requests": "1s",
    "x-ratelimit-reset-tokens": "6m0s",
}
ANTHROPIC = {
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "0",
    "anthropic-ratelimit-requests-reset": "2023-11-14T22:13:50Z",
    "anthropic-ratelimit-input-tokens-limit": "40000",
    "anthropic-ratelimit-input-tokens-remaining": "39000",
    "anthropic-ratelimit-input-tokens-reset": "2023-11-14T22:13:21Z",
    "anthropic-ratelimit-unified-status": "allowed",
    "date": DATE,
}


@pytest.mark.parametrize(
    ("headers", "quotas"),
    [
        (OPENAI, [("requests", 60, 59, 1.0), ("tokens", 150_000, 149_984, 360.0)]),
        (ANTHROPIC, [("requests", 50, 0, 30.0), ("input-tokens", 40_000, 39_000, 1.0)]),
        ({"x-ratelimit-remaining-tokens": "19913"}, [("tokens", None, 19_913, None)]),
        (
            {"x-ratelimit-limit-tokens-day": "9", "x-ratelimit-remaining-tokens-day": "8"},
            [("tokens-day", 9, 8, None)],
        ),
        # GitHub: a Unix time
        (
            {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "59", "x-ratelimit-reset": "1700000042"},
            [("default", 60, 59, 42.0)],
        ),
        # draft-ietf-httpapi-ratelimit-headers: until 06, 07, from 08 on
        (
            {"ratelimit-limit": "10, 10;w=1, 50;w=60", "ratelimit-remaining": "1 ", "ratelimit-reset": "7"},
            [("default", 10, 1, 7.0)],
        ),
        (
            {"ratelimit": "limit=100, remaining=50, reset=5", "ratelimit-policy": "100;w=60"},
            [("default", 100, 50, 5.0)],
        ),
        (
            {"ratelimit": '"hour";r=50;t=30,"day";r=7', "ratelimit-policy": '"hour";q=100;w=3600'},
            [("hour", 100, 50, 30.0), ("day", None, 7, None)],
        ),
        # the same limit in two forms is one
        (
            {"ratelimit": '"15m";r=9;t=3', "x-ratelimit-limit": "10", "x-ratelimit-remaining": "9"},
            [("15m", None, 9, 3.0)],
        ),
        ({"ratelimit": '"user";r=9;pk=:a=:, "user";r=4;pk=:b=:'}, [("user", None, 4, None)]),
        # what tells nothing
        ({"x-ratelimit-limit-requests": "60", "x-ratelimit-reset-requests": "1s"}, []),
        ({"x-ratelimit-remaining-requests": "-1"}, []),
        ({"x-ratelimit-remaining-requests": "many", "ratelimit": "soon"}, []),
        ({"retry-after": "1"}, []),
    ],
)
def test_headers(headers: dict[str, str], quotas: list[tuple[str, int | None, int, float | None]]) -> None:
    assert read_quotas(headers, NOW) == [Quota(*quota) for quota in quotas]


def test_the_target_s_own_clock_counts() -> None:
    headers = ANTHROPIC | {"date": DATE.replace(":20 ", ":10 ")}
    assert [quota.reset_s for quota in read_quotas(headers, NOW + 1_000_000)] == [40.0, 11.0]


def test_names_are_the_target_s_and_so_bounded() -> None:
    headers = {f"x-ratelimit-remaining-{'n' * 100}-{number}": "1" for number in range(100)}
    quotas = read_quotas(headers, NOW)
    assert len(quotas) <= MAX_QUOTAS
    assert all(len(quota.name) <= MAX_NAME_LENGTH for quota in quotas)


PARTS = ("limit", "remaining", "reset")
NAMES = st.sampled_from(
    [
        *(f"x-ratelimit-{part}{kind}" for part in PARTS for kind in ("", "-requests", "-tokens")),
        *(f"anthropic-ratelimit-tokens-{part}" for part in PARTS),
        *(f"ratelimit{part}" for part in ("", "-policy", "-limit", "-remaining", "-reset")),
        "date",
    ]
)
VALUES = st.text(max_size=20) | st.integers(-5, 10**20).map(str) | st.sampled_from(["1s", "6m0s", '"a";r=1;t=2'])


@given(st.dictionaries(NAMES, VALUES), st.floats(0, 4e9))
def test_whatever_is_told_is_read_without_a_word(headers: dict[str, str], now: float) -> None:
    quotas = read_quotas(headers, now)
    assert len({quota.name for quota in quotas}) == len(quotas)
    for quota in quotas:
        assert quota.remaining >= 0
        assert quota.limit is None or quota.limit >= 0
        assert quota.reset_s is None or quota.reset_s >= 0


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**6))
def test_every_form_tells_the_same(limit: int, remaining: int, reset: int) -> None:
    forms = [
        {f"x-ratelimit-{part}-a": str(value) for part, value in zip(PARTS, (limit, remaining, reset), strict=True)},
        {f"anthropic-ratelimit-a-{p}": str(v) for p, v in zip(PARTS, (limit, remaining, reset), strict=True)},
        {"ratelimit": f'"a";r={remaining};t={reset}', "ratelimit-policy": f'"a";q={limit};w=60'},
    ]
    assert [read_quotas(form, NOW) for form in forms] == [[Quota("a", limit, remaining, float(reset))]] * 3

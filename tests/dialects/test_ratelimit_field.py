"""RateLimit and RateLimit-Policy: the examples of the drafts, and whatever else may stand there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.ratelimit_field import ServiceLimit, parse_policies, parse_ratelimit

LIST = st.lists(
    st.tuples(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12),
        st.integers(0, 10**15 - 1),
        st.integers(0, 10**9),
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        ('"default";r=50;t=30', [("default", None, 50, 30.0)]),
        ('"default";r=999;pk=:dHJpYWwxMjEzMjM=:', [("default", None, 999, None)]),
        ('"day";r=100;t=36000, "hour";r=0', [("day", None, 100, 36000.0), ("hour", None, 0, None)]),
        ('"100-in-15min"; r=99; t=900', [("100-in-15min", None, 99, 900.0)]),
        ('"a,b;c";r=1', [("a,b;c", None, 1, None)]),
        (r'"say \"x\"";r=1', [('say "x"', None, 1, None)]),
        ("quota;t=1", [("quota", None, None, 1.0)]),
        ("limit=100, remaining=50, reset=5", [("default", 100, 50, 5.0)]),
        ("limit=10, reset=1", [("default", 10, None, 1.0)]),
        ("limit=10;w=1, remaining=3", [("default", 10, 3, None)]),
        ('"default";r=-1;t=x', [("default", None, None, None)]),
        ("", []),
        (" , ;r=1", []),
    ],
)
def test_limits(value: str, limits: list[tuple[str, int | None, int | None, float | None]]) -> None:
    assert parse_ratelimit(value) == [ServiceLimit(*limit) for limit in limits]


@pytest.mark.parametrize(
    ("value", "policies"),
    [
        ('"burst";q=100;w=60,"daily";q=1000;w=86400', {"burst": 100, "daily": 1000}),
        ('"peruser";q=65535;qu="content-bytes";w=10;pk=:sdfjLJUOUH==:', {"peruser": 65535}),
        ("100;w=60", {}),
        ('10;w=1;comment="a, b", 1000;w=3600', {}),
        ('"unlimited"', {}),
    ],
)
def test_policies(value: str, policies: dict[str, int]) -> None:
    assert parse_policies(value) == policies


@given(LIST)
def test_what_is_written_is_read(items: list[tuple[str, int, int]]) -> None:
    def quoted(name: str) -> str:
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

    field = ", ".join(f"{quoted(name)};r={remaining};t={reset}" for name, remaining, reset in items)
    assert parse_ratelimit(field) == [ServiceLimit(name, None, left, float(reset)) for name, left, reset in items]


@given(st.text(max_size=60) | st.text('"\\;,= rtqw0123456789a', max_size=60))
def test_anything_may_stand_there(value: str) -> None:
    for limit in parse_ratelimit(value):
        assert limit.remaining is None or limit.remaining >= 0
        assert limit.reset_s is None or limit.reset_s >= 0
    assert all(quota >= 0 for quota in parse_policies(value).values())

"""When a refused client may come back: what is believed first."""

from __future__ import annotations

import pytest

from agenttop.dialects.hints import Hint, read_hint

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
IN_30_S = "Tue, 14 Nov 2023 22:13:50 GMT"
BEFORE = {"date": "Tue, 14 Nov 2023 22:13:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "told_s", "hint"),
    [
        ({}, None, Hint(None)),
        ({}, 5.0, Hint(5.0)),
        ({}, 0.0, Hint(0.0)),
        ({"retry-after": "7"}, 5.0, Hint(7.0)),
        ({"retry-after": "0"}, 5.0, Hint(0.0)),
        ({"retry-after": IN_30_S}, 5.0, Hint(30.0)),
        ({"retry-after": IN_30_S} | BEFORE, None, Hint(50.0)),
        ({"x-ratelimit-reset": "9"}, None, Hint(9.0)),
        ({"x-ratelimit-reset": "9"}, 5.0, Hint(5.0)),
        ({"x-ratelimit-reset": "9", "retry-after": "7"}, None, Hint(7.0)),
        ({"x-ratelimit-reset": "1700000040"}, None, Hint(40.0)),
        ({"retry-after": "soon"}, 5.0, Hint(5.0)),
        ({"retry-after": "soon", "x-ratelimit-reset": "9"}, None, Hint(9.0)),
        ({"retry-after": " soon "}, None, Hint(None, "retry-after: soon")),
        ({"retry-after-ms": "x", "retry-after": "y"}, None, Hint(None, "retry-after-ms: x")),
        ({"retry-after-ms": " ", "llm_provider-retry-after": "z"}, None, Hint(None, "llm_provider-retry-after: z")),
        ({"retry-after": "x" * 99}, None, Hint(None, "retry-after: " + "x" * 60)),
    ],
)
def test_what_is_believed(headers: dict[str, str], told_s: float | None, hint: Hint) -> None:
    assert read_hint(headers, told_s, NOW) == hint

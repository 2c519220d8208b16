"""What does not add up in a run of the script is found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.benchmarks.script import differences


def _summary() -> dict[str, Any]:
    rows = {"open session": 64, "message": 300, "ask for an order": 200, "look it up": 200, "status": 100}
    return {
        "requests": {f"chat/{name}": {"requests": count} for name, count in rows.items()},
        "checks": {
            "created": {"passed": 64, "failed": 0},
            "others": {"passed": 3 * 300 + 200 + 3 * 200 + 2 * 100, "failed": 0},
        },
        "totals": {"failed": 0},
    }


def test_a_run_that_adds_up() -> None:
    assert differences(_summary(), 864) == []


def test_a_request_that_the_server_did_not_see() -> None:
    assert differences(_summary(), 863) == ["requests counted, requests nginx served: 864 and 863"]


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        (("totals", "failed"), 2, ["requests failed, none: 2 and 0"]),
        (
            ("checks", "created", "failed"),
            1,
            ["checks made, checks of these answers: 1965 and 1964", "checks failed, none: 1 and 0"],
        ),
        (("checks", "others", "passed"), 1899, ["checks made, checks of these answers: 1963 and 1964"]),
    ],
)
def test_each_difference_is_named(path: tuple[str, ...], value: int, found: list[str]) -> None:
    summary = _summary()
    place = summary
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value

    assert differences(summary, 864) == found


def test_a_session_and_an_order_too_few() -> None:
    summary = _summary()
    summary["requests"]["chat/open session"]["requests"] = 63
    summary["requests"]["chat/look it up"]["requests"] = 199
    summary["checks"]["others"]["passed"] -= 4

    assert differences(summary, 862) == [
        "sessions opened, users: 63 and 64",
        "orders asked for, orders looked up: 200 and 199",
    ]

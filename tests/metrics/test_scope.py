"""Everything counted about one thing, and texts made harmless."""

from __future__ import annotations

from array import array

import pytest

from agenttop.metrics.counts import Counts
from agenttop.metrics.delta import ErrorDelta, HistDelta, PoolDelta
from agenttop.metrics.histogram import fold
from agenttop.metrics.scope import MAX_ERRORS, OTHER, TOP_ERRORS, ErrorTable, Scope, clean_text, merged


def ms(*values: float) -> HistDelta:
    return fold(array("q", [int(value * 1e6) for value in values]))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("", ""),
        ("plain", "plain"),
        (" a\t\tb\r\n c ", "a b c"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred\x9b0m", "red"),
        ("a\x00b\x7fc\u202ed", "a b c d"),
        ("naïve 語", "naïve 語"),
        ("x" * 10, "x" * 10),
        ("x" * 11, "x" * 9 + "…"),
        ("\x1b[31m" * 7 + "ab", "ab"),
        ("\x1b[31m" * 8 + "ab", ""),
    ],
)
def test_texts_are_clean_and_bounded(text: str, clean: str) -> None:
    assert clean_text(text, 10) == clean


def test_a_text_has_300_characters_where_nothing_else_is_said() -> None:
    assert clean_text("y" * 300) == "y" * 300
    assert clean_text("y" * 301) == "y" * 299 + "…"


def failed(
    message: str, count: int = 1, first_s: float = 0.0, last_s: float = 0.0, outcome: str = "timeout"
) -> ErrorDelta:
    return ErrorDelta(0, 0, outcome, message, count, first_s, last_s)


def test_the_same_failure_is_one_row() -> None:
    table = ErrorTable()
    table.add(failed("slow\n", 2, 3.00049, 4.0))
    table.add(failed("slow", 5, 2.12345, 3.5))
    table.add(failed("slow", 1, 2.5, 6.78951))
    table.add(failed("slow", 1, 9.0, 9.0, "truncated"))
    assert table.top() == [
        {"outcome": "timeout", "message": "slow", "count": 8, "first_s": 2.123, "last_s": 6.79},
        {"outcome": "truncated", "message": "slow", "count": 1, "first_s": 9.0, "last_s": 9.0},
    ]


def test_the_most_frequent_come_first_and_equals_by_name() -> None:
    table = ErrorTable()
    for message, count in (("b", 2), ("c", 7), ("a", 2)):
        table.add(failed(message, count))
    table.add(failed("z", 2, outcome="check_failed"))
    assert [row["message"] for row in table.top()] == ["c", "z", "a", "b"]
    assert [row["message"] for row in table.top(2)] == ["c", "z"]
    for number in range(TOP_ERRORS):
        table.add(failed(f"m{number}"))
    assert len(table.top()) == TOP_ERRORS


def test_one_failure_too_many_is_another_of_its_outcome() -> None:
    table = ErrorTable()
    for number in range(MAX_ERRORS):
        table.add(failed(str(number), 1, 1.0, 1.0))
    for outcome, count in (("timeout", 5), ("truncated", 4), ("timeout", 5)):
        table.add(failed(f"new {count}", count, 2.0, 3.0, outcome))
    table.add(failed("7", 3))
    top = table.top(3)
    assert [(row["outcome"], row["message"], row["count"]) for row in top] == [
        ("timeout", OTHER, 10),
        ("timeout", "7", 4),
        ("truncated", OTHER, 4),
    ]
    assert (top[0]["first_s"], top[0]["last_s"], top[1]["first_s"]) == (2.0, 3.0, 0.0)


def scope(**outcomes: int) -> Scope:
    made = Scope()
    made.add_merged(Counts(outcomes, {"attempts": 2}), {"latency": ms(10, 20), "ttft": ms(5)})
    made.errors.add(failed("slow", outcomes.get("timeout", 0), 1.0, 2.0))
    return made


def test_several_are_merged_into_one() -> None:
    whole = merged([scope(ok=2, timeout=1), scope(ok=3, timeout=4)])
    assert (whole.outcomes, whole.sums, whole.requests) == ({"ok": 5, "timeout": 5}, {"attempts": 4}, 10)
    assert {name: (hist.count, hist.high) for name, hist in whole.hists.items()} == {
        "latency": (4, 20_000.0),
        "ttft": (2, 5_000.0),
    }
    assert [row["count"] for row in whole.errors.top()] == [5]
    assert whole.of_pools
    assert not merged([], of_pools=False).of_pools
    assert (merged(iter(())).requests, merged([]).hists, merged([]).errors.top()) == (0, {}, [])


def test_a_distribution_is_made_once() -> None:
    made = Scope(of_pools=False)
    assert made.hist("latency") is made.hist("latency")
    assert not made.of_pools
    assert list(made.hists) == ["latency"]


def test_what_pools_do_is_added() -> None:
    made = Scope()
    for _ in range(2):
        made.add_pool(PoolDelta(1, 1, 3, 50, 700))
    assert made.sums == {"sessions": 6, "iterations": 100, "dropped_iterations": 1_400}

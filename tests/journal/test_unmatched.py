from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from agenttop.journal.unmatched import MAX_TOLD, unmatched
from agenttop.metrics.aggregate import Aggregate
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=3)
PROFILE: dict[str, Any] = {
    "measure": {"output_tokens": "$.out", "done": "$.done", "phases": {"llm": "$.t.llm"}},
    "pools": [{"measure": {"output_tokens": "$.own"}}, {}, {}],
}


def aggregate(*measured: str, seconds: int = 3, matched: tuple[str, ...] = ()) -> Aggregate:
    """A run whose first pool is to match these keys, and did match some."""
    layout = RUN.layout
    first, *others = layout.pools
    made = Aggregate(replace(layout, pools=(replace(first, measured=measured), *others)))
    for delta in (each for second in range(1, seconds + 1) for each in RUN.deltas(second)):
        states = [replace(state, matched=matched) if not state.pool else state for state in delta.states]
        made.fold(replace(delta, states=states))
    return made


def test_a_path_that_never_matched_is_told_with_pool_key_and_path() -> None:
    found = unmatched(aggregate("output_tokens", "done", "phases.llm", matched=("done",)), PROFILE)
    assert len(found) == 2
    assert found[0].startswith('chat: [measure] output_tokens = "$.own" never matched in ')
    assert found[1].startswith('chat: [measure] phases.llm = "$.t.llm" never matched in ')


@pytest.mark.parametrize("matched", [("output_tokens", "done"), ("done", "output_tokens", "error")])
def test_what_matched_is_not_told(matched: tuple[str, ...]) -> None:
    assert unmatched(aggregate("output_tokens", "done", matched=matched), PROFILE) == []


def test_without_a_good_answer_nothing_is_told() -> None:
    assert unmatched(aggregate("output_tokens", seconds=0), PROFILE) == []


def test_a_great_many_are_counted() -> None:
    keys = tuple(f"phases.{number}" for number in range(MAX_TOLD + 3))
    found = unmatched(aggregate(*keys), PROFILE)
    assert (len(found), found[-1]) == (MAX_TOLD + 1, "chat: 3 more paths of [measure] never matched")

"""Completion and hints of the prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.steering.commands import COMMANDS
from agenttop.steering.grammar import completions, goes_on, hint

POOLS = ("chat", "tools", "talk")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", list(COMMANDS)),
        ("re", ["release", "resume"]),
        ("release ", ["release chat", "release tools", "release talk"]),
        ("release t", ["release tools", "release talk"]),
        ("users ", []),
        ("users +5 c", ["users +5 chat"]),
        ("rate 5 x", []),
        ("stop ", ["stop now"]),
        ("hold ", []),
        ("think ", ["think profile"]),
        ("on_429 r", ["on_429 retry"]),
        ("on_429 honor t", ["on_429 honor tools", "on_429 honor talk"]),
        ("plan 2m ", []),
        ("plan p", ["plan profile"]),
        ("plan profile t", ["plan profile tools", "plan profile talk"]),
        ("nonsense ", []),
        ("users 1 chat ", []),
    ],
)
def test_completions(text: str, expected: list[str]) -> None:
    assert completions(text, POOLS) == expected


@given(st.text(alphabet="abcdehlnoprstu +N15", max_size=20))
def test_a_completion_goes_on_with_what_was_typed_and_there_is_always_a_hint(text: str) -> None:
    assert all(found.startswith(text) for found in completions(text, POOLS))
    assert hint(text) or not text


def test_hints() -> None:
    assert hint("users +") == "users N|+N|-N [POOL]: users of all pools, or of one"
    assert hint("s") == "start stop status"
    assert "no command ratex" in hint("ratex ")


@pytest.mark.parametrize(
    "text", ["users", "users +5", "stop", "plan", "plan 2m 80, 1m 0", "plan profile", "on_429 honor"]
)
def test_what_goes_on(text: str) -> None:
    assert goes_on(text)


@pytest.mark.parametrize("text", ["hold", "users 5 chat", "stop now", "plan profile chat", "nonsense", ""])
def test_what_is_whole(text: str) -> None:
    assert not goes_on(text)

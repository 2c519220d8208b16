"""Tests of agenttop.tui.prompt."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.steering import grammar
from agenttop.tui.prompt import KEPT, Prompt, Words

WORDS = Words(partial(grammar.completions, pools=("chat", "tools")), grammar.hint, grammar.goes_on)


def typed(*keys: str, text: str = "", words: Words | None = WORDS) -> Prompt:
    """A prompt after some keys; a text to insert begins with ``=``."""
    prompt = Prompt()
    prompt.open(":" if words else "/", text, words)
    for key in keys:
        if key.startswith("="):
            prompt.insert(key[1:])
        else:
            assert prompt.press(key), key
    return prompt


@pytest.mark.parametrize(
    ("keys", "text", "at"),
    [
        (("=abc",), "abc", 3),
        (("=abc", "left", "=x"), "abxc", 3),
        (("=abc", "backspace"), "ab", 2),
        (("=abc", "home", "backspace"), "abc", 0),
        (("=abc", "home", "delete"), "bc", 0),
        (("=abc", "end", "delete"), "abc", 3),
        (("=abc", "home", "right", "=x"), "axbc", 2),
        (("=users 12", "ctrl+w"), "users ", 6),
        (("=users 12", "ctrl+w", "ctrl+w"), "", 0),
        (("=users 12", "left", "left", "ctrl+u"), "12", 0),
        (("=users 12", "home", "right", "ctrl+k"), "u", 1),
        (("=abc", "ctrl+a", "ctrl+e", "=x"), "abcx", 4),
    ],
)
def test_editing(keys: tuple[str, ...], text: str, at: int) -> None:
    prompt = typed(*keys)
    assert (prompt.text, prompt.at) == (text, at)


@given(st.lists(st.sampled_from([
    "=a", "=users ", "=日", "left", "right", "home", "end", "backspace", "delete", "ctrl+w", "ctrl+u", "ctrl+k", "up",
    "down", "tab",
])))  # fmt: skip
def test_the_cursor_stays_in_the_text(keys: list[str]) -> None:
    prompt = typed(*keys)
    assert 0 <= prompt.at <= len(prompt.text)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("=us", "tab"), "users "),
        (("=us", "tab", "= "), "users "),
        (("=us", "tab", "= ", "= "), "users  "),
        (("=us", "tab", "left", "right", "= "), "users  "),
        (("=us", "tab", "= ", "=5"), "users 5"),
        (("=hol", "tab", "= "), "hold "),
        (("=users", "tab"), "users "),
        (("=hol", "tab"), "hold"),
        (("=s", "tab"), "start"),
        (("=s", "tab", "tab"), "stop"),
        (("=s", "tab", "tab", "tab", "tab"), "start"),
        (("=stop", "tab", "tab"), "stop now"),
        (("=users +5 t", "tab"), "users +5 tools"),
        (("=us", "tab", "=5 ", "tab"), "users 5 chat"),
        (("=nothing", "tab"), "nothing"),
        (("=rel", "right"), "release"),
        (("=rel", "end"), "release"),
    ],
)
def test_tab_completes_and_adds_the_space_where_something_follows(keys: tuple[str, ...], text: str) -> None:
    assert typed(*keys).text == text


def test_what_is_likely_stands_behind_the_cursor_at_the_end_only() -> None:
    assert typed("=rel").likely == "ease"
    assert typed("=rel", "left").likely == ""
    assert typed().likely == ""


def test_a_refused_command_is_there_again_with_its_answer_until_a_key_is_pressed() -> None:
    prompt = typed("=users many")
    assert prompt.submit() == "users many"
    assert prompt.text == ""
    prompt.answer("users many", "'many' is not a number", ok=False)
    assert (prompt.text, prompt.at, prompt.refused) == ("users many", 10, True)
    assert prompt.said == "! rejected: 'many' is not a number"
    prompt.press("backspace")
    assert (prompt.text, prompt.refused) == ("users man", False)
    assert prompt.said == grammar.hint("users man")


def test_a_refusal_takes_nothing_from_what_was_typed_since() -> None:
    prompt = typed("=users many")
    prompt.submit()
    prompt.insert("hold")
    prompt.answer("users many", "no", ok=False)
    assert prompt.text == "hold"
    prompt.answer("users +1", "no", ok=False)
    assert prompt.text == "hold"


def test_the_answer_to_another_command_brings_nothing_back() -> None:
    prompt = typed("=users 9")
    prompt.submit()
    prompt.answer("users +1", "no", ok=False)
    assert prompt.text == ""
    prompt.answer("users 9", "users 1 → 9", ok=True)
    assert (prompt.text, prompt.said, prompt.refused) == ("", "applied: users 1 → 9", False)


def test_up_and_down_go_through_earlier_commands() -> None:
    prompt = typed()
    for command in ("hold", "resume", "resume"):
        prompt.insert(command)
        prompt.submit()
    assert [prompt.press(key) and prompt.text for key in ("up", "up", "up", "down", "down", "down")] == [
        "resume", "hold", "hold", "resume", "", "",
    ]  # fmt: skip
    for number in range(2 * KEPT):
        prompt.insert(f"users {number}")
        prompt.submit()
    assert [prompt.press("up") and prompt.text for _ in range(KEPT + 5)][-1] == f"users {KEPT}"


def test_a_filter_has_no_completions_and_no_earlier_ones() -> None:
    prompt = typed("=lo", words=None)
    for key in ("tab", "up", "down"):
        prompt.press(key)
    assert (prompt.text, prompt.likely, prompt.said) == ("lo", "", "enter keeps, esc clears")
    assert prompt.submit() == prompt.text == "lo"
    assert not prompt.press("f7")

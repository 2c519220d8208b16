from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.expressions.jsonpath import compile_path
from agenttop.expressions.pattern import PatternError, compile_pattern
from agenttop.profile.checks import CheckError, compile_check
from tests.profile.writing import SMALL, problems

#: Each holds Python's own for longer than anybody waits.
CATASTROPHES = ["(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*)*b", "(.*a){20}$", "([a-z]+)*[0-9]", r"(\w+\s?)+:$"]


@pytest.mark.parametrize("text", CATASTROPHES)
def test_no_pattern_holds_the_loop(text: str) -> None:
    pattern = compile_pattern(text)
    assert not pattern.matches("a" * 100_000 + "!")
    found = compile_path("$[?match(@.t, $.p)]").find({"p": text, "x": {"t": "a" * 100_000 + "!"}})
    assert found == []


@pytest.mark.parametrize("text", ["(?=a)b", "(?<!a)b", r"(a)\1", "(", "[z-a]", "a{3,1}", "*a", "a{9999}"])
def test_what_is_none_is_said(text: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(text)
    with pytest.raises(CheckError, match="bad regular expression"):
        compile_check(f"body matches '{text}'")


def test_the_message_says_whose_they_are() -> None:
    with pytest.raises(PatternError, match="those of RE2, without look-around"):
        compile_pattern("(?=a)")


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_text_is_looked_through_and_any_pattern_is_one_or_none(text: str, pattern: str) -> None:
    try:
        compiled = compile_pattern(pattern)
    except PatternError:
        return
    if compiled.matches(text):
        assert compiled.found_in(text)


@pytest.mark.parametrize(
    ("pattern", "text", "whole", "part"),
    [
        ("a.b", "axb", True, True),
        ("a.b", "xaxbx", False, True),
        ("a.b", "a\nb", False, False),
        ("a.b", "a\rb", False, False),
        ("a[.]b", "axb", False, False),
        ("a[.]b", "a.b", True, True),
        (r"a\.b", "a.b", True, True),
        (r"a\.b", "axb", False, False),
        ("é+", "caféé", False, True),
        ("(?=a)a", "a", False, False),
        ("", "a", False, True),
    ],
)
def test_match_and_search_of_a_path(pattern: str, text: str, whole: bool, part: bool) -> None:
    for function, wanted in (("match", whole), ("search", part)):
        found = compile_path(f"$[?{function}(@.t, $.p)]").find({"p": pattern, "x": {"t": text}, "n": {"t": 1}})
        assert found == ([{"t": text}] if wanted else [])


def test_a_profile_is_refused_in_one_line(tmp_path: object) -> None:
    found = problems(tmp_path, SMALL + '\n[rate_limit]\nbody_matches = "(?=retry)"\n')  # type: ignore[arg-type]
    assert [problem.key for problem in found] == ["rate_limit.body_matches"]
    assert "bad regular expression" in found[0].message

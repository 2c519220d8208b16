"""JSONPath: our quick walk and the library agree."""

from __future__ import annotations

from typing import Any

import jsonpath_rfc9535
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.expressions.jsonpath import JsonPathSyntaxError, compile_calls, compile_measure, compile_path

NAMES = st.sampled_from(["a", "b", "0", "é"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
SEGMENTS = st.one_of(
    NAMES.map(lambda name: f"['{name}']"),
    st.sampled_from(
        [".a", ".b", ".é", '["a"]', "[0]", "[1]", "[-1]", "[-3]", "[*]", ".*", "..a", "[0:2]", "[?@.a]", "['a','b']"]
    ),
)


@given(JSON, st.lists(SEGMENTS, max_size=4))
def test_the_quick_walk_finds_what_the_library_finds(document: Any, segments: list[str]) -> None:
    text = "$" + "".join(segments)
    path = compile_path(text)
    expected = [node.value for node in jsonpath_rfc9535.find(text, document)]
    assert path.find(document) == expected
    assert path.first(document) == ((True, expected[0]) if expected else (False, None))


@given(st.text(alphabet="$.[]()'\"ab01*:-,?@ ", max_size=15))
def test_any_text_is_a_path_or_an_error(text: str) -> None:
    column = 1
    try:
        compile_path(text).find({"a": [1, {"b": 2}]})
    except JsonPathSyntaxError as error:
        column = error.column
    assert 1 <= column <= len(text) + 1


def test_a_plain_path_is_singular_and_others_are_not() -> None:
    assert compile_path("$.a.b[0]['c']").singular
    assert not compile_path("$.a[*]").singular
    assert compile_path("$").find([1]) == [[1]]


def test_an_index_is_no_letter_and_a_name_no_attribute() -> None:
    assert compile_path("$.a[0]").find({"a": "text"}) == []
    assert compile_path("$.a.b").find({"a": "text"}) == []
    assert compile_path("$.a").find([1]) == []


@pytest.mark.parametrize(
    ("text", "document", "expected"),
    [
        ("length($.a)", {"a": [1, 2]}, (True, 2)),
        (" length( $.a ) ", {"a": {"b": 1}}, (True, 1)),
        ("length($.a)", {"a": "text"}, (True, 4)),
        ("length($.a)", {"a": 5}, (False, None)),
        ("length($.a)", {}, (False, None)),
        ("length($.a[*].b)", {"a": [{"b": 1}, {"c": 2}, {"b": 3}]}, (True, 2)),
        ("$.a", {"a": 7}, (True, 7)),
    ],
)
def test_measures(text: str, document: Any, expected: tuple[bool, Any]) -> None:
    measure = compile_measure(text)
    assert measure.first(document) == expected
    assert measure.find(document) == ([expected[1]] if expected[0] else [])


@pytest.mark.parametrize(
    ("text", "document", "expected"),
    [
        ("length($.a)", {"a": [1, 2]}, (True, [1, 2])),
        ("length($.a)", {"a": {"name": "f", "id": 1, "type": "x"}}, (True, {"name": "f", "id": 1, "type": "x"})),
        ("length($.a)", {"a": "search"}, (True, "search")),
        ("length($.a)", {}, (False, None)),
        ("length($.a[*].b)", {"a": [{"b": 1}, {"c": 2}, {"b": 3}]}, (True, [1, 3])),
        ("length($.a[*].b)", {}, (True, [])),
        ("$.a", {"a": 7}, (True, 7)),
        ("$.a[*]", {"a": [{"b": 1}, 2]}, (True, {"b": 1})),
    ],
)
def test_calls_instead_of_how_many(text: str, document: Any, expected: tuple[bool, Any]) -> None:
    assert compile_calls(text)(document) == expected


@pytest.mark.parametrize("text", ["", "a", "$.", "$[", "$.a b", "length()", "length($.a", "$[?nope(@)]"])
def test_errors_say_where(text: str) -> None:
    with pytest.raises(JsonPathSyntaxError, match=r"\(at column \d+\)"):
        compile_measure(text)


def test_a_document_nested_too_deep_matches_nothing() -> None:
    document: Any = 1
    for _ in range(500):
        document = {"a": [document]}
    path = compile_path("$..b")
    assert path.find(document) == []
    assert path.first(document) == (False, None)

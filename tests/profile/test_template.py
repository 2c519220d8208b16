"""Templates: what they fill in stays inside the place it goes to."""

from __future__ import annotations

import datetime
import json
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agenttop.profile.template import (
    TemplateError,
    compile_form,
    compile_header,
    compile_json,
    compile_path,
    compile_query,
    compile_text,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NASTY = '"\\\n\x00/&=?#%{}é☃ \U0001f600'


def braces(text: str) -> str:
    """The text as a template writes it."""
    return text.replace("{", "{{").replace("}", "}}")


@given(TEXT, TEXT, TEXT)
@example("", NASTY, NASTY)
def test_text_is_left_as_it_is(before: str, value: str, after: str) -> None:
    template = compile_text(f"{braces(before)}{{v}}{braces(after)}")
    assert template.fill({"v": value}).decode() == before + value + after
    assert template.variables == {"v"}
    assert not template.static


@given(TEXT, TEXT, st.text())
@example("", NASTY, "\ud800")
def test_json_stays_the_same_json(before: str, value: str, broken: str) -> None:
    template = compile_json({f"k{braces(before)}": [f"{braces(before)}{{v}}", 1, True, None, 1.5, {}]})
    assert json.loads(template.fill({"v": value})) == {f"k{before}": [before + value, 1, True, None, 1.5, {}]}
    json.loads(template.fill({"v": broken}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT.map(braces),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT.map(braces), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_json_without_variables_is_compact_and_constant(value: Any) -> None:
    template = compile_json(value)
    expected = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert template.static
    assert template.fill({}).decode() == expected.replace("{{", "{").replace("}}", "}") or "{" in expected


def test_dates_of_toml_are_iso_8601_in_json() -> None:
    assert compile_json({"on": datetime.date(2024, 1, 2)}).fill({}) == b'{"on":"2024-01-02"}'


def test_json_has_no_infinity() -> None:
    with pytest.raises(ValueError, match="JSON"):
        compile_json([float("inf")])


@given(TEXT)
@example(NASTY)
@example("../..")
def test_a_variable_is_one_segment_of_a_path(value: str) -> None:
    path = compile_path("/a/{v}/b?c={v}").fill({"v": value}).decode()
    assert path.isascii()
    segment, _, query = path.removeprefix("/a/").partition("/b?c=")
    assert unquote(segment) == unquote(query) == value
    assert not set("/?#& ") & set(segment)


def test_the_text_of_a_path_is_quoted_once() -> None:
    assert compile_path("/é x%20y%zz?a=b c&d").fill({}) == b"/%C3%A9%20x%20y%25zz?a=b%20c&d"


@given(st.dictionaries(TEXT.map(braces), TEXT, min_size=1, max_size=4), TEXT)
def test_queries_and_forms_are_read_back_as_they_were(values: dict[str, str], value: str) -> None:
    texts = {name: braces(text) + "{v}" for name, text in values.items()}
    expected = [(name.replace("{{", "{").replace("}}", "}"), text + value) for name, text in values.items()]
    for template in (compile_query(texts), compile_form(texts)):
        got = parse_qsl(template.fill({"v": value}).decode(), keep_blank_values=True, strict_parsing=True)
        assert got == expected


def test_queries_take_scalars_and_lists() -> None:
    assert compile_query({"a": [1, "x y"], "b": True, "c": 1.5}).fill({}) == b"a=1&a=x%20y&b=true&c=1.5"
    assert compile_form({"a": "x y"}).fill({}) == b"a=x+y"
    assert compile_query({}).fill({}) == b""


@given(st.text())
@example("a\r\nx-evil: 1\0")
def test_a_variable_cannot_break_out_of_a_header(value: str) -> None:
    filled = compile_header("Bearer {v}").fill({"v": value})
    assert filled.startswith(b"Bearer ")
    assert not set(b"\r\n\0") & set(filled)


def test_several_variables_in_any_order() -> None:
    template = compile_json({"{a}": "{b}{a}"})
    assert template.fill({"a": "1", "b": '"'}) == b'{"1":"\\"1"}'
    assert template.variables == {"a", "b"}
    assert len(template.parts) == 6


def test_a_missing_variable_is_a_key_error() -> None:
    for text in ("{a}", "{a}{b}"):
        with pytest.raises(KeyError):
            compile_text(text).fill({})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a{b", "{ is never closed; write {{ for a brace (at column 2)"),
        ("a}b", "} closes nothing; write }} for a brace (at column 2)"),
        ("{}", "{…} must hold the name of a variable; write {{ for a brace (at column 1)"),
        ("{a b}", "{…} must hold the name of a variable; write {{ for a brace (at column 1)"),
        ("{{{a}", None),
        ("{{a}}}}", None),
        ("{{a}", "} closes nothing; write }} for a brace (at column 4)"),
    ],
)
def test_braces_that_do_not_add_up(text: str, message: str | None) -> None:
    if message is None:
        compile_text(text)
        return
    with pytest.raises(TemplateError) as caught:
        compile_text(text)
    assert str(caught.value) == message


def test_the_text_of_a_template_is_not_in_its_repr() -> None:
    assert "hunter2" not in repr(compile_text("hunter2 {v}"))


def test_a_variable_of_a_case_has_a_name_of_two_parts() -> None:
    assert compile_text("in {vars.home-town}").fill({"vars.home-town": "Oslo"}) == b"in Oslo"
    for text in ("{vars.}", "{other.city}", "{vars.a.b}"):
        with pytest.raises(TemplateError):
            compile_text(text)


def test_a_raw_variable_is_json_where_it_stands_alone() -> None:
    template = compile_json({"messages": "{messages}", "said": "as {messages}", "{messages}": 1}, ["messages"])
    filled = json.loads(template.fill({"messages": '[{"a":"é"}]'}))
    assert filled == {"messages": [{"a": "é"}], "said": 'as [{"a":"é"}]', '[{"a":"é"}]': 1}
    assert json.loads(compile_json(["{messages}"], ["messages"]).fill({"messages": "7"})) == [7]
    assert json.loads(compile_json(["{messages}"]).fill({"messages": "7"})) == ["7"]

"""Checks: what they mean, and that no answer upsets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.profile.checks import INVALID, CheckError, compile_check

MS = 1_000_000


@dataclass(frozen=True)
class Given:
    """An answer."""

    status: int = 200
    latency_ns: int = 1500 * MS
    ttft_ns: int | None = 300 * MS
    ttfb_ns: int | None = 100 * MS
    json: Any = INVALID
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


DOCUMENT = {
    "content": "Nine to five",
    "n": 3,
    "yes": True,
    "none": None,
    "empty": "",
    "list": [],
    "deep": [{"a": 1}, {"a": 2}],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$.content", True),
        ("$.none", False),
        ("$.empty", False),
        ("$.list", False),
        ("$.missing", False),
        ("$.n", True),
        ('$.content == "Nine to five"', True),
        ("$.content == 'Nine to five'", True),
        ('$.content != "x"', True),
        ('$.missing != "x"', False),
        ("$.n == 3.0", True),
        ("$.n > 2", True),
        ("$.n <= 2", False),
        ('$.n < "9"', False),
        ("$.n == true", False),
        ("$.yes == true", True),
        ("$.yes == 1", False),
        ("$.none == null", True),
        ("$.list == []", True),
        ("$.deep[*].a == 2", True),
        ("$.deep[?@.a == 2].a == 2", True),
        ("$.deep[?@.a>1].a<2", False),
        ("$['content'] == 'x'", False),
    ],
)
def test_paths(text: str, expected: bool) -> None:
    check = compile_check(text)
    assert check.needs_json
    assert check(Given(json=DOCUMENT)) is expected
    assert check(Given()) is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status == 200", True),
        ("status != 200", False),
        ("status<300", True),
        ("latency < 2s", True),
        ("latency < 1500", False),
        ("latency <= 1500", True),
        ("latency < 1m30s", True),
        ("ttft < 300.5", True),
        ("ttfb >= 100ms", True),
    ],
)
def test_status_and_times(text: str, expected: bool) -> None:
    check = compile_check(text)
    assert check(Given()) is expected
    assert (check.needs_json, check.needs_body, check.needs_headers) == (False, False, False)


def test_what_was_not_measured_fails() -> None:
    assert compile_check("ttft < 1h")(Given(ttft_ns=None)) is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('body contains "five"', True),
        ('body contains "six"', False),
        ('body matches "n[i]ne"', True),
        (r'body matches "\d+\.\d"', True),
        (r"body matches '\d{3}'", False),
        ('body contains "é"', True),
        (r'body contains "say \"hi\""', True),
    ],
)
def test_bodies(text: str, expected: bool) -> None:
    check = compile_check(text)
    assert check.needs_body
    assert check(Given(body='nine to five, é 12.5 \xff say "hi"'.encode())) is expected


def test_headers() -> None:
    answer = Given(headers={"retry-after": "5 seconds"})
    assert compile_check("header Retry-After exists")(answer)
    assert not compile_check("header x-other exists")(answer)
    assert compile_check('header retry-after contains "sec"')(answer)
    assert not compile_check('header x-other contains "sec"')(answer)
    assert compile_check("header a exists").needs_headers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a JSONPath ($.…), status, latency, ttft, ttfb, body or header at the beginning (at column 1)"),
        ("statis == 200", "expected a JSONPath"),
        ("status", "expected one of == != < <= > >= (at column 7)"),
        ("status = 200", "(one = is not a comparison) (at column 8)"),
        ("status == OK", "expected a status such as 200 after 'status ==' (at column 11)"),
        ("latency < soon", 'after "latency" (at column 11)'),
        ("latency < -5s", 'after "latency" (at column 11)'),
        ("$.[a", "bad JSONPath: "),
        ("$.a == abc", 'expected a number, "text", true, false or null (at column 8)'),
        ("$.a == NaN", 'expected a number, "text", true, false or null'),
        ("$.a == 'x' y'", "expected a text in quotes"),
        ("body is 5", 'expected contains "text" or matches "regular expression" after "body" (at column 6)'),
        ('body matches "("', "bad regular expression: "),
        ("body contains five", "expected a text in quotes"),
        ("header x", "expected NAME exists"),
        ("header x exists now", 'nothing goes after "exists" (at column 17)'),
    ],
)
def test_errors_mark_the_place(text: str, message: str) -> None:
    with pytest.raises(CheckError) as caught:
        compile_check(text)
    assert message in str(caught.value)


@given(st.text(alphabet="$.[]()'\"=<>!? abcstatuslatency0123456789\\*@&|", max_size=25))
def test_any_text_is_a_check_or_an_error(text: str) -> None:
    column = 1
    try:
        check = compile_check(text)
    except CheckError as error:
        column = error.column
    else:
        assert check(Given(json=DOCUMENT)) in (True, False)
    assert 1 <= column <= len(text) + 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
LITERALS = ["1", "1e400", '"a"', "true", "null", "[1]", '{"a": 1}']
WEIRD = [compile_check(f"$.a {op} {literal}") for op in ("==", "!=", "<", ">=") for literal in LITERALS]
WEIRD += [compile_check(text) for text in ("$", "$..a", "$.a[0]", "$.*", "$[?@.a < 1]", "$ == 1")]


@given(JSON)
def test_no_answer_upsets_a_check(document: Any) -> None:
    for check in WEIRD:
        assert check(Given(json=document)) in (True, False)

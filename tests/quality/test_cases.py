"""Tests of agenttop.quality.cases, agenttop.quality.drafts, agenttop.quality.problem, agenttop.quality.specs and
agenttop.quality.formats.ours.
"""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.cases import read_cases, slices_of_case
from agenttop.quality.drafts import MAX_ID
from tests.quality.reading import data, problems, sound


def test_every_field_of_our_format_is_read() -> None:
    hours, order, refund = data("ours.jsonl").cases
    assert hours == Case(
        "hours-1",
        "When do you open on Sunday?",
        target=("10:00", "ten"),
        tags=("hours",),
        slices={"language": "en"},
        graders=(GraderSpec("includes"),),
        place="ours.jsonl:1",
    )
    assert order.vars == {"order": 12345}
    assert (order.weight, order.threshold) == (2.0, 0.5)
    assert order.graders == (
        GraderSpec("tool-called", None, {"name": "lookup_order", "arguments": {"order": 12345}}, weight=3.0),
        GraderSpec("contains", "on its way", metric="status"),
    )
    assert refund.input == ({"role": "user", "content": "I want my money back."},)
    assert [(spec.type, spec.negated) for spec in refund.graders] == [("refusal", True), ("judge", False)]
    assert refund.description == "a refund in two turns"


def test_yaml_is_read_as_json_lines_are_and_an_hour_stays_a_text() -> None:
    lines, yaml = data("ours.jsonl").cases, data("ours.yaml").cases
    assert [msgspec.structs.replace(case, place="") for case in yaml] == [
        msgspec.structs.replace(case, place="") for case in lines
    ]
    assert [case.place for case in yaml] == ["ours.yaml:1", "ours.yaml:6", "ours.yaml:15"]


def test_what_there_is_is_counted() -> None:
    found = data("ours.jsonl")
    assert dict(found.slices) == {"hours": 1, "language=en": 1, "orders": 1, "tools": 1, "refunds": 1}
    assert found.graders["not-refusal"] == 1
    assert found.judge_calls == 1
    assert slices_of_case(found.cases[0]) == ("hours", "language=en")
    assert found.by_id["order-1"].weight == 2


def test_all_problems_are_told_at_once_each_with_its_line_and_case() -> None:
    text = "\n".join(
        (
            '{"id": "a", "input": "x", "target": "y", "graders": [{"type": "contans", "value": "y"}]}',
            '{"id": "b", "input": "x", "tagret": "y"}',
            "",
            '{"id": "c", "input": "", "graders": [{"type": "regex", "value": "(a"}, {"type": "number", "value": "?"}]}',
            '{"id": "c", "input": "x", "graders": [{"type": "contains", "valu": "y"}]}',
            '{"id": "d", "target": "y"}',
            '{"id": "e", "input": [{"role": "robot", "content": "x"}], "target": "y"}',
            '["f"]',
            '{"id": "g", "input": "x", "target": "y", "weight": -1, "threshold": 90, "tags": 3, "vars": []}',
        )
    )
    assert problems("golden.jsonl", text) == [
        'golden.jsonl:1: case "a": unknown grader "contans"; did you mean "contains"?',
        'golden.jsonl:2: case "b": unknown field "tagret"; did you mean "target"?',
        'golden.jsonl:2: case "b": nothing grades this case: give it a target or graders',
        'golden.jsonl:4: case "c": “(a” is no regular expression: missing ): (a',
        'golden.jsonl:4: case "c": number needs a value that is a number',
        'golden.jsonl:5: case "c": contains has no "valu"; did you mean "value"?',
        'golden.jsonl:5: case "c": the id is there twice; golden.jsonl:4 has it',
        'golden.jsonl:6: case "d": a case needs an input (or vars that the request is made of)',
        'golden.jsonl:7: case "e": message 1 of the input needs a role: system, developer, user, assistant, tool',
        "golden.jsonl:8: a line is one case, a JSON object",
        'golden.jsonl:9: case "g": vars is a table, such as {"city": "Bonn"}',
        'golden.jsonl:9: case "g": tags is a list of texts, such as ["orders", "tools"]',
        'golden.jsonl:9: case "g": the weight of a case is a number, 0 or more',
        'golden.jsonl:9: case "g": the threshold of a case is a number from 0 to 1',
    ]


def test_a_grader_in_yaml_is_told_by_its_own_line() -> None:
    text = "- id: a\n  input: x\n  graders:\n    - not-refusal\n    - type: max-words\n      value: many\n"
    assert problems("golden.yaml", text) == [
        'golden.yaml:5: case "a": max-words needs a value that is a number of words, from 1 on'
    ]


@pytest.mark.parametrize(
    ("grader", "said"),
    [
        ("contains", "contains needs a value that is text"),
        ({"typ": "contains"}, 'a grader needs a type, such as "contains"; did you mean "type"?'),
        (3, 'a grader is a table such as {"type": "contains", "value": "refund"}'),
        ({"type": "not-contans", "value": "x"}, 'unknown grader "not-contans"; did you mean "not-contains"?'),
        ({"type": "contains", "value": "x", "weight": -1}, "the weight of a grader is a number, 0 or more"),
        ({"type": "contains", "value": "x", "metric": 3}, "the metric of a grader is the name of a column"),
        ({"type": "contains-all", "value": "x"}, "contains-all needs a value that is a list of texts"),
        ({"type": "jsonpath", "path": "$["}, "“$[” is no JSONPath"),
        ({"type": "json-schema", "value": {"type": "objekt"}}, "the JSON Schema is wrong at type"),
        ({"type": "json-schema", "value": {"$ref": "http://127.0.0.1/x"}}, "the JSON Schema refers to"),
        ({"type": "json-schema", "value": {"pattern": "(?=x)"}}, "“(?=x)” in the JSON Schema is no regular expression"),
        ({"type": "latency", "value": "soon"}, 'latency needs a value that is a duration such as "2s"'),
        ({"type": "number", "value": 1, "tolerance": "5 apples"}, "the tolerance of number is a number such as 0.5"),
        ({"type": "python", "value": "polite"}, "python needs a value that names a file and a function in it"),
        ({"type": "judge"}, "judge needs a value that is a rubric"),
        ({"type": "judge", "value": "x", "threshold": 70}, "the threshold of judge is a number from 0 to 1"),
        ({"type": "tool-called"}, "tool-called needs the name of a tool"),
        ("includes", "includes needs a value, or a target of the case"),
        ("choice", "choice needs a value, or a target of the case"),
    ],
)
def test_what_a_grader_was_given_is_checked_when_it_is_read(grader: object, said: str) -> None:
    found = problems("a.jsonl", json.dumps({"id": "a", "input": "x", "graders": [grader]}))
    assert len(found) == 1
    assert found[0].startswith(f'a.jsonl:1: case "a": {said}')


def test_an_id_is_made_of_what_is_asked_and_stays_when_graders_and_other_cases_change() -> None:
    (one,) = sound("a.jsonl", '{"input": "Where is my order?", "target": "x"}')
    first, other, again = sound(
        "b.jsonl",
        '{"input": "Hello", "target": "x"}\n'
        '{"input": "Where is my order?", "target": "y", "tags": ["t"]}\n'
        '{"input": "Where is my order?", "target": "z"}',
    )
    assert one.id.startswith("where-is-my-order-")
    assert other.id == one.id
    assert again.id == f"{one.id}-2"
    assert first.id != one.id
    found = read_cases([("a.jsonl", '{"input": "x", "target": "y"}')])
    assert found.notes == ("1 of 1 cases have no id and got one of their first words and a digest of what they ask",)


def test_an_id_that_is_given_goes_before_one_that_is_made() -> None:
    (made,) = sound("a.jsonl", '{"input": "x", "target": "y"}')
    both = sound("a.jsonl", f'{{"input": "x", "target": "y"}}\n{{"id": "{made.id}", "input": "z", "target": "y"}}')
    assert [case.id for case in both] == [f"{made.id}-2", made.id]


def test_files_are_read_together_and_an_id_in_two_of_them_is_told() -> None:
    line = '{"id": "a", "input": "x", "target": "y"}'
    found = read_cases([("one.jsonl", line), ("two.jsonl", line), ("three.jsonl", ""), ("four.txt", "x")])
    assert [str(problem) for problem in found.problems] == [
        "three.jsonl: there are no cases in it",
        "four.txt: a file of cases ends with .jsonl, .yaml, .yml, .csv or .json",
        'two.jsonl:1: case "a": the id is there twice; one.jsonl:1 has it',
    ]


def test_a_list_under_a_key_and_a_single_case_are_told_what_a_file_is() -> None:
    assert problems("a.yaml", "cases:\n  - input: x\n") == [
        "a.yaml:1: a file of cases is a list of them, without a key above"
    ]
    assert problems("a.yaml", "input: x\ntarget: y\n") == [
        "a.yaml:1: a file of cases is a list: write a - before each case"
    ]


def test_an_id_that_cannot_be_shown_is_a_problem() -> None:
    for name in ("", "a" * (MAX_ID + 1), "a\\nb", "\\u001b[31m"):
        found = problems("a.jsonl", f'{{"id": "{name}", "input": "x", "target": "y"}}')
        assert len(found) == 1
        assert "the id is a" in found[0]
        assert found[0].isprintable()


def test_an_entry_of_metadata_that_is_different_in_each_case_is_no_slice() -> None:
    lines = [
        json.dumps({"input": f"q{n}", "target": "x", "metadata": {"url": f"u{n}", "kind": n % 2}}) for n in range(60)
    ]
    found = read_cases([("a.jsonl", "\n".join(lines))])
    assert dict(found.slices) == {"kind=0": 30, "kind=1": 30}
    assert "url has 60 values and is no slice; 50 are the most" in found.notes


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "input",
                    "vars",
                    "target",
                    "tags",
                    "slices",
                    "weight",
                    "threshold",
                    "graders",
                    "type",
                    "value",
                    "assert",
                    "metadata",
                    "expected",
                    "ideal",
                    "choices",
                    "role",
                    "content",
                    "tests",
                    "prompts",
                    "defaultTest",
                    "options",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.lists(_JSON, min_size=1, max_size=4), st.sampled_from([".jsonl", ".json", ".yaml"]))
def test_whatever_json_a_file_holds_ends_in_cases_or_in_problems_of_one_line(values: list[object], suffix: str) -> None:
    text = "\n".join(map(json.dumps, values)) if suffix == ".jsonl" else json.dumps(values)
    found = read_cases([(f"a{suffix}", text)])
    assert found.problems or found.cases
    assert all(str(problem).isprintable() for problem in found.problems)
    assert len({case.id for case in found.cases}) == len(found.cases) or found.problems

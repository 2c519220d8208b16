"""Tests of agenttop.quality.graders.base, agenttop.quality.graders.contains, agenttop.quality.graders.edges,
agenttop.quality.graders.equals, agenttop.quality.graders.includes, agenttop.quality.graders.regex,
agenttop.quality.graders.json_text, agenttop.quality.graders.json_schema, agenttop.quality.graders.jsonpath,
agenttop.quality.graders.number, agenttop.quality.graders.similar, agenttop.quality.graders.tools,
agenttop.quality.graders.refusal, agenttop.quality.graders.max_words, agenttop.quality.graders.limits,
agenttop.quality.graders.finish_reason, agenttop.quality.graders.choice and agenttop.quality.graders.outside.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.quality.answer import Answer, ToolCall
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.grade import part_of
from agenttop.quality.graders import ENTRY_POINTS, GRADERS, graders
from agenttop.quality.graders.base import Grader, Verdict
from agenttop.quality.graders.json_text import pieces, same
from agenttop.quality.graders.number import numbers_in
from agenttop.quality.specs import read_grader

CASE = Case("a", target=("on its way", "shipped"))
SCHEMA = {
    "type": "object",
    "required": ["total"],
    "properties": {"total": {"type": "number"}, "id": {"pattern": "^a+$"}},
}
ORDER = (ToolCall("lookup_order", {"order": 12345, "fields": ["status"]}), ToolCall("reply", '{"text": "hi"}'))


def spec_of(form: Any) -> GraderSpec:
    spec = read_grader(form, pytest.fail)
    assert spec is not None
    return spec


def judged(form: Any, text: str = "", **fields: Any) -> tuple[float | None, str]:
    """Return value and reason of a grader."""
    spec = spec_of(form)
    grade = graders()[spec.type].grade
    assert grade is not None
    part = part_of(spec, grade(spec, CASE, Answer("a", text=text, **fields)))
    return part.value, part.reason


# A grader, an answer that passes, one that fails, the reason of the failure, and that of the not- form for the first.
TEXTS: list[tuple[Any, str, str, str, str]] = [
    (
        {"type": "contains", "value": "refund"},
        "a refund",
        "a Refund",
        "no “refund” in the answer",
        "“refund” is in the answer",
    ),
    ({"type": "contains", "value": 42}, "is 42", "is 4 2", "no “42” in the answer", "“42” is in the answer"),
    (
        {"type": "contains", "value": "Refund", "ignore_case": True},
        "a refund",
        "x",
        "no “Refund” in the answer",
        "“Refund” is in the answer",
    ),
    (
        {"type": "icontains", "value": "STRASSE"},
        "Die Straße",
        "Weg",
        "no “STRASSE” in the answer",
        "“STRASSE” is in the answer",
    ),
    (
        {"type": "contains-all", "value": ["a", "b"]},
        "b a",
        "a",
        "no “b” in the answer",
        "all 2 texts are in the answer",
    ),
    (
        {"type": "contains-all", "value": ["A"], "ignore_case": True},
        "a",
        "b",
        "no “A” in the answer",
        "all 1 texts are in the answer",
    ),
    ({"type": "contains-any", "value": ["a", "b"]}, "b", "c", "none of “a”, “b” in the answer", "“b” is in the answer"),
    ({"type": "equals", "value": "4"}, "4", "4 ", "the answer is not “4”, but “4”", "the answer is just that"),
    (
        {"type": "equals", "value": "A", "ignore_case": True},
        "a",
        "b",
        "the answer is not “A”, but “b”",
        "the answer is just that",
    ),
    (
        {"type": "equals", "value": {"a": [1]}},
        ' {"a": [1.0]}\n',
        '{"a": [true]}',
        'the answer is not “{"a": [1]}”, but “{"a": [true]}”',
        "the answer is just that",
    ),
    (
        {"type": "starts-with", "value": "Yes"},
        " Yes, sir",
        "yes",
        "the answer does not begin with “Yes”",
        "the answer begins with “Yes”",
    ),
    (
        {"type": "ends-with", "value": "bye", "ignore_case": True},
        "Good Bye\n",
        "bye.",
        "the answer does not end with “bye”",
        "the answer ends with “bye”",
    ),
    (
        "includes",
        "It is ON ITS WAY",
        "lost",
        "no “on its way” or “shipped” in the answer",
        "“on its way” is in the answer",
    ),
    ({"type": "includes", "value": "x"}, "X", "y", "no “x” in the answer", "“x” is in the answer"),
    (
        {"type": "regex", "value": r"\bR-\d{3}\b"},
        "see R-123",
        "R-12",
        r"nothing in the answer matches “\bR-\d{3}\b”",
        r"“\bR-\d{3}\b” matches",
    ),
    ("is-json", ' {"a": 1} ', 'So: {"a": 1}', "the answer is no JSON", "the answer is JSON"),
    (
        {"type": "is-json", "value": SCHEMA},
        '{"total": 1}',
        '{"total": "1"}',
        "the JSON does not fit the schema: total: '1' is not of type 'number'",
        "the answer is JSON that fits the schema",
    ),
    ("contains-json", 'So: {"a": [1]}.', "So: {a}", "no JSON in the answer", "there is JSON in the answer"),
    (
        {"type": "contains-json", "value": SCHEMA},
        'x [1] {"total": 1}',
        "x {}",
        "the JSON does not fit the schema: 'total' is a required property",
        "there is JSON that fits the schema",
    ),
    (
        {"type": "json-schema", "value": SCHEMA},
        '```json\n{"total": 2, "id": "aa"}\n```',
        '{"total": 2, "id": "ab"}',
        "the JSON does not fit the schema: id: 'ab' does not match '^a+$'",
        "the answer is JSON that fits the schema",
    ),
    (
        {"type": "jsonpath", "path": "$.total", "value": 42},
        'x {"total": 42.0}',
        '{"total": 41}',
        "$.total is “41”, not “42”",
        "$.total is “42.0”",
    ),
    (
        {"type": "jsonpath", "path": "$..id"},
        '{"a": {"id": 0}}',
        '{"a": 1}',
        "$..id finds nothing in the answer",
        "$..id finds “0”",
    ),
    (
        {"type": "number", "value": 1234.5},
        "It costs $1,234.50.",
        "1234",
        "no 1234.5 in the answer: the nearest is 1234",
        "1234.5 is in the answer",
    ),
    (
        {"type": "number", "value": 100, "tolerance": "5%"},
        "about 95",
        "94.9",
        "no 100 in the answer: the nearest is 94.9",
        "95 is in the answer",
    ),
    (
        {"type": "number", "value": -3, "tolerance": 0.5},
        "−3.4 °C",
        "3",
        "no -3 in the answer: the nearest is 3",
        "-3.4 is in the answer",
    ),
    (
        {"type": "number", "value": "7", "which": "last"},
        "3 or 7",
        "7 or 3",
        "no 7 in the answer: the last is 3",
        "7 is in the answer",
    ),
    (
        {"type": "number", "value": 7, "which": "first"},
        "7 or 3",
        "3 or 7",
        "no 7 in the answer: the first is 3",
        "7 is in the answer",
    ),
    ({"type": "number", "value": 7}, "7", "seven", "no number in the answer", "7 is in the answer"),
    (
        {"type": "similar", "value": "on its way"},
        "on its wax",
        "lost",
        "10% like “on its way”; 80% is wanted",
        "90% like “on its way”",
    ),
    (
        {"type": "similar", "value": "abcd", "threshold": 0.5},
        "abxx",
        "axxx",
        "25% like “abcd”; 50% is wanted",
        "50% like “abcd”",
    ),
    (
        {"type": "similar", "value": "kitten", "distance": 3},
        "sitting",
        "sittings",
        "4 edits away from “kitten”; 3 are allowed",
        "3 edits away from “kitten”",
    ),
    ("similar", "shipped", "x", "0% like “on its way”; 80% is wanted", "100% like “on its way”"),
    (
        "refusal",
        "I'm sorry, but I can't help with that.",
        "Here you are.",
        "the agent did not refuse: “Here you are.”",
        "the agent refused: “I'm sorry, but I can't help with that.”",
    ),
    ({"type": "max-words", "value": 3}, "one two three", "a b c d", "4 words, at most 3", "only 3 words"),
    ({"type": "max-words", "value": 3, "min": 2}, "a b", "a", "1 words, at least 2", "only 2 words"),
    ({"type": "choice", "value": "B"}, "ANSWER: B", "ANSWER: A", "chose A, not B", "chose B"),
]


@pytest.mark.parametrize(
    ("form", "good", "bad", "lacking", "holding"), TEXTS, ids=lambda value: json.dumps(value)[:40] if value else None
)
def test_a_grader_of_texts_and_its_not_form(form: Any, good: str, bad: str, lacking: str, holding: str) -> None:
    table = {"type": form} if isinstance(form, str) else form
    negated = {**table, "type": f"not-{table['type']}"}
    assert judged(form, good) == (1.0, "")
    assert judged(form, bad) == (0.0, lacking)
    assert judged(negated, bad) == (1.0, "")
    assert judged(negated, good) == (0.0, holding)


@pytest.mark.parametrize(
    ("form", "fields", "value", "reason"),
    [
        ({"type": "tool-called", "name": "lookup_order"}, {"tools": ORDER}, 1.0, ""),
        ({"type": "tool-called", "value": "lookup_order"}, {"tools": ORDER}, 1.0, ""),
        ({"type": "tool-called", "name": "pay"}, {}, 0.0, "the tool pay was not called (none was called)"),
        (
            {"type": "tool-called", "name": "pay"},
            {"tools": ORDER},
            0.0,
            "the tool pay was not called (called: lookup_order, reply)",
        ),
        ({"type": "tool-called", "name": "lookup_order", "arguments": {"order": "12345"}}, {"tools": ORDER}, 1.0, ""),
        ({"type": "tool-called", "name": "reply", "arguments": {"text": "hi"}}, {"tools": ORDER}, 1.0, ""),
        (
            {"type": "tool-called", "name": "reply", "arguments": {"text": "ho"}},
            {"tools": ORDER},
            0.0,
            'reply was called with “{"text": "hi"}”, not “{"text": "ho"}”',
        ),
        ({"type": "not-tool-called", "name": "reply"}, {"tools": ORDER}, 0.0, "the tool reply was called"),
        ("no-tool-called", {}, 1.0, ""),
        ("no-tool-called", {"tools": ORDER}, 0.0, "the tool lookup_order was called"),
        ({"type": "no-tool-called", "value": ["pay"]}, {"tools": ORDER}, 1.0, ""),
        ({"type": "no-tool-called", "value": "reply"}, {"tools": ORDER}, 0.0, "the tool reply was called"),
        ({"type": "tool-order", "value": ["lookup_order", "reply"]}, {"tools": ORDER}, 1.0, ""),
        ({"type": "tool-order", "value": ["reply"], "exact": True}, {"tools": ORDER[1:]}, 1.0, ""),
        (
            {"type": "tool-order", "value": ["reply"], "exact": True},
            {"tools": ORDER},
            0.0,
            "tools were not called in the order reply (called: lookup_order, reply)",
        ),
        (
            {"type": "tool-order", "value": ["reply", "lookup_order"]},
            {"tools": ORDER},
            0.0,
            "tools were not called in the order reply → lookup_order (called: lookup_order, reply)",
        ),
        ({"type": "latency", "value": "2s"}, {"latency_ms": 2000}, 1.0, ""),
        ({"type": "latency", "value": 2000}, {"latency_ms": 2001}, 0.0, "the answer took 2,001 ms, at most 2,000"),
        ({"type": "not-latency", "value": 100}, {"latency_ms": 7}, 0.0, "the answer took only 7 ms"),
        ({"type": "latency", "value": "2s"}, {}, None, "it is not known how long the answer took"),
        ({"type": "ttft", "value": "200ms"}, {"ttft_ms": 201}, 0.0, "the first token took 201 ms, at most 200"),
        ({"type": "tokens", "value": 5}, {"output_tokens": 6}, 0.0, "6 output tokens, at most 5"),
        ({"type": "tokens", "value": 5, "of": "total"}, {"output_tokens": 3, "input_tokens": 2}, 1.0, ""),
        (
            {"type": "tokens", "value": 5, "of": "input"},
            {"output_tokens": 3},
            None,
            "it is not known how many input tokens the answer took",
        ),
        ({"type": "cost", "value": 0.01}, {"cost_usd": 0.02}, 0.0, "0.02 USD, at most 0.01"),
        ({"type": "finish-reason", "value": "stop"}, {"finish": "end_turn"}, 1.0, ""),
        (
            {"type": "finish-reason", "value": ["stop", "tool_calls"]},
            {"finish": "max_tokens"},
            0.0,
            "the model stopped by “max_tokens”, not “stop” or “tool_calls”",
        ),
        ({"type": "finish-reason", "value": "stop"}, {}, None, "it is not known why the model stopped"),
        ({"type": "choice", "value": "B"}, {"text": "It is B"}, 0.0, "no line “ANSWER: B” in the answer"),
    ],
)
def test_a_grader_of_what_was_done_and_what_it_took(
    form: Any, fields: dict[str, Any], value: float | None, reason: str
) -> None:
    assert judged(form, **fields) == (value, reason)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I cannot help you with this request.",
        "I can’t share that information.",
        "I am not able to discuss other customers' orders.",
        "Unfortunately I'm unable to provide medical advice.",
        "Sorry — that is against our policies.",
        "I must decline.",
        "Das kann ich leider nicht beantworten.",
        "Leider kann ich dir dabei nicht helfen.",
        "Je ne peux pas vous aider.",
        "No puedo ayudarte con eso.",
        "Non posso aiutarti.",
        "",
    ],
)
def test_refusals_of_several_languages(text: str) -> None:
    assert judged("refusal", text)[0] == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "Your order is on its way.",
        "You can't return food, but you can return shoes.",
        "I can help you with that.",
        "We cannot ship to islands before Monday; it arrives on Tuesday.",
        "Ich kann Ihnen helfen.",
        "Sorry for the delay! Your refund was sent.",
    ],
)
def test_answers_that_are_no_refusals(text: str) -> None:
    assert judged("not-refusal", text) == (1.0, "")


def test_numbers_are_found_in_prose() -> None:
    text = "12-14, -3.5 and 1,234.50 or 1,2,3 v1.2.3 −7 5e3 2e"
    assert numbers_in(text) == [12, 14, -3.5, 1234.5, 1, 2, 3, 1.2, 3, -7, 5000, 2]


def test_pieces_of_json_are_the_outermost_ones() -> None:
    assert pieces('a {"b": [1]} c [2] {x} {"d": {}}') == [{"b": [1]}, [2], {"d": {}}]
    assert pieces("[" * 200_000) == []
    assert pieces("{" * 200_000 + '"') == []


def test_a_truth_is_no_number() -> None:
    assert same({"a": [1, 2.0]}, {"a": [1.0, 2]})
    assert not same(1, True)
    assert not same([0], [False])


def test_a_pattern_that_would_hold_python_for_ever_is_judged_at_once() -> None:
    schema = {"type": "object", "properties": {"x": {"pattern": "(a+)+$"}}}
    answer = json.dumps({"x": "a" * 50_000 + "!"})
    assert judged({"type": "json-schema", "value": schema}, answer)[0] == 0.0
    assert judged({"type": "regex", "value": "(a+)+$"}, "a" * 50_000 + "!")[0] == 0.0


def test_a_reference_into_the_schema_is_followed_and_one_that_leads_nowhere_is_told() -> None:
    good = {"$ref": "#/$defs/n", "$defs": {"n": {"type": "number"}}}
    assert judged({"type": "json-schema", "value": good}, "3")[0] == 1.0
    value, reason = judged({"type": "json-schema", "value": {"$ref": "#/$defs/n"}}, "3")
    assert value == 0.0
    assert "the schema cannot be used" in reason


FORMS = [spec_of(form) for form, *_ in TEXTS] + [
    spec_of({"type": "tool-called", "name": "x", "arguments": {"a": 1}}),
    spec_of("no-tool-called"),
    spec_of({"type": "tool-order", "value": ["x"]}),
    spec_of({"type": "finish-reason", "value": "stop"}),
    spec_of({"type": "tokens", "value": 5}),
]


@given(st.sampled_from(FORMS), st.text(max_size=60) | st.sampled_from(["{", "[1,", "ANSWER: 🙂", "1e999", "9" * 400]))
def test_no_answer_whatever_makes_a_grader_fail(spec: GraderSpec, text: str) -> None:
    grade = graders()[spec.type].grade
    assert grade is not None
    tools = (ToolCall("x", text), ToolCall(text, [text]))
    verdict = grade(spec, CASE, Answer("a", text=text, tools=tools, finish=text or None))
    assert verdict.value in (None, 0.0, 1.0)


def test_every_grader_of_the_contract_is_in_the_table() -> None:
    named = (
        "contains icontains contains-all contains-any equals starts-with ends-with includes regex is-json json-schema "
        "contains-json jsonpath number similar tool-called no-tool-called tool-order refusal max-words latency ttft "
        "tokens cost finish-reason python judge"
    )
    assert set(named.split()) <= set(GRADERS)
    assert all(name == grader.name for name, grader in GRADERS.items())
    assert [name for name, grader in GRADERS.items() if grader.grade is None] == ["python", "judge"]


class _Point:
    def __init__(self, name: str, made: object) -> None:
        self.name, self.made, self.value = name, made, "pkg.mod:IT"

    def load(self) -> object:
        if isinstance(self.made, Exception):
            raise self.made
        return self.made


def _offer(monkeypatch: pytest.MonkeyPatch, *points: _Point) -> None:
    graders.cache_clear()
    monkeypatch.setattr("agenttop.quality.graders.entry_points", lambda group: points if group == ENTRY_POINTS else ())


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Offer entry points; afterwards the graders are looked up anew."""
    yield lambda *points: _offer(monkeypatch, *points)
    graders.cache_clear()


def test_a_package_adds_a_grader(offer: Any) -> None:
    shout = Grader(
        "shout", lambda spec: "", lambda spec, case, answer: Verdict(float(answer.text.isupper()), "not loud")
    )
    offer(_Point("shout", shout))
    assert judged("shout", "HELLO") == (1.0, "")
    assert judged("shout", "hello") == (0.0, "not loud")


@pytest.mark.parametrize(
    ("point", "said"),
    [
        (_Point("x", ImportError("no y")), "cannot be loaded: no y"),
        (_Point("x", 3), "is no agenttop.quality.graders.base.Grader"),
        (_Point("contains", GRADERS["contains"]), "has a name that is taken"),
    ],
)
def test_what_a_package_offers_wrongly_is_told(offer: Any, point: _Point, said: str) -> None:
    offer(point)
    with pytest.raises(ValueError, match=said):
        graders()

from __future__ import annotations

from agenttop.quality.answer import Answer
from agenttop.quality.grade import grade
from tests.quality.reading import data, problems


def test_records_are_read_and_graded() -> None:
    found = data("braintrust.jsonl")
    assert not found.problems
    hours, total = found.cases
    assert (hours.input, hours.vars) == ("When do you open?", {"question": "When do you open?"})
    assert (hours.tags, hours.slices, hours.target) == (("hours",), {"language": "en"}, ("9:00",))
    assert grade(hours, Answer("b1", text="At 9:00.")).passed
    assert grade(total, Answer("b2", text='{"sum": 3.0}')).passed
    assert not grade(total, Answer("b2", text='{"sum": 4}')).passed


def test_a_field_that_is_none_of_theirs_is_told() -> None:
    assert problems("a.jsonl", '{"input": "x", "expected": "y", "tag": ["z"]}') == [
        'a.jsonl:1: unknown field "tag"; did you mean "tags"?'
    ]

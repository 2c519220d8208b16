from __future__ import annotations

from agenttop.quality.answer import Answer
from agenttop.quality.grade import grade
from tests.quality.reading import data, problems


def test_samples_are_read_with_their_examples_and_graded() -> None:
    found = data("openai_evals.jsonl")
    assert not found.problems
    capital, total = found.cases
    assert [message["role"] for message in capital.input if isinstance(message, dict)] == ["system"] * 3 + ["user"]
    assert grade(capital, Answer(capital.id, text="Paris.")).passed
    assert grade(total, Answer(total.id, text="It is Four")).passed
    assert not grade(total, Answer(total.id, text="five")).passed


def test_a_field_that_is_none_of_theirs_is_told() -> None:
    assert problems("a.jsonl", '{"input": "x", "ideal": "y", "completion": "z"}') == [
        'a.jsonl:1: unknown field "completion"'
    ]

from __future__ import annotations

import pytest

from agenttop.quality.answer import Answer
from agenttop.quality.grade import grade
from tests.quality.reading import data, problems


def test_samples_of_json_lines_are_read() -> None:
    found = data("inspect.jsonl")
    assert not found.problems
    belief, total, capital, primes = found.cases
    assert (belief.id, belief.target, belief.slices) == ("theory-1", ("The cupboard",), {"category": "belief"})
    assert total.input[0] == {"role": "system", "content": "Be brief."}
    assert total.target == ("42", "forty-two")
    assert isinstance(capital.input, str)
    assert "A) Berlin\nB) Paris\nC) Rome\n" in capital.input
    assert primes.target == ("A", "C")


def test_samples_of_csv_are_read() -> None:
    found = data("inspect.csv")
    assert not found.problems
    assert [case.target for case in found.cases] == [
        ("secure samesite and httponly",),
        ("strong hashing with salt, like Argon2 or bcrypt",),
    ]


@pytest.mark.parametrize(
    ("index", "text", "passed"),
    [
        (0, "She looks in THE CUPBOARD.", True),  # includes() ignores case
        (0, "She looks in the box.", False),
        (1, "Forty-two.", True),  # any target
        (2, "Of these it is Paris.\n\nANSWER: B", True),
        (2, "answer: b.", True),
        (2, "A or B?\nANSWER: A\nNo:\nANSWER: B", True),  # the last one
        (2, "ANSWER: A", False),
        (2, "It is B", False),  # no line of it
        (3, "ANSWER: A, C", True),
        (3, "ANSWER: CA", True),
        (3, "ANSWER: A", False),
    ],
)
def test_answers_are_graded_as_inspect_grades_them(index: int, text: str, passed: bool) -> None:
    case = data("inspect.jsonl").cases[index]
    assert grade(case, Answer(case.id, text=text)).passed is passed


def test_what_needs_a_sandbox_and_a_wrong_letter_are_problems() -> None:
    text = (
        '{"input": "x", "target": "y", "files": {"/flag": "flag.txt"}, "metadata": {}}\n'
        '{"input": "x", "target": "Paris", "choices": ["Berlin", "Paris"]}\n'
        '{"input": "x", "target": "A", "choices": ["Berlin", "Paris"], "meta": 1}\n'
    )
    assert problems("a.jsonl", text) == [
        'a.jsonl:1: "files" needs a sandbox of Inspect, which an agent under load has not; leave such cases out',
        "a.jsonl:2: the target of a case with choices is a letter from A to B",
        'a.jsonl:3: unknown field "meta"; did you mean "metadata"?',
    ]

from __future__ import annotations

import pytest

from agenttop.quality.answer import Answer
from agenttop.quality.case import GraderSpec
from agenttop.quality.grade import grade
from tests.quality.reading import data, problems, sound


def test_columns_are_variables_and_what_is_expected_of_each_row() -> None:
    found = data("promptfoo.csv")
    assert not found.problems
    total, capital, hello, colours = found.cases
    assert total.vars == {"question": "What is 2+2?"}
    assert total.input == "What is 2+2?"
    assert total.graders == (GraderSpec("equals", "4"),)
    assert (total.description, total.slices, total.tags) == ("Sum", {"category": "math"}, ("easy", "sums"))
    assert capital.tags == ("easy", "global,warming")
    assert capital.threshold == 0.5
    assert capital.graders == (GraderSpec("contains", "Paris"), GraderSpec("similar", "Paris", {"distance": 1.0}))
    assert hello.graders == (GraderSpec("contains-any", ["Hola", "<b>Hola</b>"]), GraderSpec("starts-with", "Hola"))
    assert [(spec.type, spec.negated) for spec in colours.graders] == [("contains", True), ("regex", False)]
    assert [case.place for case in found.cases] == [f"promptfoo.csv:{line}" for line in (2, 3, 4, 5)]


@pytest.mark.parametrize(
    ("index", "text", "passed"),
    [
        (0, "4", True),
        (0, "It is 4", False),
        (1, "Paris, I think", True),
        (1, "Rome", False),
        (2, "Hola, mundo", True),
        (2, "Mundo hola", False),
        (3, "red, blue", True),
        (3, "red, green", False),
    ],
)
def test_answers_are_graded_as_promptfoo_grades_them(index: int, text: str, passed: bool) -> None:
    case = data("promptfoo.csv").cases[index]
    assert grade(case, Answer(case.id, text=text)).passed is passed


@pytest.mark.parametrize(
    ("cell", "spec"),
    [
        ("Paris", GraderSpec("equals", "Paris")),
        ("Note: it is closed", GraderSpec("equals", "Note: it is closed")),
        ("similar(0.9):Hello there", GraderSpec("similar", "Hello there", {"by": "embeddings", "threshold": 0.9})),
        ("similar:Hello", GraderSpec("similar", "Hello", {"by": "embeddings", "threshold": 0.8})),
        ("latency(500)", GraderSpec("latency", 500.0)),
        ("is-json", GraderSpec("is-json")),
        ('is-json:{"type": "object"}', GraderSpec("is-json", {"type": "object"})),
        ("grade: is kind", GraderSpec("judge", "is kind")),
        ('contains-all: "1,000", in stock', GraderSpec("contains-all", ["1,000", "in stock"])),
        ("not-icontains:x", GraderSpec("icontains", "x", negated=True)),
    ],
)
def test_a_cell_says_an_assertion_and_equals_where_it_names_none(cell: str, spec: GraderSpec) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    (case,) = sound("a.csv", f"question,__expected\nx,{quoted}\n")
    assert case.graders == (spec,)


def test_prefix_and_suffix_are_around_the_question() -> None:
    (case,) = sound("a.csv", "q,__prefix,__suffix,__expected,__metric\nWhere?,Briefly: ,!,x,place\n")
    assert case.input == "Briefly: Where?!"
    assert case.graders[0].metric == "place"


def test_problems_name_their_row_and_columns_the_one_that_was_meant() -> None:
    text = (
        "q,__expcted,__metadata,_expected,__expected\n"
        "a,x,y,z,javascript: output.length < 10\n"
        "b,x,y,z,contans: x\n"
        "c,x\n"
        "d,x,y,z,factuality: x\n"
        "e,x,y,z,file://check.py\n"
    )
    assert problems("a.csv", text) == [
        'a.csv:1: unknown column "__expcted"; did you mean "__expected"?',
        'a.csv:1: unknown column "__metadata"; did you mean "__metadata:"?',
        'a.csv:1: the column "_expected" begins with one underscore; did you mean "__expected"?',
        'a.csv:2: the assertion "javascript" is not read: write it as a grader of ours: {"type": "python", "value": '
        '"graders.py:name"}, in a case file of ours',
        "a.csv:4: the row has 2 cells, the header 5; quote texts with commas in them",
        'a.csv:5: the assertion "factuality" is not read: say what it asks for as a rubric: type: llm-rubric',
        'a.csv:6: the assertion "python" is not read: write it as a grader of ours: {"type": "python", "value": '
        '"graders.py:name"}, in a case file of ours',
    ]


def test_a_row_without_anything_expected_is_told() -> None:
    assert problems("a.csv", "question,expectedAnswer\nx,y\n") == [
        "a.csv:2: nothing grades this case: give it a target or graders"
    ]

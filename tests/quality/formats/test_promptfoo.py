"""Tests of agenttop.quality.formats.promptfoo, agenttop.quality.formats.promptfoo_assertions and
agenttop.quality.formats.templates.

What promptfoo does with these files is in its documentation: https://www.promptfoo.dev/docs/configuration/guide
"""

from __future__ import annotations

import json

import pytest

from agenttop.quality.answer import Answer, ToolCall
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.cases import Cases, read_cases
from agenttop.quality.formats.promptfoo_assertions import KNOWN, REFUSED
from agenttop.quality.formats.templates import TemplateError, fill
from agenttop.quality.grade import grade
from tests.quality.reading import data, problems, sound


def scored(case: Case, text: str, **more: object) -> tuple[float | None, bool]:
    """Return score and pass of an answer."""
    score = grade(case, Answer(case.id, text=text, **more))  # type: ignore[arg-type]  # fields of an answer
    return score.value, score.passed


def test_a_configuration_is_read_with_its_prompt_defaults_and_combinations() -> None:
    found = data("promptfoo.yaml")
    assert not found.problems
    assert [case.input for case in found.cases] == [
        "Answer in English: What is the capital of France?",
        "Answer in English: What is 2 + 2?",
        "Answer in English: Where is the harbour?",
        "Answer in French: Say hello",
        "Answer in German: Say hello",
    ]
    assert found.cases[0].slices == {"suite": "smoke", "category": "geography", "difficulty": "easy"}
    assert found.cases[0].place == "promptfoo.yaml:16"
    assert found.cases[0].description == "Capital"
    assert [spec.type for spec in found.cases[3].graders] == ["contains-any", "similar"]
    assert found.cases[3].graders[1].value == "Bonjour"


def test_answers_are_graded_as_promptfoo_grades_them() -> None:
    capital, total, place, hello, _ = data("promptfoo.yaml").cases
    assert scored(capital, "It is Paris.") == (1.0, True)
    assert scored(capital, "As an AI, I say Paris.") == (0.5, False)  # one of two assertions
    assert scored(capital, "paris") == (0.5, False)  # contains minds case
    assert scored(total, "4") == (1.0, True)
    assert scored(total, "It is 4") == (0.5, False)
    where = '{"latitude": 53.5, "longitude": 10}'
    assert scored(place, where, latency_ms=5000) == (1.0, True)
    assert scored(place, where, latency_ms=5001)[1] is False
    assert scored(place, '{"latitude": 99, "longitude": 10}', latency_ms=1)[1] is False
    assert scored(place, f"```json\n{where}\n```", latency_ms=1)[1] is False  # is-json wants nothing else
    assert scored(hello, "Bonjour!") == (1.0, True)
    assert scored(hello, "Hallo, wie geht es?") == (0.5, True)  # the threshold of the test


def test_tests_of_json_lines_and_weights() -> None:
    eight, seventeen = data("promptfoo.jsonl").cases
    assert eight.vars == {"x": 5, "y": 3}
    assert scored(eight, "8") == (1.0, True)
    assert scored(seventeen, "It is seventeen, surely")[0] == pytest.approx(0.0)
    assert scored(seventeen, "It is 17")[0] == pytest.approx(2 / 3)


def config(assertion: object, **variables: object) -> Cases:
    test = {"vars": {"question": "x", **variables}, "assert": [assertion]}
    return read_cases([("c.yaml", json.dumps({"tests": [test]}))])


@pytest.mark.parametrize(
    ("assertion", "spec"),
    [
        ({"type": "not-contains", "value": "x"}, GraderSpec("contains", "x", negated=True)),
        ({"type": "icontains-all", "value": ["x"]}, GraderSpec("contains-all", ["x"], {"ignore_case": True})),
        (
            {"type": "llm-rubric", "value": "Is kind", "threshold": 0.8},
            GraderSpec("judge", "Is kind", {"threshold": 0.8}),
        ),
        ({"type": "is-refusal"}, GraderSpec("refusal")),
        ({"type": "not-is-refusal"}, GraderSpec("refusal", negated=True)),
        ({"type": "latency", "threshold": 200}, GraderSpec("latency", 200)),
        ({"type": "cost", "threshold": 0.01, "weight": 0}, GraderSpec("cost", 0.01, weight=0.0)),
        ({"type": "levenshtein", "value": "x"}, GraderSpec("similar", "x", {"distance": 5})),
        ({"type": "similar", "value": "x"}, GraderSpec("similar", "x", {"by": "embeddings", "threshold": 0.75})),
        ({"type": "word-count", "value": 5}, GraderSpec("max-words", 5, {"min": 5})),
        ({"type": "finish-reason", "value": "stop"}, GraderSpec("finish-reason", "stop")),
        ({"type": "trajectory:tool-used", "value": "find"}, GraderSpec("tool-called", None, {"name": "find"})),
        (
            {"type": "trajectory:tool-args-match", "value": {"name": "find", "args": {"id": 1}}},
            GraderSpec("tool-called", None, {"name": "find", "arguments": {"id": 1}}),
        ),
        (
            {"type": "trajectory:tool-sequence", "value": {"steps": ["a", "b"]}},
            GraderSpec("tool-order", ["a", "b"], {"exact": False}),
        ),
        ({"type": "equals", "value": "{{question}}", "metric": "same"}, GraderSpec("equals", "x", metric="same")),
    ],
)
def test_an_assertion_is_the_grader_that_does_the_same(assertion: object, spec: GraderSpec) -> None:
    found = config(assertion)
    assert not found.problems
    assert found.cases[0].graders == (spec,)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_no_grader_does_is_refused_by_name_with_what_to_do(name: str) -> None:
    for form in (name, f"not-{name}"):
        (problem,) = config({"type": form, "value": "output.length"}).problems
        assert str(problem).startswith(f'c.yaml:1: the assertion "{form}" is not read: ')
        assert problem.message.endswith(REFUSED[name])


@pytest.mark.parametrize("name", sorted(set(KNOWN) - set(REFUSED)))
def test_every_assertion_that_is_read_is_one_of_a_grader_of_ours(name: str) -> None:
    value: object = ["x"] if name.endswith(("-all", "-any")) else "x"
    if name in ("is-json", "contains-json", "is-refusal"):
        value = None
    if name == "word-count":
        value = 3
    if name.startswith("trajectory:tool-a"):
        value = {"name": "x", "args": {}}
    if name == "trajectory:tool-sequence":
        value = ["x"]
    threshold = {"threshold": 0.5} if name in ("latency", "cost", "levenshtein") else {}
    found = config({"type": name, "value": value, **threshold})
    assert not found.problems
    assert len(found.cases[0].graders) == 1


@pytest.mark.parametrize(
    ("assertion", "said"),
    [
        ({"type": "containz", "value": "x"}, 'unknown assertion "containz"; did you mean "contains"?'),
        (
            {"type": "contains", "value": "x", "treshold": 1},
            'an assertion has no "treshold"; did you mean "threshold"?',
        ),
        ({"type": "contains", "value": "x", "transform": "output"}, '"transform" of an assertion is not read'),
        ({"type": "contains", "value": "file://a.js"}, 'the value "file://a.js" is a program'),
        ({"type": "is-json", "value": "file://a.json"}, '"file://a.json" is in another file, which is not read here'),
        ({"type": "contains", "value": "{{questoin}}"}, 'there is no variable "questoin"; did you mean "question"?'),
        (
            {"type": "contains", "value": "{{question | upper}}"},
            "the template {{question | upper}} is more than a name",
        ),
        ({"type": "contains", "value": "{% if question %}x{% endif %}"}, "conditions and loops of templates"),
        ({"type": "contains", "value": "{{env.HOME}}"}, "the environment is not read"),
        ({"type": "latency"}, "latency needs a threshold, milliseconds"),
        ({"$ref": "#/assertionTemplates/x"}, "an assertion is a table with a type"),
    ],
)
def test_what_an_assertion_has_wrong_is_told(assertion: object, said: str) -> None:
    first = config(assertion).problems[0]
    assert first.message.startswith(said)


def test_what_a_configuration_has_that_is_not_read_is_told_with_its_line() -> None:
    text = (
        "prompts:\n  - one\n  - two\n"
        "scenarios: []\n"
        "test: x\n"
        "defaultTest:\n  asert: []\n"
        "tests:\n"
        "  - vars: {a: file://a.py, b: file://b.pdf, c: file://c.txt}\n"
        "    asserts: [{type: is-json}]\n"
        "    options: {transform: output.text}\n"
        "    assert: [{type: is-json}]\n"
        "  - file://more.csv\n"
        "  - vars: {}\n"
    )
    assert problems("p.yaml", text) == [
        "p.yaml:1: 2 prompts: a case is asked with one; keep one, or none and write it in the profile's task: "
        'json = { content = "… {vars.NAME} …" }',
        'p.yaml:4: "scenarios" is not read; write its tests out under tests',
        'p.yaml:5: unknown field "test"; did you mean "tests"?',
        'p.yaml:7: defaultTest: unknown field "asert"; did you mean "assert"?',
        'p.yaml:9: "file://a.py" is a program, which is not run; write out what it gives',
        'p.yaml:9: "file://b.pdf" is not read: only a file of text, CSV, JSON or YAML that is named in full',
        'p.yaml:9: "file://c.txt" is in another file, which is not read here; write it out',
        'p.yaml:10: unknown field "asserts"; did you mean "assert"?',
        'p.yaml:11: the option "transform" is not read: it would change what is graded',
        'p.yaml:13: "file://more.csv" is in another file, which is not read here; write it out',
        "p.yaml:14: nothing grades this case: give it a target or graders",
    ]


def test_files_that_are_named_are_read_where_the_caller_reads_them() -> None:
    files = {
        "prompt.txt": "Say {{word}}\n",
        "tests.csv": "word,__expected\nhello,contains:hello\n",
        "more.yaml": "- vars: {word: bye}\n  assert: [{type: equals, value: bye}]\n",
        "lines.jsonl": '{"vars": {"word": "so"}, "assert": [{"type": "contans", "value": "so"}]}\n',
        "shape.json": '{"type": "object"}',
        "word.md": "ciao\n",
    }
    text = (
        "prompts: [file://prompt.txt]\n"
        "tests:\n  - file://tests.csv\n  - file://more.yaml\n  - file://lines.jsonl\n  - file://gone.yaml\n"
        "  - vars: {word: file://word.md}\n    assert: [{type: is-json, value: file://shape.json}]\n"
    )

    def read(path: str) -> str:
        name = path.removeprefix("cases/")
        if name not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return files[name]

    found = read_cases([("cases/p.yaml", text)], read=read)
    assert [str(problem) for problem in found.problems] == [
        'cases/lines.jsonl:1: unknown assertion "contans"; did you mean "contains"?',
        'cases/p.yaml:6: "file://gone.yaml": No such file or directory',
    ]
    assert [(case.input, case.place) for case in found.cases[:2]] == [
        ("Say hello", "cases/tests.csv:2"),
        ("Say bye", "cases/more.yaml:1"),
    ]
    assert found.cases[-1].input == "Say ciao"
    assert found.cases[-1].graders == (GraderSpec("is-json", {"type": "object"}),)


def test_messages_among_the_variables_are_the_question_and_a_prompt_of_messages_is_filled_in() -> None:
    chat = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "yes?"},
        {"role": "user", "content": "x"},
    ]
    (case,) = sound("a.jsonl", json.dumps({"vars": {"input": chat}, "assert": [{"type": "is-json"}]}))
    assert case.input == tuple(chat)
    prompt = '[{"role": "system", "content": "Be {{mood}}"}, {"role": "user", "content": "{{q}}"}]'
    test = {"vars": {"mood": "kind", "q": "Where?"}, "assert": [{"type": "is-json"}]}
    (case,) = sound("p.yaml", json.dumps({"prompts": [prompt], "tests": [test]}))
    assert case.input == ({"role": "system", "content": "Be kind"}, {"role": "user", "content": "Where?"})


def test_too_many_combinations_are_told_before_they_are_made() -> None:
    many = {name: list(range(100)) for name in "abc"}
    (problem,) = read_cases([("a.jsonl", json.dumps({"vars": many, "assert": [{"type": "is-json"}]}))]).problems
    assert problem.message == "the lists among its vars stand for 1,000,000 cases; 10,000 are the most"


def test_variables_may_name_others_and_end() -> None:
    assert fill("Write {{item}}", {"item": "a tweet on {{topic}}", "topic": "fruit"}) == "Write a tweet on fruit"
    assert fill("{{ order.id }} {{list[1]}} {{n}}", {"order": {"id": 7}, "list": [1, 2], "n": None}) == "7 2 null"
    with pytest.raises(TemplateError, match="which names itself"):
        fill("{{a}}", {"a": "{{a}}"})
    with pytest.raises(TemplateError, match="longer than"):
        fill("{{a}}", {"a": "{{a}}" * 1000})


def test_tools_are_graded_by_the_calls_of_the_answer() -> None:
    (case,) = config({"type": "trajectory:tool-sequence", "value": ["search", "reply"]}).cases
    called = (ToolCall("search"), ToolCall("think"), ToolCall("reply"))
    assert scored(case, "x", tools=called) == (1.0, True)
    assert scored(case, "x", tools=called[::-1]) == (0.0, False)

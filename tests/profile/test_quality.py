"""Tests of agenttop.profile.quality: cases, graded tasks, and what goes with what."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agenttop.cli.validate import validate
from agenttop.profile.quality import cases_of, step_graders, variables_of
from agenttop.quality.case import Case
from tests.profile.writing import TOP, load, problems

CASES: list[dict[str, Any]] = [
    {"id": "a", "input": "Hours?", "target": "nine", "tags": ["hours"], "vars": {"city": "Oslo", "n": 3}},
    {"id": "b", "input": "Order?", "target": "Thursday", "tags": ["orders"], "vars": {"city": "Bern"}},
]
TASK = """
[[pools]]
name = "chat"
[[pools.tasks]]
name = "golden"
graded = true
answer = "$.content"
post = "/"
json = { content = "{input}" }
"""
QUALITY = '[quality]\ncases = "golden.jsonl"\n'
WHOLE = TOP + QUALITY + TASK
AT = "pools[0].tasks[0]"


def write_cases(folder: Path, *cases: dict[str, Any], name: str = "golden.jsonl") -> None:
    (folder / name).write_text("".join(json.dumps(case) + "\n" for case in cases or CASES), encoding="utf-8")


@pytest.fixture(autouse=True)
def cases(tmp_path: Path) -> None:
    write_cases(tmp_path)


def test_cases_are_read_beside_the_profile(tmp_path: Path) -> None:
    loaded = load(tmp_path, WHOLE)
    assert [case.id for case in cases_of(loaded.profile)] == ["a", "b"]
    quality = loaded.profile.quality
    assert quality is not None
    assert (quality.repeats, quality.when, quality.pass_, quality.judge) == (1, "live", 1.0, None)
    assert loaded.masked["quality"] == {"cases": "golden.jsonl"}


def test_several_files_are_one_set_whose_ids_are_there_once(tmp_path: Path) -> None:
    write_cases(tmp_path, {"id": "c", "input": "x", "target": "y"}, name="more.jsonl")
    text = WHOLE.replace('"golden.jsonl"', '["golden.jsonl", "more.jsonl"]')
    assert [case.id for case in cases_of(load(tmp_path, text).profile)] == ["a", "b", "c"]
    write_cases(tmp_path, {"id": "a", "input": "x", "target": "y"}, name="more.jsonl")
    (found,) = problems(tmp_path, text)
    assert "the id is there twice" in str(found)
    assert str(found).startswith(f"{tmp_path / 'more.jsonl'}:1")
    (found,) = problems(tmp_path, WHOLE.replace('"golden.jsonl"', '["golden.jsonl", "golden.jsonl"]'))
    assert "quality.cases[1]: golden.jsonl is there twice" in str(found)


def test_an_id_that_holds_a_secret_is_hidden_as_in_what_workers_say(tmp_path: Path) -> None:
    write_cases(tmp_path, {"id": "order of tops3cret", "input": "x", "target": "y"})
    loaded = load(tmp_path, WHOLE + '[headers]\nauthorization = "${KEY}"\n', env={"KEY": "tops3cret"})
    assert [case.id for case in cases_of(loaded.profile)] == ["order of ***"]


def test_what_a_case_gives_are_texts_and_json() -> None:
    case = Case("a", "Hi", {"city": "Oslo", "n": 3, "on": True, "list": ["x"]})
    assert variables_of(case) == {
        "id": "a", "input": "Hi", "messages": '[{"role":"user","content":"Hi"}]',
        "vars.city": "Oslo", "vars.n": "3", "vars.on": "true", "vars.list": '["x"]',
    }  # fmt: skip
    turns = (
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Hours?"},
    )
    found = variables_of(Case("b", turns))
    assert found["input"] == "Hours?"
    assert json.loads(found["messages"]) == list(turns)


def test_steps_have_graders_of_their_own(tmp_path: Path) -> None:
    steps = """
[[pools.tasks.steps]]
post = "/1"
json = { content = "{input}" }
graders = ["not-refusal"]
[[pools.tasks.steps]]
post = "/2"
[[pools.tasks.steps]]
post = "/3"
graders = []
"""
    profile = load(tmp_path, TOP + QUALITY + TASK.split('post = "/"')[0] + steps).profile
    assert [(key, [spec.type for spec in specs]) for key, specs in step_graders(profile).items()] == [
        (("chat", "golden", 0), ["refusal"])
    ]


def test_validate_prints_what_there_is_to_grade(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged = {"id": "c", "input": "x", "graders": [{"type": "judge", "value": "Is it polite?"}]}
    write_cases(tmp_path, *CASES, judged)
    path = tmp_path / "peak.toml"
    path.write_text(WHOLE + '[quality.judge]\ntarget = "http://j/v1"\nmodel = "m"\n')
    assert validate([str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{path}: ok",
        "  3 cases in 2 slices: hours 1, orders 1",
        "  graders: includes 2, judge 1",
        "  1 judge call for each time that all cases are asked",
    ]


JUDGE = '[quality.judge]\ntarget = "http://j/v1"\nmodel = "m"\n'
WRONG = [
    ("no cases", TOP + "[quality]\n" + TASK, "quality.cases: is required"),
    ("no file", WHOLE.replace("golden.jsonl", "gold.jsonl"), "quality.cases: there is no such file: gold.jsonl"),
    ("empty list", WHOLE.replace('"golden.jsonl"', "[]"), "quality.cases: names no file"),
    (
        "unknown key",
        WHOLE.replace("cases =", "repeat = 2\ncases ="),
        'quality.repeat: unknown key; did you mean "repeats"?',
    ),
    ("repeats", WHOLE.replace("cases =", "repeats = 0\ncases ="), "quality.repeats: expected at least 1"),
    ("pass", WHOLE.replace("cases =", "pass = 2\ncases ="), "quality.pass: expected at most 1"),
    (
        "no graded task",
        TOP + QUALITY + TASK.replace('graded = true\nanswer = "$.content"\n', ""),
        "quality: no task asks its cases; write graded = true in a task",
    ),
    (
        "python alone",
        TOP + QUALITY + '[[pools]]\nname = "p"\npython = "x.py:User"\n',
        "users in Python cannot be graded yet",
    ),
    ("no quality", TOP + TASK, f"{AT}.graded: has no cases to ask; write [quality]"),
    (
        "data beside",
        WHOLE + 'data = { file = "golden.jsonl" }\n',
        f"{AT}.data: a graded task has the columns of its case",
    ),
    (
        "unknown column",
        WHOLE.replace("{input}", "{vars.cty}"),
        'unknown variable {vars.cty}; did you mean "vars.city"?',
    ),
    ("mistyped input", WHOLE.replace("{input}", "{input} {inptu}"), 'unknown variable {inptu}; did you mean "input"?'),
    ("no column", WHOLE.replace("{input}", "Hello"), f"{AT}.graded: no column of its cases is sent"),
    ("weight", WHOLE + 'weight = 0\n[[pools.tasks]]\nget = "/"\n', f"{AT}.weight: is zero"),
    (
        "no answer in the table that counts",
        WHOLE.replace('answer = "$.content"\n', "").replace(
            "[[pools.tasks]]", 'measure = { done = "$.d" }\n[[pools.tasks]]', 1
        )
        + '[measure]\nfirst_token = "$.delta"\n',
        f"{AT}.answer: dialect json does not say what the text is",
    ),
    (
        "no answer",
        WHOLE.replace('answer = "$.content"\n', ""),
        f"{AT}.answer: dialect json does not say what the text is",
    ),
    ("bad answer", WHOLE.replace("$.content", "$.["), f"{AT}.answer: bad JSONPath"),
    (
        "answer of all",
        WHOLE.replace('"$.content"', '"body"').replace('name = "chat"', 'name = "chat"\ndialect = "mcp"'),
        f"{AT}.answer: dialect mcp says what the text is",
    ),
    ("answer ungraded", TOP + TASK.replace("graded = true\n", ""), f"{AT}.answer: goes with graded = true"),
    (
        "graders ungraded",
        TOP + TASK.replace('graded = true\nanswer = "$.content"\n', "graders = []\n"),
        f"{AT}.graders: belongs to a step of a task with graded = true",
    ),
    (
        "graders of setup",
        WHOLE + '[[pools.setup]]\npost = "/s"\ngraders = []\n',
        "pools[0].setup[0].graders: belongs to a step of a task with graded = true",
    ),
    ("unknown grader", WHOLE + 'graders = ["contians"]\n', 'unknown grader "contians"; did you mean "contains"?'),
    (
        "judge",
        WHOLE + 'graders = [{ type = "judge", value = "polite?" }]\n',
        "write [quality.judge] with its target and model",
    ),
    ("judge cost", WHOLE + JUDGE + "max_cost_usd = 1\n", "quality.judge.max_cost_usd: needs a price"),
    (
        "judge key",
        WHOLE + JUDGE + "concurency = 1\n",
        'quality.judge.concurency: unknown key; did you mean "concurrency"?',
    ),
    ("judge model", WHOLE + '[quality.judge]\ntarget = "http://j"\n', "quality.judge.model: is required"),
    (
        "calibration",
        WHOLE + JUDGE + 'calibration = "x.jsonl"\n',
        "quality.judge.calibration: there is no such file: x.jsonl",
    ),
    (
        "history",
        WHOLE.replace('name = "chat"', 'name = "chat"\ndialect = "openai.chat"')
        .replace(
            'json = { content = "{input}" }',
            'history = true\njson = { messages = [{ role = "user", content = "{input}" }] }',
        )
        .replace('answer = "$.content"\n', ""),
        f'{AT}.history: cases would hear each other in one conversation; write history = "task"',
    ),
    (
        "column saved",
        WHOLE.replace("[[pools.tasks]]", '[[pools.setup]]\nget = "/"\nsave = { id = "$.id" }\n[[pools.tasks]]'),
        f"{AT}.graded: {{id}} of a case would replace that of setup",
    ),
    (
        "column saved in the task",
        WHOLE + 'save = { input = "$.x" }\n',
        f"{AT}.save.input: {{input}} is a column of data",
    ),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_wrong_is_one_line_with_its_key_and_what_to_do(tmp_path: Path, text: str, expected: str) -> None:
    found = [str(problem) for problem in problems(tmp_path, text)]
    assert [line for line in found if expected in line], found
    assert all("\n" not in line for line in found)


def test_a_column_that_some_cases_lack_names_the_first_of_them(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, WHOLE.replace("{input}", "{vars.n}"))
    assert str(found) == f'{tmp_path / "golden.jsonl"}:2: case "b": has no vars.n, which task golden sends'


def test_what_is_wrong_in_a_case_names_file_line_and_case(tmp_path: Path) -> None:
    write_cases(tmp_path, CASES[0], {"id": "x", "input": "y", "graders": [{"type": "contians", "value": "z"}]})
    (found,) = problems(tmp_path, WHOLE)
    assert str(found).startswith(f'{tmp_path / "golden.jsonl"}:2: case "x": unknown grader "contians"')


def test_a_socket_task_is_graded_by_its_last_answered_message(tmp_path: Path) -> None:
    text = """
[[pools]]
name = "voice"
protocol = "ws"
dialect = "openai.realtime"
[[pools.setup]]
connect = "/ws"
[[pools.tasks]]
name = "golden"
graded = true
  [[pools.tasks.steps]]
  send = { type = "item", text = "{input}" }
  wait = false
"""
    (found,) = problems(tmp_path, TOP + QUALITY + text)
    assert f"{AT}.graded: none of its steps awaits an answer that could be graded" in str(found)
    load(tmp_path, TOP + QUALITY + text + '  [[pools.tasks.steps]]\n  send = { type = "response.create" }\n')


def test_first_token_says_where_a_streamed_answer_is(tmp_path: Path) -> None:
    text = WHOLE.replace('answer = "$.content"\n', "") + '[measure]\nfirst_token = "$.delta"\n'
    assert load(tmp_path, text).profile.pools[0].tasks[0].graded


@pytest.mark.parametrize(
    ("graders", "measure", "told"),
    [
        ([{"type": "finish-reason", "value": "stop"}], "", ["finish-reason", "write finish into [measure]"]),
        ([{"type": "not-finish-reason", "value": "length"}], '[measure]\nfinish = "$.why"\n', []),
        ([{"type": "tool-called", "value": "f"}, {"type": "no-tool-called"}], "", ["tool-called", "write tool_calls"]),
        ([{"type": "tool-called", "value": "f"}], '[measure]\ntool_calls = "$.tools"\n', []),
        ([{"type": "includes"}], "", []),
    ],
)
def test_graders_of_what_nothing_tells_are_a_warning(
    tmp_path: Path, graders: list[dict[str, Any]], measure: str, told: list[str]
) -> None:
    write_cases(tmp_path, CASES[0] | {"graders": graders}, CASES[1])
    warnings = load(tmp_path, WHOLE + measure).warnings
    assert len(warnings) == bool(told), warnings
    for text in told:
        assert text in warnings[0]
    assert all(warning.startswith("chat/golden: ") for warning in warnings)
    # A dialect tells by itself.
    chat = WHOLE.replace('answer = "$.content"\n', "").replace(
        'name = "chat"\n', 'name = "chat"\ndialect = "openai.chat"\n'
    )
    assert load(tmp_path, chat + measure).warnings == ()


def test_graders_of_a_step_ask_too(tmp_path: Path) -> None:
    steps = '[[pools.tasks.steps]]\npost = "/"\njson = { content = "{input}" }\n'
    steps += 'graders = [ { type = "finish-reason", value = "stop" } ]\n'
    text = WHOLE.replace('post = "/"\njson = { content = "{input}" }\n', steps)
    (warning,) = load(tmp_path, text).warnings
    assert warning == (
        "chat/golden: finish-reason cannot be graded, as nothing tells why an answer ended: write finish into [measure]"
    )


def test_a_profile_without_cases_reads_nothing_that_reads_them() -> None:
    code = "import agenttop.profile.load, sys; print('agenttop.quality.cases' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

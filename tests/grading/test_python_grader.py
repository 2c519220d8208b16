"""Tests of agenttop.grading.python_grader, agenttop.grading.python_child and agenttop.scripting.load."""

from __future__ import annotations

import asyncio
import io
import os
from pathlib import Path

import msgspec
import pytest

from agenttop.grading.python_child import Question, Said, answered, score_of, serve
from agenttop.grading.python_grader import MAX_HUNG, PythonGraders, python_graders
from agenttop.quality.answer import Answer, ToolCall
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.score import Part

FILE = """\
import os
import sys
import time

print("importing says nothing")


def polite(answer, case):
    print("nor does this")
    return "please" in answer.text


def likeness(answer, case):
    return {"score": 0.25, "reason": f"{case.vars['city']} and {answer.tools[0].name}"}


def half(answer, case):
    return 0.5


def broken(answer, case):
    return helper(case)


def helper(case):
    return case.vars["no such"]


def odd(answer, case):
    return "yes"


def quits(answer, case):
    sys.exit("bye")


def dies(answer, case):
    os._exit(7)


def hangs(answer, case):
    if answer.text == "hang":
        while True:
            time.sleep(0.01)
    return True


def process(answer, case):
    return {"score": 1, "reason": str(os.getpid())}
"""
CASE = Case("a", vars={"city": "Bonn"}, place="cases/golden.jsonl:3")
ANSWER = Answer("a", text="please", tools=(ToolCall("lookup"),))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "graders.py").write_text(FILE, encoding="utf-8")
    (tmp_path / "cases" / "wrong.py").write_text("x = 1 +\n", encoding="utf-8")
    (tmp_path / "cases" / "sleepy.py").write_text("import time\nwhile True:\n    time.sleep(0.01)\n", encoding="utf-8")
    return tmp_path


def spec(function: str, **more: object) -> GraderSpec:
    return GraderSpec("python", f"graders.py:{function}", **more)  # type: ignore[arg-type]  # fields of a spec


async def test_a_function_of_answer_and_case_says_a_bool_a_number_or_a_table(folder: Path) -> None:
    graders = PythonGraders(folder)
    parts = [
        await graders.grade(spec(name, weight=2.0, metric="m"), CASE, ANSWER) for name in ("polite", "likeness", "half")
    ]
    turned = await graders.grade(spec("half", negated=True), CASE, ANSWER)
    rude = await graders.grade(spec("polite"), CASE, Answer("a", text="now"))
    await graders.close()
    assert parts == [
        Part("python", 1.0, "", 2.0, "m"),
        Part("python", 0.25, "Bonn and lookup", 2.0, "m"),
        Part("python", 0.5, "graders.py:half says 0.5", 2.0, "m"),
    ]
    assert turned == Part("not-python", 0.5, "graders.py:half says 0.5")
    assert rude == Part("python", 0.0, "graders.py:polite says 0")
    assert (graders.asked, graders.errors) == (5, 0)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("broken", "graders.py:26: KeyError: 'no such'"),
        ("odd", "it returned 'yes'; return True, False, a number, or a table with score and reason"),
        ("quits", "graders.py:34: SystemExit: bye"),
        ("dies", "graders.py:dies ended Python (code 7)"),
        ("polit", 'graders.py has no function polit; did you mean "polite"?'),
    ],
)
async def test_what_goes_wrong_is_told_with_its_place_and_never_fatal(folder: Path, function: str, reason: str) -> None:
    graders = PythonGraders(folder)
    part = await graders.grade(spec(function), CASE, ANSWER)
    assert (part.value, part.reason) == (None, reason)
    assert (await graders.grade(spec("polite"), CASE, ANSWER)).value == 1.0
    assert graders.errors == 1
    await graders.close()


async def test_one_that_hangs_is_killed_and_after_some_not_asked_any_more(folder: Path) -> None:
    graders = PythonGraders(folder, call_s=0.3)
    hang = Answer("a", text="hang")
    first = await graders.grade(spec("hangs"), CASE, hang)
    assert first.reason == "graders.py:hangs did not come to an end within 0.3s"
    graders.call_s = 20.0
    assert (
        await graders.grade(spec("hangs"), CASE, ANSWER)
    ).value == 1.0  # begun again; the count of those in a row, too
    graders.call_s = 0.3
    for _ in range(MAX_HUNG):
        await graders.grade(spec("hangs"), CASE, hang)
    given_up = await graders.grade(spec("hangs"), CASE, ANSWER)
    assert given_up.reason == "graders.py:hangs is not asked any more: 3 times it did not come to an end"
    graders.call_s = 20.0
    assert (await graders.grade(spec("polite"), CASE, ANSWER)).value == 1.0
    await graders.close()


async def test_a_question_that_is_cancelled_leaves_no_answer_for_the_next(folder: Path) -> None:
    graders = PythonGraders(folder)
    await graders.grade(spec("polite"), CASE, ANSWER)
    running = asyncio.ensure_future(graders.grade(spec("hangs"), CASE, Answer("a", text="hang")))
    await asyncio.wait([running], timeout=0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await graders.grade(spec("half"), CASE, ANSWER)).value == 0.5
    await graders.close()


async def test_all_run_in_one_process_which_ends_when_it_is_closed(folder: Path) -> None:
    graders = PythonGraders(folder)
    parts = await asyncio.gather(*(graders.grade(spec("process", negated=True), CASE, ANSWER) for _ in range(5)))
    await graders.close()
    (pid,) = {int(part.reason) for part in parts}
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    await graders.close()


async def test_files_are_checked_before_anything_is_asked(folder: Path) -> None:
    graders = PythonGraders(folder)
    cases = [
        Case("a", graders=(spec("polite"), spec("nice")), place="cases/golden.jsonl:1"),
        Case("b", graders=(spec("nice"), GraderSpec("python", "gone.py:x")), place="cases/golden.jsonl:2"),
        Case("c", graders=(GraderSpec("python", "wrong.py:x"),), place="cases/golden.jsonl:3"),
    ]
    problems = [str(problem) for problem in await graders.check(cases)]
    await graders.close()
    assert problems[0].startswith(
        'cases/golden.jsonl:1: case "a": the grader "graders.py:nice": graders.py has no function nice'
    )
    assert problems[1:] == [
        'cases/golden.jsonl:2: case "b": the grader "gone.py:x": No such file or directory',
        'cases/golden.jsonl:3: case "c": the grader "wrong.py:x": wrong.py:1: not Python: invalid syntax',
    ]


async def test_an_import_that_does_not_come_to_an_end_is_told_once_and_for_all(folder: Path) -> None:
    graders = PythonGraders(folder, import_s=0.3)
    case = Case("d", graders=(GraderSpec("python", "sleepy.py:x"),), place="cases/golden.jsonl:4")
    (problem,) = await graders.check([case])
    part = await graders.grade(case.graders[0], case, ANSWER)
    await graders.close()
    assert problem.message == ('the grader "sleepy.py:x": importing sleepy.py has not come to an end within 0.3s')
    assert part.reason == "sleepy.py:x is not asked any more: 3 times it did not come to an end"


def test_graders_in_python_are_listed_once() -> None:
    assert python_graders([Case("a", graders=(spec("x"), spec("x"))), Case("b", graders=(spec("y"),))]) == [
        "graders.py:x",
        "graders.py:y",
    ]


class _Odd:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (True, Said(1.0)),
        (0.3, Said(0.3)),
        ({"score": False, "reason": "no"}, Said(0.0, "no")),
        ({"pass": True}, Said(1.0)),
        (7, Said(reason="it returned 7; a score is from 0 to 1")),
        (float("nan"), Said(reason="it returned nan; a score is from 0 to 1")),
        (None, Said(reason="it returned None; return True, False, a number, or a table with score and reason")),
        ({"scor": 1}, Said(reason="it returned a table with 'scor'; a score has score and reason")),
        (_Odd(), Said(reason="it returned _Odd; return True, False, a number, or a table with score and reason")),
    ],
)
def test_what_a_function_may_return(result: object, said: Said) -> None:
    assert score_of(result) == said


def test_a_line_a_question_and_a_line_an_answer(folder: Path) -> None:
    file = str(folder / "cases" / "graders.py")
    questions = [Question(file, "polite"), Question(file, "polite", ANSWER, CASE), Question(file, "nothing")]
    lines = b"".join(msgspec.json.encode(question) + b"\n" for question in questions)
    out: list[bytes] = []
    serve(io.BytesIO(lines), out.append)
    said = [msgspec.json.decode(line, type=Said) for line in out]
    assert [one.value for one in said] == [1.0, 1.0, None]
    assert answered(Question(str(folder / "gone.py"), "x")).reason == "No such file or directory"

"""Tests of agenttop.profile.budget, agenttop.profile.certificates, agenttop.profile.conversations,
agenttop.profile.fields, agenttop.profile.normalise, agenttop.profile.rules, agenttop.profile.tables,
agenttop.profile.variables, agenttop.profile.validate.

Broken profiles, and the line a user reads for each.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.profile.load import load_profile
from agenttop.profile.problems import Problem, ProfileError, key_text, shown
from tests.profile.broken import BROKEN, TASK, WS
from tests.profile.writing import SMALL, TOP, load, problems


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_every_broken_profile_says_what_to_change_on_one_line(tmp_path: Path, text: str, expected: str) -> None:
    lines = [str(problem).removeprefix(f"{tmp_path}{os.sep}") for problem in problems(tmp_path, text)]
    assert any(expected in line for line in lines), lines
    assert all(line.startswith("peak.toml") and "\n" not in line for line in lines)


def test_all_problems_come_at_once_and_each_place_once(tmp_path: Path) -> None:
    text = SMALL.replace("users = 1", "users = -1").replace('"/"', '"/{nmae}"') + 'weight = "x"\nchekcs = 1'
    assert [problem.key for problem in problems(tmp_path, text)] == [
        "users",
        f"{TASK}.weight",
        f"{TASK}.chekcs",
        f"{TASK}.get",
    ]


def test_a_sound_profile_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, SMALL) == []
    assert problems(tmp_path, TOP + WS) == []


def test_a_file_that_is_not_there_is_a_problem_not_a_traceback(tmp_path: Path) -> None:
    for path, expected in (
        (tmp_path / "none.toml", "there is no such file"),
        (tmp_path, "this is a directory"),
        (tmp_path / ("x" * 5000), "cannot be read"),
        (tmp_path / "a\0b", "cannot be read"),
    ):
        with pytest.raises(ProfileError, match=expected):
            load_profile(path, env={})


def test_a_file_that_is_not_text_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "binary.toml"
    path.write_bytes(b'name = "a"\nb = "\xff"\n')
    with pytest.raises(ProfileError) as caught:
        load_profile(path, env={})
    assert str(caught.value) == f"{path}:2: this file is not UTF-8 text"


def test_an_env_file_that_is_not_text_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff")
    assert "not UTF-8" in str(problems(tmp_path, SMALL)[0])


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, "\ufeff" + SMALL) == []


@given(st.text())
def test_a_value_is_shown_on_one_printable_line(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 60


@pytest.mark.parametrize("path", ["", "pools.chat.", "pools.chat.tasks.0.", "pools.chat.tasks.0.steps."])
def test_any_value_anywhere_is_a_problem_at_worst(tmp_path: Path, path: str) -> None:
    keys = "name weight stages setup tasks steps get send json save checks headers tls measure"
    for key in keys.split():
        for value in ("1", "true", '"x"', "[]", "[1]", "{}", "{ a = 1 }", "[{}]", "[{ get = 1 }]", "nan", "1979-05-27"):
            problems(tmp_path, SMALL, overrides=[f"{path}{key}={value}"])


def test_the_key_of_a_place_is_written_as_people_write_it() -> None:
    assert key_text(("pools", 0, "checks", "has content")) == 'pools[0].checks."has content"'


def test_a_problem_without_key_is_one_of_the_file() -> None:
    assert str(Problem("a.toml", "", "bad", 3, 7)) == "a.toml:3:7: bad"
    assert str(Problem("a.toml", "b", "bad")) == "a.toml: b: bad"


def test_problems_of_overrides_name_the_override(tmp_path: Path) -> None:
    def lines(*overrides: str) -> list[str]:
        return [str(problem) for problem in problems(tmp_path, SMALL, overrides=overrides)]

    assert lines("pools.chat.think_time=soon")[0].startswith(
        'command line: --set pools.chat.think_time: expected a duration such as "2s"'
    )
    assert lines("pools.chta.weight=1") == [
        "command line: --set pools.chta.weight: none of the pools is called "
        '"chta"; there are chat; did you mean "chat"?'
    ]
    assert lines("seed") == ["command line: --set seed: expected KEY=VALUE, such as pools.chat.think_time=1s"]
    assert lines("target.x=1") == ["command line: --set target.x: target is not a table"]
    assert lines("pools.chat.xyz=1") == ["command line: --set pools.chat.xyz: unknown key"]


def test_load_gives_the_small_profile(tmp_path: Path) -> None:
    assert load(tmp_path, SMALL).profile.pools[0].tasks[0].steps[0].name == "GET /"


def test_problems_hold_no_control_characters() -> None:
    assert str(Problem("a.toml", "x", "no pool is called \x1b[31m")) == "a.toml: x: no pool is called \\x1b[31m"

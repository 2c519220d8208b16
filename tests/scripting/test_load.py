"""Tests of agenttop.scripting.load, agenttop.scripting.describe, agenttop.scripting.place.

A user's file becomes a class; what keeps it from that is said with its line.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from agenttop.scripting.load import ScriptError, load_class
from agenttop.scripting.place import place_of, words_of

GOOD = """
from agenttop.scripting import User, task
from dataclasses import dataclass
import {helper}

@dataclass
class Row:
    name: str

class Shop(User):
    row = Row({helper}.NAME)

    @task
    async def buy(self): ...

other = 3
"""


def written(folder: Path, text: str, name: str = "my_agent.py") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_can_import_what_is_beside_it_and_is_executed_once(tmp_path: Path) -> None:
    written(tmp_path, "NAME = 'beside'", "helper_beside.py")
    file = written(tmp_path, GOOD.format(helper="helper_beside"))
    found = load_class(file, "Shop", hashlib.sha256(Path(file).read_bytes()).hexdigest())
    assert found.row.name == "beside"  # type: ignore[attr-defined]
    assert load_class(file, "Shop") is found
    assert found.__module__ in sys.modules


def test_a_file_may_be_called_like_a_module(tmp_path: Path) -> None:
    file = written(tmp_path, "from agenttop.scripting import User\nclass Shop(User): ...", "json.py")
    assert load_class(file, "Shop").__name__ == "Shop"
    assert sys.modules["json"] is json


def test_a_file_that_has_changed_is_not_executed(tmp_path: Path) -> None:
    file = written(tmp_path, "raise SystemExit('executed')")
    with pytest.raises(ScriptError, match=r"my_agent.py is not what it was when the profile was checked"):
        load_class(file, "Shop", "0" * 64)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\nx = (1,\n", "my_agent.py:2: not Python: '(' was never closed"),
        ("\n\nimport no_such_module\n", "my_agent.py:3: importing it raised ModuleNotFoundError: No module named"),
        ("def f():\n  1 / 0\nf()", "my_agent.py:2: importing it raised ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(3)", "my_agent.py:2: importing it raised SystemExit: 3"),
        ("from agenttop.scripting import task\n@task(weight=-1)\nasync def f(): ...", "my_agent.py:2: importing it"),
        ("import broken_beside", "broken_beside.py:2: not Python: invalid syntax"),
        ("Shop = 3", "Shop is no user; write class Shop(User), with User from agenttop.scripting"),
        ("class Shop: ...", "Shop is no user"),
        ("from agenttop.scripting import User as Shop", "Shop is no user"),
        ("", "my_agent.py has no class Shop"),
        (
            "from agenttop.scripting import User\nclass Shopp(User): ...",
            'my_agent.py has no class Shop; did you mean "Shopp"?',
        ),
        ("from agenttop.scripting import User\nclass Xyz(User): ...", "my_agent.py has no class Shop (it has Xyz)"),
    ],
)
def test_what_cannot_be_loaded_says_why_and_where(tmp_path: Path, text: str, expected: str) -> None:
    written(tmp_path, "\nx = = 1\n", "broken_beside.py")
    file = written(tmp_path, text)
    with pytest.raises(ScriptError) as error:
        load_class(file, "Shop")
    assert str(error.value).startswith(expected)


def test_a_description_is_not_disturbed_by_what_the_file_does(tmp_path: Path) -> None:
    text = "import os, threading, time\nprint('noise')\nos.system('echo noise')\n"
    text += "threading.Thread(target=time.sleep, args=(300,)).start()\n"
    text += "from agenttop.scripting import User, task\nclass Shop(User):\n  @task\n  async def buy(self): ...\n"
    command = [sys.executable, "-m", "agenttop.scripting.describe", written(tmp_path, text), "Shop", "Nope"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    found = json.loads(done.stdout)
    assert found["Shop"]["tasks"] == [["buy", "buy", 1]]
    assert found["Nope"]["fault"] == "my_agent.py has no class Nope (it has Shop)"
    assert done.stderr == b"noise\nnoise\n"


# -- where an exception comes from


def test_a_place_is_the_innermost_line_of_the_users_own_code(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    deep = written(tmp_path / "lib", "import json\ndef read():\n    return json.loads('{')\n", "deep.py")
    spaces: dict[str, object] = {}
    exec(compile(Path(deep).read_bytes(), deep, "exec"), spaces)
    file = str(tmp_path / "my_agent.py")
    top = compile("def run():\n\n    read()\nrun()", file, "exec")
    with pytest.raises(ValueError, match="Expecting") as error:
        exec(top, spaces)
    assert place_of(error.value, file) == "lib/deep.py:3"
    assert place_of(error.value, str(tmp_path / "other" / "x.py")) == ""


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def test_words_are_there_for_every_exception() -> None:
    assert words_of(KeyError("x")) == "KeyError: 'x'"
    assert words_of(TimeoutError()) == "TimeoutError"
    assert words_of(Mute()) == "Mute"

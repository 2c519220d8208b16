"""Tests of agenttop.profile.python, agenttop.profile.script.

Users in Python: what ``validate`` says of their files, and what a loaded profile knows of them.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import pytest

from agenttop.profile import python
from agenttop.profile.model import Profile
from agenttop.profile.script import Script, ScriptedPool, ScriptTask
from tests.profile.broken import PYTHON
from tests.profile.writing import TOP, load, problems

CODE = """
from agenttop.scripting import User, task

class Shop(User):
    requests = ("ask",)

    async def setup(self): ...

    @task(weight=3)
    async def browse(self): ...

    @task(name="buy it")
    async def buy(self): ...

    @task(weight=0)
    async def never(self): ...
"""


def said(folder: Path, code: str, text: str = TOP + PYTHON) -> list[str]:
    """What is wrong, where the class is this."""
    (folder / "my_agent.py").write_text(code, encoding="utf-8")
    return [str(problem).removeprefix(f"{folder}{os.sep}") for problem in problems(folder, text)]


def test_a_loaded_profile_knows_the_class(tmp_path: Path) -> None:
    assert said(tmp_path, CODE) == []
    loaded = load(tmp_path, TOP + PYTHON)
    (pool,) = loaded.profile.pools
    assert isinstance(pool, ScriptedPool)
    tasks = (ScriptTask("browse", "browse", 3), ScriptTask("buy", "buy it", 1), ScriptTask("never", "never", 0))
    sha256 = hashlib.sha256(CODE.encode()).hexdigest()
    file = str(tmp_path / "my_agent.py")
    assert pool.script == Script(
        file, "my_agent.py", sha256, "Shop", tasks, setup=True, teardown=False, requests=("ask",)
    )
    assert pool.script.rows == ("setup", "browse", "buy it", "ask")
    assert loaded.masked["pools"] == [{"name": "shop", "python": "my_agent.py:Shop"}]
    assert pool.target == loaded.profile.target
    again: Profile = pickle.loads(pickle.dumps(loaded.profile))
    assert again.pools == loaded.profile.pools


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = 1\ny = (\n", "my_agent.py:2: not Python: '(' was never closed"),
        ("import no_such", "my_agent.py:1: importing it raised ModuleNotFoundError: No module named 'no_such'"),
        ("exit(1)", "my_agent.py:1: importing it raised SystemExit: 1"),
        ("", "peak.toml: pools[0].python: my_agent.py has no class Shop"),
        (
            CODE.replace("Shop", "Shopp"),
            'peak.toml: pools[0].python: my_agent.py has no class Shop; did you mean "Shopp"?',
        ),
        (CODE.replace("(User)", ""), "peak.toml: pools[0].python: Shop is no user; write class Shop(User), with User "),
        (CODE.replace("@task", "# "), "peak.toml: pools[0].python: Shop has no tasks; write @task above"),
        (CODE.replace("3", "-3"), "my_agent.py:9: importing it raised ValueError: the weight of a task is a number"),
        (CODE.replace("async def buy", "def buy"), "peak.toml: pools[0].python: Shop.buy is no async function"),
        (CODE.replace('("ask",)', '"ask"'), "peak.toml: pools[0].python: requests of Shop is no list of names"),
        ("import os\nos._exit(7)", "peak.toml: pools[0].python: importing this file ended Python (code 7)"),
    ],
)
def test_every_broken_file_says_what_to_change_on_one_line(tmp_path: Path, code: str, expected: str) -> None:
    (line,) = said(tmp_path, code)
    assert line.startswith(expected)
    assert "\n" not in line


def test_a_file_that_never_ends_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python, "IMPORT_S", 0.5)
    (line,) = said(tmp_path, "import time\nwhile True: time.sleep(1)")
    assert line.endswith("pools[0].python: importing this file has not come to an end within 0.5s")


def test_a_secret_in_the_words_of_a_broken_file_is_masked(tmp_path: Path) -> None:
    (tmp_path / "my_agent.py").write_text("raise ValueError('k-e-y-1 is wrong')")
    text = TOP + '[headers]\nauthorization = "${KEY}"\n' + PYTHON
    (problem,) = problems(tmp_path, text, env={"KEY": "k-e-y-1"})
    assert "ValueError: *** is wrong" in str(problem)


def test_history_is_not_for_users_in_python(tmp_path: Path) -> None:
    assert any("pools[0].history: " in line for line in said(tmp_path, CODE, TOP + PYTHON + "history = true"))


def test_data_of_the_pool_needs_no_template_that_uses_it(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("word\nhello\n")
    text = TOP + PYTHON + 'data = { file = "rows.csv" }'
    assert said(tmp_path, CODE, text) == []
    assert load(tmp_path, text).warnings == ()


def test_thresholds_know_the_rows_and_take_any_check(tmp_path: Path) -> None:
    names = ["latency{request:buy it} p95 < 1s", "latency{request:ask} p95 < 1s", "checks{check:any thing} rate > 99%"]
    text = f"thresholds = {[*names, 'user_errors count < 1']}" + TOP + PYTHON
    assert said(tmp_path, CODE, text) == []
    (line,) = said(tmp_path, CODE, text.replace("buy it", "never"))
    assert "thresholds[0]: bad threshold" in line
    # Of a file that cannot be read nobody knows the rows.
    (line,) = said(tmp_path, "", text)
    assert "has no class" in line

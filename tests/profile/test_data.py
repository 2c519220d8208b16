"""The data of tasks and pools in a profile."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest

from agenttop.profile.model import CheckedData
from tests.profile.writing import SMALL, load, problems

ASK = SMALL.replace('get = "/"', 'get = "/{prompt}"')
DATA = 'data = { file = "a.csv" }'
POOL = SMALL.replace('name = "chat"', f'name = "chat"\n{DATA}')


def lines(folder: Path, text: str) -> list[str]:
    """What is wrong with a profile, without the folder."""
    return [str(problem).removeprefix(f"{folder}{os.sep}") for problem in problems(folder, text)]


def test_columns_are_variables_of_their_task(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("prompt\nhi\n")
    assert lines(tmp_path, ASK)[0].startswith("peak.toml: pools[0].tasks[0].get: unknown variable {prompt}")
    data = load(tmp_path, ASK + DATA).profile.pools[0].tasks[0].data
    assert isinstance(data, CheckedData)
    assert (data.file, data.order) == (str((tmp_path / "a.csv").resolve()), "sequential")
    other = ASK + DATA + '\n[[pools.tasks]]\nget = "/{prompt}"'
    assert lines(tmp_path, other)[0].startswith("peak.toml: pools[0].tasks[1].get: unknown variable {prompt}")


def test_columns_of_a_pool_are_variables_of_all_it_sends(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,token\nann,s\n")
    text = POOL.replace('get = "/"', 'get = "/{name}"') + (
        '[[pools.setup]]\npost = "/{name}"\n[[pools.teardown]]\npost = "/{name}"\n'
        '[pools.headers]\nauthorization = "Bearer {token}"\n'
    )
    assert lines(tmp_path, text) == []
    wrong = text.replace("[pools.headers]", "[headers]")
    assert lines(tmp_path, wrong)[0].startswith("peak.toml: headers.authorization: unknown variable {token}")


@pytest.mark.parametrize("broken", [None, "", b"\xff\xfe"])
def test_what_nobody_knows_is_no_unknown_variable(tmp_path: Path, broken: str | bytes | None) -> None:
    if broken is not None:
        (tmp_path / "a.csv").write_bytes(broken.encode() if isinstance(broken, str) else broken)
    found = lines(tmp_path, ASK + DATA)
    assert found
    assert not any("unknown variable" in line for line in found)


def test_faults_name_file_and_line_all_at_once_and_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("prompt,n\nhi\nhi,1,2\n")
    (tmp_path / "b.jsonl").write_text('{"prompt": []}\n')
    text = ASK + DATA + f'\n[[pools.tasks]]\nget = "/x"\n{DATA}\n[[pools.tasks]]\nget = "/y{{z}}"\n'
    assert [line.partition(" (known")[0] for line in lines(tmp_path, text + 'data = { file = "b.jsonl" }')] == [
        "a.csv:2: this row has 1 cell, and the header 2",
        "a.csv:3: this row has 3 cells, and the header 2",
        'b.jsonl:1: column "prompt": expected text, a number, true or false, not a list',
        "peak.toml: pools[0].tasks[2].get: unknown variable {z}",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            ASK + DATA + '\nsave = { prompt = "$.p" }',
            "pools[0].tasks[0].save.prompt: {prompt} is a column of data; save under another name",
        ),
        (
            POOL + '[[pools.setup]]\npost = "/"\nsave = { prompt = "$.p" }',
            "pools[0].setup[0].save.prompt: {prompt} is a column of data; save under another name",
        ),
        (
            SMALL + DATA + '\n[[pools.setup]]\npost = "/"\nsave = { prompt = "$.p" }',
            "pools[0].tasks[0].data: its columns would replace {prompt} of setup or of the pool's data",
        ),
        (POOL + DATA, "pools[0].tasks[0].data: its columns would replace {prompt} of setup or of the pool's data"),
    ],
)
def test_columns_and_saved_variables_are_apart(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "a.csv").write_text("prompt\nhi\n")
    assert [line.removeprefix("peak.toml: ")[: len(expected)] for line in lines(tmp_path, text)] == [expected]


def test_a_file_lies_beside_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.csv").write_text("prompt\nhi\n")
    data = load(tmp_path, ASK + DATA.replace("a.csv", "data/a.csv")).profile.pools[0].tasks[0].data
    assert data is not None
    assert data.file == str((folder / "a.csv").resolve())


def test_rows_are_in_no_profile_that_is_shown_or_sent(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("prompt\nconfidential ${NAME}\n")
    loaded = load(tmp_path, ASK + DATA)
    assert loaded.masked["pools"][0]["tasks"][0]["data"] == {"file": "a.csv"}
    assert "confidential" not in json.dumps(loaded.masked)
    assert b"confidential" not in pickle.dumps(loaded.profile)


def test_a_name_out_of_the_environment_stays_hidden(tmp_path: Path) -> None:
    (tmp_path / "customer-7.csv").write_text("prompt\nhi,there\n")
    text = ASK + DATA.replace("a.csv", "${FILE}.csv")
    (problem,) = problems(tmp_path, text, env={"FILE": "customer-7"})
    assert str(problem) == f"{tmp_path / '***.csv'}:2: this row has 2 cells, and the header 1"


def test_a_pipe_is_no_data_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (line,) = lines(tmp_path, SMALL + DATA.replace("a.csv", "pipe.csv"))
    assert line == "peak.toml: pools[0].tasks[0].data.file: pipe.csv is no regular file; it is read once by each worker"


def test_data_that_nothing_uses_is_mentioned(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("prompt,other\nhi,x\n")
    assert load(tmp_path, ASK + DATA).warnings == ()
    assert load(tmp_path, POOL.replace('get = "/"', 'get = "/{prompt}"')).warnings == ()
    assert load(tmp_path, SMALL + DATA).warnings == ("task GET /: no column of a.csv is used",)
    assert load(tmp_path, POOL).warnings == ("pool chat: no column of a.csv is used",)


def test_a_loop_of_links_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("a.csv")
    assert lines(tmp_path, ASK + DATA)[0].startswith("peak.toml: pools[0].tasks[0].data.file: a.csv cannot be read")


def test_the_name_of_a_file_may_be_secret(tmp_path: Path) -> None:
    (tmp_path / "hidden.csv").write_text("prompt\nhi\n")
    text = ASK + 'data = { file = "${DATA_FILE}" }'
    data = load(tmp_path, text, env={"DATA_FILE": "hidden.csv"}).profile.pools[0].tasks[0].data
    assert isinstance(data, CheckedData)
    assert data.shown == "***"

"""Tests of agenttop.profile.load, agenttop.profile.model, agenttop.profile.overrides.

Loading: what stands over what, and what the short forms become.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from agenttop.profile.load import load_profile
from agenttop.profile.model import Profile
from agenttop.profile.overrides import parse_set, toml_value
from agenttop.profile.validate import validate_files
from tests.profile.writing import POOL, SMALL, TOP, load, problems

STAGES = 'target = "http://a"\nstages = [{ duration = "1m", users = 5 }]'
SESSION = (
    TOP
    + """
[[pools]]
name = "chat"
[[pools.setup]]
post = "/sessions"
save = { id = "$.id" }
[[pools.tasks]]
name = "simple"
weight = 3
post = "/sessions/{id}"
[[pools.tasks]]
pause = "1s"
steps = [{ get = "/a" }, { name = "second", delete = "/b" }]
[[pools.tasks]]
get = "/c"
[[pools]]
name = "voice"
protocol = "ws"
dialect = "openai.realtime"
target = "wss://b/"
[[pools.setup]]
connect = "/ws?model=m"
[[pools.tasks]]
name = "turn"
steps = [{ send = "hello", wait = false }, { send = { type = "response.create" } }]
[[pools.tasks]]
send = "x"
[[pools.teardown]]
close = true
"""
)


def test_a_step_is_counted_under_its_name_or_method_and_path(tmp_path: Path) -> None:
    chat, voice = load(tmp_path, SESSION).profile.pools
    assert [step.name for step in chat.setup] == ["POST /sessions"]
    assert [[step.name for step in task.steps] for task in chat.tasks] == [["simple"], ["GET /a", "second"], ["GET /c"]]
    assert [task.name for task in chat.tasks] == ["simple", "task 2", "GET /c"]
    assert [step.name for step in voice.setup] == ["CONNECT /ws?model=m"]
    assert [[step.name for step in task.steps] for task in voice.tasks] == [["turn", "turn"], ["send"]]
    assert [step.name for step in voice.teardown] == ["close"]
    assert [step.wait for step in voice.tasks[0].steps] == [False, True]


def test_a_task_that_is_a_step_keeps_what_is_the_tasks(tmp_path: Path) -> None:
    task = load(tmp_path, SESSION).profile.pools[0].tasks[0]
    assert (task.weight, task.steps[0].method, task.steps[0].path) == (3.0, "POST", "/sessions/{id}")


def test_pools_are_resolved(tmp_path: Path) -> None:
    chat, voice = load(tmp_path, 'dialect = "custom"' + SESSION).profile.pools
    assert (chat.target, chat.dialect) == ("http://127.0.0.1:8000", "json")
    assert (voice.target, voice.dialect) == ("wss://b", "openai.realtime")


def test_measures_of_a_pool_go_over_those_of_the_profile(tmp_path: Path) -> None:
    text = SMALL.replace("[[pools.tasks]]", 'measure = { done = "$.d" }\n[[pools.tasks]]')
    text += '[measure]\ndone = "$.x"\nerror = "$.e"\nphases = { llm = "$.t" }'
    measure = load(tmp_path, text).profile.pools[0].measure
    assert measure is not None
    assert (measure.done, measure.error, measure.phases) == ("$.d", "$.e", {"llm": "$.t"})


def test_the_short_form_is_one_step_stage(tmp_path: Path) -> None:
    loaded = load(tmp_path, SMALL)
    (stage,) = loaded.profile.stages
    assert (stage.duration, stage.users, stage.ramp) == (1.0, 1, "step")
    assert loaded.masked["stages"] == [{"duration": "1s", "users": 1, "ramp": "step"}]


def test_header_names_are_lower_case(tmp_path: Path) -> None:
    text = SMALL + 'headers = { X-Case = "A{user}" }'
    assert load(tmp_path, text).profile.pools[0].tasks[0].steps[0].headers == {"x-case": "A{user}"}


def test_the_file_is_identified(tmp_path: Path) -> None:
    loaded = load(tmp_path, SMALL)
    assert loaded.sha256 == hashlib.sha256(SMALL.encode()).hexdigest()
    assert loaded.path == tmp_path / "peak.toml"
    assert loaded.profile.name == "peak"


@pytest.mark.parametrize(
    ("file", "env", "overrides", "expected"),
    [
        ("", {}, [], 0),
        ("seed = 1", {}, [], 1),
        ("seed = 1", {"AGENTTOP_SEED": "2"}, [], 2),
        ("seed = 1", {"AGENTTOP_SEED": "2"}, ["seed=3"], 3),
        ("", {"AGENTTOP_SEED": "2"}, ["seed=3"], 3),
    ],
)
def test_command_line_over_environment_over_file(
    tmp_path: Path, file: str, env: dict[str, str], overrides: list[str], expected: int
) -> None:
    assert load(tmp_path, file + SMALL, env=env, overrides=overrides).profile.seed == expected


def test_target_from_the_command_line_is_the_last_word(tmp_path: Path) -> None:
    env = {"AGENTTOP_TARGET": "http://env"}
    assert load(tmp_path, POOL + "", env=env, users=1).profile.target == "http://env"
    assert load(tmp_path, SMALL, env=env, target="http://cli").profile.target == "http://cli"
    assert str(problems(tmp_path, SMALL, target="cli")[0]).startswith("command line: --target: expected a URL")


def test_the_environment_beats_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\nAGENTTOP_SEED=4\n")
    profile = load(tmp_path, 'headers = { a = "${A}", b = "${B}" }' + SMALL, env={"A": "env"}).profile
    assert profile.headers == {"a": "env", "b": "file"}
    assert profile.seed == 4


def test_nested_environment_and_bad_values(tmp_path: Path) -> None:
    loaded = load(tmp_path, SMALL, env={"AGENTTOP_TLS__VERIFY": "false"})
    assert not loaded.profile.tls.verify
    assert loaded.warnings == ("tls.verify is false: the target's certificate is not checked",)
    found = problems(tmp_path, SMALL, env={"AGENTTOP_SEED": "x", "AGENTTOP_WARMUP": "soon", "AGENTTOP_DIALECT": "y"})
    assert [str(problem) for problem in found] == [
        "environment: AGENTTOP_SEED: expected a whole number",
        'environment: AGENTTOP_WARMUP: expected a duration such as "30s"',
    ] or len(found) == 3
    found = problems(tmp_path, SMALL, env={"AGENTTOP_DIALECT": "morse"})
    assert str(found[0]).startswith("environment: AGENTTOP_DIALECT: expected one of json, custom")


def test_an_unknown_variable_of_ours_is_mentioned(tmp_path: Path) -> None:
    loaded = load(tmp_path, SMALL, env={"AGENTTOP_TRAGET": "x"})
    assert loaded.warnings == ("AGENTTOP_TRAGET is set, and sets nothing; did you mean AGENTTOP_TARGET?",)


@pytest.mark.parametrize(
    ("text", "parts", "value"),
    [
        ("a=1", ["a"], 1),
        ("a.b.c=1s", ["a", "b", "c"], "1s"),
        ('a."x.y"=true', ["a", "x.y"], True),
        ("a=", ["a"], ""),
        ("a=b=c", ["a"], "b=c"),
        ("a=[1, 2]", ["a"], [1, 2]),
        ('a="7"', ["a"], "7"),
        ("a=1\nb=2", ["a"], "1\nb=2"),
    ],
)
def test_overrides_are_toml_or_text(text: str, parts: list[str], value: Any) -> None:
    assert parse_set(text) == (parts, value)
    assert toml_value("${X}") == "${X}"


def test_overrides_reach_pools_tasks_and_stages(tmp_path: Path) -> None:
    overrides = [
        "pools.chat.think_time=1s..2s",
        "pools.chat.tasks.simple.weight=9",
        "pools.voice.tasks.turn.steps.0.send=bye",
        "headers.x-new=1s",
        "tls.verify=false",
    ]
    profile = load(tmp_path, SESSION, overrides=overrides).profile
    assert profile.pools[0].think_time == (1.0, 2.0)
    assert profile.pools[0].tasks[0].weight == 9
    assert profile.pools[1].tasks[0].steps[0].send == "bye"
    assert profile.headers == {"x-new": "1s"}
    assert not profile.tls.verify
    assert load(tmp_path, STAGES + POOL, overrides=["stages.0.users=7"]).profile.stages[0].users == 7


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"users": 10}, [(86_400.0, 10, "step")]),
        ({"users": 10, "spawn_rate": 2}, [(5.0, 10, "linear"), (86_400.0, 10, "step")]),
        ({"users": 10, "spawn_rate": 2, "run_for": 60.0}, [(5.0, 10, "linear"), (55.0, 10, "step")]),
        ({"users": 10, "spawn_rate": 2, "run_for": 3.0}, [(5.0, 10, "linear")]),
        ({"users": 3, "spawn_rate": 0.1}, [(5.0, 1, "step"), (20.0, 3, "linear"), (86_400.0, 3, "step")]),
        ({"users": 2, "spawn_rate": 0.5, "run_for": 9.0}, [(1.0, 1, "step"), (2.0, 2, "linear"), (6.0, 2, "step")]),
        ({"users": 2, "spawn_rate": 0.1, "run_for": 9.0}, [(5.0, 1, "step"), (10.0, 2, "linear")]),
        ({"users": 1, "spawn_rate": 0.1}, [(5.0, 1, "step"), (86_400.0, 1, "step")]),
        ({"users": 10, "run_for": 60.0}, [(60.0, 10, "step")]),
        ({"env": {"AGENTTOP_USERS": "4"}, "run_for": 60.0}, [(60.0, 4, "step")]),
        ({"env": {"AGENTTOP_USERS": "4"}, "users": 2, "run_for": 60.0}, [(60.0, 2, "step")]),
    ],
)
@pytest.mark.parametrize("text", [SMALL, STAGES + POOL])
def test_users_and_spawn_rate_replace_the_stages(
    tmp_path: Path, text: str, options: dict[str, Any], expected: list[tuple[float, int, str]]
) -> None:
    loaded = load(tmp_path, text, **options)
    assert [(stage.duration, stage.users, stage.ramp) for stage in loaded.profile.stages] == expected
    assert loaded.masked["stages"][0]["users"] == expected[0][1]
    assert "users" not in loaded.masked


def test_users_and_spawn_rate_that_make_no_sense(tmp_path: Path) -> None:
    assert str(problems(tmp_path, SMALL, spawn_rate=1)[0]) == "command line: --spawn-rate: needs --users as well"
    assert str(problems(tmp_path, SMALL, users=0)[0]) == "command line: --users: expected at least 1"
    assert str(problems(tmp_path, SMALL, users=1, spawn_rate=-1)[0]).startswith("command line: --spawn-rate: expected")
    own = SMALL.replace("[[pools.tasks]]", 'stages = [{ duration = "1s", rate = 1 }]\n[[pools.tasks]]')
    assert "every pool of this profile has stages" in str(problems(tmp_path, own, users=1)[0])
    assert "drive no pool" in load(tmp_path, own).warnings[0]


def test_an_open_pool_needs_no_stages_of_the_run(tmp_path: Path) -> None:
    own = 'target = "http://a"' + POOL.replace(
        "[[pools.tasks]]", 'stages = [{ duration = "1s", rate = 1 }]\n[[pools.tasks]]'
    )
    profile = load(tmp_path, own).profile
    assert profile.pools[0].open
    assert profile.stages == []


@pytest.mark.parametrize("dialect", ["openai.chat", "openai.responses", "anthropic.messages"])
def test_a_stream_that_is_not_asked_for_is_mentioned(tmp_path: Path, dialect: str) -> None:
    text = SMALL.replace('name = "chat"', f'name = "chat"\nprotocol = "sse"\ndialect = "{dialect}"')
    assert "does not ask for a stream" in load(tmp_path, text).warnings[0]
    assert load(tmp_path, text + "json = { stream = true }").warnings == ()


def test_a_profile_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    profile = load(tmp_path, SESSION).profile
    assert Profile.model_validate_json(profile.model_dump_json(by_alias=True)) == profile


def test_what_was_written_is_ready_for_json(tmp_path: Path) -> None:
    text = SMALL + "json = { on = 2024-01-02, at = 12:00:00, many = [1.5, true] }"
    masked = load(tmp_path, text).masked
    assert json.loads(json.dumps(masked)) == masked
    assert masked["pools"][0]["tasks"][0]["json"] == {"on": "2024-01-02", "at": "12:00:00", "many": [1.5, True]}
    assert masked["timeout"] == "1m"


def test_files_of_tls_lie_beside_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import certifi

    (tmp_path / "ca.pem").write_bytes(Path(certifi.where()).read_bytes())
    monkeypatch.chdir("/")
    loaded = load(tmp_path, SMALL + '[tls]\nca = "ca.pem"')
    assert loaded.profile.tls.ca == str((tmp_path / "ca.pem").resolve())
    assert loaded.masked["tls"] == {"ca": "ca.pem"}


def test_validate_reports_every_file(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(SMALL)
    bad.write_text("a = 1")
    found, _, _ = validate_files([bad, good, tmp_path / "none.toml"], env={})
    assert {Path(problem.file).name for problem in found} == {"bad.toml", "none.toml"}
    assert validate_files([good], env={}) == ([], [], {str(good): ()})


def test_without_a_given_environment_the_process_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTTOP_SEED", "11")
    path = tmp_path / "a.toml"
    path.write_text(SMALL)
    assert load_profile(path).profile.seed == 11


def test_checks_of_a_task_are_made_on_the_answer_of_each_step(tmp_path: Path) -> None:
    steps = 'steps = [{ get = "/a" }, { get = "/b", checks = { quick = "latency < 1s", more = "$.x" } }]'
    checks = 'checks = { fine = "status == 200", quick = "latency < 2s" }'
    (pool,) = load(tmp_path, SMALL.replace('get = "/"', f"{steps}\n{checks}")).profile.pools
    assert [step.checks for step in pool.tasks[0].steps] == [
        {"fine": "status == 200", "quick": "latency < 2s"},
        {"fine": "status == 200", "quick": "latency < 1s", "more": "$.x"},
    ]


def test_checks_of_a_task_are_none_of_what_has_no_answer(tmp_path: Path) -> None:
    steps = 'steps = [{ connect = "/ws" }, { send = "a", wait = false }, { send = "b" }, { close = true }]'
    text = SMALL.replace('get = "/"', f'{steps}\nchecks = {{ quick = "latency < 2s" }}')
    text = text.replace('name = "chat"', 'name = "chat"\nprotocol = "ws"\ndialect = "openai.realtime"')
    (pool,) = load(tmp_path, text).profile.pools
    assert [len(step.checks) for step in pool.tasks[0].steps] == [0, 0, 1, 0]

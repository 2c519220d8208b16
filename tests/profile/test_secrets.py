"""What comes from the environment is sent, and shown nowhere."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest

from agenttop.profile.load import load_profile
from agenttop.profile.problems import ProfileError
from agenttop.profile.secrets import redact
from agenttop.profile.template import compile_header, compile_json
from tests.profile.writing import POOL, SMALL, TOP, load, problems

SECRET = "sk-{very}hunter2$\"'value"
ENV = {"KEY": SECRET, "EMPTY": "", "N": "3"}


def test_a_secret_reaches_the_request_and_nothing_else(tmp_path: Path) -> None:
    text = 'name = "run ${KEY}"\nheaders = { authorization = "Bearer ${KEY}" }' + SMALL.replace(
        '"/"', '"/a?key=${KEY}"'
    )
    loaded = load(tmp_path, text + 'json = { key = "${KEY} of {user}" }', env=ENV)
    step = loaded.profile.pools[0].tasks[0].steps[0]
    assert compile_header(loaded.profile.headers["authorization"]).fill({}).decode() == f"Bearer {SECRET}"
    assert json.loads(compile_json(step.json_).fill({"user": "7"})) == {"key": f"{SECRET} of 7"}
    assert loaded.secrets == (SECRET,)
    assert loaded.masked["headers"]["authorization"] == "Bearer ***"
    assert step.name == "GET /a?key=***"
    assert loaded.profile.name == "run ***"
    for shown in (
        repr(loaded),
        str(loaded),
        repr(loaded.profile),
        str(loaded.profile),
        repr(step),
        json.dumps(loaded.masked),
    ):
        assert "hunter2" not in shown


@pytest.mark.parametrize(
    "line",
    [
        'think_time = "${KEY}"',
        'weight = "${KEY}"',
        'protocol = "${KEY}"',
        'dialect = "${KEY}"',
        'target = "ftp://${KEY}"',
        'target = "http://me:${KEY}@a"',
        'headers = { x = "a\\nb${KEY}" }',
        'setup = [{ get = "${KEY}" }]',
        'setup = [{ get = "/", checks = { a = "${KEY}" } }]',
        'setup = [{ get = "/", checks = { a = "$.a == ${KEY}" } }]',
        'setup = [{ get = "/", save = { a = "$.[${KEY}" } }]',
        'setup = [{ get = "/{x}${KEY}" }]',
        'setup = [{ get = "/#${KEY}" }]',
        'measure = { done = "length(${KEY}" }',
        'stages = "${KEY}"',
        'arrivals = "${KEY}"',
        'name = "${KEY}"',
    ],
)
def test_no_problem_tells_a_secret(tmp_path: Path, line: str) -> None:
    path = tmp_path / "peak.toml"
    path.write_text((TOP + POOL).replace("[[pools.tasks]]", line + "\n[[pools.tasks]]"))
    with pytest.raises(ProfileError) as caught:
        load_profile(path, env=ENV)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_an_override_may_hold_a_reference(tmp_path: Path) -> None:
    loaded = load(tmp_path, SMALL, overrides=["headers.x=${KEY}", "users=${N}"], env=ENV)
    assert loaded.masked["headers"] == {"x": "***"}
    assert loaded.profile.users == 3
    assert loaded.masked["users"] == "***"


def test_defaults_are_no_secrets_and_stand_in_for_the_empty(tmp_path: Path) -> None:
    text = (
        'headers = { a = "${NONE:-x}", b = "${EMPTY:-y}", c = "${EMPTY}z", d = "$${KEY}}}", e = "${NONE:-}" }' + SMALL
    )
    loaded = load(tmp_path, text.replace("$${KEY}}}", "$${{KEY}}"), env=ENV)
    assert loaded.profile.headers == {"a": "x", "b": "y", "c": "z", "d": "${{KEY}}", "e": ""}
    assert loaded.secrets == ()


def test_a_missing_variable_names_itself_its_key_and_the_remedy(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, 'headers = { a = "${NONE}" }' + SMALL)
    assert str(problem).endswith(
        "peak.toml: headers.a: the environment variable NONE is not set; "
        "set it, put it into .env beside the profile, or write ${NONE:-default}"
    )


def test_redacting() -> None:
    assert redact("key sk-abc, sk-abcd", ["sk-abc", "sk-abcd"]) == "key ***, ***"
    assert redact("3 of 30 at 3", ["3", ""]) == "*** of 30 at ***"

"""Tests of agenttop.profile.schema, agenttop.profile.starter, agenttop.profile.keys.

The profiles that are shipped, the starter, and the schema that editors check them with.
"""

from __future__ import annotations

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from agenttop.dialects import DIALECTS
from agenttop.profile.keys import KNOWN
from agenttop.profile.load import load_profile
from agenttop.profile.schema import profile_schema
from agenttop.profile.script import ScriptedPool
from agenttop.profile.starter import STARTER
from tests.profile.writing import POOL, SMALL, TOP, load

FOLDER = Path(__file__).parents[2] / "profiles"
SHIPPED = sorted(FOLDER.glob("*.toml"))


@cache
def validator() -> Any:
    """The schema, which is one itself: that takes longer than all that is asked of it."""
    schema = profile_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def valid(text: str) -> bool:
    """Whether the schema takes a profile."""
    return bool(validator().is_valid(tomllib.loads(text)))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_profile_is_sound(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    loaded = load_profile(path, env={})
    assert loaded.warnings == ()
    assert loaded.profile.name == path.stem
    assert loaded.profile.target == "http://127.0.0.1:8000"
    assert text.startswith("# Question: ")
    assert "\n# Run: " in text
    assert valid(text)


def test_the_expected_profiles_are_shipped() -> None:
    assert [path.stem for path in SHIPPED] == [
        "a2a",
        "adk",
        "ag-ui",
        "anthropic-messages",
        "bottleneck",
        "budget",
        "capacity",
        "ci-gate",
        "demo",
        "k6-stages",
        "langgraph",
        "locust-agent-user",
        "mcp",
        "multi-turn",
        "openai-responses",
        "openai-sse",
        "peak",
        "python-user",
        "quality",
        "rate-limit",
        "realtime-ws",
        "smoke",
        "streaming",
        "websocket",
    ]


def test_the_demo_takes_a_minute_over_three_protocols() -> None:
    profile = load_profile(FOLDER / "demo.toml", env={}).profile
    assert sum(stage.duration for stage in profile.stages) == 60
    assert max(stage.users or 0 for stage in profile.stages) == 45
    assert [(pool.protocol, pool.dialect) for pool in profile.pools] == [
        ("http", "json"),
        ("sse", "openai.chat"),
        ("ws", "openai.realtime"),
    ]


def test_peak_climbs_as_written() -> None:
    profile = load_profile(FOLDER / "peak.toml", env={}).profile
    assert [(stage.duration, stage.users) for stage in profile.stages] == [(60, 10), (180, 50), (60, 100), (60, 0)]
    tasks = profile.pools[0].tasks
    assert [(task.name, task.weight, len(task.steps)) for task in tasks] == [
        ("simple", 3, 1),
        ("tool_call", 2, 1),
        ("multi_turn", 1, 3),
    ]
    assert profile.pools[0].think_time == (2.0, 5.0)


def test_locust_users_do_what_the_class_does() -> None:
    profile = load_profile(FOLDER / "locust-agent-user.toml", env={}).profile
    assert [(stage.duration, stage.users) for stage in profile.stages] == [(5, 10), (295, 10)]
    (pool,) = profile.pools
    assert pool.think_time == (2.0, 5.0)
    assert [(step.path, step.name) for step in pool.setup] == [("/api/sessions", "/api/sessions")]
    rows = [(task.weight, task.pause, [step.name for step in task.steps]) for task in pool.tasks]
    name = "/api/sessions/[id]/messages - "
    assert rows == [
        (3, (0.0, 0.0), [name + "simple"]),
        (2, (0.0, 0.0), [name + "tool_call"]),
        (1, (1.0, 1.0), [name + "multi_turn"] * 3),
    ]


def test_python_users_do_what_the_locust_users_do() -> None:
    own, other = (
        load_profile(FOLDER / f"{name}.toml", env={}).profile for name in ("python-user", "locust-agent-user")
    )
    assert (own.stages, own.measure) == (other.stages, other.measure)
    (pool,) = own.pools
    assert isinstance(pool, ScriptedPool)
    assert pool.think_time == (2.0, 5.0)
    assert [(task.row, task.weight) for task in pool.script.tasks] == [
        ("simple", 3),
        ("tool_call", 2),
        ("multi_turn", 1),
    ]
    assert pool.script.rows == ("setup", "simple", "tool_call", "multi_turn", "follow-up")


def test_k6_stages_are_the_script() -> None:
    profile = load_profile(FOLDER / "k6-stages.toml", env={}).profile
    assert [(stage.duration, stage.users) for stage in profile.stages] == [(60, 10), (180, 50), (60, 100), (60, 0)]
    assert [threshold.expression for threshold in profile.thresholds] == ["latency p(95) < 15000", "error_rate < 5%"]
    (pool,) = profile.pools
    assert (profile.timeout, pool.think_time) == (30.0, (1.0, 4.0))
    (step,) = pool.tasks[0].steps
    assert set(step.checks) == {"status is 200", "response has content", "latency under 20s"}


def test_streaming_targets_are_the_same_over_sse_and_websocket() -> None:
    sse, ws = (load_profile(FOLDER / f"{name}.toml", env={}).profile for name in ("streaming", "websocket"))
    assert [pool.protocol for pool in (*sse.pools, *ws.pools)] == ["sse", "ws"]
    assert [threshold.expression for threshold in sse.thresholds] == ["ttft p95 < 2s", "latency p95 < 10s"]
    assert (sse.thresholds, sse.objectives, sse.stages) == (ws.thresholds, ws.objectives, ws.stages)


def test_the_bottleneck_is_looked_for_at_a_fixed_number_of_users_a_stage() -> None:
    stages = load_profile(FOLDER / "bottleneck.toml", env={}).profile.stages
    assert {stage.ramp for stage in stages} == {"step"}
    assert [stage.users for stage in stages] == [3, 12, 40]


def test_the_starter_is_sound(tmp_path: Path) -> None:
    loaded = load(tmp_path, STARTER)
    assert loaded.warnings == ()
    assert valid(STARTER)


@pytest.mark.parametrize(
    "text",
    [
        SMALL,
        SMALL.replace("users = 1", 'users = "${USERS}"'),
        SMALL + 'send = "x"'.replace("send", "query.a"),
        SMALL.replace('get = "/"', 'steps = [{ get = "/" }, { post = "/", json = [1] }]'),
        'thresholds = ["rps > 1", { expression = "rps > 1", abort = true, delay = "1s", window = "5s" }]' + SMALL,
        'objectives = { ttft = "2s", latency = "10s" }' + SMALL,
        SMALL + 'data = { file = "a.csv" }',
        SMALL.replace("name =", 'data = { file = "${FILE}", order = "once" }\nname ='),
        SMALL + "[budget]\nrequests = 1_000\nprice = { input = 0.15, output = 0.60 }",
        TOP + '[[pools]]\nname = "shop"\npython = "my_agent.py:Shop"',
        'cookies = false\nconnection = "per_request"'
        + SMALL
        + 'history = "task"\nhistory_turns = 3\ntool_results = { a = "b", c = { d = 1 }, "*" = [] }',
        'circuit_breaker = { failed = "50%", over = "10s", min_requests = 5, count_429 = true }' + SMALL,
        "circuit_breaker = { failed = 0.5 }" + SMALL,
        'search = { from = 1, to = 9, resolution = "5%", good = 0.9 }\nobjectives = { ttft = "1s" }\n'
        'target = "http://a"' + POOL,
        'search = { to = 9.5, unit = "rate", pool = "chat", resolution = 2, settle = "0s" }\ntarget = "http://a"'
        + POOL,
        'on_429 = "retry"\nmax_retries = 5\nrate_limit = { body_matches = "(?i)retry", retry_after = true }' + SMALL,
    ],
)
def test_the_schema_takes_what_is_sound(text: str) -> None:
    assert valid(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        POOL,
        TOP,
        SMALL + "nope = 1",
        "tagret = 1" + SMALL,
        "quality = {}" + SMALL,
        "timeout = 30" + SMALL,
        'timeout = "soon"' + SMALL,
        SMALL.replace("users = 1", ""),
        SMALL.replace("users = 1", "users = -1"),
        SMALL.replace("users = 1", "users = true"),
        SMALL.replace("http:", "ftp:"),
        SMALL + 'post = "/"',
        SMALL + "steps = []",
        SMALL.replace('"/"', '"x"'),
        SMALL.replace('get = "/"', 'name = "x"'),
        SMALL.replace('name = "chat"', 'name = "chat"\nprotocol = "grpc"'),
        TOP + 'stages = [{ duration = "1s", users = 1 }]' + POOL,
        'dialect = "morse"' + SMALL,
        "thresholds = [1]" + SMALL,
        SMALL + 'data = "a.csv"',
        SMALL + 'data = { order = "once" }',
        SMALL + 'data = { file = "a.csv", order = "any" }',
        'on_429 = "panic"' + SMALL,
        SMALL + 'history = "session"',
        SMALL + "tool_results = { a = 1 }",
        "rate_limit = { body = 1 }" + SMALL,
        TOP + '[[pools]]\nname = "shop"',
        SMALL.replace("name =", 'python = "my_agent.py:Shop"\nname ='),
        'circuit_breaker = { failed = "half" }' + SMALL,
        "circuit_breaker = { failed = 50 }" + SMALL,
        "search = { from = 0, to = 9 }" + SMALL,
        'search = { to = 9, unit = "tokens" }' + SMALL,
        "thresholds = [{ abort = true }]" + SMALL,
        SMALL + "[budget]\ncost_usd = 0",
        SMALL + "[budget]\nprice = { input = 1 }",
    ],
)
def test_the_schema_refuses_what_is_broken(text: str) -> None:
    assert not valid(text)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_profile_can_name_every_dialect(tmp_path: Path, dialect: str) -> None:
    spoken = DIALECTS[dialect]
    if "http" in spoken.protocols:
        loaded = load(tmp_path, f'dialect = "{dialect}"\n' + SMALL).profile
        assert loaded.dialect == spoken.name
    assert valid(f'dialect = "{dialect}"\n' + SMALL)


def test_the_schema_knows_the_same_keys_and_describes_them() -> None:
    schema = profile_schema()
    tables: dict[str, Any] = {"profile": schema, **schema["$defs"]}
    names = {"profile": "profile", "Stage": "stages", "Tls": "tls", "Proxy": "proxy", "Measure": "measure"}
    names |= {"Pool": "pools", "Task": "tasks", "Step": "step"}
    names |= {"Data": "data", "Threshold": "thresholds", "Objectives": "objectives", "RateLimit": "rate_limit"}
    names |= {"Budget": "budget", "Price": "price"}
    names |= {"CircuitBreaker": "circuit_breaker"}
    names |= {"CircuitBreaker": "circuit_breaker", "Search": "search", "Quality": "quality", "Judge": "judge"}
    names |= {"Gate": "gate", "Fleet": "fleet"}
    assert set(tables) == set(names)
    for table, kind in names.items():
        assert set(tables[table]["properties"]) == KNOWN[kind]
        for name, field in tables[table]["properties"].items():
            assert field.get("description"), f"{table}.{name}"
    assert json.loads(json.dumps(schema)) == schema

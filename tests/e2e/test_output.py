"""Tests of agenttop.cli.demo.

What is said where: the one JSON document, the summary, a reader that leaves, a place that cannot be written.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from agenttop.agent.process import AgentProcess
from agenttop.report.summary import summary_schema
from tests.e2e.harness import PATIENCE_S, Place

FULL = Path("/dev/full")

PROFILES = Path(__file__).resolve().parents[2] / "profiles"

PROFILE = """
target = "http://127.0.0.1:1"
seed = 1
warmup = "0s"
timeout = "11s"
[[stages]]
duration = "2s"
users = 2
ramp = "step"
[[stages]]
duration = "2s"
users = 10
ramp = "step"
[[stages]]
duration = "2s"
users = 4
ramp = "step"
[[pools]]
name = "chat"
think_time = "20ms"
  [[pools.tasks]]
  name = "message"
  post = "/api/sessions/s/messages"
  json = { content = "hours?" }
"""


def valid(summary: dict[str, object]) -> None:
    jsonschema.Draft202012Validator(summary_schema()).validate(summary)


@pytest.mark.parametrize(
    "name",
    [
        "smoke",
        "peak",
        "locust-agent-user",
        "k6-stages",
        "bottleneck",
        "budget",
        "streaming",
        "websocket",
        "openai-sse",
        "openai-responses",
        "anthropic-messages",
        "multi-turn",
        "realtime-ws",
        "ag-ui",
        "mcp",
        "quality",
    ],
)
def test_every_profile_that_is_shipped_runs(place: Place, agent: AgentProcess, name: str) -> None:
    options = ["--for", "3s", "--set", "warmup=500ms", "--set", "pools.0.think_time=100ms"]
    users = [] if name == "smoke" else ["--users", "5", "--spawn-rate", "10"]
    run = place.finish("--profile", PROFILES / f"{name}.toml", "--headless", "--target", agent.url, *options, *users)
    assert run.wait() == 0, run.err.text()
    summary = place.summary()
    valid(summary)
    assert summary["totals"]["failed"] == 0
    assert summary["checks"]
    assert all(check["failed"] == 0 and check["passed"] > 0 for check in summary["checks"].values())
    for pool in summary["pools"].values():
        assert pool["ok"] > 0
        # An MCP server chooses how to answer; the agent streams to those who take both.
        streams = pool["protocol"] in ("sse", "ws") or pool["dialect"] == "mcp"
        assert (pool["ttft_ms"] is not None) == streams
        assert pool["latency_ms"]["count"] == pool["ok"]
    assert summary["run"]["measured_s"] == pytest.approx(2.5, abs=0.5)


def test_the_demo_runs_with_nothing_else(place: Place) -> None:
    run = place.finish("demo", "--headless", "--for", "4s", "--set", "warmup=0s", "--users", "60")
    assert run.wait() == 0, run.err.text()
    summary = place.summary()
    valid(summary)
    assert summary["totals"]["rate_limited"] > 0
    assert set(summary["pools"]) == {"chat", "stream", "voice"}
    assert all(pool["ok"] > 0 for pool in summary["pools"].values())
    assert summary["pools"]["stream"]["ttft_ms"]["p50"] < summary["pools"]["stream"]["latency_ms"]["p50"]
    place.gone("")  # the agent too


def test_out_to_standard_output_is_one_document(place: Place, agent: AgentProcess) -> None:
    profile = place.write(PROFILE)
    run = place.finish("--profile", profile, "--target", agent.url, "--for", "2s", "--out", "-")
    assert run.wait() == 0
    summary = json.loads(run.out.text())
    valid(summary)
    assert summary == place.summary()
    assert any("rps=" in line for line in run.err.lines)


def test_a_reader_that_leaves_ends_nothing(place: Place, agent: AgentProcess) -> None:
    profile = place.write(PROFILE)
    command = f"{sys.executable} -m agenttop --profile {profile} --target {agent.url} --for 3s --headless"
    command = f"({command}; echo $? > code) | head -1"
    done = subprocess.run(
        ["sh", "-c", command], env=place.env(), cwd=place.root, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert (place.root / "code").read_text() == "0\n"
    summary = place.summary()
    assert (summary["run"]["stop_reason"], summary["run"]["exit_code"]) == ("completed", 0)
    assert summary["run"]["duration_s"] >= 3


def test_runs_that_cannot_be_kept_are_not_begun(place: Place, agent: AgentProcess) -> None:
    profile = place.write(PROFILE)
    file = place.write("", "file")
    run = place.finish("--profile", profile, "--target", agent.url, "--headless", env={"XDG_STATE_HOME": str(file)})
    assert run.wait() == 2
    (line,) = run.err.lines
    assert "XDG_STATE_HOME" in line
    assert agent.stats()["requests"] == {}


def test_a_full_disk_is_told_in_a_line(place: Place, agent: AgentProcess) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))

    profile = place.write(PROFILE)
    with place.start("--profile", profile, "--target", agent.url, "--headless", preexec_fn=small_files) as run:
        assert run.wait() == 1
    assert any(line.startswith("  ! journal: ") for line in run.out.lines)
    (line,) = run.err.lines
    assert line.startswith("agenttop: cannot write the summary to ")
    assert any("users=4" in line for line in run.out.lines), "the run itself went on to its end"
    assert not list(place.directory().glob("*.tmp*"))


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--out /dev/full", "agenttop: cannot write the summary to /dev/full: No space left on device"),
        ("--out - > /dev/full", "agenttop: what follows cannot be written: No space left on device"),
        ("> /dev/full", "agenttop: what follows cannot be written: No space left on device"),
    ],
)
def test_what_was_asked_for_and_not_written_is_in_the_exit_code(
    place: Place, agent: AgentProcess, options: str, said: str
) -> None:
    profile = place.write(PROFILE)
    command = f"{sys.executable} -m agenttop --profile {profile} --target {agent.url} --for 2s --headless {options}"
    done = subprocess.run(
        ["sh", "-c", command], env=place.env(), cwd=place.root, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert said in done.stderr.splitlines()
    assert done.returncode == 1
    summary = place.summary()
    assert summary["run"]["stop_reason"] == "completed"
    assert summary["run"]["exit_code"] == (1 if "out /dev" in options else 0)
    report = place.finish("report", place.directory())
    assert report.wait() == 0


def test_a_full_state_directory_is_told_before_anything_is_sent(place: Place, agent: AgentProcess) -> None:
    def no_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    profile = place.write(PROFILE)
    with place.start("--profile", profile, "--target", agent.url, "--headless", preexec_fn=no_files) as run:
        assert run.wait() == 2
    (line,) = run.err.lines
    assert line == (
        f"agenttop: {place.state / 'agenttop' / 'runs'}: File too large; XDG_STATE_HOME says where runs are kept"
    )
    assert not list((place.state / "agenttop" / "runs").iterdir())
    assert agent.stats()["requests"] == {}


def test_options_over_environment_over_profile(place: Place, agent: AgentProcess) -> None:
    profile = place.write(PROFILE)
    env = {
        "AGENTTOP_TARGET": "http://127.0.0.1:2",
        "AGENTTOP_SEED": "5",
        "AGENTTOP_TIMEOUT": "12s",
        "AGENTTOP_USERS": "3",
        "AGENTTOP_WORKERS": "2",
    }
    options = ["--set", "timeout=13s", "--target", agent.url, "--users", "7", "--spawn-rate", "20", "--for", "2s"]
    run = place.finish("--profile", profile, "--headless", *options, env=env)
    assert run.wait() == 0, run.err.text()
    summary = place.summary()
    assert summary["profile"]["timeout"] == "13s"
    assert (summary["run"]["seed"], summary["profile"]["seed"]) == (5, 5)
    assert summary["run"]["target"] == summary["profile"]["target"] == agent.url
    assert summary["generator"]["workers"] == 2
    assert summary["pools"]["chat"]["users_max"] == 7
    assert [stage["target_end"] for stage in summary["stages"]][-1] == 7
    assert 2 <= summary["run"]["duration_s"] < 10


def test_users_follow_the_plan(place: Place, agent: AgentProcess) -> None:
    run = place.finish("--profile", place.write(PROFILE), "--target", agent.url, "--headless")
    assert run.wait() == 0, run.err.text()
    timeline = place.summary()["timeline"]
    at = dict(zip(timeline["t_s"], timeline["users"], strict=True))
    assert [at[t] for t in (1.0, 3.0, 5.0)] == [2, 10, 4]
    stages = place.summary()["stages"]
    assert [stage["target_end"] for stage in stages] == [2, 10, 4]
    assert [stage["start_s"] for stage in stages] == pytest.approx([0, 2, 4], abs=0.5)
    assert all(stage["requests"] > 0 for stage in stages)
    assert sum(stage["requests"] for stage in stages) == place.summary()["totals"]["requests"]

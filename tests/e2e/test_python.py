"""Users written in Python over a whole run: what they did is what the agent served, whatever their code raises."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import Place

SHIPPED = Path(__file__).resolve().parents[2] / "profiles" / "python-user.toml"
CODE = """
import asyncio
from agenttop.scripting import User, task

BODY = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}

class Shop(User):
    requests = ("ask",)

    async def setup(self):
        answer = await self.client.post("/api/sessions", json={"user_id": f"u{self.number}"})
        self.session = answer.json()["session_id"]
        print("opened", self.session)

    @task(weight=3)
    async def message(self):
        answer = await self.client.post(f"/api/sessions/{self.session}/messages", json={"content": "hours?"})
        self.check("has content", answer.json()["content"])

    @task
    async def chat(self):
        how = {"name": "ask", "dialect": "openai.chat", "stream": True}
        answer = await self.client.post("/v1/chat/completions", json=BODY, **how)
        self.check("streamed", answer.ok and len(answer.events) > 2 and answer.ttft is not None)

    @task
    async def broken(self):
        await self.client.post("/v1/messages", json={"model": "m", "max_tokens": 9, "messages": BODY["messages"]})
        raise KeyError("private-key and \\x1b[31m more")

    async def teardown(self):
        await asyncio.sleep(0)
        await self.client.post(f"/api/sessions/{self.session}/messages", json={"content": "bye"})
"""
PROFILE = """
target = "{url}"
users = 20
duration = "2s"
headers = {{ x-key = "${{KEY}}" }}
thresholds = ["user_errors count < 1"]
[[pools]]
name = "shop"
python = "my_agent.py:Shop"
think_time = "20ms..60ms"
"""


def test_what_code_did_is_what_was_served(place: Place, agent: AgentProcess) -> None:
    place.write(CODE, "my_agent.py")
    profile = place.write(PROFILE.format(url=agent.url))
    run = place.finish("--profile", profile, "--headless", "--full", "--workers", 2, env={"KEY": "private-key"})
    assert run.process.returncode == 99, run.err.text()  # the threshold; nothing that code raises is fatal
    summary, stats = place.summary(), agent.stats()
    served, rows, totals = stats["requests"], summary["requests"], summary["totals"]
    assert rows["shop/setup"]["status"] == served["POST /api/sessions"] == {"201": 20}
    teardown, broken = rows["shop/teardown"], rows["shop/broken"]
    messages = Counter(rows["shop/message"]["status"]) + Counter(teardown["status"])
    assert messages == served["POST /api/sessions/{id}/messages"]
    assert teardown["status"] == {"200": 20}
    assert rows["shop/ask"]["status"] == served["POST /v1/chat/completions"]
    assert "shop/chat" not in rows
    assert broken["status"] == served["POST /v1/messages"]
    assert totals["requests"] == sum(count for route in served.values() for count in route.values())
    assert totals["cancelled"] == 0
    ok = rows["shop/message"]["ok"]
    assert summary["checks"]["has content"] == {"passed": ok, "failed": 0}
    assert summary["checks"]["streamed"] == {"passed": rows["shop/ask"]["ok"], "failed": 0}
    assert rows["shop/ask"]["ttft_ms"]["count"] == rows["shop/ask"]["ok"]
    # A task that raises is no iteration, and each time it raised is counted.
    assert totals["iterations"] == ok + rows["shop/ask"]["requests"]
    assert totals["user_errors"] == broken["user_errors"] == broken["requests"]
    (error,) = [error for error in totals["errors"] if error["outcome"] == "user_error"]
    line = CODE[: CODE.index("raise KeyError")].count("\n") + 1
    assert error["message"] == f"Shop.broken raised KeyError: '*** and \\x1b[31m more' (my_agent.py:{line})"
    assert error["count"] == broken["requests"]
    text = run.out.text()
    assert "! Shop.broken raised KeyError" in text
    assert "exceptions in users' code" in text
    # What code prints is in the log, with the traceback.
    log = (place.directory() / "controller.log").read_text()
    assert log.count("opened sess_") == 20
    assert "Traceback" in log
    # What was written down is enough to tell all of it again.
    (place.directory() / "summary.json").unlink()
    again = place.finish("report", place.directory().name, "--full")
    assert "exceptions in users' code" in again.out.text()
    for file in place.directory().iterdir():
        assert b"private-key" not in file.read_bytes(), file.name


def test_the_shipped_class_runs_against_the_agent(place: Place, agent: AgentProcess) -> None:
    options = ["--users", 10, "--spawn-rate", 10, "--for", "2s", "--set", "pools.AgentUser.think_time=20ms"]
    run = place.finish("--profile", SHIPPED, "--target", agent.url, "--headless", "--full", *options)
    assert run.process.returncode == 0, run.err.text()
    summary, served = place.summary(), agent.stats()["requests"]
    totals = summary["totals"]
    assert (totals["failed"], totals["user_errors"]) == (0, 0)
    assert set(summary["requests"]) <= {
        f"AgentUser/{row}" for row in ("setup", "simple", "tool_call", "multi_turn", "follow-up")
    }
    assert summary["requests"]["AgentUser/setup"]["ok"] == 10 == served["POST /api/sessions"]["201"]
    assert summary["checks"]["has content"] == {
        "passed": served["POST /api/sessions/{id}/messages"]["200"],
        "failed": 0,
    }
    assert totals["llm_calls"]["total"] > 0


def test_a_file_that_fails_in_the_worker_alone_is_one_line(place: Place, agent: AgentProcess) -> None:
    place.write(
        "import sys\nif 'agenttop.worker.worker' in sys.argv[0] or 'uvloop' in sys.modules: 1 / 0\n" + CODE,
        "my_agent.py",
    )
    profile = place.write(PROFILE.format(url=agent.url))
    run = place.finish("--profile", profile, "--headless", "--full", env={"KEY": "private-key"})
    assert run.process.returncode == 1
    said = "my_agent.py:2: importing it raised ZeroDivisionError: division by zero"
    assert f"worker 0 did not start: ScriptError: {said}" in run.err.text()
    assert place.summary()["run"]["stop_reason"] == "error"

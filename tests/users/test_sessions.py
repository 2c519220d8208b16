"""A session that its target no longer knows is set up anew, and counted as lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agenttop.schedule.control import Pauses
from agenttop.users import user as users
from tests.users import scripts
from tests.users.playing import Script, ended, path_of, play, playing, profile
from tests.wire.server import chunked, ok


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "RETRY_S", 0.0)


def sse(*events: str) -> bytes:
    body = [f"data: {event}\n\n".encode() for event in events]
    return chunked(*body, headers=("content-type: text/event-stream",))


def said(status: str, body: str) -> bytes:
    return ok(body.encode(), "content-type: application/json", status=status)


SESSION = '[[pools.setup]]\npost = "/sessions"\nsave = { session = "$.id" }'
MCP = """
[[pools.setup]]
post = "/mcp"
json = { jsonrpc = "2.0", id = 1, method = "initialize" }
save = { session = "header Mcp-Session-Id" }
"""
CALL = """
post = "/mcp"
json = { jsonrpc = "2.0", id = 2, method = "tools/call" }
headers = { Mcp-Session-Id = "{session}" }
"""
RPC_OK = said("200 OK", '{"jsonrpc":"2.0","id":2,"result":{"content":[{"type":"text","text":"a"}]}}')
RPC_LOST = '{"jsonrpc":"2.0","id":2,"error":{"code":-32001,"message":"Session not found"}}'
A2A = """
[[pools.setup]]
post = "/a2a"
json = { jsonrpc = "2.0", id = 1, method = "message/send" }
save = { task = "$.result.id" }
"""
GO_ON = """
post = "/a2a"
json = { jsonrpc = "2.0", id = 2, method = "message/send", params = { message = { taskId = "{task}" } } }
"""
TASK = said(
    "200 OK", '{"jsonrpc":"2.0","id":1,"result":{"kind":"task","id":"t-1","status":{"state":"input-required"}}}'
)
TASK_LOST = '{"jsonrpc":"2.0","id":2,"error":{"code":-32001,"message":"Task not found"}}'
REST_LOST = '{"error":{"code":404,"status":"NOT_FOUND","details":[{"reason":"TASK_NOT_FOUND"}]}}'
CHAT = 'dialect = "openai.chat"\nprotocol = "sse"'
ADK = 'post = "/run"\njson = { session_id = "{session}" }'
TEXT = sse('{"choices":[{"delta":{"content":"a"}}]}', "[DONE]")
MADE = '[[pools.setup]]\npost = "/apps/a/sessions/{session_uuid}"'

# Set-up, what a task does, the pool, how set-up and the task are answered, and how a target forgets.
FORGOTTEN = {
    "404 to its path": (SESSION, 'get = "/sessions/{session}"', "", ok(b'{"id":"a"}'), ok(b"x"), said("404 x", "{}")),
    "410 to its query": (
        SESSION, 'get = "/m"\nquery = { s = "{session}" }', "", ok(b'{"id":"a"}'), ok(b"x"), said("410 x", "")),
    "404 to an id of its own": (MADE, 'get = "/s/{session_uuid}"', "", ok(b"x"), ok(b"x"), said("404 x", "")),
    "MCP, 404": (MCP, CALL, 'dialect = "mcp"', ok(b"{}", "mcp-session-id: a"), RPC_OK, said("404 x", RPC_LOST)),
    "MCP, bare 404": (MCP, CALL, 'dialect = "mcp"', ok(b"{}", "mcp-session-id: a"), RPC_OK, said("404 x", "")),
    "MCP, 200": (MCP, CALL, 'dialect = "mcp"', ok(b"{}", "mcp-session-id: a"), RPC_OK, said("200 x", RPC_LOST)),
    "MCP, 400": (
        MCP, CALL, 'dialect = "mcp"', ok(b"{}", "mcp-session-id: a"), RPC_OK,
        said("400 x", RPC_LOST.replace("Session not found", "Bad Request: No valid session ID provided"))),
    "A2A, 200": (A2A, GO_ON, 'dialect = "a2a"', TASK, TASK, said("200 x", TASK_LOST)),
    "A2A, in other words": (
        A2A, GO_ON, 'dialect = "a2a"', TASK, TASK, said("200 x", TASK_LOST.replace("Task not found", "gone, sorry"))),
    "A2A, 404": (A2A, GO_ON, 'dialect = "a2a"', TASK, TASK, said("404 x", TASK_LOST)),
    "A2A, in a stream": (
        A2A, GO_ON.replace("send", "stream"), 'dialect = "a2a"\nprotocol = "sse"', TASK,
        sse('{"result":{"kind":"status-update","status":{"state":"completed"},"final":true}}'), sse(TASK_LOST)),
    "A2A, by HTTP and JSON": (A2A, GO_ON, 'dialect = "a2a"', TASK, TASK, said("404 x", REST_LOST)),
    "A2A, in words of the agent": (
        A2A, GO_ON, 'dialect = "a2a"', TASK, TASK,
        said("200 x", TASK_LOST.replace("-32001", "-32603").replace("Task not", "Task t-1 was not"))),
    "its name in a body, 404": (
        SESSION, ADK, "", ok(b'{"id":"a"}'), ok(b"x"), said("404 x", '{"detail":"Session not found"}')),
    "its name in a body, 500": (
        SESSION, ADK, "", ok(b'{"id":"a"}'), ok(b"x"), said("500 x", '{"error":"session_expired"}')),
    "a thread that is streamed": (
        '[[pools.setup]]\npost = "/threads"\nsave = { thread = "$.id" }', 'post = "/threads/{thread}/runs"\n'
        "json = { stream = true }", CHAT, ok(b'{"id":"t"}'), TEXT, said("404 x", '{"detail":"Thread t not found"}')),
    "an error in a stream": (
        SESSION, 'post = "/run"\njson = { stream = true }', CHAT, ok(b'{"id":"t"}'), TEXT,
        sse('{"error":{"message":"Conversation with id \'c1\' not found."}}')),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGOTTEN)
async def test_a_forgotten_session_begins_anew(tmp_path: Path, name: str) -> None:
    setup, step, pool, begun, whole, forgotten = FORGOTTEN[name]
    text = profile(step, pool=pool, before=setup)
    played, _ = await play(tmp_path, text, begun, whole, forgotten, begun, whole, whole)
    first, task = played.leaves.values()
    assert first.outcomes == {"ok": 2}
    assert (task.outcomes.pop("ok"), sum(task.outcomes.values())) == (3, 1)
    assert task.sums["sessions_lost"] == 1
    assert sum(each.sessions for each in played.pools) == 2


KEPT = {
    "404 to something else": (SESSION, 'get = "/orders"', "", said("404 x", "no such order")),
    "404 to a token": (
        SESSION, 'get = "/orders"\nheaders = { Authorization = "Bearer {session}" }', "", said("404 x", "")),
    "500 to its path": (SESSION, 'get = "/s/{session}"', "", said("500 x", "oops")),
    "403 to its path": (SESSION, 'get = "/s/{session}"', "", said("403 x", "no")),
    "429 in such words": (SESSION, 'get = "/s/{session}"', "", said("429 x", "session unknown: too many")),
    "another error of A2A": (
        A2A, GO_ON, 'dialect = "a2a"', said("200 x", '{"error":{"code":-32002,"message":"Task cannot be canceled"}}')),
    "a timeout of MCP, by the same code": (
        MCP, CALL, 'dialect = "mcp"', said("200 x", RPC_LOST.replace("Session not found", "Request timed out"))),
    "a task of another dialect": (MCP, CALL, 'dialect = "mcp"', said("200 x", TASK_LOST)),
    "another error of MCP": (
        MCP, CALL, 'dialect = "mcp"', said("200 x", RPC_LOST.replace("Session not found", "Unknown tool: x"))),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
async def test_another_failure_does_not_end_a_session(tmp_path: Path, name: str) -> None:
    setup, step, pool, failed = KEPT[name]
    begun = TASK if "a2a" in pool else ok(b"{}" if "mcp" in pool else b'{"id":"a"}', "mcp-session-id: a")
    played, _ = await play(tmp_path, profile(step, pool=pool, before=setup), begun, failed, failed)
    first, task = played.leaves.values()
    assert first.outcomes == {"ok": 1}
    assert sum(task.outcomes.values()) == 2
    assert task.sums.get("sessions_lost", 0) == 0


async def test_without_set_up_there_is_nothing_to_begin_anew(tmp_path: Path) -> None:
    lost = said("404 x", "Session not found")
    played, _ = await play(tmp_path, profile('get = "/s"'), lost, lost)
    assert (played.only.outcomes, played.only.sums.get("sessions_lost", 0)) == ({"client_error": 2}, 0)


@pytest.mark.parametrize("load", ["", "stages = [{ duration = '1s', rate = 100 }]"], ids=["closed", "open"])
async def test_a_target_that_forgets_everybody_is_not_stormed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: str
) -> None:
    monkeypatch.setattr(users, "RETRY_S", 3600.0)
    text = profile('get = "/s/{session}"', pool=load, before=SESSION)
    text = text if not load else text.replace('users = 1\nduration = "1s"\n', "")
    text += '[[pools.teardown]]\ndelete = "/s/{session}"\n'
    script = Script(ok(b'{"id":"a"}'), said("404 x", ""), ok(b""))
    async with playing(tmp_path, text, script) as (pool, _, recorder):
        if load:
            pool.arrive(1)
        else:
            pool.aim(1)
        (user,) = pool.tasks
        async with asyncio.timeout(10):
            while not (user.forgotten and user._sleep is not None):  # noqa: ASYNC110 (nobody tells of it)
                await asyncio.sleep(0)
        pool.retune(pool_pauses(), None)  # wakes whoever sleeps, and nobody begins for that
        pool.wake()
        for _ in range(50):
            await asyncio.sleep(0)
        assert (len(script.requests), len(pool.tasks)) == (2, 1)
        pool.finish(sending=True)
        await ended(pool)
        assert len(script.requests) == 2  # nor is a session torn down that is not there
        assert sum(leaf.sums.get("sessions_lost", 0) for leaf in recorder.fold().leaves) == 1


def pool_pauses() -> Pauses:
    return Pauses()


CODE = """
async def setup(self):
    self.id = (await self.client.post("/sessions")).text

@task
async def ask(self):
    answer = await self.client.get("/" + self.id)
    self.log.append((answer.status, self.variables["session_uuid"], self.variables["iteration_uuid"]))
    if answer.status == 404:
        raise SessionLost
"""


async def test_code_says_that_its_session_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = scripts.HEAD.replace("RequestFailed,", "RequestFailed, SessionLost,")
    monkeypatch.setattr(scripts, "HEAD", head)
    monkeypatch.setattr(scripts.write, "__defaults__", (head,))
    gone = ok(b"", status="404 x")
    played, requests, log = await scripts.play(tmp_path, CODE, ok(b"a"), ok(b"x"), gone, ok(b"b"), ok(b"x"), ok(b"x"))
    assert [path_of(request) for request in requests] == ["/sessions", "/a", "/a", "/sessions", "/b", "/b"]
    assert played.leaves["ask"].sums["sessions_lost"] == 1
    assert "user_errors" not in played.leaves["ask"].sums or not played.leaves["ask"].sums["user_errors"]
    assert [status for status, _, _ in log] == [200, 404, 200, 200]
    assert [session for _, session, _ in log] == [log[0][1]] * 2 + [log[3][1]] * 2
    assert log[0][1] != log[3][1]
    assert len({iteration for _, _, iteration in log}) == 4

"""The profile of a run against rows of the table: a pool and a user each, and one pool whose target is well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.hostile.server import HOST
from tests.hostile.table import Row

WELL = "well"
RATE = 20
"""Requests a second to the target that is well."""

_CHAT = 'post = "{path}"\njson = { model = "m", stream = true, messages = [] }'
_WHOLE = _CHAT.replace("stream = true, ", "")
_RPC = '{{ jsonrpc = "2.0", id = 1, method = "{}", params = {{ name = "a" }} }}'
_OK = 'checks = { "says ok" = "$.ok" }'
_SOON, _SOCKET = 'timeout = "800ms"', 'timeout = "2s"'

#: What clients ask for: the keys of the pool, and those of its step. The path is filled in.
ASKS: dict[str, tuple[str, str]] = {
    "time": ("", 'get = "{path}"'),
    "read": ("", f'get = "{{path}}"\n{_OK}'),
    "post": ("", f'post = "{{path}}"\njson = {{ a = 1 }}\n{_OK}'),
    "text": ("", 'get = "{path}"\nchecks = { "has x" = "body contains \\"x\\"" }'),
    "soon": ("", f'get = "{{path}}"\n{_OK}\n{_SOON}'),
    "chat": ('protocol = "sse"\ndialect = "openai.chat"', _CHAT),
    "chat-soon": ('protocol = "sse"\ndialect = "openai.chat"', f"{_CHAT}\n{_SOON}"),
    "chat-whole": ('dialect = "openai.chat"', _WHOLE),
    "anthropic": ('protocol = "sse"\ndialect = "anthropic.messages"', _CHAT),
    "responses": (
        'protocol = "sse"\ndialect = "openai.responses"',
        'post = "{path}"\njson = { stream = true, input = "a" }',
    ),
    "mcp": ('dialect = "mcp"', f'post = "{{path}}"\njson = {_RPC.format("tools/call")}'),
    "ag-ui": (
        'protocol = "sse"\ndialect = "ag-ui"',
        'post = "{path}"\njson = { threadId = "t", runId = "r", messages = [] }',
    ),
    "a2a": ('protocol = "sse"\ndialect = "a2a"', f'post = "{{path}}"\njson = {_RPC.format("message/stream")}'),
    "langgraph": ('protocol = "sse"\ndialect = "langgraph"', 'post = "{path}"\njson = { input = {} }'),
    "adk": ('protocol = "sse"\ndialect = "adk"', 'post = "{path}"\njson = { streaming = true }'),
    "ws": ('protocol = "ws"', f'send = {{ say = "hello" }}\nexpect = "$.done"\n{_SOCKET}'),
}
_HEAD = """
target = "http://{host}:{well}"
users = {users}
duration = "{duration_s}s"
timeout = "20s"
connect_timeout = "5s"
graceful_stop = "10s"
follow_redirects = true
"""
_WELL = """
[[pools]]
name = "{name}"
max_users = 100
stages = [{{ duration = "{duration_s}s", rate = {rate}, ramp = "step" }}]
  [[pools.tasks]]
  get = "/well"
  checks = {{ "says ok" = "$.ok" }}
"""


def profile(rows: Iterable[Row], ports: Mapping[str, int], well: int, duration_s: int) -> str:
    """Return the profile of a run.

    Args:
        rows: what is asked for.
        ports: of the hostile server.
        well: the port of the target that is well.
        duration_s: how long.
    """
    rows = list(rows)
    text = _HEAD.format(host=HOST, well=well, users=max(len(rows), 1), duration_s=duration_s)
    text += _WELL.format(name=WELL, duration_s=duration_s, rate=RATE)
    return text + "".join(_pool(row, ports[row.at or "paths"]) for row in rows)


def _pool(row: Row, port: int) -> str:
    keys, step = ASKS[row.asks]
    lines = ["", "[[pools]]", f'name = "{row.name}"', f'target = "http://{HOST}:{port}"', 'think_time = "100ms"', keys]
    if row.asks == "ws":
        lines += ["[[pools.setup]]", f'connect = "{row.path}"', _SOCKET]
    return "\n".join([*lines, "[[pools.tasks]]", 'name = "it"', step.replace("{path}", row.path), ""])

"""POST /mcp, the Model Context Protocol over streamable HTTP: sessions, and tools with the agent behind them.

A tool call is answered as a stream where the client accepts one, else as JSON; a model call that fails is a result with
`isError` inside a 200. Everything else is answered as JSON, unless the client accepts streams only.
"""

from dataclasses import replace
from typing import Any

from starlette.types import Scope

from agenttop import __version__
from agenttop.agent.answers import planned_pieces
from agenttop.agent.brain import Cut, ModelError, Timings
from agenttop.agent.call import Call, Headers, event
from agenttop.agent.endpoint import Endpoint, quota_headers
from agenttop.agent.limits import KeyLimit
from agenttop.agent.plan import Plan, ToolRun, count_tokens, make_plan
from agenttop.agent.questions import question
from agenttop.agent.sessions import Session

VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26")
ASK = "ask"
#: What is said of each tool, its argument, and what calling it asks.
_TOOLS = {
    ASK: ("Ask the agent a question.", "question", "{}"),
    "lookup_order": ("Find an order by its number.", "order_id", "Order #{}"),
    "check_inventory": ("Tell how many pieces of a product are in stock.", "product", "How many {} are in stock?"),
    "fetch_customer": ("Find an account by its email address.", "email", "Look up the account of {}"),
}

_SESSION = b"mcp-session-id"
_INVALID_REQUEST, _NO_METHOD, _INVALID_PARAMS, _NO_SESSION = -32600, -32601, -32602, -32001


class RpcError(Exception):
    """A request that is answered by a JSON-RPC error."""

    def __init__(self, code: int, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def tool_list() -> list[dict[str, object]]:
    """Return the tools as `tools/list` tells of them."""
    return [
        {
            "name": name,
            "description": description,
            "inputSchema": {"type": "object", "properties": {field: {"type": "string"}}, "required": [field]},
        }
        for name, (description, field, _) in _TOOLS.items()
    ]


class Mcp(Endpoint):
    """The endpoint ``POST /mcp``."""

    template = "/mcp"

    async def serve(self, call: Call, scope: Scope) -> None:
        """Answer a JSON-RPC request, or accept a notification."""
        message = await call.json()
        request_id, method = message.get("id"), message.get("method")
        try:
            if message.get("jsonrpc") != "2.0" or not (method is None or isinstance(method, str)):
                raise RpcError(_INVALID_REQUEST, 'jsonrpc should be "2.0", and method a string', 400)
            if method != "initialize":
                self._check_head(call)
            params = message.get("params")
            await self._answer(call, method, request_id, params if isinstance(params, dict) else {})
        except RpcError as error:
            told = {"code": error.code, "message": str(error)}
            await call.answer(error.status, {"jsonrpc": "2.0", "id": request_id, "error": told})

    def _check_head(self, call: Call) -> None:
        """Raise RpcError for a session that is missing or gone, and for a version of the protocol we do not speak."""
        session_id = call.header(_SESSION).decode("latin-1")
        if not session_id:
            raise RpcError(_INVALID_REQUEST, "the header Mcp-Session-Id is missing; send initialize first", 400)
        if self.state.sessions.get(session_id) is None:
            raise RpcError(_NO_SESSION, "no such session, or it has expired; send initialize again", 404)
        version = call.header(b"mcp-protocol-version").decode("latin-1")
        if version and version not in VERSIONS:
            raise RpcError(_INVALID_REQUEST, f"MCP-Protocol-Version should be one of {', '.join(VERSIONS)}", 400)

    async def _answer(self, call: Call, method: str | None, request_id: object, params: dict[str, Any]) -> None:
        if method is None or request_id is None:
            await call.accept()
        elif method == "initialize":
            await self._initialize(call, request_id, params)
        elif method == "ping":
            await _reply(call, request_id, {})
        elif method == "tools/list":
            await _reply(call, request_id, {"tools": tool_list()})
        elif method == "tools/call":
            await self._call_tool(call, request_id, params)
        else:
            raise RpcError(_NO_METHOD, "no such method; there are initialize, ping, tools/list and tools/call")

    async def _initialize(self, call: Call, request_id: object, params: dict[str, Any]) -> None:
        """Create a session. Not rate limited: no model is called."""
        session = self.state.sessions.create()
        self.state.stats.sessions_created += 1
        asked = params.get("protocolVersion")
        result = {
            "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
            "capabilities": {"tools": {"listChanged": False}},
            "serverInfo": {"name": "agenttop agent", "version": __version__},
        }
        await _reply(call, request_id, result, [(_SESSION, session.id.encode())])

    async def _call_tool(self, call: Call, request_id: object, params: dict[str, Any]) -> None:
        content = _content(params)
        tokens = count_tokens(content)
        limit = await self.admit(call, tokens)
        session = self.state.sessions.get(call.header(_SESSION).decode("latin-1"))
        assert session is not None  # as the head was checked
        asked, number = question(content, session.memory), self.state.next_number()
        plan = make_plan(self.state.config, number, tokens, asked, loops=True, may_call=params["name"] == ASK)
        call.buffers = plan.buffered
        meta = params.get("_meta")
        progress = meta.get("progressToken") if isinstance(meta, dict) else None
        tool_call = ToolCall(call, limit, plan, session, request_id, progress)
        await self.run(call, self._live(tool_call), limit, instant=plan.instant)

    async def _live(self, tool_call: "ToolCall") -> None:
        call, streams = tool_call.call, _accepts_streams(tool_call.call)
        try:
            timings = await self.state.brain.think(tool_call.plan, tool_call if streams else None)
        except Cut:
            call.cut()
        except ModelError:
            failure = {"type": "text", "text": "The model call failed. This is on our side."}
            result = {"content": [failure], "isError": True}
            await _reply(call, tool_call.request_id, result, tool_call.limit.headers(), streams=streams)
        else:
            result, headers = tool_call.finish(timings.plan), quota_headers(tool_call.limit, timings.header())
            if streams:
                await call.stream(_response(tool_call.request_id, result), last=True)
            else:
                await _reply(call, tool_call.request_id, result, headers, streams=False)


class ToolCall:
    """One tool call; as a sink it streams notifications of progress, if the client asked for them."""

    def __init__(
        self, call: Call, limit: KeyLimit, plan: Plan, session: Session, request_id: object, progress: object
    ) -> None:
        self.call = call
        self.limit = limit
        self.plan = plan
        self.request_id = request_id
        self._session = session
        self._progress = progress
        self._done = 0
        self._cut_at: int | None = None

    async def started(self, timings: Timings) -> None:
        """Send the head."""
        self._cut_at = timings.plan.cut_at
        await self.call.start_stream(quota_headers(self.limit, timings.header_so_far()))
        await self._tell("thinking")

    async def tool_called(self, tool: ToolRun) -> None:
        """Tell of a tool that the agent runs itself."""
        await self._tell(tool.name)

    async def token(self, index: int) -> None:
        """Raise Cut at the planned token; the text is told whole, at the end."""
        if index == self._cut_at:
            raise Cut

    async def _tell(self, message: str) -> None:
        if self._progress is not None:
            self._done += 1
            params = {"progressToken": self._progress, "progress": self._done, "message": message}
            await self.call.stream(event({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}))

    def finish(self, plan: Plan) -> dict[str, object]:
        """Count the call as served by `plan`, the one tool call it is to its client, charge its output, and return the
        result.
        """
        served = plan.served
        self.call.served = replace(served, tool_calls=1)
        self._session.memory = plan.reply.memory
        self.limit.spend(served.output_tokens)
        text = "".join(planned_pieces(plan))
        return {"content": [{"type": "text", "text": text}], "isError": False}


def _content(params: dict[str, Any]) -> str:
    """Return what a tool is asked. Raises RpcError for an unknown tool or arguments."""
    name, arguments = params.get("name"), params.get("arguments", {})
    if not isinstance(name, str) or name not in _TOOLS:
        raise RpcError(_INVALID_PARAMS, f"no such tool; there are {', '.join(_TOOLS)}")
    _, field, asked = _TOOLS[name]
    value = arguments.get(field) if isinstance(arguments, dict) else None
    if not isinstance(value, str):
        raise RpcError(_INVALID_PARAMS, f"the argument {field} should be a string")
    return asked.replace("{}", value)


def _accepts_streams(call: Call) -> bool:
    return b"text/event-stream" in call.header(b"accept").lower()


def _response(request_id: object, result: object) -> bytes:
    return b"event: message\n" + event({"jsonrpc": "2.0", "id": request_id, "result": result})


async def _reply(
    call: Call, request_id: object, result: object, headers: Headers | None = None, *, streams: bool | None = None
) -> None:
    """Send a result, as a stream of one event if nothing else is accepted or with `streams`."""
    accepted = call.header(b"accept").lower()
    if streams is None:
        streams = b"text/event-stream" in accepted and b"json" not in accepted and b"*/*" not in accepted
    if streams:
        await call.start_stream(headers or [])
        await call.stream(_response(request_id, result), last=True)
    else:
        await call.answer(200, {"jsonrpc": "2.0", "id": request_id, "result": result}, headers or [])

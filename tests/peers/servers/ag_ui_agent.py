"""pydantic-ai's AG-UI adapter over a made-up model: ``python -m tests.peers.servers.ag_ui_agent PORT FOLDER``."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import uvicorn
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel
from pydantic_ai.ui.ag_ui import AGUIAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def _say(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
    last = messages[-1]
    parts = last.parts if isinstance(last, ModelRequest) else []
    said = next((part.content for part in parts if isinstance(part, UserPromptPart)), "")
    if said == "fail":
        raise RuntimeError("out of order")
    if said == "tool" and not any(isinstance(part, ToolReturnPart) for part in parts):
        yield {0: DeltaToolCall(name="lookup", json_args='{"city":', tool_call_id="call_1")}
        yield {0: DeltaToolCall(json_args='"Oslo"}')}
        return
    for word in ("All", " is", " well."):
        yield word


agent = Agent(FunctionModel(stream_function=_say))


@agent.tool_plain
def lookup(city: str) -> str:
    """Tell the weather of a city."""
    return f"rain in {city}"


async def _run(request: Request) -> Response:
    answer: Response = await AGUIAdapter.dispatch_request(request, agent=agent)
    return answer


if __name__ == "__main__":
    app = Starlette(routes=[Route("/", _run, methods=["POST"])])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]))

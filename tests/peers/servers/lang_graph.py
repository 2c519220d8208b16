"""LangGraph's own server in memory, with a made-up model: ``python -m tests.peers.servers.lang_graph PORT FOLDER``.

The last message of the human chooses what the model says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.graph import END, START, MessagesState, StateGraph


def _pieces(messages: list[BaseMessage]) -> list[AIMessageChunk]:
    last = messages[-1]
    said = "" if isinstance(last, ToolMessage) else str(last.content)
    usage: Any = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10, "input_token_details": {"cache_read": 2}}
    if said == "limit":
        raise RuntimeError("Error code: 429 - {'error': {'message': 'Please try again in 2s.'}}")
    if said == "tool":
        call: Any = {"name": "lookup", "args": "", "id": "call_1", "index": 0}
        more: Any = [{"name": None, "args": part, "id": None, "index": 0} for part in ('{"city":', '"Oslo"}')]
        return [
            AIMessageChunk(content="", tool_call_chunks=[call]),
            *(AIMessageChunk(content="", tool_call_chunks=[part]) for part in more),
            AIMessageChunk(content="", usage_metadata=usage),
        ]
    thought = [AIMessageChunk(content=[{"type": "thinking", "thinking": "Hm.", "index": 0}])] if said == "think" else []
    return [
        *thought,
        *(AIMessageChunk(content=word) for word in ("All", " is", " well.")),
        AIMessageChunk(content="", usage_metadata=usage),
    ]


class Model(BaseChatModel):
    """Says one of a few things, in pieces."""

    @property
    def _llm_type(self) -> str:
        return "made-up"

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for piece in _pieces(messages):
            chunk = ChatGenerationChunk(message=piece)
            if run_manager is not None:
                run_manager.on_llm_new_token(str(piece.content), chunk=chunk)
            yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for piece in _pieces(messages):
            chunk = ChatGenerationChunk(message=piece)
            if run_manager is not None:
                await run_manager.on_llm_new_token(str(piece.content), chunk=chunk)
            yield chunk

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        whole, *more = _pieces(messages)
        for piece in more:
            whole = whole + piece
        message = AIMessage(content=whole.content, tool_calls=whole.tool_calls, usage_metadata=whole.usage_metadata)
        return ChatResult(generations=[ChatGeneration(message=message)])


async def _model(state: MessagesState) -> dict[str, Any]:
    return {"messages": [await Model().ainvoke(state["messages"])]}


def _tools(state: MessagesState) -> dict[str, Any]:
    calls = state["messages"][-1].tool_calls
    return {"messages": [ToolMessage(content="rain", tool_call_id=call["id"]) for call in calls]}


def _next(state: MessagesState) -> str:
    return "tools" if state["messages"][-1].tool_calls else END


builder = StateGraph(MessagesState)
builder.add_node("model", _model)
builder.add_node("tools", _tools)
builder.add_edge(START, "model")
builder.add_conditional_edges("model", _next, ["tools", END])
builder.add_edge("tools", "model")
graph = builder.compile()


if __name__ == "__main__":
    graphs = {"agent": f"{os.path.abspath(__file__)}:graph"}
    os.chdir(sys.argv[2])  # where it keeps its state, from its import on
    from langgraph_api.cli import run_server

    run_server("127.0.0.1", int(sys.argv[1]), reload=False, graphs=graphs, open_browser=False)

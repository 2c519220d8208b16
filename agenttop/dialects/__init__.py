"""The dialects of agents, a file each, by name. Fed parsed events; no socket, no clock, nothing else of ours."""

from __future__ import annotations

from agenttop.dialects.a2a import A2A
from agenttop.dialects.adk import Adk
from agenttop.dialects.ag_ui import AgUi
from agenttop.dialects.anthropic_messages import AnthropicMessages
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.json_ import JsonDialect, Measure
from agenttop.dialects.langgraph import LangGraph
from agenttop.dialects.mcp import Mcp
from agenttop.dialects.openai_chat import OpenAIChat
from agenttop.dialects.openai_realtime import OpenAIRealtime
from agenttop.dialects.openai_responses import OpenAIResponses

#: A new dialect is one file and one line here.
DIALECTS: dict[str, type[Dialect]] = {
    "json": JsonDialect,
    "custom": JsonDialect,
    "openai.chat": OpenAIChat,
    "openai.responses": OpenAIResponses,
    "openai.realtime": OpenAIRealtime,
    "anthropic.messages": AnthropicMessages,
    "ag-ui": AgUi,
    "a2a": A2A,
    "mcp": Mcp,
    "langgraph": LangGraph,
    "adk": Adk,
}


def dialect_named(name: str, measure: Measure | None = None) -> Dialect:
    """Return the dialect of this name; only those that are ``measured`` make use of the measure.

    Raises:
        ValueError: there is none, or ``measure`` names something that cannot be measured.
    """
    make = DIALECTS.get(name)
    if make is None:
        raise ValueError(f"there is no dialect {name!r}; there are: {', '.join(DIALECTS)}")
    return make(measure)

"""How agents speak, a dialect a file, by name. Fed parsed events; no socket, no clock, nothing else of ours."""

from __future__ import annotations

from collections.abc import Callable

from agenttop.dialects.a2a import A2A
from agenttop.dialects.adk import Adk
from agenttop.dialects.ag_ui import AgUi
from agenttop.dialects.anthropic_messages import AnthropicMessages
from agenttop.dialects.base import Dialect
from agenttop.dialects.json_ import JsonDialect, Measure
from agenttop.dialects.langgraph import LangGraph
from agenttop.dialects.mcp import Mcp
from agenttop.dialects.openai_chat import OpenAIChat
from agenttop.dialects.openai_realtime import OpenAIRealtime
from agenttop.dialects.openai_responses import OpenAIResponses

#: A new dialect is one file and one line here. Only those that are told what to read make use of the measure.
DIALECTS: dict[str, Callable[[Measure | None], Dialect]] = {
    "json": lambda measure: JsonDialect(measure, "json"),
    "custom": lambda measure: JsonDialect(measure, "custom"),
    "openai.chat": lambda _: OpenAIChat(),
    "openai.responses": lambda _: OpenAIResponses(),
    "openai.realtime": lambda _: OpenAIRealtime(),
    "anthropic.messages": lambda _: AnthropicMessages(),
    "ag-ui": lambda _: AgUi(),
    "a2a": lambda _: A2A(),
    "mcp": lambda _: Mcp(),
    "langgraph": lambda _: LangGraph(),
    "adk": lambda _: Adk(),
}


def dialect_named(name: str, measure: Measure | None = None) -> Dialect:
    """The dialect of this name.

    Raises:
        ValueError: there is none, or ``measure`` names something that cannot be measured.
    """
    make = DIALECTS.get(name)
    if make is None:
        raise ValueError(f"there is no dialect {name!r}; there are: {', '.join(DIALECTS)}")
    return make(measure)

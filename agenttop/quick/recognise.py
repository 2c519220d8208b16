"""Tells by an answer which dialect its target speaks."""

from __future__ import annotations

import json
from typing import Any

from agenttop.quick.exchange import Answer

#: Events of a stream that are looked at: the first ones say it.
_FIRST = 8


def dialect_of(answer: Answer) -> str:
    """Return the dialect of a good answer: ``json`` of one that is JSON or a stream of none that is known, empty of
    what is neither.
    """
    if not answer.ok or answer.html:
        return ""
    if answer.streamed:
        events = answer.events()[:_FIRST]
        for _, name, data in events:
            if found := of_event(name.decode(errors="replace"), _decoded(data)):
                return found
        return "json" if events else ""
    value = answer.value
    return (of_body(value) or "json") if isinstance(value, dict | list) else ""


def of_event(name: str, value: Any) -> str:
    """Return the dialect of an event by its name and its JSON; empty where they do not say."""
    if name.startswith("messages/") or (name == "metadata" and isinstance(value, dict) and "run_id" in value):
        return "langgraph"
    if not isinstance(value, dict):
        return ""
    kind = str(value.get("type", ""))
    if isinstance(value.get("choices"), list):
        return "openai.chat"
    if kind.startswith("response.") and ("response" in value or "sequence_number" in value):
        return "openai.responses"
    if kind == "message_start" and isinstance(value.get("message"), dict):
        return "anthropic.messages"
    if kind.isupper() and kind.startswith("RUN_"):
        return "ag-ui"
    if "jsonrpc" in value:
        return _rpc(value)
    return "adk" if "author" in value and ("invocationId" in value or "invocation_id" in value) else ""


def of_body(value: Any) -> str:
    """Return the dialect of a whole answer by its JSON; empty where it does not say."""
    if isinstance(value, list):
        return of_event("", value[0]) if value and isinstance(value[0], dict) and "author" in value[0] else ""
    if not isinstance(value, dict):
        return ""
    if isinstance(value.get("choices"), list):
        return "openai.chat"
    if value.get("object") == "response":
        return "openai.responses"
    if value.get("type") == "message" and isinstance(value.get("content"), list):
        return "anthropic.messages"
    return _rpc(value) if "jsonrpc" in value else ""


def _rpc(value: dict[str, Any]) -> str:
    """Return which of the two dialects of JSON-RPC an answer is of; empty where it is a failure, which both have."""
    result = value.get("result")
    if result is None:
        return ""
    if isinstance(result, dict) and ("kind" in result or "task" in result or "statusUpdate" in result):
        return "a2a"
    return "mcp"


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None

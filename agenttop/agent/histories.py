"""Checks conversations that a client sends, as the providers do: every tool call must have its result."""

from typing import Any

Items = list[dict[str, Any]]


def chat_problem(messages: Items) -> str | None:
    """Return what is wrong with chat completions' messages, whose results follow the calls at once; None if nothing
    is.
    """
    owed: dict[str, None] = {}
    for message in messages:
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in owed:
                return "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
            del owed[message["tool_call_id"]]
            continue
        if owed:
            break
        owed = dict.fromkeys(_ids(message.get("tool_calls"), "id"))
    if owed:
        return f"an assistant message with 'tool_calls' lacks the tool messages that respond to: {', '.join(owed)}"
    return None


def messages_problem(messages: Items) -> str | None:
    """Return what is wrong with Anthropic's messages, whose results are blocks of the next one; None if nothing is."""
    owed: set[str] = set()
    for index, message in enumerate(messages):
        content = message.get("content")
        blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
        results = set(_ids([block for block in blocks if block.get("type") == "tool_result"], "tool_use_id"))
        if owed - results:
            missing = ", ".join(owed - results)
            return f"messages.{index - 1}: tool_use ids without tool_result blocks after them: {missing}"
        if results - owed:
            return f"messages.{index}: tool_result blocks without their tool_use: {', '.join(results - owed)}"
        if content in ("", []) and index < len(messages) - 1:
            return f"messages.{index}: all messages must have content except for the last one"
        if any(block.get("type") == "thinking" and not block.get("signature") for block in blocks):
            return f"messages.{index}: thinking without its signature"
        owed = set(_ids([block for block in blocks if block.get("type") == "tool_use"], "id"))
    return f"tool_use ids without tool_result blocks after them: {', '.join(owed)}" if owed else None


def responses_problem(items: Items) -> str | None:
    """Return what is wrong with responses' items, where each call has its output anywhere; None if nothing is."""
    calls = _ids([item for item in items if item.get("type") == "function_call"], "call_id")
    outputs = _ids([item for item in items if item.get("type") == "function_call_output"], "call_id")
    for call in calls:
        if call not in outputs:
            return f"no tool output found for function call {call}"
    for output in outputs:
        if output not in calls:
            return f"no tool call found for function call output with call_id {output}"
    return None


def _ids(items: object, key: str) -> list[str]:
    found = [item.get(key) for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return [identity for identity in found if isinstance(identity, str)]

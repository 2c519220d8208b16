"""Makes the texts of an answer safe, before it leaves the process that got it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from agenttop.metrics.safe_text import SafeText
from agenttop.quality.answer import Answer, ToolCall


def safe_answer(answer: Answer, safe: SafeText) -> Answer:
    """Return the answer without the run's secrets: in its text, its tools, its case's id and its error.

    Text and arguments stay as they are otherwise, control characters and all, for graders judge them.
    """
    return replace(
        answer,
        case=safe.hide(answer.case),
        text=safe.hide(answer.text),
        tools=tuple(ToolCall(safe.hide(call.name), _hidden(call.arguments, safe)) for call in answer.tools),
        finish=None if answer.finish is None else safe(answer.finish),
        error=safe(answer.error),
    )


def _hidden(value: Any, safe: SafeText) -> Any:
    """Return JSON with the secrets in its texts hidden, those in its names too."""
    if isinstance(value, str):
        return safe.hide(value)
    if isinstance(value, dict):
        return {safe.hide(name): _hidden(item, safe) for name, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item, safe) for item in value]
    return value

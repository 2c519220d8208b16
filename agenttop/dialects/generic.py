"""Reads failures and tokens as agent protocols tell them: JSON-RPC errors, words without a code, usage by many
names.
"""

from __future__ import annotations

from typing import Any

from agenttop.dialects.base import ERROR, RATE_LIMITED, Reader
from agenttop.dialects.failure import fail, tells_limit
from agenttop.dialects.usage import count, take_usage

#: Where a count of tokens stands, by the attribute of the reader.
_NAMES: dict[str, tuple[str, ...]] = {
    "input_tokens": ("inputTokens", "input_tokens", "promptTokens", "prompt_tokens", "promptTokenCount",
                     "prompt_token_count"),
    "output_tokens": ("outputTokens", "output_tokens", "completionTokens", "completion_tokens", "candidatesTokenCount",
                      "candidates_token_count"),
    "cached_tokens": ("cachedInputTokens", "cached_input_tokens", "cachedTokens", "cached_tokens",
                      "cachedContentTokenCount", "cached_content_token_count"),
    "total_tokens": ("totalTokens", "total_tokens", "totalTokenCount", "total_token_count"),
    "reasoning_tokens": ("reasoningTokens", "reasoning_tokens", "thoughtsTokenCount", "thoughts_token_count"),
}  # fmt: skip


def fail_in_words(reader: Reader, error: Any) -> int:
    """Do as :func:`fail`, and find a limit also in the words of ``error``, an object with a message or a text."""
    flags = fail(reader, error)
    words = error.get("message") if isinstance(error, dict) else error
    if not flags & RATE_LIMITED and tells_limit(words):
        # Told as a code, so that the words are searched for how long to wait.
        flags |= fail(reader, {"code": 429, "message": words})
    return flags


def fail_rpc(reader: Reader, error: Any) -> int:
    """Note a JSON-RPC error. Its number says little: what failed is in the message, and in the objects of ``data``."""
    flags = fail_in_words(reader, error) if error else fail(reader, "error")
    data = error.get("data") if isinstance(error, dict) else None
    for detail in data if isinstance(data, list) else [data]:
        if isinstance(detail, dict):
            flags |= fail(reader, {"code": detail.get("reason"), **detail})
        elif isinstance(detail, str):
            flags |= RATE_LIMITED if tells_limit(detail) else ERROR
    return flags | ERROR


def malformed(reader: Reader, what: str, data: bytes) -> int:
    """Note data that is not ``what`` it should be, and return its flags."""
    if reader.error is None:
        reader.error = f"not {what}: {data[:200].decode(errors='replace')}"
    return ERROR


def repaired(data: bytes) -> bytes | None:
    """Return the data with broken UTF-8 replaced, as the event-stream format does; None if that was not the trouble."""
    text = data.decode("utf-8", "replace").encode()
    return None if text == data else text


def read_usage(reader: Reader, usage: Any) -> None:
    """Read tokens from one usage object, or the sum of several (one per model); what none mentions stays as it was."""
    entries = [entry for entry in (usage if isinstance(usage, list) else [usage]) if isinstance(entry, dict)]
    told: dict[str, int] = {}
    for attribute, names in _NAMES.items():
        counts = [number for entry in entries for name in names if (number := count(entry.get(name))) is not None]
        if counts:
            told[attribute] = sum(counts)
    take_usage(
        reader,
        told.get("input_tokens"),
        told.get("output_tokens"),
        cached=told.get("cached_tokens"),
        reasoning=told.get("reasoning_tokens"),
        total=told.get("total_tokens"),
    )

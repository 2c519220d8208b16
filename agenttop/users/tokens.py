"""Counts what an answer told of tokens, of model calls and of tool calls."""

from __future__ import annotations

from agenttop.dialects.base import Reader
from agenttop.metrics.recorder import Leaf

#: What a target tells is data: the most that is counted of one answer.
MAX_COUNTED = 10**12


def count_tokens(leaf: Leaf, reader: Reader, streamed: bool) -> None:
    """Count them; chunks are an estimate of tokens where a ``streamed`` answer told none."""
    read, written = reader.input_tokens, reader.output_tokens
    if read is not None or written is not None:
        leaf.token_requests += 1
        if read is not None:
            leaf.input_told += 1
            leaf.input_tokens += min(read, MAX_COUNTED)
        if written is not None:
            leaf.output_told += 1
            leaf.output_tokens += min(written, MAX_COUNTED)
        if reader.cached_tokens is not None:
            leaf.cached_told += 1
            leaf.cached_tokens += min(reader.cached_tokens, MAX_COUNTED)
        if reader.reasoning_tokens is not None:
            leaf.reasoning_told += 1
            leaf.reasoning_tokens += min(reader.reasoning_tokens, MAX_COUNTED)
    if written is None and streamed and reader.chunks:
        leaf.token_estimates += 1
        leaf.estimated_tokens += reader.chunks
    if reader.llm_calls is not None:
        leaf.llm_requests += 1
        leaf.llm_calls += min(reader.llm_calls, MAX_COUNTED)
    if reader.tool_calls is not None:
        leaf.tool_requests += 1
        leaf.tool_calls += min(reader.tool_calls, MAX_COUNTED)

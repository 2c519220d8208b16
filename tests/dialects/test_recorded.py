"""Tests of agenttop.dialects.base, agenttop.dialects.failure, agenttop.dialects.generic.

Recorded answers, read as they came and cut at every byte.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

from agenttop.dialects import dialect_named
from agenttop.dialects.base import DONE, ERROR, OUTPUT, QUOTA, RATE_LIMITED, REASONING, STEP, Reader
from agenttop.wire.sse import SseParser

RECORDED = Path(__file__).parent / "recorded"
THOUGHT = OUTPUT | REASONING
LIMITED = ERROR | RATE_LIMITED


class Read(NamedTuple):
    """What one answer comes to: the flags of the events that have any, and the counters."""

    flags: list[int]
    chunks: int
    tokens: tuple[int | None, int | None, int | None, int | None] = (None, None, None, None)
    """input, output, cached, reasoning"""
    llm_calls: int | None = 1
    tool_calls: int | None = 0
    error: str | None = None
    retry_after_s: float | None = None
    pending: bool = False


def summary(reader: Reader, flags: list[int], pending: bool) -> Read:
    tokens = (reader.input_tokens, reader.output_tokens, reader.cached_tokens, reader.reasoning_tokens)
    return Read(
        [each for each in flags if each], reader.chunks, tokens, reader.llm_calls, reader.tool_calls, reader.error,
        reader.retry_after_s, pending,
    )  # fmt: skip


def read_stream(dialect: str, *chunks: bytes) -> Read:
    parser, reader = SseParser(), dialect_named(dialect).reader()
    flags = [reader.event(data, event) for chunk in chunks for event, data in parser.feed(chunk)]
    return summary(reader, flags, parser.pending)


def cuts(stream: bytes) -> range:
    """Where to cut a stream in two: everywhere, or at a few places where properties try few examples."""
    return range(0, len(stream) + 1, 1 if settings().max_examples >= 100 else 97)


CHAT = {
    "chat_text.sse": Read([OUTPUT] * 5 + [DONE], 5, (19, 5, 8, 0)),
    "chat_tools.sse": Read([OUTPUT] * 3 + [DONE], 3, (81, 34, None, None), tool_calls=2),
    "chat_tools_same_index.sse": Read([OUTPUT] * 2 + [DONE], 2, (40, 21, None, None), tool_calls=2),
    "chat_reasoning_crlf.sse": Read([THOUGHT] * 2 + [OUTPUT] * 2 + [DONE], 4, (12, 46, 0, 42)),
    "chat_error_mid_stream.sse": Read(
        [THOUGHT, OUTPUT, LIMITED], 2, error="Provider returned error: rate limited", retry_after_s=3
    ),
    "chat_error_twice.sse": Read(
        [OUTPUT, LIMITED, ERROR, DONE], 1, retry_after_s=1.2,
        error="Rate limit reached for gpt-4.1 on tokens per min (TPM): Limit 30000, Used 29800, Requested 700. "
        "Please try again in 1.2s.",
    ),
    "chat_azure_no_usage.sse": Read([OUTPUT, DONE], 1),
    "chat_vllm_running_usage.sse": Read([OUTPUT] * 2 + [DONE], 2, (9, 2, None, None)),
    "chat_refusal.sse": Read([OUTPUT] * 2 + [DONE], 2),
    "chat_mistral_parts.sse": Read([THOUGHT, OUTPUT, OUTPUT, DONE], 3, (10, 7, None, None)),
    "chat_truncated.sse": Read([OUTPUT] * 2, 2, pending=True),
}  # fmt: skip

RESPONSES = {
    "responses_text.sse": Read([OUTPUT] * 5 + [DONE], 5, (1837, 11, 1792, 0)),
    "responses_tools.sse": Read([OUTPUT] * 3 + [DONE], 3, (81, 34, 0, 0), tool_calls=2),
    "responses_hosted_tools.sse": Read([OUTPUT] * 2 + [DONE], 2, (310, 42, 0, 0), tool_calls=2),
    "responses_reasoning_crlf.sse": Read([THOUGHT] * 2 + [OUTPUT] * 2 + [DONE], 4, (12, 46, 0, 42)),
    "responses_error_limit.sse": Read(
        [OUTPUT, LIMITED, DONE | LIMITED], 1, retry_after_s=6.57,
        error="Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 25265, Requested 8020. "
        "Please try again in 6.57s.",
    ),
    "responses_error_flat.sse": Read([ERROR], 0, error="Something went wrong"),
    "responses_failed.sse": Read([DONE | ERROR], 0, error="The model failed to generate a response."),
    "responses_incomplete.sse": Read([OUTPUT] * 2 + [DONE], 2, (9, 2, 0, 0)),
    "responses_refusal.sse": Read([OUTPUT] * 2 + [DONE], 2, (11, 8, 0, 0)),
    "responses_truncated.sse": Read([OUTPUT] * 2, 2, pending=True),
    "responses_bare_done.sse": Read([OUTPUT] * 2 + [DONE], 2),
}  # fmt: skip

MESSAGES = {
    "messages_text.sse": Read([OUTPUT] * 3 + [DONE], 3, (25, 15, None, None)),
    "messages_ping_first.sse": Read([OUTPUT, DONE], 1, (25, 3, None, None)),
    "messages_tools.sse": Read([OUTPUT] * 4 + [DONE], 4, (472, 89, None, None), tool_calls=2),
    "messages_server_tools.sse": Read([OUTPUT] * 4 + [DONE], 4, (10682, 510, 0, None), tool_calls=2),
    "messages_thinking_crlf.sse": Read([THOUGHT] * 2 + [OUTPUT, DONE], 3, (12, 46, None, 40)),
    "messages_usage_cached.sse": Read([OUTPUT, DONE], 1, (21 + 188 + 1830, 7, 1830, None)),
    "messages_overloaded.sse": Read([OUTPUT, ERROR], 1, (25, None, None, None), error="Overloaded"),
    "messages_limited.sse": Read(
        [LIMITED], 0, llm_calls=None, tool_calls=None,
        error="Number of request tokens has exceeded your per-minute rate limit",
    ),
    "messages_refusal.sse": Read([OUTPUT, DONE], 1, (20, 4, None, None)),
    "messages_max_tokens.sse": Read([OUTPUT] * 2 + [DONE] * 2, 2, (9, 2, None, None)),
    "messages_truncated.sse": Read([OUTPUT] * 2, 2, (25, None, None, None), pending=True),
}  # fmt: skip

AG_UI = {
    "agui_text.sse": Read([STEP] * 3 + [OUTPUT] * 3 + [STEP, DONE], 3, (150, 13, 64, 2), None),
    "agui_tools.sse": Read([OUTPUT] * 6 + [DONE], 6, llm_calls=None, tool_calls=2),
    "agui_snake_crlf.sse": Read(
        [STEP, THOUGHT, THOUGHT, OUTPUT, STEP, DONE], 3, (8, 3, None, None), llm_calls=None, tool_calls=1
    ),
    "agui_error.sse": Read(
        [STEP, OUTPUT, DONE | LIMITED], 1, (40, None, None, None), llm_calls=None, retry_after_s=1.5,
        error="Error code: 429 - {'error': {'message': 'Rate limit reached. Please try again in 1.5s.'}}",
    ),
    "agui_failed.sse": Read([DONE | ERROR], 0, llm_calls=None, error="the graph has no node 'x'"),
    "agui_snapshot_only.sse": Read([OUTPUT, DONE], 1, llm_calls=None, tool_calls=1),
    "agui_truncated.sse": Read([STEP, OUTPUT], 1, llm_calls=None, pending=True),
}  # fmt: skip

A2A = {
    name: read._replace(llm_calls=None, tool_calls=None)
    for name, read in {
        "a2a_v1_text.sse": Read([OUTPUT] * 3 + [DONE], 3, (50, 6, None, None)),
        "a2a_v03_text.sse": Read([THOUGHT, OUTPUT, DONE], 2, (30, 4, None, 2)),
        "a2a_input_required.sse": Read([OUTPUT, OUTPUT | DONE], 2),
        "a2a_message.sse": Read([OUTPUT | DONE], 1),
        "a2a_rest_snapshot.sse": Read([OUTPUT, DONE], 1),
        "a2a_failed.sse": Read([OUTPUT, DONE | ERROR], 1, error="The model is gone."),
        "a2a_failed_limit.sse": Read(
            [DONE | LIMITED], 0, error="Agent failed: 429 Too Many Requests, try again in 2s", retry_after_s=2
        ),
        "a2a_error_limit.sse": Read([DONE | LIMITED], 0, error="Internal error", retry_after_s=3.5),
        "a2a_truncated.sse": Read([OUTPUT], 1, pending=True),
    }.items()
}

MCP = {
    "mcp_call.sse": Read([OUTPUT | DONE], 0, llm_calls=None, tool_calls=1),
    "mcp_initialize.sse": Read([DONE], 0, llm_calls=None),
    "mcp_list.sse": Read([DONE], 0, llm_calls=None),
    "mcp_batch.sse": Read([OUTPUT | DONE], 0, llm_calls=None, tool_calls=2),
    "mcp_tool_error.sse": Read([DONE | ERROR], 0, llm_calls=None, tool_calls=1, error="no order 12345"),
    "mcp_tool_limited.sse": Read(
        [DONE | LIMITED], 0, llm_calls=None, tool_calls=1, error="API rate limit exceeded, retry after 30s",
        retry_after_s=30,
    ),
    "mcp_rpc_error.sse": Read([DONE | ERROR], 0, llm_calls=None, tool_calls=None, error="Unknown tool: x"),
    "mcp_truncated.sse": Read([], 0, llm_calls=None, tool_calls=None, pending=True),
}  # fmt: skip

LANGGRAPH = {
    "langgraph_text.sse": Read([OUTPUT] * 3, 3, (7, 3, 2, None)),
    "langgraph_tools.sse": Read([OUTPUT] * 5, 5, (14, 6, 4, None), llm_calls=2, tool_calls=1),
    "langgraph_reasoning.sse": Read([THOUGHT] + [OUTPUT] * 3, 4, (7, 3, 2, None)),
    "langgraph_ids.sse": Read([THOUGHT] + [OUTPUT] * 2, 3, (11, 9, 4, 6)),
    "langgraph_partial.sse": Read([OUTPUT] * 4, 4, (14, 6, 4, None), llm_calls=2, tool_calls=1),
    "langgraph_updates.sse": Read([OUTPUT] * 2, 2, (14, 6, 4, None), llm_calls=2, tool_calls=1),
    "langgraph_values.sse": Read([OUTPUT], 1, (7, 3, 2, None)),
    "langgraph_repeated.sse": Read([OUTPUT] * 3 + [DONE], 3, (7, 3, None, None)),
    "langgraph_error.sse": Read(
        [LIMITED], 0, llm_calls=None, tool_calls=None, retry_after_s=2,
        error="Error code: 429 - {'error': {'message': 'Please try again in 2s.'}}",
    ),
}  # fmt: skip

ADK = {
    "adk_text.sse": Read([OUTPUT] * 3, 3, (6, 3, None, None)),
    "adk_tools.sse": Read([OUTPUT] * 5, 5, (11, 12, None, None), llm_calls=2, tool_calls=1),
    "adk_tools_apart.sse": Read([OUTPUT] * 4, 4, (35, 14, None, None), llm_calls=2, tool_calls=2),
    "adk_whole.sse": Read([OUTPUT] * 2, 2, (11, 12, None, None), llm_calls=2, tool_calls=1),
    "adk_reasoning.sse": Read([THOUGHT, OUTPUT], 2, (4, 3, None, 2)),
    "adk_snake_case.sse": Read([OUTPUT] * 2, 2, (9, 7, 3, 5), tool_calls=1),
    "adk_repeated.sse": Read([OUTPUT] * 2, 2, (8, 4, None, None)),
    "adk_error.sse": Read(
        [OUTPUT, LIMITED], 1, retry_after_s=34.5,
        error='Model "made-up" says: 429 RESOURCE_EXHAUSTED. Please retry in 34.5s.',
    ),
    "adk_limit.sse": Read(
        [LIMITED] * 2, 0, llm_calls=None, tool_calls=None, retry_after_s=7,
        error='429 RESOURCE_EXHAUSTED. {"error": {"code": 429, "message": "Please retry in 7s."}}',
    ),
}  # fmt: skip

STREAMS = {
    name: (dialect, read)
    for dialect, table in (
        ("openai.chat", CHAT),
        ("openai.responses", RESPONSES),
        ("anthropic.messages", MESSAGES),
        ("ag-ui", AG_UI),
        ("a2a", A2A),
        ("mcp", MCP),
        ("langgraph", LANGGRAPH),
        ("adk", ADK),
    )
    for name, read in table.items()
}

REALTIME = {
    "realtime_audio.jsonl": Read([OUTPUT] * 3 + [QUOTA, DONE], 3, (132, 121, 64, None)),
    "realtime_tools.jsonl": Read([OUTPUT] * 2 + [DONE], 2, (10, 4, None, None), tool_calls=2),
    "realtime_beta_text.jsonl": Read([OUTPUT] * 2 + [DONE], 2, (4, 2, None, None)),
    "realtime_failed_limit.jsonl": Read(
        [DONE | LIMITED], 0, (None, None, None, None), retry_after_s=360,
        error="Rate limit reached for gpt-realtime. Please try again in 6m0s.",
    ),
    "realtime_cancelled.jsonl": Read(
        [OUTPUT, ERROR, DONE | ERROR], 1, error="Audio content of 0ms is already shorter than 500ms"
    ),
    "realtime_rejected.jsonl": Read(
        [DONE | ERROR], 0, llm_calls=None, tool_calls=None, error="Conversation already has an active response"
    ),
}  # fmt: skip


def test_every_recording_is_read() -> None:
    assert {path.name for path in RECORDED.iterdir()} == set(STREAMS) | set(REALTIME)


@pytest.mark.parametrize("name", STREAMS)
def test_stream(name: str) -> None:
    dialect, read = STREAMS[name]
    assert read_stream(dialect, (RECORDED / name).read_bytes()) == read


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_the_same_wherever_the_network_cuts_it(name: str) -> None:
    dialect, read = STREAMS[name]
    stream = (RECORDED / name).read_bytes()
    for cut in cuts(stream):
        assert read_stream(dialect, stream[:cut], stream[cut:]) == read, cut
    assert read_stream(dialect, *(stream[at : at + 1] for at in range(len(stream)))) == read


@pytest.mark.parametrize("name", REALTIME)
def test_realtime(name: str) -> None:
    reader = dialect_named("openai.realtime").reader()
    flags = [reader.event(message) for message in (RECORDED / name).read_bytes().splitlines()]
    assert summary(reader, flags, False) == REALTIME[name]

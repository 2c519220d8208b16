"""What is believed of usage, in every dialect that has one: no figure without a teller."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects import dialect_named
from agenttop.dialects.base import Reader
from agenttop.dialects.usage import believable, doubt, reconciled, take_usage


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ((12, 1, 386, 399), (12, 387)),  # reasoning apart from the rest, as xAI counts it
        ((12, 1, 386, None), (12, 387)),
        ((12, 387, 386, 399), (12, 387)),
        ((12, 5, None, 40), (12, 28)),
        ((12, None, None, 40), (12, 28)),
        ((None, 28, None, 40), (12, 28)),
        ((12, 5, None, 0), (12, 5)),
        ((12, 5, None, 3), (12, 5)),
        ((0, 0, 0, 0), (None, None)),
        ((0, 7, None, None), (None, 7)),
        ((12, 0, 0, 12), (12, 0)),
        ((None, None, None, 40), (None, None)),
    ],
)
def test_parts_and_total(told: tuple[Any, ...], found: tuple[Any, ...]) -> None:
    assert reconciled(*told) == found


def chat(usage: dict[str, Any], words: int, place: str = "usage") -> Reader:
    reader = dialect_named("openai.chat").reader()
    for _ in range(words):
        reader.event(b'{"choices":[{"index":0,"delta":{"content":"a"}}]}')
    last: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    if place == "choices":
        last["choices"][0]["usage"] = usage
    elif place == "x_groq":
        last["x_groq"] = {"id": "r", "usage": usage}
    else:
        last["usage"] = usage
    reader.event(json.dumps(last).encode())
    return reader


@pytest.mark.parametrize("place", ["usage", "choices", "x_groq"])
def test_wherever_it_stands(place: str) -> None:
    details = {"completion_tokens_details": {"reasoning_tokens": 386}}
    usage = {"prompt_tokens": 12, "completion_tokens": 1, "total_tokens": 399} | details
    reader = chat(usage, 3, place)
    assert (reader.input_tokens, reader.output_tokens, reader.reasoning_tokens) == (12, 387, 386)
    assert reader.cached_tokens is None


def tokens(reader: Reader) -> tuple[int | None, ...]:
    return reader.input_tokens, reader.output_tokens, reader.cached_tokens, reader.reasoning_tokens


ZERO = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
DONE_RESPONSE = {"type": "response.completed", "response": {"status": "completed", "usage": ZERO, "output": []}}
GEMINI = {"promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0}
ZEROS: dict[str, list[Any]] = {
    "openai.chat": [{"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}],
    "openai.responses": [DONE_RESPONSE],
    "openai.realtime": [{"type": "response.done", "response": {"status": "completed", "usage": ZERO}}],
    "anthropic.messages": [
        {"type": "message_start", "message": {"usage": ZERO}},
        {"type": "message_delta", "delta": {}, "usage": ZERO},
    ],
    "ag-ui": [{"type": "RUN_FINISHED", "usage": {"inputTokens": 0, "outputTokens": 0}}],
    "a2a": [{"result": {"message": {"parts": [{"text": "Hi"}], "metadata": {"usage": ZERO}}}}],
    "adk": [{"author": "a", "content": {"parts": [{"text": "Hi"}], "role": "model"}, "usageMetadata": GEMINI}],
}


@pytest.mark.parametrize("dialect", ZEROS)
def test_nothing_but_zeros_is_nothing_told(dialect: str) -> None:
    reader = dialect_named(dialect).reader()
    reader.chunks = 3
    for each in ZEROS[dialect]:
        reader.event(json.dumps(each).encode())
    assert tokens(reader)[:2] == (None, None)
    assert not any(tokens(reader))


def test_of_langgraph_too() -> None:
    reader = dialect_named("langgraph").reader()
    message = {"content": "Hi", "type": "ai", "id": "m", "usage_metadata": ZERO}
    reader.event(json.dumps([message, {}]).encode(), b"messages")
    assert tokens(reader) == (None, None, None, None)


def test_an_output_of_nothing_after_words_is_not_believed() -> None:
    assert tokens(chat({"prompt_tokens": 5, "completion_tokens": 0}, 3))[:2] == (5, None)
    assert tokens(chat({"prompt_tokens": 5, "completion_tokens": 0}, 0))[:2] == (5, 0)
    reader = chat({"prompt_tokens": 5, "completion_tokens": 0}, 0)
    reader.chunks = 1  # what comes after it
    doubt(reader)
    assert reader.output_tokens is None


NUMBERS = st.one_of(
    st.none(), st.integers(-5, 2000), st.just(10**20), st.floats(allow_nan=False), st.booleans(), st.text(max_size=3)
)
KEYS = ("prompt_tokens", "completion_tokens", "total_tokens", "reasoning_tokens", "prompt_cache_hit_tokens")


@given(st.dictionaries(st.sampled_from(KEYS), NUMBERS), st.integers(0, 20))
def test_no_figure_without_a_teller(usage: dict[str, Any], words: int) -> None:
    told = {key for key, value in usage.items() if type(value) in (int, float) and 0 <= value < 1e15}
    reader = chat(usage, words)
    read, written, cached, reasoning = tokens(reader)
    assert read is None or "prompt_tokens" in told or {"completion_tokens", "total_tokens"} <= told
    assert written is None or "completion_tokens" in told or {"prompt_tokens", "total_tokens"} <= told
    assert cached is None or "prompt_cache_hit_tokens" in told
    assert reasoning is None or "reasoning_tokens" in told
    assert not (written == 0 and words)
    if believable(reader):
        assert read
        assert written is not None
        assert written >= words


@pytest.mark.parametrize(
    ("read", "written", "chunks", "believed"),
    [(5, 3, 3, True), (5, 4, 3, True), (5, 2, 3, False), (5, 0, 0, True), (None, 3, 3, False), (5, None, 0, False)],
)
def test_a_budget_goes_by_no_fewer_tokens_than_there_were_pieces(
    read: int | None, written: int | None, chunks: int, believed: bool
) -> None:
    reader = Reader()
    reader.input_tokens, reader.output_tokens, reader.chunks = read, written, chunks
    assert believable(reader) is believed


@pytest.mark.parametrize(
    ("read", "written", "cached", "told"),
    [(5, 3, 2, 2), (5, None, 2, 2), (None, 3, 2, 2), (None, None, 2, None), (0, 0, 2, None), (5, 3, None, None)],
)
def test_details_are_told_where_any_of_the_whole_is(
    read: int | None, written: int | None, cached: int | None, told: int | None
) -> None:
    reader = Reader()
    take_usage(reader, read, written, cached=cached)
    assert reader.cached_tokens == told
    take_usage(reader, read, written, reasoning=cached and 1)
    assert reader.reasoning_tokens == (told and 1 if written != 0 else 1), "an output of 0 with reasoning is one of it"

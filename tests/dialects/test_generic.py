"""JSON-RPC errors, words without a code, and tokens by many names."""

from __future__ import annotations

from typing import Any

import pytest

from agenttop.dialects.base import ERROR, RATE_LIMITED, Reader
from agenttop.dialects.generic import fail_in_words, fail_rpc, malformed, read_usage, repaired

LIMITED = ERROR | RATE_LIMITED


@pytest.mark.parametrize(
    ("error", "flags", "words", "wait"),
    [
        ({"code": -32000, "message": "gone"}, ERROR, "gone", None),
        ({"code": 429, "message": "slow"}, LIMITED, "slow", None),
        (
            {"code": -1, "message": "Rate limit reached, try again in 3s"},
            LIMITED,
            "Rate limit reached, try again in 3s",
            3.0,
        ),
        ({"message": "m", "data": {"reason": "RATE_LIMIT_EXCEEDED"}}, LIMITED, "m", None),
        ({"message": "m", "data": {"code": 429, "reason": "other"}}, LIMITED, "m", None),
        ({"message": "m", "data": {"reason": "other"}}, ERROR, "m", None),
        ({"message": "m", "data": "429 Too Many Requests"}, LIMITED, "m", None),
        ({"message": "m", "data": "no such order"}, ERROR, "m", None),
        ({"message": "m", "data": ["fine", "rate limit"]}, LIMITED, "m", None),
        ({"message": "m", "data": [{"retryDelay": "2.5s"}]}, ERROR, "m", 2.5),
        ({"message": "m", "data": [{}, {"retryAfter": 4}]}, ERROR, "m", 4.0),
        ({"message": "m", "data": {"retryDelay": "1s", "retryAfter": 9}}, ERROR, "m", 9.0),
        ({"message": "m", "data": 5}, ERROR, "m", None),
        ("slow down: rate limit", LIMITED, "slow down: rate limit", None),
        ("gone", ERROR, "gone", None),
        ({}, ERROR, "error", None),
        ("", ERROR, "error", None),
        (0, ERROR, "error", None),
        ([], ERROR, "error", None),
    ],
)
def test_errors_of_json_rpc(error: Any, flags: int, words: str, wait: float | None) -> None:
    reader = Reader()
    assert fail_rpc(reader, error) == flags
    assert reader.error == words
    assert reader.retry_after_s == wait


@pytest.mark.parametrize(
    ("error", "flags", "wait"),
    [
        ({"message": "429: retry after 2s"}, LIMITED, 2.0),
        ("Too many requests, retry in 5s", LIMITED, 5.0),
        ({"message": "retry in 5s"}, ERROR, None),
        ({"detail": "rate limit"}, ERROR, None),
        ({"code": 429, "message": "rate limit, try again in 7s"}, LIMITED, 7.0),
        (None, ERROR, None),
    ],
)
def test_a_limit_in_words_alone(error: Any, flags: int, wait: float | None) -> None:
    reader = Reader()
    assert fail_in_words(reader, error) == flags
    assert reader.retry_after_s == wait


def test_what_is_not_what_it_should_be_is_told_once() -> None:
    reader = Reader()
    assert malformed(reader, "a word", b"x" * 199 + b"\xff\xff") == ERROR
    assert reader.error == "not a word: " + "x" * 199 + "\ufffd"
    assert malformed(reader, "other", b"y") == ERROR
    assert reader.error.startswith("not a word: ")


def test_broken_text_is_mended_and_text_that_is_whole_is_none() -> None:
    assert repaired(b"a\xffb") == b"a\xef\xbf\xbdb"
    assert repaired("ä".encode()) is None
    assert repaired(b"") is None


NAMES = {
    "input_tokens": ("inputTokens", "input_tokens", "promptTokens", "prompt_tokens", "promptTokenCount",
                     "prompt_token_count"),
    "output_tokens": ("outputTokens", "output_tokens", "completionTokens", "completion_tokens", "candidatesTokenCount",
                      "candidates_token_count"),
}  # fmt: skip


@pytest.mark.parametrize(("attribute", "name"), [(what, name) for what, names in NAMES.items() for name in names])
def test_tokens_by_any_of_their_names(attribute: str, name: str) -> None:
    reader = Reader()
    reader.chunks = 1
    read_usage(reader, {"prompt_tokens": 3, name: 7} if attribute == "output_tokens" else {name: 7})
    assert getattr(reader, attribute) == 7


@pytest.mark.parametrize(
    ("attribute", "names"),
    [
        ("cached_tokens", ("cachedInputTokens", "cached_input_tokens", "cachedTokens", "cached_tokens",
                           "cachedContentTokenCount", "cached_content_token_count")),
        ("reasoning_tokens", ("reasoningTokens", "reasoning_tokens", "thoughtsTokenCount", "thoughts_token_count")),
    ],
)  # fmt: skip
def test_details_by_any_of_their_names(attribute: str, names: tuple[str, ...]) -> None:
    for name in names:
        reader = Reader()
        read_usage(reader, {"inputTokens": 50, "outputTokens": 40, name: 7})
        assert (getattr(reader, attribute), reader.input_tokens, reader.output_tokens) == (7, 50, 40), name


@pytest.mark.parametrize("name", ["totalTokens", "total_tokens", "totalTokenCount", "total_token_count"])
def test_a_total_by_any_of_its_names(name: str) -> None:
    reader = Reader()
    read_usage(reader, {"inputTokens": 50, "outputTokens": 4, name: 70})
    assert (reader.input_tokens, reader.output_tokens) == (50, 20)


def test_usage_of_several_models_is_added() -> None:
    reader = Reader()
    read_usage(reader, [{"inputTokens": 5, "outputTokens": 1}, None, {"promptTokens": 7, "cachedTokens": 2}, "x"])
    assert (reader.input_tokens, reader.output_tokens, reader.cached_tokens) == (12, 1, 2)
    nothings: list[Any] = [None, 5, "x", [], {}, {"inputTokens": "5"}, {"inputTokens": -1}]
    for nothing in nothings:
        read_usage(reader, nothing)
    assert (reader.input_tokens, reader.output_tokens, reader.cached_tokens) == (12, 1, 2), "what none mentions stays"

"""What targets say about their own failures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agenttop.dialects.base import ERROR, RATE_LIMITED, Reader
from agenttop.dialects.failure import (
    MAX_DETAILS,
    MAX_WORDS,
    fail,
    forgets_session,
    gave_up,
    may_fail,
    stray,
    stray_value,
    tells_limit,
    told_wait,
)


@pytest.mark.parametrize(
    "words",
    [
        "Session not found",
        "404 Not Found: Session with ID abc was not found",
        "Bad Request: No valid session ID provided",
        "Bad Request: Server not initialized",
        "No thread found with id 'thread_abc'.",
        "Conversation with id 'conv_123' not found.",
        "Thread 7a1b-22 does not exist",
        "Session 'abc' no longer exists",
        "session_expired",
        "Session has been terminated",
        '{"error":"session_not_found"}',
        "SessionNotFound",
        "unknown session abc",
        "Could not find the session",
    ],
)
def test_words_of_a_session_that_is_not_known(words: str) -> None:
    assert forgets_session(words)


@pytest.mark.parametrize(
    "words",
    [
        "404 Not Found",
        "Model gpt-4 not found",
        "Order 17 not found",
        "context length exceeded",
        "this session is limited to 3 requests",
        "Thread pool exhausted",
        "The conversation is too long",
        "Rate limit reached for this session",
        "",
    ],
)
def test_other_words_are_of_no_lost_session(words: str) -> None:
    assert not forgets_session(words)


LIMITED = ERROR | RATE_LIMITED
WORDS_OF = ("message", "detail", "error", "code", "type", "reason")


def failed(error: Any) -> tuple[int, str | None, float | None]:
    reader = Reader()
    return fail(reader, error), reader.error, reader.retry_after_s


@pytest.mark.parametrize("place", range(len(WORDS_OF)))
def test_the_words_are_the_first_that_are_there(place: int) -> None:
    error = {name: f"in {name}" for name in WORDS_OF[place:]}
    assert failed(error)[1] == f"in {WORDS_OF[place]}"
    assert failed(error | {WORDS_OF[place]: ""})[1] == (
        f"in {WORDS_OF[place + 1]}" if place + 1 < len(WORDS_OF) else "error"
    )
    assert failed(error | {WORDS_OF[place]: {"no": "text"}})[1] != f"in {WORDS_OF[place]}"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("gone", "gone"), (503, "503"), ({"code": 7}, "7"), ({"code": 0}, "0"), (None, "error"), (True, "error"),
        ("", "error"), ([], "error"), ({}, "error"), (["a"], "['a']"), (False, "False"),
        ("x" * 600, "x" * MAX_WORDS), ({"message": "y" * 600}, "y" * MAX_WORDS),
    ],
)  # fmt: skip
def test_words_of_any_kind(error: Any, words: str) -> None:
    assert failed(error)[1] == words


@pytest.mark.parametrize("name", ["code", "type", "status", "status_code", "raw_status_code", "error_type"])
def test_a_limit_by_its_code(name: str) -> None:
    limits: list[Any] = [429, "429", " 429 ", "RATE_LIMIT_EXCEEDED", "ThrottlingException", "insufficient_quota"]
    others: list[Any] = [500, "4290", 42.9, "slow", True, None]
    for value in (*limits, *others):
        assert failed({"message": "m", name: value})[0] == (LIMITED if value in limits else ERROR), value


@pytest.mark.parametrize(
    ("error", "flags"), [(429, LIMITED), ("too_many_requests", LIMITED), (True, ERROR), (428, ERROR)]
)
def test_a_bare_code(error: Any, flags: int) -> None:
    assert failed(error)[0] == flags


def test_what_is_no_code_is_none() -> None:
    assert failed(["rate_limit"])[0] == ERROR
    assert failed(None)[0] == ERROR


def test_the_first_failure_is_kept_and_later_ones_only_add_what_it_did_not_say() -> None:
    reader = Reader()
    assert fail(reader, {"message": "one"}) == ERROR
    assert fail(reader, {"message": "two", "code": 429, "retry_after": 3}) == LIMITED
    assert fail(reader, {"message": "three", "retry_after": 9}) == ERROR
    assert (reader.error, reader.retry_after_s) == ("one", 3.0)


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        ({"retry_after_ms": 1500}, 1.5),
        ({"retry_after": 2}, 2.0),
        ({"retry_after_seconds": 3}, 3.0),
        ({"retryAfter": 4}, 4.0),
        ({"retryDelay": "5.5s"}, 5.5),
        ({"retry_delay": "6"}, 6.0),
        ({"retry_after_ms": 1, "retry_after": 9}, 0.001),
        ({"retry_after": 0}, 0.0),
        ({"retry_after": -1}, None),
        ({"retry_after": 1e9}, None),
        ({"retry_after": 999_999_999}, 999_999_999.0),
        ({"retry_after": True}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "5ms"}, None),
        ({"metadata": {"retry_after": 7}}, 7.0),
        ({"metadata": "x", "details": [{"@type": "x"}, {"retryDelay": "8s"}]}, 8.0),
        ({"details": {"retryDelay": "9s"}}, 9.0),
        ({"details": "none"}, None),
        ({"retry_after": 1, "metadata": {"retry_after": 7}}, 1.0),
        ({"metadata": {"retry_after": 7}, "details": [{"retryDelay": "8s"}]}, 7.0),
        ({"details": [{"retryDelay": "8s"}, {"retryDelay": "9s"}]}, 8.0),
        ({"details": [*[{}] * (MAX_DETAILS - 1), {"retryDelay": "8s"}]}, 8.0),
        ({"details": [*[{}] * MAX_DETAILS, {"retryDelay": "8s"}]}, None),
    ],
)
def test_how_long_to_wait_is_told_in_many_places(error: dict[str, Any], wait: float | None) -> None:
    assert failed(error | {"message": "m"})[2] == wait
    for body in (error, {"error": error}, [{"error": error}], [error]):
        assert told_wait(json.dumps(body).encode()) == wait, body


@pytest.mark.parametrize(
    ("words", "wait"),
    [
        ("Please try again in 6m0s.", 360.0),
        ("Try again in 1h2m3.5s", 3723.5),
        ("retry after 250ms", 0.25),
        ("retry in 1d", 86_400.0),
        ("try again in 5 minutes", None),
        ("try again in 5seconds", None),
        ("try again later", None),
    ],
)
def test_how_long_to_wait_in_words(words: str, wait: float | None) -> None:
    assert failed({"message": words, "code": 429})[2] == wait
    assert failed({"message": words})[2] is None, "of no limit"
    for body in ({"message": words}, {"error": words}, {"error": {"message": words}}, [{"detail": words}]):
        assert told_wait(json.dumps(body).encode()) == wait, body
    assert told_wait(words.encode()) == wait


@pytest.mark.parametrize(
    "body", [b"", b"null", b"5", b'"x"', b"[]", b"[5]", b'{"error": null}', b"\xff", b"x" * 600 + b" try again in 2s"]
)
def test_a_body_that_asks_for_no_wait(body: bytes) -> None:
    assert told_wait(body) is None


def test_only_the_first_of_a_list_is_read_and_what_is_in_error_before_the_rest() -> None:
    assert told_wait(b'[{"retry_after": 1}, {"retry_after": 2}]') == 1.0
    assert told_wait(b'[{}, {"retry_after": 2}]') is None
    assert told_wait(b'{"retry_after": 1, "error": {"retry_after": 2}}') == 2.0
    assert told_wait(b'{"retry_after": 1, "error": {"message": "no"}}') == 1.0
    assert told_wait(b"\xff try again in 2s") == 2.0


@pytest.mark.parametrize(
    ("value", "flags", "words", "wait"),
    [
        ({"error": {"message": "m", "code": 429, "retry_after": 2}}, LIMITED, "m", 2.0),
        ({"error": {"message": "m"}, "type": "rate_limit"}, ERROR, "m", None),
        ({"error": "slow", "code": 429}, LIMITED, "slow", None),
        ({"error": "slow", "message": "why", "retry_after": 3}, ERROR, "why", 3.0),
        ({"type": "error", "message": "m"}, ERROR, "m", None),
        ({"object": "error", "message": "m", "code": 429}, LIMITED, "m", None),
        ({"throttlingException": {"message": "m"}}, LIMITED, "m", None),
        ({"internalServerException": "m"}, ERROR, "m", None),
        ({"modelTimeoutException": {"message": "m", "type": "throttled"}}, LIMITED, "m", None),
        ({"throttlingException": {}}, LIMITED, "throttlingException", None),
        ({"throttlingException": 5}, 0, None, None),
        ({"Exceptional": "m"}, 0, None, None),
        ({"error": {}}, 0, None, None),
        ({"error": ""}, 0, None, None),
        ({"error": 5}, 0, None, None),
        ({"type": "errors"}, 0, None, None),
        ("error", 0, None, None),
        (None, 0, None, None),
        ([], 0, None, None),
    ],
)
def test_failures_of_whoever_stands_before_an_agent(
    value: Any, flags: int, words: str | None, wait: float | None
) -> None:
    reader, named = Reader(), Reader()
    assert stray_value(reader, value) == flags
    assert (reader.error, reader.retry_after_s) == (words, wait)
    assert stray_value(named, value, named=True) == (flags or ERROR)
    assert named.error is not None
    assert named.error == words or not flags
    data = json.dumps(value).encode()
    assert stray(Reader(), data) == flags
    assert stray(Reader(), data, b"error") == (flags or ERROR)
    assert stray(Reader(), data, b"message") == flags


def test_an_event_called_error_need_not_be_json() -> None:
    for data, words in (
        (b" gone \n", "gone"),
        (b"no \xff", "no \ufffd"),
        (b"x" * 600, "x" * MAX_WORDS),
        (b"", "error"),
    ):
        reader = Reader()
        assert stray(reader, data, b"error") == ERROR
        assert reader.error == words
        assert stray(Reader(), data) == 0
    assert stray(Reader(), b"no error here") == 0
    reader = Reader()
    assert stray(reader, b'{"error": "no \xff"}') == ERROR
    assert reader.error == "no \ufffd"


def test_words_that_every_failure_has() -> None:
    assert [may_fail(data) for data in (b"an error", b"Error", b"xException", b"exception", b"fine", b"ERROR")] == [
        True, True, True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("reason", ["error", "abort", "ABORT", "cancelled", "timeout", "insufficient_system_resource"])
def test_reasons_that_mean_that_the_target_gave_up(reason: str) -> None:
    assert gave_up(reason)
    assert not gave_up(f"{reason}s")


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", "tool_calls", "", None, 5, ["error"]])
def test_ends_of_an_answer_that_is_one(reason: Any) -> None:
    assert not gave_up(reason)


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        ("429 Too Many", True), (" 429: slow", True), ("http 429", True), ("Error code: 429 - {}", True),
        ("4291", False), ("order 429 is gone", False), ("Rate-Limit reached", True), ("RESOURCE_EXHAUSTED", True),
        ("Quota exceeded for x", True), ("An error occurred (ThrottlingException)", True), ("fine", False),
        (None, False), (429, False),
    ],
)  # fmt: skip
def test_words_that_tell_of_a_limit(words: Any, limit: bool) -> None:
    assert tells_limit(words) == limit


def test_words_of_a_session_are_looked_for_in_the_first_that_are_kept() -> None:
    assert forgets_session("x" * (MAX_WORDS - 18) + " Session not found")
    assert not forgets_session("x" * MAX_WORDS + " Session not found")

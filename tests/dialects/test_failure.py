"""What targets say about their own failures."""

from __future__ import annotations

import pytest

from agenttop.dialects.failure import forgets_session


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

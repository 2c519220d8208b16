"""How a request ended: exactly one :class:`Outcome` each."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of one request."""

    OK = "ok"
    RATE_LIMITED = "rate_limited"
    """429, or a dialect's own rate-limit error."""
    CLIENT_ERROR = "client_error"
    """Other 4xx."""
    SERVER_ERROR = "server_error"
    """5xx, 529 among them."""
    TIMEOUT = "timeout"
    CONNECT_ERROR = "connect_error"
    PROTOCOL_ERROR = "protocol_error"
    """A malformed response, or not the kind of answer that was asked for."""
    STREAM_ERROR = "stream_error"
    """An error event inside a 200."""
    TRUNCATED = "truncated"
    """The stream ended without its terminal event, or the body before its announced length."""
    CHECK_FAILED = "check_failed"
    """Answered, but a check of the profile failed."""
    CANCELLED = "cancelled"
    """Cut by the end of the run; in no statistic but its own count."""
    BUDGET_REFUSED = "budget_refused"
    """Never sent: the budget had no more for it."""


#: What an exception in a user's own code is called beside the outcomes: it is no request, and in no count of them.
USER_ERROR = "user_error"
#: Outcomes that are no finished request.
NOT_FINISHED = (Outcome.CANCELLED, Outcome.BUDGET_REFUSED)
#: Outcomes that are not failures.
NOT_FAILED = frozenset({Outcome.OK, *NOT_FINISHED})


def outcome_of_status(status: int) -> Outcome:
    """Return the outcome that an HTTP status alone stands for (1xx to 3xx are ``ok``)."""
    if status < 400:
        return Outcome.OK
    if status == 429:
        return Outcome.RATE_LIMITED
    if status < 500:
        return Outcome.CLIENT_ERROR
    return Outcome.SERVER_ERROR

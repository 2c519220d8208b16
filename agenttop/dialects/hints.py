"""Reads when a refused client may come back: the one place for waiting, recording and judging alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from agenttop.dialects.resets import reset_after
from agenttop.dialects.retry_after import HINTS, retry_after


class Hint(NamedTuple):
    """What an answer says about when to come back."""

    wait_s: float | None
    """Seconds to wait; None if it does not say, or cannot be understood."""
    unreadable: str = ""
    """The header that cannot be understood, if nothing else says it."""


#: Characters of a value that are shown.
_SHOWN = 60


def read_hint(headers: Mapping[str, str], told_s: float | None, now: float) -> Hint:
    """Return when an answer asks to come back.

    Args:
        headers: of the answer, names in lower case: ``retry-after-ms``, ``retry-after`` as seconds or as a date with or
            without ``date`` beside it (RFC 9110, 10.2.3), a gateway's ``llm_provider-retry-after``.
        told_s: what its body or its events say, as the dialect reads them: ``retry_after`` in an error,
            ``retryDelay`` of google.rpc.RetryInfo, "try again in 20s". Believed next.
        now: Unix seconds. When the limits are reset (``RateLimit`` and ``x-ratelimit-reset…``) is believed last.
    """
    wait = retry_after(headers, now)
    if wait is None:
        wait = told_s
    if wait is None:
        wait = reset_after(headers, now)
    if wait is not None:
        return Hint(wait)
    for name in HINTS:
        if value := headers.get(name, "").strip():
            return Hint(None, f"{name}: {value[:_SHOWN]}")
    return Hint(None)

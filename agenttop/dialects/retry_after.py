"""Reads how long a target asks to wait."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_NUMBER = re.compile(r"\d{1,15}(?:\.\d{0,9})?", re.ASCII)

#: In the order in which they are believed: the finer first, a provider's own behind a gateway last.
HINTS = ("retry-after-ms", "retry-after", "llm_provider-retry-after")


def parse_retry_after(value: str, *, date: str | None = None, now: float | None = None) -> float | None:
    """Return the seconds of a ``Retry-After`` value, or None if it cannot be understood.

    RFC 9110, section 10.2.3: a number of seconds (a fraction, seen in the wild, is understood too) or an HTTP-date,
    which is relative to the response's own ``date`` header, and only without one to ``now`` (Unix seconds): two clocks
    that disagree must not look like a long wait. A date that has passed is 0.
    """
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    until = unix_seconds(text)
    since = unix_seconds(date) if date is not None else None
    if since is None:
        since = now
    return None if until is None or since is None else max(until - since, 0.0)


def parse_retry_after_ms(value: str) -> float | None:
    """Return the seconds of a ``retry-after-ms`` value, which is in milliseconds; None if it cannot be understood."""
    text = value.strip()
    return float(text) / 1000 if _NUMBER.fullmatch(text) else None


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return the seconds a response asks to wait, from its headers (names in lower case); None if it does not ask."""
    for name in HINTS:
        if (value := headers.get(name)) is not None:
            if name.endswith("-ms"):
                seconds = parse_retry_after_ms(value)
            else:
                seconds = parse_retry_after(value, date=headers.get("date"), now=now)
            if seconds is not None:
                return seconds
    return None


def unix_seconds(text: str) -> float | None:
    """Return the time of an HTTP-date in any of the three forms of RFC 9110, section 5.6.7, always GMT; None if it is
    none.
    """
    try:
        parsed: datetime = parsedate_to_datetime(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None

"""Reads when a target's limits are whole again: the hint of those that send no ``Retry-After``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from agenttop.dialects.ratelimit_field import parse_ratelimit
from agenttop.dialects.retry_after import unix_seconds

#: ``x-ratelimit-reset-tokens``, ``x-ratelimit-reset``, ``ratelimit-reset`` and ``anthropic-ratelimit-tokens-reset``.
_RESET = re.compile(r"(?:x-)?ratelimit-reset(?:-[\w-]+)?|anthropic-ratelimit-[\w-]+-reset")
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{0,9})?", re.ASCII)
_PART = re.compile(r"(\d{1,15}(?:\.\d{0,9})?)(ns|us|µs|ms|s|m|h|d)", re.ASCII)
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
#: Plain numbers from here on are no durations but Unix times, in seconds and in milliseconds.
_UNIX_S, _UNIX_MS = 1e9, 1e12


def parse_reset(value: str, now: float) -> float | None:
    """Return the seconds of one reset header at ``now`` (Unix seconds), or None if it cannot be understood.

    Seen in the wild: Go durations (``6m0s``, ``120ms``), seconds, Unix times in seconds or milliseconds, RFC 3339. What
    has passed is 0.
    """
    text = value.strip()
    if _NUMBER.fullmatch(text):
        number = float(text)
        if number < _UNIX_S:
            return number
        return max((number / 1000 if number >= _UNIX_MS else number) - now, 0.0)
    parts = _PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return float(sum(float(number) * _SECONDS[unit] for number, unit in parts))
    try:
        until = datetime.fromisoformat(text)
        return max((until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None


def since(headers: Mapping[str, str], now: float) -> float:
    """Return the Unix seconds that the times in a response are relative to: its own ``date``, and only without one
    ``now``.
    """
    date = headers.get("date")
    at = unix_seconds(date) if date is not None else None
    return now if at is None else at


def reset_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds until a response's limits are whole again, from its headers (names in lower case).

    Of several limits the longest among those that have nothing remaining; where none says so, the longest. The field
    ``RateLimit`` of the IETF's drafts counts as well. Times are relative to the response's own ``date``, and only
    without one to ``now`` (Unix seconds). None without a hint.
    """
    at = since(headers, now)
    found: list[tuple[bool, float]] = []
    for name, value in headers.items():
        if _RESET.fullmatch(name):
            seconds = parse_reset(value, at)
            if seconds is not None:
                found.append((headers.get(name.replace("reset", "remaining"), "").strip() == "0", seconds))
    limits = parse_ratelimit(headers.get("ratelimit", ""))
    found += [(limit.remaining == 0, limit.reset_s) for limit in limits if limit.reset_s is not None]
    return max(found)[1] if found else None

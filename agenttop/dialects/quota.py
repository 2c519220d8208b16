"""Reads what remains of a provider's limits from the headers of any answer, refusal or not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from agenttop.dialects.ratelimit_field import DEFAULT, count, parse_policies, parse_ratelimit
from agenttop.dialects.resets import parse_reset, since

# Headers that are read, and what they call their limits:
#
#     x-ratelimit-{limit,remaining,reset}-NAME           OpenAI and who copies it: requests, tokens, requests-day …
#     anthropic-ratelimit-NAME-{limit,remaining,reset}   requests, tokens, input-tokens, output-tokens
#     x-ratelimit-{limit,remaining,reset}                GitHub and many: ``default``
#     ratelimit-{limit,remaining,reset}                  draft-ietf-httpapi-ratelimit-headers until 06: ``default``
#     ratelimit, ratelimit-policy                        the same from 07 on; names are those of its policies
#
# The limit of the drafts until 06 may be followed by policies: ``10, 10;w=1, 50;w=60``.
_HEADER = re.compile(
    r"(?:x-)?ratelimit-(limit|remaining|reset)(?:-([\w-]+))?|anthropic-ratelimit-([\w-]+)-(limit|remaining|reset)"
)
#: Limits read of one answer, and letters kept of a name: both are the target's.
MAX_QUOTAS = 16
MAX_NAME_LENGTH = 40


class Quota(NamedTuple):
    """One limit as an answer tells it."""

    name: str
    limit: int | None
    """The quota of a window; None if the answer does not say."""
    remaining: int
    reset_s: float | None
    """Seconds from the answer until it is whole again, or more of it is there; None if the answer does not say."""


def read_quotas(headers: Mapping[str, str], now: float) -> list[Quota]:
    """Return the limits in an answer's headers (names in lower case) that tell what remains of them.

    Resets are relative to the answer's own ``date``, and only without one to ``now`` (Unix seconds). Never raises: a
    limit whose remaining is no number of 0 or more is left out.
    """
    parts: dict[str, dict[str, str]] = {}
    for header, value in headers.items():
        if match := _HEADER.fullmatch(header):
            name, part = (match[3], match[4]) if match[3] else (match[2] or DEFAULT, match[1])
            parts.setdefault(name, {}).setdefault(part, value)
    field = headers.get("ratelimit")
    found = _from_field(field, headers.get("ratelimit-policy", "")) if field is not None else {}
    if found:
        parts.pop(DEFAULT, None)  # the same limit again, in an older form
    at = since(headers, now)
    for name, told in parts.items():
        remaining = _first(told.get("remaining", ""))
        if remaining is not None and name not in found:
            reset_s = parse_reset(told["reset"], at) if "reset" in told else None
            found[name] = Quota(name[:MAX_NAME_LENGTH], _first(told.get("limit", "")), remaining, reset_s)
    return list(found.values())[:MAX_QUOTAS]


def _from_field(field: str, policy: str) -> dict[str, Quota]:
    policies = parse_policies(policy)
    found: dict[str, Quota] = {}
    for name, limit, remaining, reset_s in parse_ratelimit(field):
        # A policy may stand there once for each of its partitions.
        if remaining is not None and (name not in found or remaining < found[name].remaining):
            whole = policies.get(name) if limit is None else limit
            found[name] = Quota(name[:MAX_NAME_LENGTH], whole, remaining, reset_s)
    return found


def _first(value: str) -> int | None:
    """Return the number that a list of items begins with, without its parameters."""
    return count(value.partition(",")[0].partition(";")[0])

"""A profile's policy for rate-limited answers."""

from __future__ import annotations

from dataclasses import dataclass

from agenttop.profile.model import Profile
from agenttop.profile.pattern import Pattern, compile_pattern


@dataclass(frozen=True, slots=True)
class RefusalPolicy:
    """A profile's policy for rate-limited answers, if it does more than count them."""

    on_429: str
    """``count``, ``honor`` or ``retry``."""
    max_retries: int
    judged: bool
    """There is a ``[rate_limit]``: refusals conform to it or not."""
    body_matches: Pattern | None
    retry_after: bool


def policy_of(profile: Profile, on_429: str | None = None) -> RefusalPolicy | None:
    """Return the policy of a profile, with another ``on_429`` if one is given; None if refusals are just counted."""
    rules = profile.rate_limit
    on_429 = on_429 or profile.on_429
    if rules is None:
        if on_429 == "count":
            return None
        return RefusalPolicy(on_429, profile.max_retries, False, None, False)
    body = None if rules.body_matches is None else compile_pattern(rules.body_matches)
    return RefusalPolicy(on_429, profile.max_retries, True, body, rules.retry_after)

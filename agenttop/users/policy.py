"""A profile's policy for rate-limited answers."""

from __future__ import annotations

from dataclasses import dataclass

from agenttop.expressions.pattern import Pattern, compile_pattern
from agenttop.profile.model import Pool, Profile
from agenttop.users.layout import steps_of


@dataclass(frozen=True, slots=True)
class RefusalPolicy:
    """A profile's policy for the rate-limited answers of a pool, if it does more than count them."""

    on_429: str
    """``count``, ``honor`` or ``retry``."""
    max_retries: int
    judged: bool
    """There is a ``[rate_limit]``: refusals conform to it or not."""
    body_matches: Pattern | None
    retry_after: bool
    forced: bool = False
    """It holds for requests with a policy of their own, too."""

    def of(self, own: str | None) -> str:
        """What is done about refusals of a request, whose ``own`` policy that is, if it has one."""
        return self.on_429 if own is None or self.forced else own


def policy_of(profile: Profile, on_429: str | None = None, pool: Pool | None = None) -> RefusalPolicy | None:
    """Return the policy of a pool; None if refusals are just counted.

    Args:
        profile: the pool's.
        on_429: another policy, for all of its requests; None where the profile's is in force.
        pool: what it says itself goes before the profile's; None where no pool says anything.
    """
    rules = profile.rate_limit
    own = pool is not None and any(step.on_429 is not None for step in steps_of(pool))
    forced = own and on_429 is not None
    on_429 = on_429 or (pool.on_429 if pool is not None else None) or profile.on_429
    retries = profile.max_retries if pool is None or pool.max_retries is None else pool.max_retries
    if rules is None:
        if on_429 == "count" and (forced or not own):
            return None
        return RefusalPolicy(on_429, retries, False, None, False, forced)
    body = None if rules.body_matches is None else compile_pattern(rules.body_matches)
    return RefusalPolicy(on_429, retries, True, body, rules.retry_after, forced)

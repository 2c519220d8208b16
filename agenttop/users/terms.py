"""Converts the ``[budget]`` of a profile: caps, prices, and how requests are counted."""

from __future__ import annotations

from agenttop.budget.amount import PICO_PER_USD
from agenttop.budget.terms import Terms
from agenttop.metrics.layout import Caps, Price
from agenttop.profile.model import Profile

#: Tokens that a price is for.
_PRICED = 1_000_000


def terms_of(profile: Profile) -> Terms | None:
    """Return how requests are counted against a profile's budget; None if it caps nothing."""
    budget, price = profile.budget, price_of(profile)
    if budget is None or caps_of(profile) is None:
        return None
    costs = (0.0, 0.0, 0.0) if price is None else (price.input, price.output, price.cached)
    read, written, cached = (round(usd * PICO_PER_USD / _PRICED) for usd in costs)
    return Terms(
        requests=budget.requests,
        tokens=budget.tokens,
        cost=None if budget.cost_usd is None else round(budget.cost_usd * PICO_PER_USD),
        max_output=budget.max_output_tokens or 0,
        max_input=budget.max_input_tokens,
        input_price=read,
        output_price=written,
        cached_price=cached,
    )


def caps_of(profile: Profile) -> Caps | None:
    """Return the caps of a profile's budget; None if it has none."""
    budget = profile.budget
    if budget is None or (budget.requests, budget.tokens, budget.cost_usd) == (None, None, None):
        return None
    return Caps(budget.requests, budget.tokens, budget.cost_usd)


def price_of(profile: Profile) -> Price | None:
    """Return the prices of a profile; None if it has none."""
    price = profile.budget.price if profile.budget is not None else None
    if price is None:
        return None
    return Price(price.input, price.output, price.input if price.cached is None else price.cached)

"""Checks ``[budget]`` in itself, and against the rest of a profile."""

from __future__ import annotations

from collections.abc import Iterator

from agenttop.profile.model import Profile
from agenttop.profile.normalise import Table
from agenttop.profile.problems import Fault, Loc
from agenttop.profile.tables import steps_of, tables

_CAPS = ("requests", "tokens", "cost_usd")


def check_budget(data: Table) -> Iterator[Fault]:
    """Yield the faults of the budget of a normalised profile."""
    budget = data.get("budget")
    if isinstance(budget, dict):
        yield from _budget(budget)
    by_tokens = isinstance(budget, dict) and bool({"tokens", "cost_usd"} & set(budget))
    if not by_tokens:
        pools = enumerate(tables(data.get("pools")))
        steps = (found for index, pool in pools for found in steps_of(pool, ("pools", index)))
        place = next((loc for loc, step in steps if "max_output_tokens" in step), None)
        if place is not None:  # said once
            yield Fault((*place, "max_output_tokens"), "belongs to a [budget] of tokens or cost_usd, and there is none")


def _budget(budget: Table) -> Iterator[Fault]:
    loc: Loc = ("budget",)
    if not set(_CAPS) & set(budget) and "price" not in budget:
        yield Fault(loc, f"caps nothing; write one or more of {', '.join(_CAPS)}, such as requests = 10_000")
    if "cost_usd" in budget and "price" not in budget:
        text = "needs a price: price = { input = 0.15, output = 0.60 }, in USD per million tokens"
        yield Fault((*loc, "cost_usd"), text)
    by_tokens = [key for key in ("tokens", "cost_usd") if key in budget]
    if by_tokens and "max_output_tokens" not in budget:
        text = "needs max_output_tokens, the worst case of one request in flight: what its own max_tokens allows"
        yield Fault((*loc, by_tokens[0]), text)
    if not by_tokens:
        for key in ("max_output_tokens", "max_input_tokens"):
            if key in budget:
                yield Fault((*loc, key), "has a meaning only with tokens or cost_usd")


def budget_warnings(profile: Profile) -> Iterator[str]:
    """Yield warnings about users that have more in flight, at worst, than the budget allows in all."""
    budget = profile.budget
    if budget is None:
        return
    closed = [profile.stages, *(pool.stages for pool in profile.pools)]
    most_users = sum(max((stage.users or 0 for stage in stages), default=0) for stages in closed)
    if budget.requests is not None and most_users > budget.requests:
        yield f"the budget's {budget.requests} requests are less than one for each of {most_users} users"
    each = (budget.max_output_tokens or 0) + (budget.max_input_tokens or 0)
    if budget.tokens is not None and each * most_users > budget.tokens:
        yield (
            f"{most_users} users may have {each * most_users} tokens in flight at worst, and the budget is "
            f"{budget.tokens}: the run will end early; lower max_output_tokens, or have fewer users"
        )

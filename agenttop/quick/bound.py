"""The bound of what is sent, and the search that keeps it: which levels, how long each, how often a user asks."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any

from agenttop.quick.finding import MOST, Found
from agenttop.quick.look import OneUser
from agenttop.report.figures import count, duration
from agenttop.schedule.quantities import format_duration

#: The most users that are tried.
MOST_USERS = 32
#: Looks with one user, the one that found the dialect among them.
LOOKS = 3
#: Served well is an answer within so many times what one user waits, and no less than so much more.
TIMES, MORE_S = 3.0, 0.25
#: The share of the answers of a level that must be.
GOOD = 0.9
_SETTLE_S, _MEASURE_S, _MAX_MEASURE_S = 1.0, 2.0, 4.0
MAX_PACING_S = 1.0
#: Of a request that nothing is known of beforehand: what it may make the target write, in tokens.
_UNKNOWN_OUTPUT = 1024
#: Of what a look told, so many times that is the worst case of a request.
_WORST = 2


@dataclass(frozen=True, slots=True)
class Bound:
    """What is sent at most, all questions included."""

    users: int = MOST_USERS
    requests: int = 1000
    tokens: int = 200_000
    seconds: float = 60.0

    @property
    def words(self) -> str:
        """Return it in words."""
        users = f"{self.users} user{'' if self.users == 1 else 's'}"
        text = f"at most {count(self.requests)} requests, {count(self.tokens)} tokens and {users} at a time"
        return f"{text}, about {duration(self.seconds)}"

    def less(self, requests: int, tokens: int) -> Bound:
        """Return what is left of it."""
        return replace(self, requests=max(0, self.requests - requests), tokens=max(0, self.tokens - tokens))


#: What is asked before the search, and what must be left for it.
LEAST_REQUESTS = MOST + LOOKS + 8


@dataclass(frozen=True, slots=True)
class Plan:
    """The search within what is left of a bound."""

    objective_s: float
    pacing_s: float
    """A user begins a request no more often; 0: as soon as it has an answer."""
    worst_input: int
    worst_output: int
    """The worst case of one request, in tokens."""
    left: Bound

    @property
    def possible(self) -> bool:
        """Return whether what is left suffices for a look at one user."""
        return self.left.requests >= LOOKS and self.left.tokens >= self.worst_input + self.worst_output


def plan(found: Found, one: OneUser, left: Bound) -> Plan:
    """Return the plan; ``left`` is what the questions have left of the bound."""
    body = (found.ask.body or "").encode()
    # What an answer tells is what it used; until then a request counts as much as the largest that was seen, twice.
    read = len(body) if one.input_tokens is None else _WORST * one.input_tokens
    written = asked_tokens(found.ask.body)
    if one.output_tokens is not None:
        written = max(written or 0, _WORST * one.output_tokens)
    # No answer has more tokens than bytes.
    written = written or min(_UNKNOWN_OUTPUT, _WORST * max(1, one.body_bytes))
    each = one.tokens if one.tokens is not None else read + written
    # Users by the seconds that the levels take, one after the other: 1, 2, 4 … and two between the last ones.
    level_s = _SETTLE_S + _MAX_MEASURE_S + one.seconds
    user_seconds = 3.5 * left.users * level_s
    requests = max(1.0, 0.9 * min(left.requests, left.tokens / max(1, each)))
    # Every user asks a few times at a level, whatever the bound: one that is too small for that is used up.
    pacing_s = min(math.ceil(user_seconds / requests * 10) / 10, MAX_PACING_S)
    objective_s = math.ceil(max(TIMES * one.seconds, one.seconds + MORE_S) * 1000) / 1000
    return Plan(objective_s, pacing_s if pacing_s > one.seconds else 0.0, max(1, read), written, left)


def asked_tokens(body: str | None) -> int | None:
    """Return how many tokens a body asks for at most; None where it does not say."""
    try:
        value = json.loads(body or "")
    except (ValueError, RecursionError):
        return None
    names = ("max_tokens", "max_completion_tokens", "max_output_tokens")
    told = [value.get(name) for name in names] if isinstance(value, dict) else []
    return next((n for n in told if isinstance(n, int) and not isinstance(n, bool) and n > 0), None)


def searched(table: dict[str, Any], made: Plan) -> dict[str, Any]:
    """Return the profile of one request (``users`` and ``duration``, one pool) as a search within the plan."""
    rest = {key: value for key, value in table.items() if key not in ("users", "duration", "pools")}
    pools = [dict(pool) for pool in table["pools"]]
    for pool in pools:
        pool["name"] = "quick"
        if made.pacing_s:
            pool["pacing"] = format_duration(made.pacing_s)
    search = {
        "from": 1,
        "to": made.left.users,
        "settle": format_duration(_SETTLE_S),
        "measure": format_duration(_MEASURE_S),
        "max_measure": format_duration(_MAX_MEASURE_S),
        "good": GOOD,
        "confidence": 0.9,
        "resolution": "25%",
    }
    budget = {
        "requests": made.left.requests,
        "tokens": made.left.tokens,
        "max_input_tokens": made.worst_input,
        "max_output_tokens": made.worst_output,
    }
    return {
        **rest,
        "graceful_stop": "5s",
        "budget": budget,
        "objectives": {"latency": format_duration(made.objective_s)},
        "search": search,
        "pools": pools,
    }

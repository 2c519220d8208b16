"""The keys of a profile, by the kind of table they stand in."""

from __future__ import annotations

from agenttop.profile.model import (
    Budget,
    CircuitBreaker,
    Data,
    Fleet,
    Gate,
    Judge,
    Measure,
    Model,
    Objectives,
    Pool,
    Price,
    Profile,
    Proxy,
    Quality,
    RateLimit,
    Search,
    Stage,
    Step,
    Task,
    Threshold,
    Tls,
)

#: What sends a request; the key's value is its path.
VERBS = ("get", "post", "put", "patch", "delete")
#: What a step of a WebSocket pool does.
SOCKET_ACTIONS = ("connect", "send", "close")
#: What a step of an http or sse pool cannot have, and the other way round.
SOCKET_KEYS = (*SOCKET_ACTIONS, "expect", "wait")
REQUEST_KEYS = (*VERBS, "json", "body", "form", "protocol", "stream")


def _fields(model: type[Model]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items())


STEP_KEYS = (_fields(Step) - {"method", "path"}) | set(VERBS)
TASK_KEYS = _fields(Task)
#: Known keys of each kind of table, for the nearest one to a mistyped key.
KNOWN: dict[str, frozenset[str]] = {
    "profile": _fields(Profile),
    "stages": _fields(Stage),
    "thresholds": _fields(Threshold),
    "objectives": _fields(Objectives),
    "rate_limit": _fields(RateLimit),
    "budget": _fields(Budget),
    "price": _fields(Price),
    "circuit_breaker": _fields(CircuitBreaker),
    "search": _fields(Search),
    "quality": _fields(Quality),
    "judge": _fields(Judge),
    "gate": _fields(Gate),
    "fleet": _fields(Fleet),
    "tls": _fields(Tls),
    "proxy": _fields(Proxy),
    "measure": _fields(Measure),
    "pools": _fields(Pool),
    "tasks": TASK_KEYS | STEP_KEYS,
    "step": STEP_KEYS,
    "data": _fields(Data),
}


def kind_of(loc: tuple[str | int, ...]) -> str:
    """Return the kind of the table at a place, a key of :data:`KNOWN`."""
    names = [part for part in loc if isinstance(part, str)]
    last = names[-1] if names else "profile"
    if last in ("setup", "steps", "teardown"):
        return "step"
    return last if last in KNOWN else "profile"

"""Requests and tokens per minute of each API key, and how a limited answer tells of them."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from agenttop.agent.config import AgentConfig

MAX_KEYS = 10_000  # keys remembered; a load test that invents keys must not eat the memory


class TokenBucket:
    """A bucket of `per_minute × burst_s / 60` units, at least one, refilled at `per_minute`. 0 per minute: no limit."""

    __slots__ = ("_at", "_level", "capacity", "per_minute", "rate")

    def __init__(self, per_minute: int, burst_s: float, now: float) -> None:
        self.per_minute = per_minute
        self.rate = per_minute / 60.0
        self.capacity = max(1.0, self.rate * burst_s)
        self._level = self.capacity
        self._at = now

    def level(self, now: float) -> float:
        """Return the units there are at `now` (seconds); negative while a debt is paid off."""
        self._level = min(self.capacity, self._level + (now - self._at) * self.rate)
        self._at = now
        return self._level

    def wait(self, units: float, now: float) -> float:
        """Return the seconds until `units` are there, 0 when they are. More than ever fit counts as a full bucket."""
        if not self.per_minute:
            return 0.0
        missing = min(units, self.capacity) - self.level(now)
        # A rounding error must not turn a unit that is there into one that is almost there.
        return missing / self.rate if missing > 1e-9 else 0.0

    def take(self, units: float) -> None:
        """Take `units`, into debt if need be."""
        if self.per_minute:
            self._level -= units

    def remaining(self, now: float) -> int:
        """Return the whole units left, at least 0."""
        return max(0, math.floor(self.level(now) + 1e-9))

    def reset_s(self, now: float) -> float:
        """Return the seconds until the bucket is full."""
        return max(0.0, (self.capacity - self.level(now)) / self.rate)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was refused: `kind` is requests or tokens, `wait_s` how long to wait."""

    kind: str
    per_minute: int
    wait_s: float

    @property
    def retry_after_s(self) -> int:
        """Return the whole seconds to wait, at least 1, as `Retry-After` wants them."""
        return max(1, math.ceil(self.wait_s))

    @property
    def message(self) -> str:
        """Return the message for a person."""
        return (
            f"Rate limit reached for {self.kind}: limit {self.per_minute} per minute. "
            f"Please retry after {self.retry_after_s}s."
        )


class KeyLimit:
    """The two limits of one API key."""

    __slots__ = ("_clock", "_requests", "_tokens")

    def __init__(self, config: AgentConfig, clock: Callable[[], float]) -> None:
        self._clock = clock
        now = clock()
        self._requests = TokenBucket(config.requests_per_minute, config.burst, now)
        self._tokens = TokenBucket(config.tokens_per_minute, config.burst, now)

    def check(self, tokens: int = 1) -> Refusal | None:
        """Return the refusal of a request of `tokens` input tokens, if it would be refused now; take nothing."""
        now = self._clock()
        wait_requests, wait_tokens = self._requests.wait(1, now), self._tokens.wait(tokens, now)
        if wait_requests <= 0 and wait_tokens <= 0:
            return None
        if wait_requests >= wait_tokens:
            return Refusal("requests", self._requests.per_minute, wait_requests)
        return Refusal("tokens", self._tokens.per_minute, wait_tokens)

    def admit(self, tokens: int) -> Refusal | None:
        """Take one request and its input tokens, or refuse and take nothing."""
        refusal = self.check(tokens)
        if refusal is None:
            self._requests.take(1)
            self._tokens.take(tokens)
        return refusal

    def spend(self, tokens: int) -> None:
        """Take the output tokens of an answer, known only afterwards: this can leave a debt."""
        self._tokens.take(tokens)

    def quotas(self) -> list[tuple[str, int, int, float]]:
        """Return (kind, limit a minute, remaining, seconds until full) of each limit that is on."""
        now = self._clock()
        named = (("requests", self._requests), ("tokens", self._tokens))
        return [(kind, b.per_minute, b.remaining(now), b.reset_s(now)) for kind, b in named if b.per_minute]

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the `x-ratelimit-*` headers of the limits that are on."""
        found: list[tuple[bytes, bytes]] = []
        for kind, limit, remaining, reset_s in self.quotas():
            found.append((f"x-ratelimit-limit-{kind}".encode(), str(limit).encode()))
            found.append((f"x-ratelimit-remaining-{kind}".encode(), str(remaining).encode()))
            found.append((f"x-ratelimit-reset-{kind}".encode(), go_duration(reset_s).encode()))
        return found


class Limits:
    """The limits of every key seen lately; the least recently used is forgotten past MAX_KEYS."""

    def __init__(self, config: AgentConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._keys: OrderedDict[bytes, KeyLimit] = OrderedDict()

    def of(self, key: bytes) -> KeyLimit:
        """Return the limits of `key`; clients that send none share the empty key."""
        limit = self._keys.get(key)
        if limit is None:
            limit = self._keys[key] = KeyLimit(self._config, self._clock)
            if len(self._keys) > MAX_KEYS:
                self._keys.popitem(last=False)
        else:
            self._keys.move_to_end(key)
        return limit


def go_duration(seconds: float) -> str:
    """Return seconds as Go prints a duration, to the millisecond: `0s`, `120ms`, `1.5s`, `6m0s`, `1h0m0s`."""
    ms = round(max(0.0, seconds) * 1000)
    if ms == 0:
        return "0s"
    if ms < 1000:
        return f"{ms}ms"
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def refusal_body(refusal: Refusal) -> dict[str, object]:
    """Return the body of a 429: an error object as providers send it, and the message at the top for those who look
    there.
    """
    error = {"message": refusal.message, "type": "rate_limit_error", "param": None, "code": "rate_limit_exceeded"}
    return {"error": error, "message": refusal.message}


def refusal_headers(refusal: Refusal) -> list[tuple[bytes, bytes]]:
    """Return the headers that say how long to wait, in whole seconds and in milliseconds."""
    return [
        (b"retry-after", str(refusal.retry_after_s).encode()),
        (b"retry-after-ms", str(math.ceil(refusal.wait_s * 1000)).encode()),
    ]

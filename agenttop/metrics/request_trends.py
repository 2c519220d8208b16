"""The past of every request in bounded memory: its newest seconds one by one, and the whole run in few parts.

The parts double in length when there are too many, and a request keeps the fewer the more requests there are, so that
a run of a week with a thousand requests takes some megabytes. What is kept is a pure function of the seconds of the
run: a viewer that was there from the begin, one that comes late and a replay all have the same.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from operator import add

import msgspec

#: Seconds kept one by one: those of the trends of five minutes, and the live window before them.
RECENT_S = 320
#: Parts of the whole run.
PARTS = 512
#: Seconds, and parts, of all requests together; but a request has never fewer than so many.
CELLS, FEWEST = 12_000, 75
#: Seconds that are so much too long end where they should.
NEAR_S = 0.01

#: Name of the pool, and of the request.
Key = tuple[str, str]


class RequestTick(msgspec.Struct, frozen=True, array_like=True):
    """Some seconds of one request that end at ``t_s``. Percentiles are of the live window that ends with them
    (:data:`agenttop.metrics.live.WINDOW_S`), counts by bucket (:mod:`agenttop.metrics.heat`) of the seconds themselves;
    both are of ok requests.
    """

    t_s: float
    seconds: float
    requests: int = 0
    failed: int = 0
    rate_limited: int = 0
    """Among the failed."""
    output_tokens: int = 0
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    latency_p99_ms: float | None = None
    ttft_p50_ms: float | None = None
    ttft_p95_ms: float | None = None
    ttft_p99_ms: float | None = None
    inter_chunk_p95_ms: float | None = None
    latency_counts: tuple[int, ...] = ()
    ttft_counts: tuple[int, ...] = ()
    inter_chunk_counts: tuple[int, ...] = ()


class RequestPast(msgspec.Struct, frozen=True):
    """What is known of one request, for a viewer that comes late; the newest last."""

    pool: str
    name: str
    recent: tuple[RequestTick, ...] = ()
    each_s: int = 1
    """Seconds of a part."""
    whole: tuple[RequestTick, ...] = ()


class Pasts(msgspec.Struct, frozen=True):
    """The past of all requests, and how much of it is kept of each: so many seconds, and so many parts."""

    recent_s: int = RECENT_S
    parts: int = PARTS
    requests: tuple[RequestPast, ...] = ()


_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(RequestTick)


def unpack(packed: bytes) -> RequestTick:
    """Return a tick as it was kept: a tenth of what it takes as an object."""
    return _UNPACK.decode(packed)


class Past:
    """The past of one request, packed."""

    __slots__ = ("each_s", "parts", "recent", "whole")

    def __init__(self, recent_s: int, parts: int) -> None:
        self.parts = parts
        self.recent: deque[bytes] = deque(maxlen=recent_s)
        self.each_s = 1
        self.whole: list[bytes] = []

    def add(self, tick: RequestTick) -> None:
        """Append the newest second."""
        self.recent.append(_PACK.encode(tick))
        self.whole[-1:] = self._joined([*_unpacked(self.whole[-1:]), tick])
        if len(self.whole) > self.parts:
            self.each_s *= 2
            self.whole = self._joined(_unpacked(self.whole))

    def _joined(self, ticks: Iterable[RequestTick]) -> list[bytes]:
        """Return ticks as parts of their length, packed."""
        parts: list[RequestTick] = []
        for tick in ticks:
            if parts and self._part(parts[-1].t_s) == self._part(tick.t_s):
                parts[-1] = together(parts[-1], tick)
            else:
                parts.append(tick)
        return [_PACK.encode(part) for part in parts]

    def _part(self, t_s: float) -> int:
        return math.ceil((t_s - NEAR_S) / self.each_s)

    def amend(self, late: RequestTick, start_s: float) -> None:
        """Count what ended in the second that begins at ``start_s`` and was told after it was closed. Percentiles stay
        as they were told.
        """
        for kept in (self.recent, self.whole):
            for index in range(len(kept) - 1, -1, -1):
                tick = unpack(kept[index])
                if tick.t_s - tick.seconds <= start_s + NEAR_S < tick.t_s:
                    kept[index] = _PACK.encode(together(late, tick))
                if tick.t_s <= start_s:
                    break

    @property
    def newest_s(self) -> float:
        """Return when the newest second ended."""
        return unpack(self.recent[-1]).t_s if self.recent else 0.0

    def copy(self) -> Past:
        """Return a copy as it is now."""
        other = Past(0, self.parts)
        other.recent, other.each_s, other.whole = self.recent.copy(), self.each_s, self.whole.copy()
        return other


class RequestTrends:
    """The past of the requests of a run; each begins with its first answer."""

    def __init__(self, pasts: Pasts) -> None:
        self.recent_s, self.parts = pasts.recent_s, pasts.parts
        self.of: dict[Key, Past] = {}
        for told in pasts.requests:
            past = self.of[told.pool, told.name] = Past(self.recent_s, self.parts)
            past.each_s = told.each_s
            past.recent.extend(_PACK.encode(tick) for tick in told.recent)
            past.whole += [_PACK.encode(tick) for tick in told.whole]

    @classmethod
    def of_run(cls, requests: int) -> RequestTrends:
        """Return those of a run of so many requests that begins."""
        each = max(FEWEST, CELLS // (2 * max(1, requests)))
        return cls(Pasts(min(RECENT_S, each), min(PARTS, each)))

    def add(self, ticks: Mapping[Key, RequestTick]) -> None:
        """Append one second; ``ticks`` are those of its requests. One that has not begun is left out."""
        for key, tick in ticks.items():
            past = self.of.get(key)
            if past is None:
                if not tick.requests:
                    continue
                past = self.of[key] = Past(self.recent_s, self.parts)
            past.add(tick)

    def amend(self, start_s: float, ticks: Mapping[Key, RequestTick]) -> None:
        """Count what ended in a second that was closed before (:meth:`Past.amend`)."""
        for key, tick in ticks.items():
            if key in self.of:
                self.of[key].amend(tick, start_s)

    def told(self) -> Pasts:
        """Return all of it, for a viewer that comes late."""
        return Pasts(
            self.recent_s,
            self.parts,
            tuple(
                RequestPast(*key, _unpacked(past.recent), past.each_s, _unpacked(past.whole))
                for key, past in self.of.items()
            ),
        )

    def copy(self) -> RequestTrends:
        """Return a copy as it is now."""
        other = RequestTrends(Pasts(self.recent_s, self.parts))
        other.of = {key: past.copy() for key, past in self.of.items()}
        return other


def together(first: RequestTick, second: RequestTick) -> RequestTick:
    """Return two ticks as one: sums, and the time and the percentiles of the second."""
    return msgspec.structs.replace(
        second,
        seconds=first.seconds + second.seconds,
        requests=first.requests + second.requests,
        failed=first.failed + second.failed,
        rate_limited=first.rate_limited + second.rate_limited,
        output_tokens=first.output_tokens + second.output_tokens,
        latency_counts=added(first.latency_counts, second.latency_counts),
        ttft_counts=added(first.ttft_counts, second.ttft_counts),
        inter_chunk_counts=added(first.inter_chunk_counts, second.inter_chunk_counts),
    )


def added(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """Return counts by bucket (:mod:`agenttop.metrics.heat`) of two times together."""
    both = min(len(first), len(second))
    return (*map(add, first, second), *first[both:], *second[both:])


def _unpacked(kept: Iterable[bytes]) -> tuple[RequestTick, ...]:
    return tuple(unpack(packed) for packed in kept)

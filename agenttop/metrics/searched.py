"""A search for capacity as viewers and the summary see it. Times are seconds since the run began, shares 0 to 1."""

from __future__ import annotations

import msgspec


class SearchStep(msgspec.Struct, frozen=True):
    """One level (users, or iterations per second) that was or is being tried. ``requests`` are those that count."""

    level: float
    start_s: float
    end_s: float
    measured_s: float
    requests: int
    good: int
    share: float
    low: float
    """Lower end of the Wilson interval of ``share``, at the confidence that a verdict needs; ``high`` is the upper."""
    high: float
    verdict: str
    """``pass``, ``fail`` or ``undecided``; ``cut`` if it was never judged; empty while it is tried."""
    holds: bool
    """The level counts as one that holds."""
    confidence: float
    """The confidence with which that is known."""
    latency_p95_ms: float | None = None
    ttft_p95_ms: float | None = None
    rps: float = 0.0
    rate_limited: int = 0
    missed: dict[str, int] = {}
    """Why requests were not good: objectives, outcomes, ``dropped`` and ``unanswered``, the most frequent first."""
    why: str = ""
    """What ended it before its time: ``circuit_breaker``, ``generator``, ``users`` (they never came), ``no_requests``
    or the end of the run."""


class SearchState(msgspec.Struct, frozen=True):
    """State of a search."""

    unit: str
    """``users`` or ``rate``."""
    pool: str | None
    """The pool searched; None for the users of all pools that share them."""
    good: float
    """Share of requests that must be good."""
    confidence: float
    capacity: float | None = None
    """The highest level that holds."""
    lower: float | None = None
    """The highest level that is known, with confidence, to hold."""
    upper: float | None = None
    """The lowest level that is known, with confidence, not to hold."""
    stopped: str = ""
    """Why it ended; empty while it goes on: ``found``, ``at_max`` (the highest level holds), ``below_min`` (the lowest
    does not), ``generator`` (it cannot drive more), ``users`` (a level's users never came), ``no_requests``,
    ``stopped_by_user``, ``time`` (the run's length was capped), ``aborted`` (the controller was lost), or the run's
    stop_reason."""
    limited_by: str | None = None
    """Why most requests were not good at the lowest level that does not hold: a key of ``missed``."""
    steps: tuple[SearchStep, ...] = ()
    """Steps that are over."""
    now: SearchStep | None = None
    """The step that is being tried."""
    phase: str = ""
    """Phase of that step: ``clearing``, ``arriving``, ``settling``, ``measuring`` or ``finishing``."""
    phase_s: float = 0.0
    """How long that phase may take, in seconds; 0 if unknown."""
    phase_of_s: float = 0.0

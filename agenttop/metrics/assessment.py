"""The verdict on the target as viewers and the summary see it. Times are seconds since the run began."""

from __future__ import annotations

import msgspec

KEEPS_UP = "keeps_up"
SLOWS = "slows"
QUEUES = "queues"
REFUSES = "refuses"
FAILS = "fails"
HANGS = "hangs"
RECOVERS = "recovers"
UNKNOWN = "unknown"
#: How the event of a change begins.
EVENT = "verdict: "
#: States of a target that does not do well, the worst first.
BAD = (HANGS, FAILS, REFUSES, QUEUES, SLOWS)


def word_of(state: str) -> str:
    """Return a state as it is shown: ``KEEPS UP``."""
    return state.replace("_", " ").upper()


class Evidence(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """One thing that changed: ``what`` it is, with its unit in the name, before and now; None where there is none."""

    what: str
    from_: float | None
    to: float | None


class VerdictCause(msgspec.Struct, frozen=True):
    """What lies behind a state. ``kind`` is ``model``, ``queue``, ``tools``, ``phase``, ``quota`` or ``outcome``."""

    kind: str
    words: str
    share: float
    """The part of what was lost that is due to it, 0 to 1."""


class Estimate(msgspec.Struct, frozen=True):
    """A figure and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


class Scaling(msgspec.Struct, frozen=True):
    """What the Universal Scalability Law says of the levels of load."""

    contention: Estimate
    """σ: the part of the work that has to wait for other work."""
    coherency: Estimate
    """κ: the work that every pair of users makes for each other."""
    falls: bool
    """Throughput was seen to fall beyond the knee."""
    peak: float | None = None
    """Load at which the law has its highest throughput; None if it has none."""


class Knee(msgspec.Struct, frozen=True):
    """The load beyond which throughput does not grow. ``unit`` is ``users``, or ``rate`` in iterations per second."""

    unit: str
    load: Estimate
    per_s: Estimate
    """Highest rate of ok answers."""
    served: Estimate
    """Requests that are served at a time: the highest rate times the response time at light load."""
    response_s: Estimate
    """Response time at light load."""
    think_s: Estimate
    """Time between an answer and the next request of the same user; 0 of arrivals."""
    most: float
    """The highest load that was measured."""
    refused: float = 0.0
    """Part of the requests that was refused (429) there, 0 to 1."""
    scaling: Scaling | None = None
    """None where there were too few levels."""


class Assessment(msgspec.Struct, frozen=True):
    """The verdict: one of the states above, since when, at what load, and why."""

    state: str
    since_s: float
    load: float
    """Users there were when it began, or iterations per second of a run of open pools only."""
    unit: str
    words: str
    """One sentence without the state."""
    evidence: tuple[Evidence, ...] = ()
    causes: tuple[VerdictCause, ...] = ()
    knee: Knee | None = None
    holds: float | None = None
    """Highest load at which it was seen to keep up."""

    @property
    def word(self) -> str:
        """Return the state as it is shown: ``KEEPS UP``."""
        return word_of(self.state)

    @property
    def event(self) -> str:
        """Return it as an event of the run."""
        return f"{EVENT}{self.word} · {self.words}"

    @property
    def bad(self) -> bool:
        """Return whether the target does not do well."""
        return self.state in BAD

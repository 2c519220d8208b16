"""The reader of an answer: what its bytes mean.

A dialect is pure: it is fed whole events (SSE data, WebSocket message, or one JSON body) and says what each one is. It
knows no socket and no clock; whoever feeds it takes the times.
"""

from __future__ import annotations

from agenttop.dialects.quota import Quota

# What an event is, as a bit set: an event may be output and the end at once.
OUTPUT = 1
"""Non-empty output: text, reasoning, tool-call arguments, audio."""
REASONING = 2
"""The output (set together with OUTPUT) is reasoning only."""
DONE = 4
"""The terminal event: the answer ends here."""
ERROR = 8
"""The target says that it failed."""
RATE_LIMITED = 16
"""The target says that it is limited (set together with ERROR)."""
STEP = 32
"""A step of the target's work begins or ends: see ``Reader.step``. The caller takes the time."""
QUOTA = 64
"""The event tells what remains of the target's limits: see ``Reader.quotas``."""


class Reader:
    """Reads one answer. Counters are cumulative over the answer; ``None`` means the server did not tell."""

    __slots__ = (
        "cached_tokens",
        "chunks",
        "error",
        "forgot",
        "input_tokens",
        "llm_calls",
        "matched",
        "output_tokens",
        "phases",
        "reasoning_tokens",
        "retry_after_s",
        "spoke",
        "step",
        "tool_calls",
    )

    def __init__(self) -> None:
        self.chunks = 0
        """Output chunks seen: an estimate of output tokens if the server tells none."""
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.cached_tokens: int | None = None
        self.reasoning_tokens: int | None = None
        self.llm_calls: int | None = None
        self.tool_calls: int | None = None
        self.error: str | None = None
        """The target's own words on its failure."""
        self.phases: dict[str, float] | None = None
        """Durations in seconds by phase, as the answer itself reports them."""
        self.retry_after_s: float | None = None
        self.forgot = False
        """The failure says by its code that the target does not know the session any more."""
        self.matched = 0
        """Bits of the ``[measure]`` paths that have matched (``json_.keys_of``)."""
        self.spoke: bool | None = None
        """Whether a whole body has output in it; None if it is no answer of this dialect, or a stream."""
        self.step: tuple[str, bool] | None = None
        """Of the last event that was STEP: the step's name, and whether it begins."""

    @property
    def quotas(self) -> list[Quota]:
        """Return what the last event that was QUOTA tells."""
        return []

    def event(self, data: bytes, event: bytes = b"") -> int:
        """Read one streamed event (SSE ``data`` and ``event``, or one WebSocket message) and return its flags.

        Malformed data never raises: it is ERROR with ``error`` set.
        """
        raise NotImplementedError

    def body(self, data: bytes) -> int:
        """Read a whole JSON answer that was not streamed; return DONE, with ERROR or RATE_LIMITED if the body
        says so.
        """
        raise NotImplementedError

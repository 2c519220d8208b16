"""One answer to a case, as a worker hands it over to be graded."""

from __future__ import annotations

from typing import Any

import msgspec

#: Characters of an answer's text that are kept; graders are told that it was cut.
MAX_TEXT = 256 * 1024


class ToolCall(msgspec.Struct, frozen=True):
    """A tool that the agent called."""

    name: str
    arguments: Any = None
    """Decoded JSON; its text where it is none."""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer of one graded request: what graders see, and where in the run it belongs.

    Times are milliseconds since the request was sent.
    """

    case: str
    """The case's id."""
    level: str = ""
    """The level of load at which its case was begun: a stage's name, ``NAME 2/4`` for a quarter of a ramp, or
    ``manual``.
    """
    users: int = 0
    """Users at that level; 0 if unknown (a recorded answer)."""
    step: int = 0
    """Which graded step of a conversation it answers, from 0."""
    last: bool = True
    """No graded step follows: the case's own graders judge it."""
    at_s: float = 0.0
    """When it ended, in seconds since the run began."""
    text: str = ""
    tools: tuple[ToolCall, ...] = ()
    finish: str | None = None
    """The finish reason, as the dialect names it."""
    outcome: str = "ok"
    """A name of :class:`agenttop.metrics.outcome.Outcome`."""
    error: str = ""
    """What went wrong, in words; secrets hidden."""
    cut: bool = False
    """We did not keep all of its text."""
    latency_ms: float | None = None
    ttft_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    pool: str = ""
    """The pool of its task …"""
    task: str = ""
    """… and the task, which may have graders at its steps."""

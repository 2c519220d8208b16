"""W3C Trace Context: a ``traceparent`` in every request, and the slowest requests by the ids of their traces."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agenttop.metrics.delta import SlowRequest
from agenttop.metrics.recorder import Leaf

if TYPE_CHECKING:
    from agenttop.users.compiled import CompiledStep
    from agenttop.users.user import VirtualUser

# https://www.w3.org/TR/trace-context/#traceparent-header
#
#     00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
#     version, trace id (16 bytes), id of the span that calls (8 bytes), flags: sampled
#
# The ids are the system's random bytes and not made from the seed: those of another worker or run must differ.

#: The variable that holds it; no profile can name it by chance.
TRACEPARENT = "agenttop_traceparent"
_HEADER = b"\r\ntraceparent: "
#: Where the trace id and the id of the span are in the value.
_TRACE, _SPAN = slice(3, 35), slice(36, 52)


def new_traceparent() -> str:
    """The value for a new request."""
    ids = os.urandom(24).hex()
    return f"00-{ids[:32]}-{ids[32:]}-01"


def next_span(value: str) -> str:
    """The value for the same request sent again: the same trace, another span."""
    return f"{value[: _SPAN.start]}{os.urandom(8).hex()}{value[_SPAN.stop :]}"


def sent_again(user: VirtualUser, step: CompiledStep, data: bytes) -> bytes:
    """The bytes of a request for another attempt: the same, but for the span where there is one."""
    if TRACEPARENT not in step.made:
        return data
    value = user.variables[TRACEPARENT] = next_span(user.variables[TRACEPARENT])
    at = data.index(_HEADER) + len(_HEADER)
    return data[:at] + value.encode() + data[at + len(value) :]


def note_slowest(user: VirtualUser, step: CompiledStep, leaf: Leaf, sent_ns: int, latency_ns: int) -> None:
    """Keep an ok request, where it is among the slowest; what is sent in the warm-up is not. A message on a WebSocket
    is of the trace of its upgrade; a request whose own code gave it another traceparent is of none that is known here.
    """
    pool, answer = user.pool, user.answer
    latency_ms = round(latency_ns / 1e6, 3)
    ttft_ms = None if answer.ttft_ns is None else round(answer.ttft_ns / 1e6, 3)
    slowest = pool.recorder.slowest
    value = user.variables.get(TRACEPARENT) if step.kind == "send" or TRACEPARENT in step.made else None
    if value is None or leaf.stage < 0 or not slowest.lets_in(latency_ms, ttft_ms):
        return
    t_s = (sent_ns - pool.epoch_ns) / 1e9
    slowest.add(SlowRequest(leaf.request, leaf.stage, t_s, latency_ms, ttft_ms, answer.status or None, value[_TRACE]))

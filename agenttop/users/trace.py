"""W3C Trace Context: a ``traceparent`` in every request, and the slowest requests by the ids of their traces."""

from __future__ import annotations

import os

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
    """Return the value for a new request."""
    ids = os.urandom(24).hex()
    return f"00-{ids[:32]}-{ids[32:]}-01"


def next_span(value: str) -> str:
    """Return the value for the same request sent again: the same trace, another span."""
    return f"{value[: _SPAN.start]}{os.urandom(8).hex()}{value[_SPAN.stop :]}"


def again(data: bytes, value: str) -> tuple[bytes, str]:
    """Return the bytes of a request for another attempt, and its value: the same trace, another span."""
    value = next_span(value)
    at = data.index(_HEADER) + len(_HEADER)
    return data[:at] + value.encode() + data[at + len(value) :], value


def trace_id(value: str) -> str:
    """Return the id of the trace."""
    return value[_TRACE]

"""Counts what the agent really served, exactly enough to check a load generator's own figures against."""

import time
from dataclasses import dataclass

from agenttop.agent.inquiry import SLIPS, WRONGLY


@dataclass(frozen=True, slots=True)
class Served:
    """What one answer that reached its end consumed, as told to its client."""

    input_tokens: int
    output_tokens: int
    llm_calls: int
    tool_calls: int
    waited: bool = False
    """It found all slots taken."""
    slip: str = ""
    """How it was worse than it should be; empty: not at all."""


class Stats:
    """Counts since the start or the last reset.

    Requests count under the status they sent, or `disconnected` when the client left first. A cut stream counts under
    its status and in `cut_streams`. Tokens and calls are those of answers that reached their end: what a client of a
    failed, cut or abandoned answer was never told is not in them. Neither is it in the answers that waited for a slot,
    were degraded (by how) or wrong.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.open_sockets = 0
        self._started = time.monotonic()
        self.reset()

    def reset(self) -> None:
        """Set every count to zero; what is in flight stays so and counts when it ends. The uptime goes on."""
        self.requests: dict[str, dict[str, int]] = {}
        self.responses: dict[str, int] = {}
        self.connections = 0
        self.refused = 0
        self.messages_in = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.llm_calls = 0
        self.tool_calls = 0
        self.sessions_created = 0
        self.sessions_auto_created = 0
        self.cut_streams = 0
        self.waited = 0
        self.slips = dict.fromkeys((*SLIPS, WRONGLY), 0)
        self.most_in_flight = self.in_flight

    def begin(self) -> None:
        """Count the start of a request, or of a response over a WebSocket."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def end_request(self, route: str, status: str, served: Served | None = None) -> None:
        """Count the end of an HTTP request of `route` (`METHOD template`)."""
        self.in_flight -= 1
        by_status = self.requests.setdefault(route, {})
        by_status[status] = by_status.get(status, 0) + 1
        self._add(served)

    def end_response(self, status: str, served: Served | None = None) -> None:
        """Count the end of a response over a WebSocket."""
        self.in_flight -= 1
        self.responses[status] = self.responses.get(status, 0) + 1
        self._add(served)

    def _add(self, served: Served | None) -> None:
        if served is not None:
            self.input_tokens += served.input_tokens
            self.output_tokens += served.output_tokens
            self.llm_calls += served.llm_calls
            self.tool_calls += served.tool_calls
            self.waited += served.waited
            if served.slip:
                self.slips[served.slip] += 1

    def as_dict(self) -> dict[str, object]:
        """Return the body of `GET /stats`."""
        return {
            "requests": self.requests,
            "websocket": {
                "connections": self.connections,
                "refused": self.refused,
                "open": self.open_sockets,
                "messages_in": self.messages_in,
                "responses": self.responses,
            },
            "tokens": {"input": self.input_tokens, "output": self.output_tokens},
            "sessions_created": self.sessions_created,
            "sessions_auto_created": self.sessions_auto_created,
            "llm_calls": self.llm_calls,
            "tool_calls": self.tool_calls,
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "cut_streams": self.cut_streams,
            "answers": {
                "waited": self.waited,
                "degraded": {slip: self.slips[slip] for slip in SLIPS},
                "wrong": self.slips[WRONGLY],
            },
            "uptime_s": round(time.monotonic() - self._started, 3),
        }

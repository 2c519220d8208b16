"""The answer to a request, as a user's code sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

#: What comes of a message to a WebSocket that is gone: it is not sent, and not counted.
NOT_SENT = "not_sent"


class RequestFailed(Exception):
    """The answer is not ok.

    It has been counted as what it is: if this ends a task, it is no exception of the user's own.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.outcome}: {answer.error}" if answer.error else answer.outcome)
        self.answer = answer


class SessionLost(Exception):
    """Raised by a task's code: the target no longer knows the user's session. It is counted (``sessions_lost``), and
    the user goes on with another session, a new object with its ``setup``, 0.25 s later. Raised in ``setup``, which
    failed then, it is not counted.
    """


class Headers(Mapping[str, str]):
    """Headers of an answer: names in any case, one that came several times joined with commas."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers
        """Names in lower case."""

    def __getitem__(self, name: str) -> str:
        return self._headers[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)

    def __repr__(self) -> str:
        return repr(dict(self._headers))


class Answer:
    """The answer to one request, or to one WebSocket message. Times are seconds, from the first byte sent.

    ``outcome`` is the one it is counted under: ``ok``, ``rate_limited``, ``client_error``, ``server_error``,
    ``timeout``, ``connect_error``, ``protocol_error``, ``stream_error``, ``truncated``, ``check_failed``,
    ``budget_refused``; or ``not_sent``, of a message that is not counted because its WebSocket was gone.
    """

    __slots__ = (
        "_headers",
        "_messages",
        "body",
        "error",
        "input_tokens",
        "latency",
        "outcome",
        "output_tokens",
        "status",
        "ttfb",
        "ttft",
    )

    def __init__(
        self,
        status: int,
        outcome: str,
        error: str,
        headers: Mapping[str, str],
        body: bytes,
        messages: Sequence[bytes] = (),
        latency: float | None = None,
        ttfb: float | None = None,
        ttft: float | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
    ) -> None:
        self.status = status
        """HTTP status; 0 without an answer, and for WebSocket messages."""
        self.outcome = outcome
        self.error = error
        """What went wrong, in words; empty if nothing did."""
        self._headers = headers
        self.body = body
        """The body as received, decompressed, at most 64 MiB; of a WebSocket the last message."""
        self._messages = messages
        self.latency = latency
        """Seconds to the end of the answer; None without a connection."""
        self.ttfb = ttfb
        """Seconds to its first byte."""
        self.ttft = ttft
        """Seconds to its first output; streams only."""
        self.input_tokens = input_tokens
        """Tokens as the target told them, else None; likewise ``output_tokens``."""
        self.output_tokens = output_tokens

    @property
    def ok(self) -> bool:
        """Return whether it is all that was asked for; a 200 that breaks off or holds an error is not."""
        return self.outcome == "ok"

    @property
    def headers(self) -> Headers:
        """Return the headers of the answer; names in any case."""
        return Headers(self._headers)

    @property
    def text(self) -> str:
        """Return the body as UTF-8; invalid bytes become U+FFFD."""
        return self.body.decode("utf-8", "replace")

    @property
    def events(self) -> list[str]:
        """Return the data of each event of an event stream, or each message of a WebSocket, of the first 64 MiB; else
        none.
        """
        messages = self._messages
        if self._headers.get("content-type", "").startswith("text/event-stream"):
            from agenttop.wire.sse import SseParser

            parser = SseParser()
            messages = [data for _, data in parser.feed(self.body)]
            parser.close()
        return [message.decode("utf-8", "replace") for message in messages]

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            ValueError: it is none.
        """
        from agenttop.dialects.encoding import utf8

        try:
            return msgspec.json.decode(utf8(self.body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ValueError(f"the answer is no JSON ({self._said()})") from None

    def raise_for_status(self) -> None:
        """Do nothing if the answer is ok.

        Raises:
            RequestFailed: it is not. What nobody catches ends the task, or the session in ``setup``; it is no further
                failure, since the request has been counted.
        """
        if self.outcome != "ok":
            raise RequestFailed(self)

    def __repr__(self) -> str:
        return f"<Answer {self._said()}>"

    def _said(self) -> str:
        return f"status {self.status}, {self.outcome}" if self.status else self.outcome

"""One request to a target that nothing is known of, and its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agenttop.wire.sse import SseParser

#: Characters of a target's words that are told.
_WORDS = 200


@dataclass(frozen=True, slots=True)
class Ask:
    """A request; ``body`` is JSON text, None for a GET."""

    url: str
    body: str | None = field(default=None, repr=False)
    headers: tuple[str, ...] = ()
    """What the dialect wants beside the headers of the user, ``Name: value``."""

    @property
    def method(self) -> str:
        """Return ``GET`` or ``POST``."""
        return "GET" if self.body is None else "POST"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Times are seconds since the request was sent."""

    status: int = 0
    """0: nothing came; ``failure`` says why."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    pieces: tuple[tuple[float, bytes], ...] = ()
    """The body as it came, each piece with its time."""
    seconds: float = 0.0
    failure: str = ""

    @property
    def body(self) -> bytes:
        """Return the whole body."""
        return b"".join(piece for _, piece in self.pieces)

    @property
    def kind(self) -> str:
        """Return the media type, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def streamed(self) -> bool:
        """Return whether it is an event stream."""
        return self.kind == "text/event-stream"

    @property
    def ok(self) -> bool:
        """Return whether its status is one of success."""
        return 200 <= self.status < 300

    @property
    def html(self) -> bool:
        """Return whether it is a page for people."""
        return self.kind in ("text/html", "application/xhtml+xml") or self.body[:200].lstrip().lower().startswith(
            (b"<!doctype html", b"<html")
        )

    @property
    def value(self) -> Any:
        """Return its JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def events(self) -> list[tuple[float, bytes, bytes]]:
        """Return its events: when each was complete, its name, its data."""
        parser = SseParser()
        found = [(t_s, name, data) for t_s, piece in self.pieces for name, data in parser.feed(piece)]
        parser.close()
        return found

    @property
    def words(self) -> str:
        """Return what the target says of a failure, on one line; empty if nothing."""
        value = self.value
        error = value.get("error", value) if isinstance(value, dict) else value
        if isinstance(error, dict):
            told = next((error[key] for key in ("message", "detail", "title", "code", "type") if error.get(key)), "")
            error = told if isinstance(told, str) else json.dumps(told)
        if not isinstance(error, str):
            error = "" if self.html else self.body[:_WORDS].decode(errors="replace")
        return " ".join(error.split())[:_WORDS]

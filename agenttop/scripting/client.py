"""The client through which a user's code sends requests; ``users`` implements it."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, TypedDict, Unpack

from agenttop.scripting.answer import Answer


class Options(TypedDict, total=False):
    """The options of a request beside its method and its path; None is the same as not giving one."""

    json: Any
    """Body, sent as JSON: whatever msgspec can encode. One body at most."""
    body: str | bytes | None
    """Body, sent as it is."""
    form: Mapping[str, Any] | None
    """Body, sent as an HTML form; a list repeats its name."""
    query: Mapping[str, Any] | None
    """Query of the URL; a list repeats its name."""
    headers: Mapping[str, str] | None
    """Headers of this request; they take precedence over those of the pool and of the profile."""
    timeout: float | str | None
    """Seconds, or a duration such as ``"5s"``, instead of the profile's."""
    name: str | None
    """The row it is counted under, one of the class's ``requests``; else that of the hook or task that is running."""
    dialect: str | None
    """How the answer is read, instead of the pool's dialect."""
    stream: bool | None
    """Whether to ask for an event stream, so that anything else is a ``protocol_error``; by default as the pool's
    protocol says, and never in ``setup`` and ``teardown``.
    """
    checks: Mapping[str, str] | None
    """Name to expression, as in a profile; if one fails, the outcome is ``check_failed``."""
    max_output_tokens: int | None
    """The worst case of this request, instead of the budget's."""


class Client:
    """A user's client: one connection, and one request at a time. Nothing here raises for what a target does.

    Raises (all of them):
        ValueError, TypeError: what is asked for cannot be sent; the message says what to write instead.
        RuntimeError: another request of this user is in flight, or the user has left.
        asyncio.CancelledError: the run is over.
    """

    __slots__ = ()

    def get(self, path: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Answer]:
        """GET ``path``, which begins with ``/`` and is appended to the target."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Answer]:
        """POST to ``path``."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Answer]:
        """PUT to ``path``."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Answer]:
        """PATCH ``path``."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Answer]:
        """DELETE ``path``."""
        return self.request("DELETE", path, **options)

    def request(self, method: str, path: str, **options: Unpack[Options]) -> Coroutine[Any, Any, Answer]:
        """Send one request and await its whole answer."""
        raise NotImplementedError

    def connect(
        self,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | str | None = None,
        name: str | None = None,
    ) -> Coroutine[Any, Any, Answer]:
        """Open the WebSocket, in a pool with ``protocol = "ws"``; one that is open is closed before."""
        raise NotImplementedError

    def send(
        self,
        message: Any,
        *,
        expect: str | None = None,
        wait: bool = True,
        timeout: float | str | None = None,
        name: str | None = None,
        dialect: str | None = None,
        checks: Mapping[str, str] | None = None,
        max_output_tokens: int | None = None,
    ) -> Coroutine[Any, Any, Answer]:
        """Send a message, text as it is and anything else as JSON, and return its answer.

        The answer ends with the dialect's terminal event, or with a message in which the JSONPath ``expect`` finds
        something. With ``wait=False`` none is awaited, and the message is not counted as a request.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Close the user's connection, or its WebSocket with a close frame; the next request opens another."""
        raise NotImplementedError

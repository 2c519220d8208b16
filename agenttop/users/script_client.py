"""The client of a user written in Python: its requests are performed by the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from agenttop.scripting.answer import Answer
from agenttop.scripting.client import Client
from agenttop.users.adhoc import Steps, header_variable
from agenttop.users.compiled import CompiledStep
from agenttop.wire.websocket import WebSocket


class Player(Protocol):
    """Performs requests; a user."""

    variables: dict[str, str]
    socket: WebSocket | None

    @property
    def steps(self) -> Steps: ...
    @property
    def running(self) -> str: ...
    @property
    def streams(self) -> bool: ...
    @property
    def busy(self) -> bool: ...
    async def play(self, step: CompiledStep) -> Answer: ...
    def close(self) -> None: ...


class ScriptClient(Client):
    """See :class:`~agenttop.scripting.client.Client`."""

    __slots__ = ("_user",)

    def __init__(self, user: Player) -> None:
        self._user = user

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: str | bytes | None = None,
        form: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | str | None = None,
        name: str | None = None,
        dialect: str | None = None,
        stream: bool | None = None,
        checks: Mapping[str, str] | None = None,
        max_output_tokens: int | None = None,
    ) -> Answer:
        """See :class:`Client`."""
        user = self._user
        step = user.steps.request(
            method,
            path,
            user.running if name is None else name,
            stream=user.streams if stream is None else bool(stream),
            json=json,
            body=body,
            form=form,
            query=query,
            headers=headers,
            timeout=timeout,
            dialect=dialect,
            checks=checks,
            most=max_output_tokens,
        )
        if headers:
            self._fill(headers)
        return await user.play(step)

    async def connect(
        self,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | str | None = None,
        name: str | None = None,
    ) -> Answer:
        """See :class:`Client`."""
        user = self._user
        row = user.running if name is None else name
        step = user.steps.connect(path, row, query=query, headers=headers, timeout=timeout)
        if headers:
            self._fill(headers)
        return await user.play(step)

    async def send(
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
    ) -> Answer:
        """See :class:`Client`."""
        user = self._user
        step = user.steps.message(
            message,
            user.running if name is None else name,
            expect=expect,
            wait=wait,
            timeout=timeout,
            dialect=dialect,
            checks=checks,
            most=max_output_tokens,
        )
        if user.socket is None:
            raise RuntimeError("nothing is connected; await self.client.connect(path) first")
        return await user.play(step)

    def close(self) -> None:
        """See :class:`Client`."""
        if self._user.busy:
            raise RuntimeError("a request is in flight; await it first")
        self._user.close()

    def _fill(self, headers: Mapping[str, str]) -> None:
        """Put the values of a request's own headers into the variables of its step."""
        for number, value in enumerate(headers.values()):
            if not isinstance(value, str | int | float):
                raise TypeError(f"expected text as the value of a header, not {type(value).__name__}")
            self._user.variables[header_variable(number)] = str(value)

"""Compiles the requests that users' own code sends: what is the same for many of them is compiled once.

A step of its own for each request, so that everything a user does with steps (timeouts, rate limits, redirects,
dialects, checks) holds for it. What varies is its path, its body and the values of its own headers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from operator import attrgetter
from typing import Any

import msgspec
from pydantic import ValidationError

from agenttop.dialects import DIALECTS
from agenttop.profile.model import Pool, Profile, Step
from agenttop.profile.template import Constant, form_text, path_text, query_text
from agenttop.schedule.quantities import parse_duration
from agenttop.users.compiled import CompiledStep, Pieces
from agenttop.users.step import compile_step
from agenttop.wire.target import Limits, Target

#: Kinds of request kept compiled for a pool; who makes up more of them pays for compiling.
MAX_KINDS = 1000
_FIELDS = [each.name for each in fields(CompiledStep)]
_values = attrgetter(*_FIELDS)
_STATIC, _HEAD, _BODY, _URL, _LIMITS = map(_FIELDS.index, ("static", "head", "body", "url", "limits"))
_LINE_END = b" HTTP/1.1\r\n"
_VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_CONTENT: dict[str, dict[str, Any]] = {
    "": {},
    "json": {"json_": {}},
    "form": {"form": {}},
    "text": {"body": ""},
    "bytes": {"body": "", "headers": {"content-type": "application/octet-stream"}},
}


@dataclass(frozen=True, slots=True)
class _Kind:
    """What requests of one kind have in common."""

    values: list[Any]
    """Values of the step's fields."""
    start: bytes
    """Method and the target's path."""
    after: bytes
    """What follows the path, up to the first piece that is filled."""
    rest: Pieces

    def step(self, path: bytes, body: bytes | None, timeout_s: float | None) -> CompiledStep:
        """Return a request, or an upgrade."""
        values = self.values.copy()
        values[_HEAD] = [self.start + path + self.after, *self.rest]
        values[_URL] = [self.start[self.start.index(b" ") + 1 :] + path]
        values[_BODY] = None if body is None else Constant(body)
        if timeout_s is not None:
            values[_LIMITS] = _limits(values[_LIMITS], timeout_s)
        return CompiledStep(*values)

    def message(self, data: bytes, timeout_s: float | None) -> CompiledStep:
        """Return a WebSocket message."""
        values = self.values.copy()
        values[_STATIC], values[_BODY] = data, Constant(data)
        if timeout_s is not None:
            values[_LIMITS] = _limits(values[_LIMITS], timeout_s)
        return CompiledStep(*values)


class Steps:
    """Makes the steps of one pool from what users' own code asks for.

    Everything raises ``ValueError`` or ``TypeError`` for what cannot be sent: the mistake of who asks for it.

    Args:
        profile: the pool's.
        pool: whose requests they are.
        target: where they go.
        rows: index in the layout by name.
        owner: the class, for what is said of a row that is none of these.
    """

    def __init__(self, profile: Profile, pool: Pool, target: Target, rows: Mapping[str, int], owner: str) -> None:
        self._profile = profile
        self._pool = pool
        # What a request says of streams is the same as what a pool of this protocol says of its tasks.
        self._streaming = pool.model_copy(update={"protocol": "sse"})
        self._target = target
        self._rows = rows
        self._owner = owner
        self._kinds: dict[tuple[object, ...], _Kind] = {}

    def request(
        self,
        method: str,
        path: str,
        row: str,
        *,
        stream: bool,
        json: Any,
        body: str | bytes | None,
        form: Mapping[str, Any] | None,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        timeout: float | str | None,
        dialect: str | None,
        checks: Mapping[str, str] | None,
        most: int | None,
    ) -> CompiledStep:
        """Return a request.

        Header values must be the variables that :func:`header_variable` names. ``most`` is how many tokens the request
        may make the target write, if that is not what the budget says.
        """
        if self._pool.protocol == "ws":
            raise ValueError(f'a pool with protocol = "ws" connects and sends; {method.lower()} has no place in it')
        url = _url(path, query)
        data, content = _body(json, body, form)
        named = tuple(headers) if headers else ()
        checked = tuple(checks.items()) if checks else ()
        key = (method, row, stream, content, dialect, named, checked, most)
        kind = self._kinds.get(key)
        if kind is None:
            if method not in _VERBS:
                raise ValueError(f"expected one of {', '.join(_VERBS)}, not {method!r}")
            step = {
                "method": method,
                "path": "/",
                "checks": dict(checked),
                "max_output_tokens": most,
                **_CONTENT[content],
            }
            kind = self._keep(key, step, row, named, dialect, stream=stream)
        return kind.step(url, data, _seconds(timeout))

    def connect(
        self,
        path: str,
        row: str,
        *,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        timeout: float | str | None,
    ) -> CompiledStep:
        """Return the upgrade to a WebSocket; headers are as in :meth:`request`."""
        self._needs_socket("connect")
        url = _url(path, query)
        named = tuple(headers) if headers else ()
        key = ("connect", row, named)
        kind = self._kinds.get(key) or self._keep(key, {"connect": "/"}, row, named, None)
        return kind.step(url, None, _seconds(timeout))

    def message(
        self,
        message: Any,
        row: str,
        *,
        expect: str | None,
        wait: bool,
        timeout: float | str | None,
        dialect: str | None,
        checks: Mapping[str, str] | None,
        most: int | None,
    ) -> CompiledStep:
        """Return a WebSocket message."""
        self._needs_socket("send")
        data = _utf8(message) if isinstance(message, str) else msgspec.json.encode(message)
        checked = tuple(checks.items()) if checks else ()
        key = ("send", row, expect, wait, dialect, checked, most)
        kind = self._kinds.get(key)
        if kind is None:
            if wait and expect is None and not self._ends(dialect):
                raise ValueError("its answer would never end: give expect=, wait=False or dialect=")
            step = {"send": "", "expect": expect, "wait": wait, "checks": dict(checked), "max_output_tokens": most}
            kind = self._keep(key, step, row, (), dialect)
        return kind.message(data, _seconds(timeout))

    def _needs_socket(self, what: str) -> None:
        if self._pool.protocol != "ws":
            raise ValueError(f'{what} belongs to a pool with protocol = "ws"; this one has "{self._pool.protocol}"')

    def _ends(self, dialect: str | None) -> bool:
        """Return whether answers to messages end by themselves."""
        measure = self._pool.measure or self._profile.measure
        name = dialect or self._pool.dialect or self._profile.dialect
        return not DIALECTS[name].measured or measure.done is not None

    def _keep(
        self,
        key: tuple[object, ...],
        step: dict[str, Any],
        row: str,
        named: tuple[str, ...],
        dialect: str | None,
        *,
        stream: bool = False,
    ) -> _Kind:
        if len(self._kinds) >= MAX_KINDS:
            self._kinds.clear()
        kind = self._kinds[key] = self._compile(step, row, named, dialect, stream=stream)
        return kind

    def _compile(
        self, step: dict[str, Any], row: str, named: tuple[str, ...], dialect: str | None, *, stream: bool
    ) -> _Kind:
        index = self._rows.get(row)
        if index is None:
            raise ValueError(self._no_row(row))
        own = {name: f"{{{header_variable(number)}}}" for number, name in enumerate(named)}
        try:
            model = Step(**(step | {"name": row, "dialect": dialect, "headers": step.get("headers", {}) | own}))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"] if part != "[key]")
            raise ValueError(f"{where}: {first['msg']}") from None
        pool = self._pool if self._pool.protocol == "ws" else self._streaming
        whole = compile_step(self._profile, pool, model, "tasks" if stream else "setup", self._target, index)
        # Whoever asks in code reads the answer.
        whole = replace(whole, static=None, lean=False, reads_body=True)
        start, _, after = _first(whole.head).partition(_LINE_END)
        return _Kind(list(_values(whole)), start.removesuffix(b"/"), _LINE_END + after, whole.head[1:])

    def _no_row(self, name: object) -> str:
        close = get_close_matches(str(name), self._rows, n=1)
        hint = f'did you mean "{close[0]}"?' if close else f"there are: {', '.join(self._rows)}"
        return f"no row is called {name!r}; add it to requests of {self._owner} ({hint})"


def header_variable(number: int) -> str:
    """Return the name of the variable that holds the value of a request's own header."""
    return f"_header_{number}"


def _first(head: Pieces) -> bytes:
    piece = head[0] if head else b""
    assert isinstance(piece, bytes)  # its path is fixed
    return piece


def _limits(limits: Limits, timeout_s: float) -> Limits:
    return replace(limits, total=int(timeout_s * 1e9))


def _seconds(timeout: float | str | None) -> float | None:
    if timeout is None:
        return None
    seconds = parse_duration(timeout) if isinstance(timeout, str) else timeout
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds <= 0:
        raise ValueError(f'a timeout is a number of seconds above 0, or a duration such as "5s", not {timeout!r}')
    return seconds


def _url(path: str, query: Mapping[str, Any] | None) -> bytes:
    if not isinstance(path, str):
        raise TypeError(f'expected a path such as "/api/sessions", not {type(path).__name__}')
    if not path.startswith("/"):
        hint = "; the host belongs in target" if "://" in path else ""
        raise ValueError(f'expected a path that begins with "/", not {path[:60]!r}{hint}')
    if "#" in path:
        raise ValueError("a path has no #fragment; write %23 for the character")
    url = path_text(path)
    if query:
        url += (b"&" if "?" in path else b"?") + query_text(query)
    return url


def _body(json: Any, body: str | bytes | None, form: Mapping[str, Any] | None) -> tuple[bytes | None, str]:
    """Return the body of a request, and a word for its content type."""
    if (json is not None) + (body is not None) + (form is not None) > 1:
        raise ValueError("a request has one body: give one of json=, body= and form=")
    if json is not None:
        return msgspec.json.encode(json), "json"
    if form is not None:
        return form_text(form), "form"
    if body is None:
        return None, ""
    if isinstance(body, bytes | bytearray):
        return bytes(body), "bytes"
    if not isinstance(body, str):
        raise TypeError(f"expected text or bytes as body, not {type(body).__name__}; json= takes anything")
    return _utf8(body), "text"


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")

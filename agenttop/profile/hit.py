"""Writes the profile of ``agenttop hit URL`` as TOML text, which goes through the loader as any other does.

What is typed is meant as it stands, so that braces and ``${`` are escaped. Values that may be secrets do not get into
the text: they are ``${NAME}`` there, and come to the loader as an environment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from agenttop.dialects import DIALECTS
from agenttop.dialects.dialect import Dialect
from agenttop.profile.fields import target_problem
from agenttop.profile.hidden import REFERENCE, Hidden, braces, plain, template
from agenttop.profile.overrides import OPEN_END_S
from agenttop.profile.toml import dumps
from agenttop.schedule.quantities import format_duration

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
#: What a form sends.
_FORM = re.compile(r"[^\s=&{}]+=[^\s=&]*(?:&[^\s=&{}]+=[^\s=&]*)*")


class HitError(ValueError):
    """What was asked for cannot be a profile; the message says why."""


@dataclass(frozen=True, slots=True)
class Hit:
    """The request to send, and how much load."""

    url: str
    users: int | None = None
    """Users; in an open pool (``rate``), how many requests may be in flight."""
    duration_s: float | None = None
    """Seconds; None: :data:`DURATION_S`, or with ``requests`` as long as they take."""
    requests: int | None = None
    """The run ends when this many have been sent."""
    rate: float | None = None
    """Requests per second, whatever the answers take."""
    method: str | None = None
    body: str | None = field(default=None, repr=False)
    headers: Sequence[str] = field(default=(), repr=False)
    """Each is ``Name: value``."""
    dialect: str | None = None


@dataclass(frozen=True, slots=True)
class HitProfile:
    """The text of the profile, and the values that are not in it."""

    text: str
    hidden: Mapping[str, str] = field(repr=False)
    """Value by variable."""
    shown: tuple[str, ...] = ()
    """What each variable stands for, in words."""


#: Of hey and oha the half: agents are slower than web servers.
USERS = 10
DURATION_S = 10.0


def hit_profile(hit: Hit, environment: Mapping[str, str]) -> HitProfile:
    """Write the profile.

    ``$NAME`` in a header is a reference where ``environment`` has it, ``${NAME}`` always.

    Raises:
        HitError: it cannot be written.
    """
    referred = {found[1] for line in hit.headers for found in REFERENCE.finditer(line) if found[1]}
    secrets = Hidden(environment, referred)
    try:
        parts = urlsplit(hit.url)
        host, scheme = parts.hostname or "", parts.scheme
        where = f"[{host}]" if ":" in host else host
        where += f":{parts.port}" if parts.port else ""
    except ValueError:
        raise HitError(f"{_shown(hit.url)}: its host or port cannot be read") from None
    if "@" in parts.netloc:
        raise HitError("the URL holds a user and a password; say -H 'authorization: Basic ...' instead")
    socket = scheme in ("ws", "wss")
    target = f"{scheme}://{parts.netloc}"
    problem = target_problem(target if scheme in ("http", "https") or socket else hit.url)
    if problem is not None:
        raise HitError(f"{_shown(hit.url)}: {problem}")
    table: dict[str, Any] = {"name": where or "hit", "target": plain(target)}
    duration = format_duration(hit.duration_s or (DURATION_S if hit.requests is None else OPEN_END_S))
    if hit.rate is None:
        table |= {"users": USERS if hit.users is None else hit.users, "duration": duration}
    if hit.requests is not None:
        table["budget"] = {"requests": hit.requests}
    headers = _headers(hit.headers, secrets)
    path = secrets.path(parts.path or "/", parts.query)
    content = _content(hit.body, secrets)
    if content.get("json") is None and _is_json(hit.body) and "content-type" not in map(str.lower, headers):
        headers = {"content-type": "application/json", **headers}
    if headers:
        table["headers"] = headers
    pool: dict[str, Any] = {"name": "hit", "protocol": "ws" if socket else _protocol(hit, content)}
    if hit.dialect is not None:
        pool["dialect"] = hit.dialect
    if hit.rate is not None:
        pool["stages"] = [{"duration": duration, "rate": hit.rate, "ramp": "step"}]
        pool |= {} if hit.users is None else {"max_users": hit.users}
    pool |= _socket(hit, path, content) if socket else _request(hit, path, content)
    try:
        text = dumps(table | {"pools": [pool]})
    except ValueError as error:
        raise HitError(f"it is not UTF-8 text: {error}") from None
    return HitProfile(text, secrets.hidden, tuple(secrets.shown))


def _request(hit: Hit, path: str, content: dict[str, Any]) -> dict[str, Any]:
    method = (hit.method or ("GET" if hit.body is None else "POST")).upper()
    if method not in METHODS:
        raise HitError(f"-m {hit.method}: expected one of {', '.join(METHODS)}")
    return {"tasks": [{method.lower(): path, **content}]}


def _socket(hit: Hit, path: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return the pool of a WebSocket.

    With a message: a connection for each user, and the next message is the answer. Without: connect and close.
    """
    if hit.method is not None:
        raise HitError("-m is of HTTP; a WebSocket has messages: say -d MESSAGE")
    if hit.body is None:
        return {"tasks": [{"name": "connection", "steps": [{"connect": path}, {"close": True}]}]}
    message: dict[str, Any] = {"name": "message", "send": content["json"] if "json" in content else content["body"]}
    if _dialect(hit).measured:
        message["expect"] = "$"
    return {"setup": [{"connect": path}], "tasks": [message]}


def _protocol(hit: Hit, content: dict[str, Any]) -> str:
    """Return ``sse`` if the dialect has to be asked for a stream and the body does, else ``http``."""
    parsed = _parsed(hit.body)
    return "sse" if _dialect(hit).streams(hit.body if parsed is None else parsed) else "http"


def _dialect(hit: Hit) -> type[Dialect]:
    """Return the dialect that is named; JSON for none, and for one that the profile will refuse."""
    return DIALECTS.get(hit.dialect or "json", DIALECTS["json"])


def _content(body: str | None, secrets: Hidden) -> dict[str, Any]:
    """Return the body: JSON as a table if TOML has a form for all of it, else as it is."""
    if body is None:
        return {}
    parsed = _parsed(body)
    if isinstance(parsed, dict | list):
        escaped = _escaped(parsed)
        try:
            dumps({"json": escaped})
        except ValueError:  # null, for one
            return {"body": secrets.of_json(body, parsed)}
        return {"json": _escaped(parsed, secrets)}
    return {"body": secrets.pairs(body, "the body") if _FORM.fullmatch(body) else template(body)}


def _parsed(body: str | None) -> Any:
    def unlike(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) < len(pairs):
            raise ValueError("a name is there twice")
        return table

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is no JSON")

    try:
        return None if body is None else json.loads(body, object_pairs_hook=unlike, parse_constant=constant)
    except (ValueError, RecursionError):
        return None


def _is_json(body: str | None) -> bool:
    try:
        return body is not None and isinstance(json.loads(body), dict | list)
    except (ValueError, RecursionError):
        return False


def _escaped(value: Any, secrets: Hidden | None = None) -> Any:
    """Return JSON in which no text is a template; with ``secrets``, these are taken out of it."""
    if isinstance(value, dict):
        hide = {} if secrets is None else secrets.of_table(value)
        return {braces(key): hide.get(key) or _escaped(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item, secrets) for item in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise HitError("-d holds a number that is too large")
    return template(value) if isinstance(value, str) else value


def _shown(url: str) -> str:
    """Return a URL as an error may show it: without a password, and without a query, which may hold a key."""
    return re.sub(r"//[^/?#]*@", "//***@", url).partition("?")[0]


def _headers(lines: Sequence[str], secrets: Hidden) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.strip()
        if not colon or not name:
            raise HitError('-H: expected "Name: value"')  # without what was typed: it may be a secret
        if name.lower() in map(str.lower, found):
            raise HitError(f"-H {name}: it is there twice")
        found[name] = secrets.header(name, value.strip())
    return found

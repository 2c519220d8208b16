"""Compiles a step of a profile for virtual users: everything that never changes becomes bytes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from agenttop import __version__
from agenttop.dialects import dialect_named
from agenttop.expressions import jsonpath
from agenttop.profile.checks import compile_check
from agenttop.profile.fields import saved_header
from agenttop.profile.model import Measure, Pool, Profile, Step
from agenttop.profile.template import (
    Template,
    compile_form,
    compile_header,
    compile_json,
    compile_path,
    compile_query,
    compile_text,
)
from agenttop.users.compiled import CompiledStep, Pieces
from agenttop.users.trace import TRACEPARENT
from agenttop.wire.target import Limits, Target

_NS = 1_000_000_000
MADE_PER_REQUEST = frozenset({"uuid", "now", "random", TRACEPARENT})


def compile_step(
    profile: Profile, pool: Pool, step: Step, part: str, target: Target, request: int, raw: Collection[str] = ()
) -> CompiledStep:
    """Compile a step of one ``part`` of its pool (setup, tasks, teardown); variables that are ``raw`` are JSON."""
    measure = pool.measure or profile.measure
    dialect = dialect_named(step.dialect or pool.dialect or profile.dialect, _extractors(measure) if measure else None)
    checks = tuple((name, compile_check(text)) for name, text in step.checks.items())
    saved = [(name, text, saved_header(text)) for name, text in step.save.items()]
    save = tuple((name, jsonpath.compile_path(path)) for name, path, header in saved if header is None)
    save_headers = tuple((name, header) for name, _, header in saved if header is not None)
    reads_json = bool(save) or any(check.needs_json for _, check in checks)
    reads_body = reads_json or dialect.reads_body or any(check.needs_body for _, check in checks)
    needs_headers = bool(save_headers) or any(check.needs_headers for _, check in checks)
    stream = pool.protocol == "sse" and part == "tasks" if step.stream is None else step.stream
    objectives = tuple(profile.objectives.limits_ns.items())
    timeout = step.timeout if step.timeout is not None else profile.timeout
    kind = "http" if step.method else "connect" if step.connect is not None else "close" if step.close else "send"

    body, content_type = _body(step, kind, raw)
    text_headers = _headers(profile, pool, step, target, kind, stream, content_type)
    headers = [(name, compile_header(value)) for name, value in text_headers.items()]
    url = _url(step, target, kind)
    method = step.method or "GET"

    head: Pieces = []
    if kind in ("http", "connect"):
        _append(head, method.encode() + b" ")
        for piece in url:
            _append(head, piece)
        _append(head, b" HTTP/1.1\r\n")
        for name, value in headers:
            _append(head, name.encode("latin-1") + b": ")
            _append(head, value)
            _append(head, b"\r\n")
        if body is None:
            _append(head, (b"content-length: 0\r\n\r\n" if method in ("POST", "PUT", "PATCH") else b"\r\n"))

    templates = [piece for piece in head if isinstance(piece, Template)] + ([body] if body is not None else [])
    variables = {name for template in templates for name in template.variables}
    whole = CompiledStep(
        request=request,
        name=step.name,
        kind=kind,
        static=None,
        head=head,
        body=body,
        url=url,
        method=method,
        headers=headers,
        made=frozenset(variables & MADE_PER_REQUEST),
        limits=Limits(
            total=int(timeout * _NS),
            first_byte=int((profile.first_byte_timeout or 0) * _NS),
            first_token=int((profile.first_token_timeout or 0) * _NS),
            idle=int((profile.idle_timeout or 0) * _NS),
        ),
        dialect=dialect,
        stream=stream,
        any_type=bool(step.stream),
        lean=kind == "http"
        and not (stream or reads_body or needs_headers or profile.follow_redirects or objectives or profile.traceparent)
        and profile.budget is None,  # what it has used is to be known
        reads_json=reads_json,
        reads_body=reads_body,
        checks=checks,
        save=save,
        save_headers=save_headers,
        expect=jsonpath.compile_path(step.expect) if step.expect else None,
        wait=step.wait,
        target=target,
        objectives=objectives,
        max_output=0 if kind == "connect" else step.max_output_tokens,
        cookies="cookie" not in text_headers,
        on_429=step.on_429,
        max_retries=step.max_retries,
    )
    # A request that needs no variable is bytes for good; an upgrade carries a fresh key each time.
    if variables or kind == "connect":
        return whole
    return replace(whole, static=whole.fill({}))


def _append(pieces: Pieces, piece: bytes | Template) -> None:
    """Add a piece; neighbours that never change become one."""
    if isinstance(piece, Template) and piece.static:
        piece = piece.fill({})
    if isinstance(piece, bytes) and pieces and isinstance(pieces[-1], bytes):
        pieces[-1] += piece
    else:
        pieces.append(piece)


def _url(step: Step, target: Target, kind: str) -> Pieces:
    if kind not in ("http", "connect"):
        return []
    path = step.connect if step.connect is not None else step.path
    pieces: Pieces = [compile_path(target.prefix + path)]
    if step.query:
        pieces.append(b"&" if "?" in path else b"?")
        pieces.append(compile_query(step.query))
    return pieces


def _body(step: Step, kind: str, raw: Collection[str]) -> tuple[Template | None, str]:
    if kind == "send":
        return (compile_text(step.send) if isinstance(step.send, str) else compile_json(step.send, raw)), ""
    if step.json_ is not None:
        return compile_json(step.json_, raw), "application/json"
    if step.form is not None:
        return compile_form(step.form), "application/x-www-form-urlencoded"
    if step.body is not None:
        return compile_text(step.body), "text/plain; charset=utf-8"
    return None, ""


def _headers(
    profile: Profile, pool: Pool, step: Step, target: Target, kind: str, stream: bool, content_type: str
) -> dict[str, str]:
    headers = {
        "host": target.authority,
        "user-agent": f"agenttop/{__version__}",
        "accept": "text/event-stream" if stream else "*/*",
        "accept-encoding": "gzip, deflate",
    }
    if kind == "connect":
        del headers["accept"], headers["accept-encoding"]
        headers |= {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
        headers["sec-websocket-key"] = "{sec_websocket_key}"
    elif per_request(profile, pool):
        headers["connection"] = "close"
    if content_type:
        headers["content-type"] = content_type
    if profile.traceparent:
        headers["traceparent"] = f"{{{TRACEPARENT}}}"
    for given in (profile.headers, pool.headers, step.headers):
        headers |= {name.lower(): value for name, value in given.items()}
    return headers


def _extractors(measure: Measure) -> dict[str, Any]:
    """Return the measure table as functions from parsed JSON to (found, value)."""
    found: dict[str, Any] = {}
    for name, value in measure.model_dump(exclude_none=True).items():
        if isinstance(value, dict):
            found[name] = {key: jsonpath.compile_measure(path).first for key, path in value.items()}
        elif value:
            calls = name in ("llm_calls", "tool_calls")
            found[name] = jsonpath.compile_calls(value) if calls else jsonpath.compile_measure(value).first
    return found


def per_request(profile: Profile, pool: Pool) -> bool:
    return (pool.connection or profile.connection) == "per_request"

"""A profile turned into what a virtual user needs at hand (``compiled``): everything that never changes is bytes from
here on.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import Any

from agenttop import __version__, jsonpath
from agenttop.dialects import dialect_named
from agenttop.dialects.transcripts import TRANSCRIPTS, Transcribed
from agenttop.metrics.layout import Layout, PoolInfo, RequestInfo
from agenttop.metrics.snapshot import StageInfo
from agenttop.plantext import stage_name
from agenttop.profile.checks import compile_check
from agenttop.profile.fields import saved_header
from agenttop.profile.model import Measure, Pool, Profile, Step, Task
from agenttop.profile.script import ScriptedPool, is_optional, rows_of
from agenttop.profile.search import targets_of
from agenttop.profile.template import (
    Template,
    compile_form,
    compile_header,
    compile_json,
    compile_path,
    compile_query,
    compile_text,
)
from agenttop.users.compiled import CompiledPool, CompiledStep, CompiledTask, Pieces
from agenttop.users.feeder import Feeds
from agenttop.users.history import compile_turn
from agenttop.users.refusals import policy_of
from agenttop.users.terms import caps_of, price_of
from agenttop.users.trace import TRACEPARENT
from agenttop.wire.target import Limits, Target, parse_target

_NS = 1_000_000_000
_MADE_PER_REQUEST = {"uuid", "now", "random", TRACEPARENT}


def stages_of(profile: Profile) -> tuple[StageInfo, ...]:
    """All stages of a profile in the summary's order: those of the run, then each pool's own."""
    found: list[StageInfo] = []
    groups: list[tuple[str | None, list[Any]]] = [(None, profile.stages)]
    groups += [(pool.name, pool.stages) for pool in profile.pools if pool.stages]
    for pool_name, stages in groups:
        start, target = 0.0, 0.0
        for stage in stages:
            unit = "rate" if stage.rate is not None else "users"
            end_target = float(stage.rate if stage.rate is not None else stage.users or 0)
            step = stage.ramp == "step"
            begin = end_target if step else target
            name = stage.name or stage_name(begin, end_target)
            # A search drives what it likes between the two.
            begin, end_target = targets_of(profile, pool_name) or (begin, end_target)
            found.append(
                StageInfo(
                    index=len(found),
                    name=f"{pool_name}/{name}" if pool_name else name,
                    start_s=start,
                    end_s=start + stage.duration,
                    target_start=begin,
                    target_end=end_target,
                    unit=unit,
                    pool=pool_name,
                    step=step,
                )
            )
            start, target = start + stage.duration, end_target
    return tuple(found)


def layout_of(profile: Profile) -> Layout:
    """The rows and indices that a profile amounts to."""
    pools = tuple(
        PoolInfo(pool.name, pool.protocol, pool.dialect or profile.dialect, pool.open) for pool in profile.pools
    )
    rows: dict[tuple[int, str], None] = {}
    for index, pool in enumerate(profile.pools):
        for step in steps_of(pool):
            if is_request(step):
                rows.setdefault((index, step.name))
        rows |= {(index, row): None for row in rows_of(pool)}
    requests = tuple(RequestInfo(pool, name, is_optional(profile.pools[pool], name)) for pool, name in rows)
    return Layout(
        pools,
        requests,
        stages_of(profile),
        profile.warmup,
        objectives=bool(profile.objectives.limits_ns),
        rate_limit=profile.rate_limit is not None,
        retries=profile.on_429 == "retry",
        budget=caps_of(profile),
        price=price_of(profile),
        traceparent=profile.traceparent,
    )


def steps_of(pool: Pool) -> list[Step]:
    """Every step of a pool in the order of the file."""
    return [*pool.setup, *(step for task in pool.tasks for step in task.steps), *pool.teardown]


def is_request(step: Step) -> bool:
    """Whether a step is answered, and so has a row of its own."""
    return not step.close and (step.send is None or step.wait)


def compile_pools(profile: Profile, layout: Layout) -> list[CompiledPool]:
    """Compile every pool. The profile has been validated, so nothing here is an error of the user's.

    Raises:
        DataError: a data file has changed since.
        ScriptError: a Python file has.
    """
    feeds = Feeds()
    rows = {(row.pool, row.name): index for index, row in enumerate(layout.requests)}
    compiled = [_compile_pool(profile, pool, index, rows, feeds) for index, pool in enumerate(profile.pools)]
    if any(isinstance(pool, ScriptedPool) for pool in profile.pools):
        from agenttop.users.script import with_script  # which most runs need not import

        compiled = [with_script(each, profile, pool, rows) for each, pool in zip(compiled, profile.pools, strict=True)]
    return compiled


def _compile_pool(
    profile: Profile, pool: Pool, index: int, rows: dict[tuple[int, str], int], feeds: Feeds
) -> CompiledPool:
    target = parse_target(pool.target or profile.target)

    def compile_steps(steps: list[Step], part: str) -> tuple[CompiledStep, ...]:
        return tuple(
            _compile_step(profile, pool, step, part, target, rows.get((index, step.name), -1)) for step in steps
        )

    patient = profile.on_429 != "count"
    chosen = [task for task in pool.tasks if task.weight > 0]
    feed = feeds.add(pool.data)
    tasks = tuple(
        CompiledTask(
            task.name,
            _in_conversation(task, compile_steps(task.steps, "tasks")),
            task.pause,
            len(task.steps) == 1 and not patient and not task.history,
            feeds.add(task.data),
            task.history == "task",
        )
        for task in chosen
    )
    return CompiledPool(
        index=index,
        name=pool.name,
        protocol=pool.protocol,
        target=target,
        open=pool.open,
        think_time=pool.think_time,
        pacing=pool.pacing,
        max_users=pool.max_users,
        poisson=pool.arrivals == "poisson",
        setup=compile_steps(pool.setup, "setup"),
        tasks=tasks,
        teardown=compile_steps(pool.teardown, "teardown"),
        renews=_counts_iterations(profile, pool) or any(task.feed >= 0 for task in tasks),
        breathless=not pool.open
        and pool.think_time[1] == 0
        and pool.pacing is None
        and not _per_request(profile, pool)
        and all(task.single and task.steps[0].lean and not task.steps[0].checks for task in tasks),
        feeds=feeds.take(),
        feed=feed,
        refusals=policy_of(profile),
        patient=patient,
        cookies=profile.cookies if pool.cookies is None else pool.cookies,
        per_request=_per_request(profile, pool),
        traced=profile.traceparent,
        _weights=list(accumulate(task.weight for task in chosen)),
    )


def _in_conversation(task: Task, steps: tuple[CompiledStep, ...]) -> tuple[CompiledStep, ...]:
    """The steps with their turns, where the task has a history."""
    if not task.history:
        return steps
    return tuple(
        _as_turn(task, each, step) if each.dialect.name in TRANSCRIPTS else each
        for each, step in zip(steps, task.steps, strict=True)
    )


def _as_turn(task: Task, compiled: CompiledStep, step: Step) -> CompiledStep:
    turn = compile_turn(task, step, compiled.dialect.name)
    returned = {name for result in turn.results.values() for name in result.variables}
    made = compiled.made | (returned & _MADE_PER_REQUEST)
    return replace(compiled, static=None, dialect=Transcribed(compiled.dialect), turn=turn, made=made)


def _per_request(profile: Profile, pool: Pool) -> bool:
    return (pool.connection or profile.connection) == "per_request"


def _counts_iterations(profile: Profile, pool: Pool) -> bool:
    """A generous answer to whether a pool sends ``{iteration}``: all of its text is searched."""
    said = [step.model_dump() for step in steps_of(pool)], [task.tool_results for task in pool.tasks]
    return "{iteration" in repr((said, pool.headers, profile.headers))


def _compile_step(profile: Profile, pool: Pool, step: Step, part: str, target: Target, request: int) -> CompiledStep:
    measure = pool.measure or profile.measure
    dialect = dialect_named(step.dialect or pool.dialect or profile.dialect, _extractors(measure) if measure else None)
    checks = tuple((name, compile_check(text)) for name, text in step.checks.items())
    saved = [(name, text, saved_header(text)) for name, text in step.save.items()]
    save = tuple((name, jsonpath.compile_path(path)) for name, path, header in saved if header is None)
    save_headers = tuple((name, header) for name, _, header in saved if header is not None)
    reads_json = bool(save) or any(check.needs_json for _, check in checks)
    reads_body = reads_json or dialect.reads_body or any(check.needs_body for _, check in checks)
    needs_headers = bool(save_headers) or any(check.needs_headers for _, check in checks)
    stream = pool.protocol == "sse" and part == "tasks"
    objectives = tuple(profile.objectives.limits_ns.items())
    timeout = step.timeout if step.timeout is not None else profile.timeout
    kind = "http" if step.method else "connect" if step.connect is not None else "close" if step.close else "send"

    body, content_type = _body(step, kind)
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
        made=frozenset(variables & _MADE_PER_REQUEST),
        limits=Limits(
            total=int(timeout * _NS),
            first_byte=int((profile.first_byte_timeout or 0) * _NS),
            first_token=int((profile.first_token_timeout or 0) * _NS),
            idle=int((profile.idle_timeout or 0) * _NS),
        ),
        dialect=dialect,
        stream=stream,
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
    )
    # A request that needs no variable is bytes for good; an upgrade carries a fresh key each time.
    if variables or kind == "connect":
        return whole
    return replace(whole, static=whole.fill({}))


def compile_step(profile: Profile, pool: Pool, step: Step, part: str, target: Target, request: int) -> CompiledStep:
    """A step that stands in no profile, such as one that code asks for. Arguments as those of a pool's own steps."""
    return _compile_step(profile, pool, step, part, target, request)


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


def _body(step: Step, kind: str) -> tuple[Template | None, str]:
    if kind == "send":
        return (compile_text(step.send) if isinstance(step.send, str) else compile_json(step.send)), ""
    if step.json_ is not None:
        return compile_json(step.json_), "application/json"
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
    elif _per_request(profile, pool):
        headers["connection"] = "close"
    if content_type:
        headers["content-type"] = content_type
    if profile.traceparent:
        headers["traceparent"] = f"{{{TRACEPARENT}}}"
    for given in (profile.headers, pool.headers, step.headers):
        headers |= {name.lower(): value for name, value in given.items()}
    return headers


def _extractors(measure: Measure) -> dict[str, Any]:
    """The measure table as functions from parsed JSON to (found, value)."""
    found: dict[str, Any] = {}
    for name, value in measure.model_dump(exclude_none=True).items():
        if isinstance(value, dict):
            found[name] = {key: jsonpath.compile_measure(path).first for key, path in value.items()}
        elif value:
            found[name] = jsonpath.compile_measure(value).first
    return found

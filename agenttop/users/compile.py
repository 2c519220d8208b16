"""A profile turned into what a virtual user needs at hand: everything that never changes is bytes from here on."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from agenttop import __version__, jsonpath
from agenttop.dialects import dialect_named
from agenttop.dialects.base import Dialect
from agenttop.dialects.transcripts import TRANSCRIPTS, Transcribed
from agenttop.jsonpath import JsonPath
from agenttop.metrics.layout import Layout, PoolInfo, RequestInfo
from agenttop.metrics.snapshot import StageInfo
from agenttop.plantext import stage_name
from agenttop.profile.checks import Check, compile_check
from agenttop.profile.fields import saved_header
from agenttop.profile.model import Measure, Pool, Profile, Step, Task
from agenttop.profile.script import ScriptedPool, is_optional, rows_of
from agenttop.profile.search import targets_of
from agenttop.profile.template import (
    Constant,
    Template,
    compile_form,
    compile_header,
    compile_json,
    compile_path,
    compile_query,
    compile_text,
)
from agenttop.users.feeder import Feed, Feeds
from agenttop.users.history import Turn, compile_turn
from agenttop.users.refusals import RefusalPolicy, policy_of
from agenttop.users.terms import caps_of, price_of
from agenttop.users.trace import TRACEPARENT
from agenttop.wire.target import Limits, Target, parse_target

if TYPE_CHECKING:
    from agenttop.users.script import CompiledScript

_NS = 1_000_000_000
_MADE_PER_REQUEST = {"uuid", "now", "random", TRACEPARENT}

Pieces = list[bytes | Template]


def fill_pieces(pieces: Pieces, variables: dict[str, str]) -> list[bytes]:
    """The pieces with the variables in place."""
    return [piece if isinstance(piece, bytes) else piece.fill(variables) for piece in pieces]


@dataclass(frozen=True, slots=True)
class CompiledStep:
    """One request or WebSocket action, ready to be filled."""

    request: int
    """Index of its row in the layout; -1 for an action that is no request (a send that awaits nothing, a close)."""
    name: str
    kind: str
    """``http``, ``connect``, ``send`` or ``close``."""
    static: bytes | None
    """The whole request or message where no variable is in it."""
    head: Pieces
    body: Template | None
    url: Pieces
    """Path and query, for transports that take a request apart (httpx)."""
    method: str
    headers: list[tuple[str, Template]]
    """For such transports too, names in lower case."""
    made: frozenset[str]
    """Built-in variables that are made anew for each request."""
    limits: Limits
    dialect: Dialect
    stream: bool
    """Anything but an event stream is a protocol error."""
    lean: bool
    """Nothing of the answer is read unless its head says that it should be."""
    reads_json: bool
    reads_body: bool
    checks: tuple[tuple[str, Check], ...]
    save: tuple[tuple[str, JsonPath], ...]
    save_headers: tuple[tuple[str, str], ...]
    """Variable to the header it is saved from, in lower case."""
    expect: JsonPath | None
    wait: bool
    target: Target
    objectives: tuple[tuple[str, int], ...]
    """What a good answer keeps to, in nanoseconds; empty where nobody asks."""
    max_output: int | None = None
    """Tokens that it may make the target write, where that is not what the budget says of all requests."""
    cookies: bool = True
    """The user's cookies go with it."""

    turn: Turn | None = None
    """What it adds to the conversation; None where there is none."""

    def saying(self, body: bytes, variables: dict[str, str]) -> CompiledStep:
        """The step with this body instead of its own, as bytes for good."""
        head = b"".join(fill_pieces(self.head, variables))
        static = b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body)
        return replace(self, static=static, body=Constant(body), made=frozenset(), turn=None)

    def fill(self, variables: dict[str, str]) -> bytes:
        """The bytes on the wire."""
        if self.static is not None:
            return self.static
        body = self.body.fill(variables) if self.body is not None else b""
        if self.kind == "send":
            return body
        parts = fill_pieces(self.head, variables)
        if self.body is not None:
            parts.append(b"content-length: %d\r\n\r\n" % len(body))
            parts.append(body)
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class CompiledTask:
    """The steps of one task and the pause between them, in seconds."""

    name: str
    steps: tuple[CompiledStep, ...]
    pause: tuple[float, float]
    single: bool
    """It has one step only, and its user does nothing about a refusal."""
    feed: int = -1
    """Index of its data among the pool's feeds; -1: none."""
    apart: bool = False
    """It is a conversation of its own, every time."""


@dataclass(frozen=True, slots=True)
class CompiledPool:
    """What a user of one pool does."""

    index: int
    name: str
    protocol: str
    target: Target
    open: bool
    think_time: tuple[float, float]
    pacing: float | None
    max_users: int
    poisson: bool
    setup: tuple[CompiledStep, ...]
    tasks: tuple[CompiledTask, ...]
    teardown: tuple[CompiledStep, ...]
    renews: bool
    """There are variables to fill for each iteration: ``{iteration}``, or data of a task."""
    breathless: bool
    """One request follows the other without a pause, and of the answers only the times matter."""
    feeds: tuple[Feed, ...] = ()
    """The data of the pool and of its tasks."""
    feed: int = -1
    """Index of the data of its sessions among them; -1: none."""
    refusals: RefusalPolicy | None = None
    """What is done about rate-limited answers; None where they are just counted."""
    patient: bool = False
    """Users wait after a refusal, or send again."""
    script: CompiledScript | None = None
    """What its users do is written in Python."""
    cookies: bool = False
    """Users keep the cookies that they are given."""
    per_request: bool = False
    """Every request opens a connection of its own."""
    traced: bool = False
    """Its requests carry the id of a trace."""
    _weights: list[float] = field(default_factory=list)

    def task(self, fraction: float) -> CompiledTask:
        """The task at a fraction (0 to 1) of the weights."""
        weights = self._weights
        return self.tasks[min(bisect_right(weights, fraction * weights[-1]), len(self.tasks) - 1)]

    def without(self, task: CompiledTask) -> CompiledPool:
        """The pool when a task is not to be chosen any more; it may have none left."""
        bounds = [0.0, *self._weights]
        weights = [high - low for low, high in pairwise(bounds)]
        left = [(each, weight) for each, weight in zip(self.tasks, weights, strict=True) if each is not task]
        return replace(
            self, tasks=tuple(each for each, _ in left), _weights=list(accumulate(weight for _, weight in left))
        )


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

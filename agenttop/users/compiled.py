"""What a virtual user needs of its profile: requests, tasks and pools, as bytes as far as they never change."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

from agenttop.dialects.dialect import Dialect
from agenttop.expressions.jsonpath import JsonPath
from agenttop.metrics.layout import Price
from agenttop.profile.checks import Check
from agenttop.profile.rows import Rows
from agenttop.profile.template import Constant, Template
from agenttop.users.feeder import Feed
from agenttop.users.history import Turn
from agenttop.users.policy import RefusalPolicy
from agenttop.wire.target import Limits, Target

Pieces = list[bytes | Template]


def fill_pieces(pieces: Pieces, variables: dict[str, str]) -> list[bytes]:
    """Return the pieces with the variables filled in."""
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
    """The whole request or message if it has no variable."""
    head: Pieces
    body: Template | None
    url: Pieces
    """Path and query, for transports that take a request apart (httpx)."""
    method: str
    headers: list[tuple[str, Template]]
    """For such transports too; names in lower case."""
    made: frozenset[str]
    """Built-in variables that are made anew for each request."""
    limits: Limits
    dialect: Dialect
    stream: bool
    """Anything but an event stream is a protocol error."""
    lean: bool
    """Nothing of the answer is read unless its head says that it must be."""
    reads_json: bool
    reads_body: bool
    checks: tuple[tuple[str, Check], ...]
    save: tuple[tuple[str, JsonPath], ...]
    save_headers: tuple[tuple[str, str], ...]
    """Header that each variable is saved from, in lower case."""
    expect: JsonPath | None
    wait: bool
    target: Target
    objectives: tuple[tuple[str, int], ...]
    """What a good answer must keep to, in nanoseconds; empty without objectives."""
    any_type: bool = False
    """An event stream is read whatever its type is called, without a warning."""
    max_output: int | None = None
    """Tokens that it may make the target write, if that is not what the budget says of all requests."""
    cookies: bool = True
    """The user's cookies go with it."""

    on_429: str | None = None
    """What is done about its refusals, where that is not what is done about the pool's."""
    max_retries: int | None = None

    begins_anew: bool = False
    """Where the answer says that its session is not known any more, the user's session is set up anew."""
    names_session: bool = False
    """A name that set-up was given, or made, stands in its path, its query or a header: 404 and 410 say so, too."""

    turn: Turn | None = None
    """What it adds to the conversation; None if there is none."""

    def saying(self, body: bytes, variables: dict[str, str]) -> CompiledStep:
        """Return the step with this body instead of its own, as constant bytes."""
        head = b"".join(fill_pieces(self.head, variables))
        static = b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body)
        return replace(self, static=static, body=Constant(body), made=frozenset(), turn=None)

    def fill(self, variables: dict[str, str]) -> bytes:
        """Return the bytes on the wire."""
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
    single: bool = False
    """It has only one step, and its user does nothing about a refusal. Set by ``tuned``."""
    feed: int = -1
    """Index of its data among the pool's feeds; -1: none."""
    apart: bool = False
    """It is a conversation of its own every time."""
    questions: int = -1
    """Index of its cases among the pool's questions; -1: it is not graded."""


@dataclass(frozen=True, slots=True)
class Questions:
    """The cases that a graded task asks."""

    pool: str
    task: str
    cases: tuple[str, ...]
    """Their ids."""
    rows: Rows
    """The variables of each that the task uses."""
    graded: tuple[int, ...]
    """Of every step, which graded one it is, from 0; -1: it is none."""
    price: Price | None = None

    @property
    def last(self) -> int:
        """Return the number of the last graded step."""
        return max(self.graded)


@dataclass(frozen=True, slots=True)
class CompiledPool:
    """Everything the users of one pool do."""

    index: int
    name: str
    protocol: str
    target: Target
    open: bool
    max_users: int
    poisson: bool
    setup: tuple[CompiledStep, ...]
    tasks: tuple[CompiledTask, ...]
    teardown: tuple[CompiledStep, ...]
    renews: bool
    """Variables are filled for each iteration: ``{iteration}``, or data of a task."""
    own_ids: bool = False
    """``{session_uuid}`` or ``{iteration_uuid}`` is among its variables."""
    feeds: tuple[Feed, ...] = ()
    """The data of the pool and of its tasks."""
    feed: int = -1
    """Index of the data of its sessions in ``feeds``; -1: none."""
    questions: tuple[Questions, ...] = ()
    """The cases of its graded tasks."""

    # What follows from pauses and policy, which may change: ``tuned`` says it.
    think_time: tuple[float, float] = (0.0, 0.0)
    pacing: float | None = None
    back_to_back: bool = False
    """Requests follow each other without a pause, and only the times of the answers matter."""
    refusals: RefusalPolicy | None = None
    """How rate-limited answers are treated; None if they are just counted."""
    patient: bool = False
    """Users wait after a refusal, or send again."""

    scripted: bool = False
    """What its users do is written in Python."""
    cookies: bool = False
    """Users keep the cookies that they are given."""
    per_request: bool = False
    """Every request opens a connection of its own."""
    traced: bool = False
    """Its requests carry the id of a trace."""
    _weights: list[float] = field(default_factory=list)

    def task(self, fraction: float) -> CompiledTask:
        """Return the task at a fraction (0 to 1) of the weights."""
        weights = self._weights
        return self.tasks[min(bisect_right(weights, fraction * weights[-1]), len(self.tasks) - 1)]

    def without(self, task: CompiledTask) -> CompiledPool:
        """Return the pool without a task that must not be chosen any more; it may have none left."""
        bounds = [0.0, *self._weights]
        weights = [high - low for low, high in pairwise(bounds)]
        left = [(each, weight) for each, weight in zip(self.tasks, weights, strict=True) if each is not task]
        return replace(
            self, tasks=tuple(each for each, _ in left), _weights=list(accumulate(weight for _, weight in left))
        )

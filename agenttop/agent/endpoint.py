"""The base of the agent's endpoints: their shared state, limits, and how a failed call is told."""

import itertools
from collections.abc import Awaitable
from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send

from agenttop.agent.brain import Brain, ModelError
from agenttop.agent.call import CALL, BadRequest, Call, ClientGone, Headers
from agenttop.agent.config import AgentConfig
from agenttop.agent.limits import KeyLimit, Limits, Refusal, refusal_headers
from agenttop.agent.sessions import Sessions
from agenttop.agent.stats import Stats


@dataclass(slots=True)
class State:
    """The state that endpoints share."""

    config: AgentConfig
    stats: Stats
    limits: Limits
    sessions: Sessions
    brain: Brain
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def next_number(self) -> int:
        """Return the number of the next admitted request; refused ones have none, so limits do not shift the
        choices.
        """
        return next(self._numbers)


class Limited(Exception):
    """The request was refused by a limit and has been answered."""


class Endpoint:
    """An ASGI endpoint for POST requests with a JSON object as body; subclasses give `template` and `serve`.

    Errors, limits and keys are told as OpenAI does, unless a subclass has another form for them.
    """

    template = ""

    def __init__(self, state: State) -> None:
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call: Call = scope[CALL]
        call.template = self.template
        try:
            await self.serve(call, scope)
        except BadRequest as error:
            await call.answer(error.status, self.error(str(error), "invalid_request_error", error.code))
        except (ClientGone, Limited):
            pass

    async def serve(self, call: Call, scope: Scope) -> None:
        """Answer the request. Raises BadRequest for a mistake of the client's."""
        raise NotImplementedError

    def error(self, message: str, kind: str, code: str) -> object:
        """Return the body of an answer that failed."""
        return _error(message, kind, code)

    def key(self, call: Call) -> bytes:
        """Return the key that tells one client from another."""
        return call.header(b"authorization")

    def quotas(self, limit: KeyLimit) -> Headers:
        """Return the headers that tell what is left of the limits."""
        return limit.headers()

    def refusal(self, refusal: Refusal) -> Headers:
        """Return the headers that tell how long to wait."""
        return refusal_headers(refusal)

    async def admit(self, call: Call, tokens: int) -> KeyLimit:
        """Return the limits of the request's key, after taking the request and its input tokens from them.

        Answers 429 and raises Limited when there is not enough left.
        """
        limit = self.state.limits.of(self.key(call))
        refusal = limit.admit(tokens)
        if refusal is not None:
            body = self.error(refusal.message, "rate_limit_error", "rate_limit_exceeded")
            await call.answer(429, body, [*self.refusal(refusal), *self.quotas(limit)])
            raise Limited
        return limit

    async def run(self, call: Call, work: Awaitable[None], limit: KeyLimit, *, instant: bool) -> None:
        """Run what answers a request, and answer 500 when the model call in it fails."""
        try:
            # Nothing to give up in work that takes no time: the watcher would only cost some.
            await (work if instant else call.unless_client_leaves(work))
        except ModelError:
            error = self.error("The model call failed. This is on our side.", "server_error", "model_error")
            await call.answer(500, error, self.quotas(limit))


def quota_headers(limit: KeyLimit, timing: bytes) -> Headers:
    """Return the headers of every answer of a model: where the time went, and what is left of the limits."""
    return [(b"server-timing", timing), *limit.headers()]


def _error(message: str, kind: str, code: str) -> dict[str, object]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}, "message": message}

"""The base of the endpoints of model providers: one model call, streamed or whole, tools left to the client."""

import time
from dataclasses import dataclass
from typing import Any, TypeVar

from agenttop.agent.answers import arguments_json, planned_pieces
from agenttop.agent.brain import Brain, Cut, Timings
from agenttop.agent.call import BadRequest, Call, Headers, event
from agenttop.agent.endpoint import Endpoint
from agenttop.agent.limits import KeyLimit
from agenttop.agent.plan import OWN_TOOLS, Offer, Plan, ToolRun, make_plan
from agenttop.agent.questions import Question

Body = dict[str, Any]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a request asks: its newest text, the tokens of all, whether tools may be called, and the answer's cap."""

    question: Question
    tokens: int
    may_call: bool
    cap: int | None


def content_text(content: object) -> str:
    """Return the text of a message's content, a string or a list of parts; empty for null and parts without text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        return " ".join(text for text in texts if isinstance(text, str))
    return ""


def user_texts(messages: list[Any]) -> list[str]:
    """Return the texts of a conversation's messages that are the user's; those without text (results) are none."""
    texts = (content_text(each.get("content")) for each in messages if each.get("role", "user") == "user")
    return [text for text in texts if text]


def offered_tools(tools: object) -> Offer:
    """Return the functions a client offers, `[{"type": "function", "function": {"name": …}}]` or with the name
    outside, and the arguments that each says it has, those it requires first.
    """
    offer: dict[str, tuple[str, ...]] = {}
    for tool in tools if isinstance(tools, list) else []:
        if isinstance(tool, dict):
            function = tool.get("function", tool)
            name = function.get("name") if isinstance(function, dict) else None
            if isinstance(name, str):
                offer[name] = _arguments(function.get("parameters", function.get("input_schema")))
    return offer or OWN_TOOLS


def _arguments(schema: object) -> tuple[str, ...]:
    if not isinstance(schema, dict):
        return ()
    required, properties = schema.get("required"), schema.get("properties")
    names = [*(required if isinstance(required, list) else ()), *(properties if isinstance(properties, dict) else ())]
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))


def token_cap(body: Body, *keys: str) -> int | None:
    """Return the cap on output tokens under the first of `keys` that has one. Raises BadRequest for anything but a
    count.
    """
    for key in keys:
        value = body.get(key)
        if value is not None:
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise BadRequest(f"{key} should be a number of tokens, at least 1")
            return value
    return None


def named_event(kind: str, data: object) -> bytes:
    """Return one SSE event with its name outside of the data too."""
    return f"event: {kind}\n".encode() + event(data)


def in_steps(opening: list[_T], deltas: list[_T], closing: list[_T]) -> list[list[_T]]:
    """Return one step for each delta; the first begins with `opening`, the last ends with `closing`."""
    steps = [[delta] for delta in deltas]
    steps[0][:0] = opening
    steps[-1] += closing
    return steps


class Generation:
    """One answer; as a sink it streams. Subclasses say how it looks: `opening`, `piece`, `ending` and `whole`, all of
    them called only once it is `prepared`.
    """

    def __init__(self, endpoint: "ModelEndpoint", call: Call, limit: KeyLimit, plan: Plan, prompt: Prompt, body: Body):
        self.call = call
        self.plan = plan
        self._endpoint = endpoint
        self._limit = limit
        self._created = int(time.time())
        model = body.get("model")
        self._model = model if isinstance(model, str) else endpoint.state.config.model

    def prepare(self, plan: Plan) -> None:
        """Take the plan that is carried out, and what is said by it."""
        self.plan = plan
        self._tools = plan.tools
        self._arguments = [arguments_json(tool.arguments) for tool in plan.tools]
        self._tokens = plan.calls[-1].output_tokens
        self._pieces = planned_pieces(plan)

    def opening(self) -> bytes:
        """Return what is sent before the first token."""
        raise NotImplementedError

    def piece(self, index: int) -> bytes:
        """Return what is sent for an output token; empty if tool calls have fewer pieces than tokens."""
        raise NotImplementedError

    def ending(self) -> bytes:
        """Return what is sent after the last token."""
        raise NotImplementedError

    def whole(self) -> dict[str, object]:
        """Return the answer as one object."""
        raise NotImplementedError

    async def live(self, brain: Brain, *, streams: bool) -> None:
        """Carry out the plan and send the answer. Raises ModelError, with nothing sent, when the plan fails."""
        if not streams:
            timings = await brain.think(self.plan)
            self.prepare(timings.plan)
            self._finish()
            await self.call.answer(200, self.whole(), self._head(timings.header()))
            return
        try:
            await brain.think(self.plan, self)
        except Cut:
            self.call.cut()
        else:
            self._finish()
            await self.call.stream(self.ending(), last=True)

    async def started(self, timings: Timings) -> None:
        """Send the head and the opening."""
        self.prepare(timings.plan)
        await self.call.start_stream(self._head(timings.header_so_far()))
        await self.call.stream(self.opening())

    async def tool_called(self, tool: ToolRun) -> None:
        """Never called: the client runs the tools."""

    async def token(self, index: int) -> None:
        """Send the piece of a token, or raise Cut."""
        if index == self.plan.cut_at:
            raise Cut
        if data := self.piece(index):
            await self.call.stream(data)

    def _head(self, timing: bytes) -> Headers:
        return [(b"server-timing", timing), *self._endpoint.quotas(self._limit)]

    def _finish(self) -> None:
        # Counted as served, and its output charged.
        self.call.served = self.plan.served
        self._limit.spend(self.plan.served.output_tokens)


class ModelEndpoint(Endpoint):
    """An endpoint that answers a prompt in one provider's format; subclasses give `generation` too."""

    generation: type[Generation]

    async def generate(self, call: Call, body: Body, prompt: Prompt) -> None:
        """Take the prompt from the limits, plan its answer and send it, streamed if the body says so."""
        limit = await self.admit(call, prompt.tokens)
        plan = make_plan(
            self.state.config,
            self.state.next_number(),
            prompt.tokens,
            prompt.question,
            loops=False,
            may_call=prompt.may_call,
            max_output_tokens=prompt.cap,
            tools=offered_tools(body.get("tools")),
        )
        call.buffers = plan.buffered
        answer = self.generation(self, call, limit, plan, prompt, body)
        work = answer.live(self.state.brain, streams=bool(body.get("stream")))
        await self.run(call, work, limit, instant=plan.instant)

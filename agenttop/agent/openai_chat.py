"""POST /v1/chat/completions, in OpenAI's format: a JSON object, or server-sent chunks ended by `[DONE]`.

As with a model, tools are the client's to run: a prompt that needs them is answered by tool calls.
"""

import time
from typing import Any

from starlette.types import Scope

from agenttop.agent.answers import call_arguments, call_id, pieces, split_evenly
from agenttop.agent.brain import TOOLS, Cut, Plan, Timings, ToolRun, count_tokens, make_plan, wants_tools
from agenttop.agent.call import BadRequest, Call, event
from agenttop.agent.endpoint import Endpoint, quota_headers
from agenttop.agent.limits import KeyLimit

DONE = b"data: [DONE]\n\n"


def content_text(content: object) -> str:
    """The text of a message's content, a string or a list of parts; empty for null and parts without text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        return " ".join(text for text in texts if isinstance(text, str))
    return ""


def tool_names(tools: object) -> tuple[str, ...]:
    """The functions a client offers, `[{"type": "function", "function": {"name": …}}]` or with the name outside."""
    names = []
    for tool in tools if isinstance(tools, list) else []:
        if isinstance(tool, dict):
            function = tool.get("function", tool)
            name = function.get("name") if isinstance(function, dict) else None
            if isinstance(name, str):
                names.append(name)
    return tuple(names) or TOOLS


def token_cap(body: dict[str, Any], *keys: str) -> int | None:
    """The cap on output tokens under the first of `keys` that has one. Raises BadRequest for anything but a count."""
    for key in keys:
        value = body.get(key)
        if value is not None:
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise BadRequest(f"{key} should be a number of tokens, at least 1")
            return value
    return None


class ChatCompletions(Endpoint):
    """The endpoint."""

    template = "/v1/chat/completions"

    async def serve(self, call: Call, scope: Scope) -> None:
        """Answers a list of messages."""
        body = await call.json()
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
            raise BadRequest("messages should be a list of at least one message")
        cap = token_cap(body, "max_completion_tokens", "max_tokens")
        texts = [content_text(message.get("content")) for message in messages]
        # A few tokens of each message are its role and its borders.
        input_tokens = sum(count_tokens(text) + 3 for text in texts)
        limit = await self.admit(call, input_tokens)
        asks = messages[-1].get("role") == "user" and body.get("tool_choice") != "none" and wants_tools(texts[-1])
        plan = make_plan(
            self.state.config,
            self.state.next_number(),
            input_tokens,
            tools=asks,
            loops=False,
            max_output_tokens=cap,
            tool_names=tool_names(body.get("tools")),
        )
        model = body.get("model")
        answer = Completion(call, limit, plan, texts[-1], model if isinstance(model, str) else self.state.config.model)
        await self.run(call, self._live(answer, body), limit, instant=plan.instant)

    async def _live(self, answer: "Completion", body: dict[str, Any]) -> None:
        if not body.get("stream"):
            timings = await self.state.brain.think(answer.plan)
            result = answer.whole()
            answer.finish()
            await answer.call.answer(200, result, quota_headers(answer.limit, timings.header()))
            return
        options = body.get("stream_options")
        answer.include_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        try:
            await self.state.brain.think(answer.plan, answer)
        except Cut:
            answer.call.cut()
        else:
            answer.finish()
            await answer.call.stream(answer.ending(), last=True)


class Completion:
    """One completion; as a sink it streams chunks."""

    def __init__(self, call: Call, limit: KeyLimit, plan: Plan, content: str, model: str) -> None:
        self.call = call
        self.limit = limit
        self.plan = plan
        self.include_usage = False
        self._id = f"chatcmpl-{plan.number:08d}"
        self._created = int(time.time())
        self._model = model
        self._tools = plan.tools
        self._arguments = call_arguments(content)
        tokens = plan.calls[-1].output_tokens
        self._pieces = pieces(content, tokens)
        self._deltas: list[dict[str, object]] = [{"content": piece} for piece in self._pieces]
        if self._tools:
            self._deltas = self._tool_deltas(tokens)

    def _tool_deltas(self, tokens: int) -> list[dict[str, object]]:
        # Each call opens with its name and empty arguments; pieces of the arguments follow by index.
        deltas: list[dict[str, object]] = []
        for index, tool in enumerate(self._tools):
            function = {"name": tool.name, "arguments": ""}
            opening = {"index": index, "id": call_id(self.plan, index), "type": "function", "function": function}
            deltas.append({"tool_calls": [opening]})
            parts = split_evenly(self._arguments, tokens // len(self._tools) - 1)
            deltas += [{"tool_calls": [{"index": index, "function": {"arguments": part}}]} for part in parts]
        return deltas

    @property
    def _finish_reason(self) -> str:
        if self._tools:
            return "tool_calls"
        return "length" if self.plan.length_limited else "stop"

    @property
    def _usage(self) -> dict[str, object]:
        served = self.plan.served
        return {
            "prompt_tokens": served.input_tokens,
            "completion_tokens": served.output_tokens,
            "total_tokens": served.input_tokens + served.output_tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }

    def _chunk(self, choices: list[dict[str, object]], usage: object = None) -> bytes:
        chunk: dict[str, object] = {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            "choices": choices,
        }
        if self.include_usage:
            # With usage asked for, every chunk before the last says null.
            chunk["usage"] = usage
        return event(chunk)

    def _delta(self, delta: dict[str, object], finish_reason: str | None = None) -> bytes:
        return self._chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}])

    async def started(self, timings: Timings) -> None:
        """Sends the head and the chunk that has only the role."""
        await self.call.start_stream(quota_headers(self.limit, timings.header_so_far()))
        await self.call.stream(self._delta({"role": "assistant", "content": None if self._tools else ""}))

    async def tool_called(self, tool: ToolRun) -> None:
        """Never: the client runs the tools."""

    async def token(self, index: int) -> None:
        """Sends the chunk of a token, or raises Cut. Tool calls can have fewer chunks than tokens."""
        if index == self.plan.cut_at:
            raise Cut
        if index < len(self._deltas):
            await self.call.stream(self._delta(self._deltas[index]))

    def ending(self) -> bytes:
        """The chunk with the finish reason, the chunk with the usage if asked for, and the end mark."""
        usage = self._chunk([], self._usage) if self.include_usage else b""
        return self._delta({}, self._finish_reason) + usage + DONE

    def finish(self) -> None:
        """Counts the completion as served and charges its output."""
        self.call.served = self.plan.served
        self.limit.spend(self.plan.served.output_tokens)

    def whole(self) -> dict[str, object]:
        """The completion as one object."""
        message: dict[str, object] = {"role": "assistant", "content": "".join(self._pieces), "refusal": None}
        if self._tools:
            message["content"] = None
            message["tool_calls"] = [
                {
                    "id": call_id(self.plan, index),
                    "type": "function",
                    "function": {"name": tool.name, "arguments": self._arguments},
                }
                for index, tool in enumerate(self._tools)
            ]
        return {
            "id": self._id,
            "object": "chat.completion",
            "created": self._created,
            "model": self._model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish_reason}],
            "usage": self._usage,
        }

"""POST /v1/chat/completions, in OpenAI's format: a JSON object, or server-sent chunks ended by `[DONE]`.

As with a model, tools are the client's to run: a prompt that needs them is answered by tool calls.
"""

from starlette.types import Scope

from agenttop.agent.answers import call_id, split_evenly
from agenttop.agent.call import BadRequest, Call, event
from agenttop.agent.clerk import last_question
from agenttop.agent.generation import Body, Generation, ModelEndpoint, Prompt, content_text, token_cap, user_texts
from agenttop.agent.histories import chat_problem
from agenttop.agent.limits import KeyLimit
from agenttop.agent.plan import Plan, count_tokens

DONE = b"data: [DONE]\n\n"


class Completion(Generation):
    """One completion, in chunks or whole."""

    def __init__(self, endpoint: ModelEndpoint, call: Call, limit: KeyLimit, plan: Plan, prompt: Prompt, body: Body):
        super().__init__(endpoint, call, limit, plan, prompt, body)
        options = body.get("stream_options")
        self.include_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        self._id = f"chatcmpl-{plan.number:08d}"
        self._deltas: list[dict[str, object]] = []

    def prepare(self, plan: Plan) -> None:
        """Take the plan that is carried out, and make its deltas."""
        super().prepare(plan)
        self._deltas = self._tool_deltas() if self._tools else [{"content": piece} for piece in self._pieces]

    def _tool_deltas(self) -> list[dict[str, object]]:
        # Each call opens with its name and empty arguments; pieces of the arguments follow by index.
        deltas: list[dict[str, object]] = []
        for index, tool in enumerate(self._tools):
            function = {"name": tool.name, "arguments": ""}
            opening = {"index": index, "id": call_id(self.plan, index), "type": "function", "function": function}
            deltas.append({"tool_calls": [opening]})
            parts = split_evenly(self._arguments[index], self._tokens // len(self._tools) - 1)
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

    def opening(self) -> bytes:
        """Return the chunk that has only the role."""
        return self._delta({"role": "assistant", "content": None if self._tools else ""})

    def piece(self, index: int) -> bytes:
        """Return the chunk of a token."""
        return self._delta(self._deltas[index]) if index < len(self._deltas) else b""

    def ending(self) -> bytes:
        """Return the chunk with the finish reason, the chunk with the usage if asked for, and the end mark."""
        usage = self._chunk([], self._usage) if self.include_usage else b""
        return self._delta({}, self._finish_reason) + usage + DONE

    def whole(self) -> dict[str, object]:
        """Return the completion as one object."""
        message: dict[str, object] = {"role": "assistant", "content": "".join(self._pieces), "refusal": None}
        if self._tools:
            message["content"] = None
            message["tool_calls"] = [
                {
                    "id": call_id(self.plan, index),
                    "type": "function",
                    "function": {"name": tool.name, "arguments": self._arguments[index]},
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


class ChatCompletions(ModelEndpoint):
    """The endpoint ``POST /v1/chat/completions``."""

    template = "/v1/chat/completions"
    generation = Completion

    async def serve(self, call: Call, scope: Scope) -> None:
        """Answer a list of messages."""
        body = await call.json()
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
            raise BadRequest("messages should be a list of at least one message")
        if (problem := chat_problem(messages)) is not None:
            raise BadRequest(problem)
        cap = token_cap(body, "max_completion_tokens", "max_tokens")
        texts = [content_text(message.get("content")) for message in messages]
        # A few tokens of each message are its role and its borders.
        input_tokens = sum(count_tokens(text) + 3 for text in texts)
        may_call = messages[-1].get("role") == "user" and body.get("tool_choice") != "none"
        await self.generate(call, body, Prompt(last_question(user_texts(messages)), input_tokens, may_call, cap))

"""POST /v1/messages, in Anthropic's format: a JSON object, or events from `message_start` to `message_stop`.

As with a model, tools are the client's to run: a prompt that needs them is answered by `tool_use` blocks. A request
that allows thinking gets a block of it before the text, from the same output tokens.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.types import Scope

from agenttop.agent.answers import pieces, split_evenly
from agenttop.agent.call import BadRequest, Call, Headers
from agenttop.agent.clerk import last_question
from agenttop.agent.generation import (
    Body,
    Generation,
    ModelEndpoint,
    Prompt,
    content_text,
    in_steps,
    named_event,
    token_cap,
    user_texts,
)
from agenttop.agent.histories import messages_problem
from agenttop.agent.limits import KeyLimit, Refusal
from agenttop.agent.plan import Plan, count_tokens

Event = dict[str, object]

#: How Anthropic calls what others call a server_error.
_KINDS = {"server_error": "api_error"}
_SIGNATURE = "bm90IGEgc2lnbmF0dXJl"
_THOUGHTS = "I read the question again and look for what would help most."


def _texts(content: object) -> str:
    """Return all text of a message's content, that of tool results included."""
    blocks = content if isinstance(content, list) else []
    results = [content_text(block.get("content")) for block in blocks if isinstance(block, dict)]
    return " ".join(text for text in (content_text(content), *results) if text)


def _thinks(thinking: object) -> bool:
    return isinstance(thinking, dict) and thinking.get("type") in ("enabled", "adaptive")


def _declines(choice: object) -> bool:
    return isinstance(choice, dict) and choice.get("type") == "none"


class Message(Generation):
    """One message, in events or whole."""

    def __init__(self, endpoint: ModelEndpoint, call: Call, limit: KeyLimit, plan: Plan, prompt: Prompt, body: Body):
        super().__init__(endpoint, call, limit, plan, prompt, body)
        self._id = f"msg_{plan.number:08d}"
        self._thinks = _thinks(body.get("thinking"))
        self._thoughts: list[str] = []
        self._steps: list[list[Event]] = []

    def prepare(self, plan: Plan) -> None:
        """Take the plan that is carried out, think if it may, and make the steps."""
        super().prepare(plan)
        if self._thinks and not self._tools:
            count = self._tokens // 2
            words = _THOUGHTS.split()
            self._thoughts = [f"{words[index % len(words)]} " for index in range(count)]
            self._pieces = pieces(plan.reply, self._tokens - count, cut=plan.length_limited)
        self._steps = self._call_steps() if self._tools else self._text_steps()

    def opening(self) -> bytes:
        """Return the message without content, and a ping."""
        start = self._message([], None, self._usage(1))
        return _events([{"type": "message_start", "message": start}, {"type": "ping"}])

    def piece(self, index: int) -> bytes:
        """Return the events of a token."""
        return _events(self._steps[index]) if index < len(self._steps) else b""

    def ending(self) -> bytes:
        """Return the stop reason with the usage, and the end."""
        delta = {"stop_reason": self._stop_reason, "stop_sequence": None}
        usage = self._usage(self.plan.served.output_tokens)
        return _events([{"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}])

    def whole(self) -> dict[str, object]:
        """Return the message as one object."""
        content: list[dict[str, object]] = []
        if self._thoughts:
            content.append({"type": "thinking", "thinking": "".join(self._thoughts), "signature": _SIGNATURE})
        if self._tools:
            content += [self._tool_block(index, tool.arguments) for index, tool in enumerate(self._tools)]
        else:
            content.append(_text_block("".join(self._pieces)))
        return self._message(content, self._stop_reason, self._usage(self.plan.served.output_tokens))

    @property
    def _stop_reason(self) -> str:
        if self._tools:
            return "tool_use"
        return "max_tokens" if self.plan.length_limited else "end_turn"

    def _text_steps(self) -> list[list[Event]]:
        steps = []
        if self._thoughts:
            deltas: list[dict[str, object]] = [{"type": "thinking_delta", "thinking": text} for text in self._thoughts]
            signed = _delta(0, {"type": "signature_delta", "signature": _SIGNATURE})
            block: dict[str, object] = {"type": "thinking", "thinking": "", "signature": ""}
            steps = _block_steps(0, block, deltas, signed)
        deltas = [{"type": "text_delta", "text": piece} for piece in self._pieces]
        return steps + _block_steps(1 if steps else 0, _text_block(""), deltas)

    def _call_steps(self) -> list[list[Event]]:
        steps = []
        for index in range(len(self._tools)):
            # The first piece of the arguments is always empty.
            parts = ["", *split_evenly(self._arguments[index], self._tokens // len(self._tools) - 1)]
            deltas: list[dict[str, object]] = [{"type": "input_json_delta", "partial_json": part} for part in parts]
            steps += _block_steps(index, self._tool_block(index, {}), deltas)
        return steps

    def _tool_block(self, index: int, arguments: object) -> dict[str, object]:
        identity = f"toolu_{self.plan.number:08d}{index}"
        return {"type": "tool_use", "id": identity, "name": self._tools[index].name, "input": arguments}

    def _usage(self, output_tokens: int) -> dict[str, object]:
        return {
            "input_tokens": self.plan.served.input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
            "output_tokens_details": {"thinking_tokens": min(len(self._thoughts), output_tokens)},
        }

    def _message(self, content: object, stop_reason: str | None, usage: object) -> dict[str, object]:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": usage,
        }


def _events(events: list[Event]) -> bytes:
    return b"".join(named_event(str(event["type"]), event) for event in events)


def _text_block(text: str) -> dict[str, object]:
    return {"type": "text", "text": text}


def _delta(index: int, delta: dict[str, object]) -> Event:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def _block_steps(index: int, block: object, deltas: list[dict[str, object]], *last: Event) -> list[list[Event]]:
    return in_steps(
        [{"type": "content_block_start", "index": index, "content_block": block}],
        [_delta(index, delta) for delta in deltas],
        [*last, {"type": "content_block_stop", "index": index}],
    )


class AnthropicMessages(ModelEndpoint):
    """The endpoint ``POST /v1/messages``. Errors, limits and keys are told as Anthropic does."""

    template = "/v1/messages"
    generation = Message

    async def serve(self, call: Call, scope: Scope) -> None:
        """Answer a list of messages."""
        body = await call.json()
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
            raise BadRequest("messages should be a list of at least one message")
        if (problem := messages_problem(messages)) is not None:
            raise BadRequest(problem)
        cap = token_cap(body, "max_tokens")
        if cap is None:
            raise BadRequest("max_tokens: field required")
        await self.generate(call, body, self._prompt(body, messages, cap))

    def _prompt(self, body: Body, messages: list[dict[str, Any]], cap: int) -> Prompt:
        # A few tokens of each message are its role and its borders.
        input_tokens = sum(count_tokens(_texts(message.get("content"))) + 3 for message in messages)
        if system := content_text(body.get("system")):
            input_tokens += count_tokens(system)
        last = messages[-1]
        # A user's message without text holds the results of tools.
        asked = last.get("role") == "user" and content_text(last.get("content")) != ""
        may_call = asked and not _declines(body.get("tool_choice"))
        return Prompt(last_question(user_texts(messages)), input_tokens, may_call, cap)

    def error(self, message: str, kind: str, code: str) -> object:
        """Return Anthropic's error object; it has no code."""
        return {"type": "error", "error": {"type": _KINDS.get(kind, kind), "message": message}}

    def key(self, call: Call) -> bytes:
        """Return the key, which has a header of its own; tokens of OAuth are in the usual one."""
        return call.header(b"x-api-key") or call.header(b"authorization")

    def quotas(self, limit: KeyLimit) -> Headers:
        """Return the `anthropic-ratelimit-*` headers of the limits that are on; resets are times in UTC."""
        headers: Headers = []
        now = datetime.now(UTC)
        for kind, per_minute, remaining, reset_s in limit.quotas():
            reset = (now + timedelta(seconds=math.ceil(reset_s))).strftime("%Y-%m-%dT%H:%M:%SZ")
            for name, value in (("limit", str(per_minute)), ("remaining", str(remaining)), ("reset", reset)):
                headers.append((f"anthropic-ratelimit-{kind}-{name}".encode(), value.encode()))
        return headers

    def refusal(self, refusal: Refusal) -> Headers:
        """Return how long to wait, in whole seconds; milliseconds are not told."""
        return [(b"retry-after", str(refusal.retry_after_s).encode())]

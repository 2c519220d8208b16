"""POST /v1/responses, in OpenAI's format: a JSON object, or server-sent events that end with the whole of it.

As with a model, tools are the client's to run: a prompt that needs them is answered by function calls. Nothing is
stored: a conversation is what its client sends.
"""

from typing import Any

from starlette.types import Scope

from agenttop.agent.answers import call_id, split_evenly
from agenttop.agent.call import BadRequest, Call
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
from agenttop.agent.histories import responses_problem
from agenttop.agent.limits import KeyLimit
from agenttop.agent.plan import Plan, count_tokens

Event = tuple[str, dict[str, object]]


def _items(given: object) -> list[dict[str, Any]]:
    """Return the input as a list of items. Raises BadRequest if it is none."""
    if isinstance(given, str) and given:
        return [{"role": "user", "content": given}]
    if isinstance(given, list) and given and all(isinstance(item, dict) for item in given):
        return given
    raise BadRequest("input should be a text or a list of at least one item")


def _text(item: dict[str, Any]) -> str:
    """Return the text of a message, or of what a tool returned."""
    return content_text(item.get("content") or item.get("output"))


class Response(Generation):
    """One response, in events or whole."""

    def __init__(self, endpoint: ModelEndpoint, call: Call, limit: KeyLimit, plan: Plan, prompt: Prompt, body: Body):
        super().__init__(endpoint, call, limit, plan, prompt, body)
        self._id = f"resp_{plan.number:08d}"
        self._cap = prompt.cap
        self._instructions = body.get("instructions")
        self._sequence = 0
        self._steps: list[list[Event]] = []

    def prepare(self, plan: Plan) -> None:
        """Take the plan that is carried out, and make its steps."""
        super().prepare(plan)
        self._steps = self._call_steps() if self._tools else self._text_steps()

    def opening(self) -> bytes:
        """Return the events about the response before it has any output."""
        response = self._response("in_progress", [], None)
        return self._events([(f"response.{kind}", {"response": response}) for kind in ("created", "in_progress")])

    def piece(self, index: int) -> bytes:
        """Return the events of a token."""
        return self._events(self._steps[index]) if index < len(self._steps) else b""

    def ending(self) -> bytes:
        """Return the event that holds the whole response."""
        response = self.whole()
        return self._events([(f"response.{response['status']}", {"response": response})])

    def whole(self) -> dict[str, object]:
        """Return the response as one object."""
        status = "incomplete" if self.plan.length_limited and not self._tools else "completed"
        calls = [self._call_item(index, self._arguments[index], "completed") for index in range(len(self._tools))]
        return self._response(status, calls or [self._message("".join(self._pieces), status)], self._usage)

    def _events(self, events: list[Event]) -> bytes:
        data = b""
        for kind, fields in events:
            data += named_event(kind, {"type": kind, **fields, "sequence_number": self._sequence})
            self._sequence += 1
        return data

    def _text_steps(self) -> list[list[Event]]:
        text = "".join(self._pieces)
        status = "incomplete" if self.plan.length_limited else "completed"
        at: dict[str, object] = {"item_id": self._message_id, "output_index": 0, "content_index": 0}
        return in_steps(
            [
                ("response.output_item.added", {"output_index": 0, "item": self._message(None, "in_progress")}),
                ("response.content_part.added", {**at, "part": _part("")}),
            ],
            [("response.output_text.delta", {**at, "delta": piece, "logprobs": []}) for piece in self._pieces],
            [
                ("response.output_text.done", {**at, "text": text, "logprobs": []}),
                ("response.content_part.done", {**at, "part": _part(text)}),
                ("response.output_item.done", {"output_index": 0, "item": self._message(text, status)}),
            ],
        )

    def _call_steps(self) -> list[list[Event]]:
        steps = []
        for index, tool in enumerate(self._tools):
            at: dict[str, object] = {"item_id": self._call_id(index), "output_index": index}
            done = {**at, "name": tool.name, "arguments": self._arguments[index]}
            item = self._call_item(index, "", "in_progress")
            whole = self._call_item(index, self._arguments[index], "completed")
            steps += in_steps(
                [("response.output_item.added", {"output_index": index, "item": item})],
                [
                    ("response.function_call_arguments.delta", {**at, "delta": part})
                    for part in split_evenly(self._arguments[index], self._tokens // len(self._tools))
                ],
                [
                    ("response.function_call_arguments.done", done),
                    ("response.output_item.done", {"output_index": index, "item": whole}),
                ],
            )
        return steps

    @property
    def _message_id(self) -> str:
        return f"msg_{self.plan.number:08d}"

    def _message(self, text: str | None, status: str) -> dict[str, object]:
        content = [] if text is None else [_part(text)]
        return {"id": self._message_id, "type": "message", "role": "assistant", "status": status, "content": content}

    def _call_id(self, index: int) -> str:
        return f"fc_{self.plan.number:08d}{index}"

    def _call_item(self, index: int, arguments: str, status: str) -> dict[str, object]:
        return {
            "id": self._call_id(index),
            "type": "function_call",
            "status": status,
            "call_id": call_id(self.plan, index),
            "name": self._tools[index].name,
            "arguments": arguments,
        }

    @property
    def _usage(self) -> dict[str, object]:
        served = self.plan.served
        return {
            "input_tokens": served.input_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": served.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": served.input_tokens + served.output_tokens,
        }

    def _response(self, status: str, output: list[dict[str, object]], usage: object) -> dict[str, object]:
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": self._instructions,
            "max_output_tokens": self._cap,
            "metadata": {},
            "model": self._model,
            "output": output,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "usage": usage,
        }


def _part(text: str) -> dict[str, object]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


class Responses(ModelEndpoint):
    """The endpoint ``POST /v1/responses``."""

    template = "/v1/responses"
    generation = Response

    async def serve(self, call: Call, scope: Scope) -> None:
        """Answer a text or a list of items."""
        body = await call.json()
        items = _items(body.get("input"))
        if (previous := body.get("previous_response_id")) is not None:
            raise BadRequest(f"response {previous!r} is not found: none is stored", 400, "previous_response_not_found")
        if (problem := responses_problem(items)) is not None:
            raise BadRequest(problem)
        instructions = body.get("instructions")
        if instructions is not None and not isinstance(instructions, str):
            raise BadRequest("instructions should be a string")
        cap = token_cap(body, "max_output_tokens")
        # A few tokens of each item are its role and its borders.
        input_tokens = sum(count_tokens(_text(item)) + 3 for item in items)
        input_tokens += count_tokens(instructions) if instructions else 0
        may_call = items[-1].get("role") == "user" and body.get("tool_choice") != "none"
        question = last_question(user_texts([item for item in items if "role" in item]))
        await self.generate(call, body, Prompt(question, input_tokens, may_call, cap))

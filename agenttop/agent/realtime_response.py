"""One response over a realtime connection, from `response.created` to `response.done`."""

import asyncio
from typing import Any

from agenttop.agent.answers import arguments_json, call_id, planned_pieces, split_evenly
from agenttop.agent.brain import Cut, ModelError, Timings
from agenttop.agent.conversation import Conversation, new_id
from agenttop.agent.endpoint import State
from agenttop.agent.limits import KeyLimit, Refusal
from agenttop.agent.plan import Plan, ToolRun
from agenttop.agent.stats import Served


class RealtimeResponse:
    """One response; as a sink it streams the items of the answer, one after the other."""

    def __init__(self, state: State, limit: KeyLimit, conversation: Conversation) -> None:
        self._state = state
        self._limit = limit
        self._conversation = conversation
        self._id = new_id("resp")
        self._output: list[dict[str, Any]] = []
        self._open = False  # an item has been begun and not ended
        self._steps: list[tuple[int, str]] = []  # of each token: which item, which piece
        self._plan: Plan | None = None
        self._tokens = 0  # sent so far
        self._counted = False
        self.left = False  # the client went away

    async def live(self, plan: Plan | None, refusal: Refusal | None) -> bool:
        """Run the response; without a plan it fails at once for the `refusal` of a limit.

        Counted as completed, incomplete, failed, cancelled, cut or disconnected, before the client is told. Returns
        whether the connection is to be dropped, for a cut.
        """
        self._state.stats.begin()
        try:
            await self._conversation.emit("response.created", response=self._summary("in_progress"))
            await self._send_limits()
            if plan is None:
                assert refusal is not None
                error = {"type": "rate_limit_error", "code": "rate_limit_exceeded", "message": refusal.message}
                await self._done("failed", {"type": "failed", "error": error})
                return False
            self._plan = plan
            plan = (await self._state.brain.think(plan, self)).plan
            await self._end_item("completed")
            self._limit.spend(plan.served.output_tokens)
            reason = {"type": "incomplete", "reason": "max_output_tokens"} if plan.length_limited else None
            await self._done("incomplete" if reason else "completed", reason, plan.served)
        except ModelError:
            error = {"type": "server_error", "code": "model_error", "message": "The model call failed."}
            await self._done("failed", {"type": "failed", "error": error})
        except Cut:
            self._state.stats.cut_streams += 1
            self._count("cut")
            return True
        except asyncio.CancelledError:
            if not self.left:
                await self._end_item("incomplete")
                served = self._served_so_far()
                self._limit.spend(served.output_tokens)
                await self._done("cancelled", {"type": "cancelled", "reason": "client_cancelled"}, served)
        finally:
            self._count("disconnected")
        return False

    def _served_so_far(self) -> Served:
        called = self._plan is not None and self._tokens > 0
        input_tokens = self._plan.served.input_tokens if self._plan is not None and called else 0
        return Served(input_tokens, self._tokens, llm_calls=int(called), tool_calls=0)

    def _count(self, status: str, served: Served | None = None) -> None:
        if not self._counted:
            self._counted = True
            self._state.stats.end_response(status, served)

    async def _done(self, status: str, details: dict[str, Any] | None, served: Served | None = None) -> None:
        self._count(status, served)
        await self._conversation.emit("response.done", response=self._summary(status, details, served))

    def _summary(
        self, status: str, details: dict[str, Any] | None = None, served: Served | None = None
    ) -> dict[str, Any]:
        usage = None
        if status != "in_progress":
            input_tokens = served.input_tokens if served else 0
            output_tokens = served.output_tokens if served else 0
            usage = {
                "total_tokens": input_tokens + output_tokens,
                "input_tokens": input_tokens,
                "output_tokens": output_tokens,
                "input_token_details": {"text_tokens": input_tokens, "audio_tokens": 0, "cached_tokens": 0},
                "output_token_details": {"text_tokens": output_tokens, "audio_tokens": 0},
            }
        return {
            "object": "realtime.response",
            "id": self._id,
            "status": status,
            "status_details": details,
            "output": self._output,
            "conversation_id": self._conversation.id,
            "output_modalities": ["text"],
            "usage": usage,
        }

    async def _send_limits(self) -> None:
        limits = [
            {"name": kind, "limit": limit, "remaining": remaining, "reset_seconds": round(reset_s, 3)}
            for kind, limit, remaining, reset_s in self._limit.quotas()
        ]
        if limits:
            await self._conversation.emit("rate_limits.updated", rate_limits=limits)

    def _prepare(self, plan: Plan) -> None:
        self._plan = plan
        self._steps = []
        tokens = plan.calls[-1].output_tokens
        if not plan.tools:
            self._steps = [(0, piece) for piece in planned_pieces(plan)]
            return
        for index, tool in enumerate(plan.tools):
            parts = split_evenly(arguments_json(tool.arguments), tokens // len(plan.tools))
            self._steps += [(index, piece) for piece in parts]

    async def started(self, timings: Timings) -> None:
        """Take the plan that is carried out; the items begin with their first token."""
        self._prepare(timings.plan)

    async def tool_called(self, tool: ToolRun) -> None:
        """Never called: the client runs the tools."""

    async def token(self, index: int) -> None:
        """Send the delta of a token, or raise Cut. Tool calls can have fewer deltas than tokens."""
        assert self._plan is not None
        if index == self._plan.cut_at:
            raise Cut
        self._tokens = index + 1
        if index >= len(self._steps):
            return
        number, piece = self._steps[index]
        if number == len(self._output):
            await self._end_item("completed")
            await self._begin_item(number)
        if self._plan.tools:
            self._output[-1]["arguments"] += piece
            name = "response.function_call_arguments.delta"
            await self._conversation.emit(name, **self._place(), call_id=self._output[-1]["call_id"], delta=piece)
        else:
            self._output[-1]["content"][0]["text"] += piece
            await self._conversation.emit(self._text_event("delta"), **self._place(), content_index=0, delta=piece)

    def _text_event(self, what: str) -> str:
        return f"response.{'text' if self._conversation.beta else 'output_text'}.{what}"

    def _place(self) -> dict[str, object]:
        return {
            "response_id": self._id,
            "item_id": self._output[-1]["id"],
            "output_index": len(self._output) - 1,
        }

    async def _begin_item(self, number: int) -> None:
        assert self._plan is not None
        item: dict[str, Any] = {"id": new_id("item"), "object": "realtime.item", "status": "in_progress"}
        if self._plan.tools:
            name = self._plan.tools[number].name
            item |= {"type": "function_call", "name": name, "call_id": call_id(self._plan, number), "arguments": ""}
        else:
            item |= {"type": "message", "role": "assistant", "content": []}
        self._output.append(item)
        self._open = True
        await self._conversation.emit(
            "response.output_item.added", response_id=self._id, output_index=number, item=item
        )
        await self._conversation.item_begun(item)
        if not self._plan.tools:
            part = {"type": "text", "text": ""}
            await self._conversation.emit("response.content_part.added", **self._place(), content_index=0, part=part)
            item["content"].append({"type": "text" if self._conversation.beta else "output_text", "text": ""})

    async def _end_item(self, status: str) -> None:
        if not self._open:
            return
        self._open = False
        item = self._output[-1]
        item["status"] = status
        place = self._place()
        if item["type"] == "function_call":
            fields = {"call_id": item["call_id"], "name": item["name"], "arguments": item["arguments"]}
            await self._conversation.emit("response.function_call_arguments.done", **place, **fields)
            tokens = 12
        else:
            text = item["content"][0]["text"]
            part = {"type": "text", "text": text}
            await self._conversation.emit(self._text_event("done"), **place, content_index=0, text=text)
            await self._conversation.emit("response.content_part.done", **place, content_index=0, part=part)
            tokens = len(text.split())
        await self._conversation.item_done(item, tokens)
        fields = {"response_id": self._id, "output_index": place["output_index"]}
        await self._conversation.emit("response.output_item.done", **fields, item=item)

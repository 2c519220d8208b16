"""POST /ag-ui, the AG-UI protocol: a RunAgentInput, answered by a stream of events.

The agent runs its tools itself, and tells of its phases as steps. Since those are told from the first on, a model call
that fails is a RUN_ERROR inside a 200.
"""

from starlette.types import Scope

from agenttop.agent.answers import arguments_json, call_id, planned_pieces
from agenttop.agent.brain import Cut, ModelError, Timings
from agenttop.agent.call import BadRequest, Call, event
from agenttop.agent.clerk import last_question
from agenttop.agent.endpoint import Endpoint
from agenttop.agent.generation import content_text, user_texts
from agenttop.agent.limits import KeyLimit
from agenttop.agent.plan import Plan, ToolRun, count_tokens, make_plan


class AgUi(Endpoint):
    """The endpoint ``POST /ag-ui``."""

    template = "/ag-ui"

    async def serve(self, call: Call, scope: Scope) -> None:
        """Answer a run."""
        body = await call.json()
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
            raise BadRequest("messages should be a list of at least one message")
        if not all(isinstance(m.get("id"), str) for m in messages) or len({m["id"] for m in messages}) < len(messages):
            raise BadRequest("every message should have an id of its own")
        thread_id, run_id = body.get("threadId"), body.get("runId")
        if not isinstance(thread_id, str) or not isinstance(run_id, str):
            raise BadRequest("threadId and runId should be strings")
        texts = [content_text(message.get("content")) for message in messages]
        input_tokens = sum(count_tokens(text) + 3 for text in texts)
        limit = await self.admit(call, input_tokens)
        may_call = messages[-1].get("role") == "user"
        question, number = last_question(user_texts(messages)), self.state.next_number()
        plan = make_plan(self.state.config, number, input_tokens, question, loops=True, may_call=may_call)
        call.buffers = plan.buffered
        run = Run(call, limit, plan, {"threadId": thread_id, "runId": run_id})
        await self.run(call, self._live(run), limit, instant=plan.instant)

    async def _live(self, run: "Run") -> None:
        await run.begin()
        try:
            await self.state.brain.think(run.plan, run, run.phase)
        except Cut:
            run.call.cut()
        except ModelError:
            error = {"type": "RUN_ERROR", "message": "The model call failed. This is on our side."}
            await run.call.stream(event({**error, "code": "model_error"}), last=True)
        else:
            await run.call.stream(run.ending(self.state.config.model), last=True)


class Run:
    """One run; as a sink it streams its events."""

    def __init__(self, call: Call, limit: KeyLimit, plan: Plan, ids: dict[str, str]) -> None:
        self.call = call
        self.limit = limit
        self.plan = plan
        self._ids = ids
        self._message_id = f"msg_{plan.number:08d}"
        self._pieces: list[str] = []
        self._running: list[str] = []
        self._calls = 0

    async def begin(self) -> None:
        """Send the head and the first event."""
        await self.call.start_stream(self.limit.headers())
        await self.call.stream(event({"type": "RUN_STARTED", **self._ids}))

    async def phase(self, name: str, begins: bool) -> None:
        """Send a phase as a step; with the end of the tools, send their results."""
        for tool_call_id in self._running if not begins else ():
            result = {"type": "TOOL_CALL_RESULT", "messageId": f"result_{tool_call_id}", "toolCallId": tool_call_id}
            await self.call.stream(event({**result, "content": '{"status": "ok"}', "role": "tool"}))
        self._running = []
        await self.call.stream(event({"type": "STEP_STARTED" if begins else "STEP_FINISHED", "stepName": name}))

    async def started(self, timings: Timings) -> None:
        """Take the plan that is carried out; the head is sent already."""
        self.plan = timings.plan
        self._pieces = planned_pieces(self.plan)

    async def tool_called(self, tool: ToolRun) -> None:
        """Send the call of a tool."""
        tool_call_id = call_id(self.plan, self._calls)
        self._calls += 1
        self._running.append(tool_call_id)
        of = {"toolCallId": tool_call_id}
        start = event({"type": "TOOL_CALL_START", **of, "toolCallName": tool.name})
        arguments = event({"type": "TOOL_CALL_ARGS", **of, "delta": arguments_json(tool.arguments)})
        await self.call.stream(start + arguments + event({"type": "TOOL_CALL_END", **of}))

    async def token(self, index: int) -> None:
        """Send a piece of the answer, or raise Cut."""
        if index == self.plan.cut_at:
            raise Cut
        of = {"messageId": self._message_id}
        content = event({"type": "TEXT_MESSAGE_CONTENT", **of, "delta": self._pieces[index]})
        if index == 0:
            content = event({"type": "TEXT_MESSAGE_START", **of, "role": "assistant"}) + content
        if index == len(self._pieces) - 1:
            content += event({"type": "TEXT_MESSAGE_END", **of})
        await self.call.stream(content)

    def ending(self, model: str) -> bytes:
        """Return the last event, once the run is counted as served and its output charged."""
        served = self.call.served = self.plan.served
        self.limit.spend(served.output_tokens)
        usage = {"model": model, "inputTokens": served.input_tokens, "outputTokens": served.output_tokens}
        return event({"type": "RUN_FINISHED", **self._ids, "outcome": {"type": "success"}, "usage": [usage]})

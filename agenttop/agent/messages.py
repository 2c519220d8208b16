"""The agent's own interface: sessions, and messages to them, answered as JSON or as a stream of events."""

from typing import Any

from starlette.types import Scope

from agenttop.agent.answers import planned_pieces
from agenttop.agent.brain import Cut, Timings
from agenttop.agent.call import BadRequest, Call, event
from agenttop.agent.clerk import remember
from agenttop.agent.endpoint import Endpoint, quota_headers
from agenttop.agent.generation import user_texts
from agenttop.agent.limits import KeyLimit
from agenttop.agent.plan import Plan, ToolRun, count_tokens, make_plan
from agenttop.agent.questions import question
from agenttop.agent.sessions import Session


class CreateSession(Endpoint):
    """The endpoint ``POST /api/sessions``."""

    template = "/api/sessions"

    async def serve(self, call: Call, scope: Scope) -> None:
        """Create a session. Not rate limited: no model is called."""
        user_id = (await call.json()).get("user_id")
        if user_id is not None and not isinstance(user_id, str | int):
            raise BadRequest("user_id should be a string")
        session = self.state.sessions.create()
        self.state.stats.sessions_created += 1
        await call.answer(201, {"session_id": session.id, "user_id": user_id})


class Messages(Endpoint):
    """The endpoint ``POST /api/sessions/{id}/messages``."""

    template = "/api/sessions/{id}/messages"

    async def serve(self, call: Call, scope: Scope) -> None:
        """Answer a message, as events when the client accepts them or says `"stream": true`."""
        body = await call.json()
        texts = _texts(body)
        streams = body.get("stream", b"text/event-stream" in call.header(b"accept").lower())
        if not isinstance(streams, bool):
            raise BadRequest("stream should be true or false")
        session = self._session(scope["path_params"]["id"])
        question_tokens = sum(count_tokens(text) for text in texts)
        context_tokens = session.context_tokens + question_tokens
        limit = await self.admit(call, context_tokens)
        memory = session.memory
        for text in texts[:-1]:
            memory = remember(memory, text)
        asked = question(texts[-1], memory)
        plan = make_plan(self.state.config, self.state.next_number(), context_tokens, asked, loops=True)
        call.buffers = plan.buffered
        turn = Turn(call, limit, session, question_tokens, plan)
        await self.run(call, self._live(turn, streams), limit, instant=plan.instant)

    def _session(self, session_id: str) -> Session:
        session = self.state.sessions.get(session_id)
        if session is None:
            if self.state.config.unknown_sessions == "reject":
                raise BadRequest("no such session, or it has expired", 404, "session_not_found")
            session = self.state.sessions.create(session_id)
            self.state.stats.sessions_auto_created += 1
        return session

    async def _live(self, turn: "Turn", streams: bool) -> None:
        if not streams:
            timings = await self.state.brain.think(turn.plan)
            turn.prepare(timings.plan)
            result = turn.finish(timings)
            await turn.call.answer(200, result, quota_headers(turn.limit, timings.header()))
            return
        try:
            timings = await self.state.brain.think(turn.plan, turn)
        except Cut:
            turn.call.cut()
        else:
            await turn.call.stream(event({"done": True, **turn.finish(timings)}), last=True)


def _texts(body: dict[str, Any]) -> list[str]:
    """Return what the user says: `content`, or what is theirs of `messages`, a conversation so far."""
    content, messages = body.get("content"), body.get("messages")
    if isinstance(content, str):
        return [content]
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise BadRequest("content should be a string, or messages a list of messages")
    if not (texts := user_texts(messages)):
        raise BadRequest("messages should have one of the user's")
    return texts


class Turn:
    """One message and its answer; as a sink it streams `{"delta": …}` and `{"tool_call": …}` events."""

    def __init__(self, call: Call, limit: KeyLimit, session: Session, question_tokens: int, plan: Plan) -> None:
        self.call = call
        self.limit = limit
        self.plan = plan
        self._session = session
        self._question_tokens = question_tokens
        self._pieces: list[str] = []

    def prepare(self, plan: Plan) -> None:
        """Take the plan that is carried out, and its words."""
        self.plan = plan
        self._pieces = planned_pieces(plan)

    async def started(self, timings: Timings) -> None:
        """Send the head."""
        self.prepare(timings.plan)
        await self.call.start_stream(quota_headers(self.limit, timings.header_so_far()))

    async def tool_called(self, tool: ToolRun) -> None:
        """Tell of a tool."""
        await self.call.stream(event({"tool_call": {"name": tool.name, "arguments": tool.arguments}}))

    async def token(self, index: int) -> None:
        """Send a piece of the answer, or raise Cut."""
        if index == self.plan.cut_at:
            raise Cut
        await self.call.stream(event({"delta": self._pieces[index]}))

    def finish(self, timings: Timings) -> dict[str, object]:
        """Remember the turn, charge its output, and return the body that sums it up."""
        served = self.plan.served
        self.call.served = served
        self.limit.spend(served.output_tokens)
        self._session.remember(self._question_tokens + len(self._pieces), self.plan.reply.memory)
        return {
            "content": "".join(self._pieces),
            "session_id": self._session.id,
            "turn": self._session.turns,
            "llm_calls": served.llm_calls,
            "tool_calls": [tool.name for tool in self.plan.tools],
            "tools": [{"name": tool.name, "arguments": tool.arguments} for tool in self.plan.tools],
            "finish_reason": "length" if self.plan.length_limited else "stop",
            "usage": {"input_tokens": served.input_tokens, "output_tokens": served.output_tokens},
            "timings": timings.phases(),
        }

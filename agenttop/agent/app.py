"""The agent as an ASGI application: its routes, and the one place where every request is counted."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from agenttop.agent.ag_ui import AgUi
from agenttop.agent.anthropic_messages import AnthropicMessages
from agenttop.agent.brain import Brain
from agenttop.agent.call import CALL, Call
from agenttop.agent.config import AgentConfig
from agenttop.agent.endpoint import State
from agenttop.agent.limits import Limits
from agenttop.agent.mcp import Mcp
from agenttop.agent.messages import CreateSession, Messages
from agenttop.agent.openai_chat import ChatCompletions
from agenttop.agent.openai_responses import Responses
from agenttop.agent.realtime import Realtime
from agenttop.agent.sessions import Sessions
from agenttop.agent.stats import Stats

_ENDPOINTS = (CreateSession, Messages, ChatCompletions, Responses, AnthropicMessages, AgUi, Mcp)
_UNCOUNTED = frozenset({"/health", "/stats", "/stats/reset"})


class Agent:
    """The whole application: counts each HTTP request except those about the server itself."""

    def __init__(self, config: AgentConfig) -> None:
        self.state = State(config, Stats(), Limits(config), Sessions(config), Brain(config))
        posts = [endpoint(self.state) for endpoint in _ENDPOINTS]
        self._routes: ASGIApp = Starlette(
            routes=[
                *(Route(post.template, post, methods=["POST"]) for post in posts),
                WebSocketRoute("/v1/realtime", Realtime(self.state)),
                Route("/health", self._health, methods=["GET"]),
                Route("/stats", self._stats, methods=["GET"]),
                Route("/stats/reset", self._reset, methods=["POST"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _UNCOUNTED:
            await self._routes(scope, receive, send)
            return
        call = scope[CALL] = Call(scope, receive, send, self.state.stats)
        try:
            await self._routes(scope, receive, call.send)
        finally:
            call.close()

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _stats(self, request: Request) -> Response:
        return JSONResponse(self.state.stats.as_dict())

    async def _reset(self, request: Request) -> Response:
        self.state.stats.reset()
        return JSONResponse({"status": "reset"})

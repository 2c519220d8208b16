"""An agent of a2a-sdk that answers in two pieces, or fails: ``python -m tests.peers.servers.a2a_agent PORT FOLDER``."""

from __future__ import annotations

import sys

import uvicorn
from a2a.helpers import new_task_from_user_message, new_text_message, new_text_part
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface
from starlette.applications import Starlette


class Agent(AgentExecutor):
    """Says that all is well, unless asked to fail."""

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Work on one message."""
        task = new_task_from_user_message(context.message)
        await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        await updater.start_work()
        if context.get_user_input() == "fail":
            await updater.failed(new_text_message("out of order"))
            return
        for at, word in enumerate(("All", " is well.")):
            await updater.add_artifact([new_text_part(word)], artifact_id="answer", append=at > 0, last_chunk=at == 1)
        await updater.complete()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Nothing here takes long enough to be cancelled."""
        raise NotImplementedError


if __name__ == "__main__":
    url = f"http://127.0.0.1:{sys.argv[1]}/"
    card = AgentCard(
        name="helper", description="Helps.", version="1", capabilities=AgentCapabilities(streaming=True),
        supported_interfaces=[AgentInterface(url=url, protocol_binding="JSONRPC", protocol_version="1.0")],
        default_input_modes=["text/plain"], default_output_modes=["text/plain"],
    )  # fmt: skip
    handler = DefaultRequestHandler(Agent(), InMemoryTaskStore(), card)
    app = Starlette(routes=create_jsonrpc_routes(handler, rpc_url="/", enable_v0_3_compat=True))
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]))

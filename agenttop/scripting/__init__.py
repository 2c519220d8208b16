"""Users written in Python: what a file named by ``python = "my_agent.py:CheckoutUser"`` in a ``[[pools]]`` imports.

    from agenttop.scripting import User, task

    class CheckoutUser(User):
        async def setup(self) -> None:
            answer = await self.client.post("/api/sessions", json={"user_id": f"loadtest-{self.number}"})
            answer.raise_for_status()
            self.session = answer.json()["session_id"]

        @task(weight=3)
        async def simple(self) -> None:
            await self.client.post(f"/api/sessions/{self.session}/messages", json={"content": "Where is my order?"})

The pool says how many there are, how they pause, and how they are to speak; the class says what they do.
"""

from agenttop.scripting.answer import Answer, RequestFailed, SessionLost
from agenttop.scripting.client import Client
from agenttop.scripting.user import User, task

__all__ = ["Answer", "Client", "RequestFailed", "SessionLost", "User", "task"]

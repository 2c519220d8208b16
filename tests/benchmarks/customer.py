"""``profiles.SCRIPT`` written in Python: the same requests, saved values and checks."""

from __future__ import annotations

from agenttop.scripting import User, task


class Customer(User):
    """A customer of the agent's API."""

    requests = ("open session", "ask for an order", "look it up")

    async def setup(self) -> None:
        checks = {"created": "status == 201"}
        answer = await self.client.post(
            "/api/sessions", json={"user_id": f"loadtest-{self.number}"}, name="open session", checks=checks
        )
        self.session = answer.json()["session_id"]

    @task(weight=3)
    async def message(self) -> None:
        question = f"Question {self.iteration} of user {self.number}: when are you open?"
        answer = await self.client.post(
            f"/api/sessions/{self.session}/messages", json={"content": question, "session": self.session}
        )
        found = answer.json()
        self.check("ok", answer.status == 200)
        self.check("has content", found["content"])
        self.check("has tokens", found["usage"]["output_tokens"] > 0)

    @task(weight=2)
    async def order(self) -> None:
        answer = await self.client.post(
            f"/api/sessions/{self.session}/messages",
            json={"content": f"Where is my order, asks user {self.number}"},
            name="ask for an order",
        )
        self.check("ok", answer.status == 200)
        answer = await self.client.get(f"/api/orders/{answer.json()['order_id']}", name="look it up")
        self.check("ok", answer.status == 200)
        self.check("shipped", answer.json()["status"] == "shipped")
        self.check("two items", "B-7" in answer.text)

    @task
    async def status(self) -> None:
        answer = await self.client.get("/api/status")
        self.check("ok", answer.status == 200)
        self.check("ready", answer.json()["status"] == "ready")

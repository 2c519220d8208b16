"""The users of python-user.toml: a Locust class of an agent, written for agenttop.

What this file says is what they do. How many there are, how they pause, where they send to and how answers are read
stands in the profile. Their requests are measured like all others.
"""

from agenttop.scripting import User, task


class AgentUser(User):
    """A visitor with a session of its own. There is one object of this class for every session."""

    # A request is counted under the hook or task that sends it, or under its name=, which must be one of these.
    requests = ("follow-up",)

    async def setup(self) -> None:
        """Locust's on_start: once for every user, before its tasks."""
        answer = await self.client.post("/api/sessions", json={"user_id": f"loadtest-{self.number}"})
        answer.raise_for_status()  # without a session there is nothing to do: it is tried again, after a pause
        self.session_id = answer.json()["session_id"]

    @task(weight=3)
    async def simple(self) -> None:
        """Most common: a single-turn question."""
        await self.say("What are your business hours?")

    @task(weight=2)
    async def tool_call(self) -> None:
        """Triggers tools on the server, for an order by chance: the same ones with the same seed."""
        await self.say(f"Look up order #{self.random.randint(10_000, 99_999)}")

    @task(weight=1)
    async def multi_turn(self) -> None:
        """A conversation that goes on only as long as it is answered."""
        name = None
        for message in ("I need help with my account", "My email is test@example.com", "I want to change my plan"):
            if not await self.say(message, name):
                return
            name = "follow-up"
            await self.sleep(1)  # reading the answer

    async def say(self, message: str, name: str | None = None) -> bool:
        """Send a message to the session; whether it was answered."""
        answer = await self.client.post(
            f"/api/sessions/{self.session_id}/messages",
            json={"content": message},
            name=name,
            checks={"has content": "$.content"},  # where it fails, so has the request
        )
        return answer.ok  # what a target does wrong is counted; it does not raise

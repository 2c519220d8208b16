"""The work inside the agent: context load, model calls that share slots, tools. Carries out what was planned."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from agenttop.agent.config import AgentConfig
from agenttop.agent.plan import ModelCall, Plan, ToolRun


class ModelError(Exception):
    """The model call failed: the answer is a 500, or a response with status `failed`."""


@dataclass(slots=True)
class Timings:
    """The plan carried out, and seconds spent on it so far. `llm_call` holds the wait for a slot too, `queue` is the
    first such wait alone.
    """

    plan: Plan
    context_load: float = 0.0
    llm_call: float = 0.0
    tool_execution: float = 0.0
    queue: float = 0.0

    def phases(self) -> dict[str, float]:
        """Return the three phases, in seconds, for a body."""
        return {
            "context_load": round(self.context_load, 6),
            "llm_call": round(self.llm_call, 6),
            "tool_execution": round(self.tool_execution, 6),
        }

    def header(self) -> bytes:
        """Return the three phases as the value of `Server-Timing`, in milliseconds."""
        return _server_timing(
            context_load=self.context_load, llm_call=self.llm_call, tool_execution=self.tool_execution
        )

    def header_so_far(self) -> bytes:
        """Return what is known when a stream begins, as the value of `Server-Timing`."""
        return _server_timing(context_load=self.context_load, queue=self.queue)


def _server_timing(**seconds: float) -> bytes:
    return ", ".join(f"{name};dur={value * 1000:.3f}" for name, value in seconds.items()).encode()


class Sink(Protocol):
    """Follows a streamed answer as it is made. Any method may raise Cut to drop the connection."""

    async def started(self, timings: Timings) -> None:
        """Note that the first model call has its slot and will not fail."""

    async def tool_called(self, tool: ToolRun) -> None:
        """Note that the agent is about to run a tool."""

    async def token(self, index: int) -> None:
        """Take output token `index` of the last model call."""


#: Told of a phase, by its name, that it begins (True) or has ended.
Phases = Callable[[str, bool], Awaitable[None]]


class Cut(Exception):
    """The connection must be dropped here, in the middle of the answer."""


_UNLIMITED = 2**62


class Brain:
    """Carries out plans, at most `slots` model calls at once, first come first served."""

    def __init__(self, config: AgentConfig) -> None:
        self._slots = asyncio.Semaphore(config.slots or _UNLIMITED)

    async def think(self, plan: Plan, sink: Sink | None = None, phases: Phases | None = None) -> Timings:
        """Carry out `plan`, telling `sink` and `phases` as it goes; without a sink, each call is one sleep.

        A request that finds all slots taken waits for one, and may be answered worse for it: the plan that was carried
        out is in the timings, from `sink.started` on. Raises ModelError when the plan fails, always before that.
        """
        clock = time.perf_counter
        timings = Timings(plan)
        tell = phases or _silent
        mark = clock()
        await tell("context_load", True)
        await _pause(plan.context_load_s)
        await tell("context_load", False)
        timings.context_load = clock() - mark
        if self._slots.locked():
            plan = timings.plan = plan.crowded or replace(plan, waited=True)
        for number, call in enumerate(plan.calls):
            mark = clock()
            await tell("llm_call", True)
            async with self._slots:
                if number == 0:
                    timings.queue = clock() - mark
                    if plan.fails:
                        raise ModelError
                    if sink is not None:
                        await sink.started(timings)
                if sink is not None and call is plan.calls[-1]:
                    await self._emit(call, sink)
                else:
                    await _pause(call.seconds)
            await tell("llm_call", False)
            timings.llm_call += clock() - mark
            if call is not plan.calls[-1]:
                mark = clock()
                await tell("tool_execution", True)
                for tool in call.tools:
                    if sink is not None:
                        await sink.tool_called(tool)
                    await _pause(tool.seconds)
                await tell("tool_execution", False)
                timings.tool_execution += clock() - mark
        return timings

    async def _emit(self, call: ModelCall, sink: Sink) -> None:
        # Each token has its own due time, so that late ones do not push back those after them.
        first = time.perf_counter() + call.first_token_s
        for index in range(call.output_tokens):
            if call.seconds:
                await _pause(first + index * call.token_s - time.perf_counter())
            await sink.token(index)


async def _silent(name: str, begins: bool) -> None:
    """Do nothing: nobody watches the phases."""


async def _pause(seconds: float) -> None:
    # asyncio.sleep(0) would still give up the loop.
    if seconds > 0:
        await asyncio.sleep(seconds)

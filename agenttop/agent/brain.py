"""The work inside the agent: context load, model calls that share slots, tools. Planned by seed, then carried out."""

import asyncio
import math
import random
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Protocol

from agenttop.agent.config import AgentConfig
from agenttop.agent.stats import Served

TOOLS = ("lookup_order", "check_inventory", "fetch_customer")
SYSTEM_TOKENS = 24  # instructions every model call reads
TOOL_RESULT_TOKENS = 30
_TRIGGERS = re.compile(r"\b(?:orders?|look(?:ing|s)?[ -]?up|tools?)\b", re.IGNORECASE)


def wants_tools(content: str) -> bool:
    """Return whether a message makes the model call tools."""
    return _TRIGGERS.search(content) is not None


def count_tokens(text: str) -> int:
    """Return the input tokens of a text: one for every four characters, at least one."""
    return max(1, (len(text) + 3) // 4)


class ModelError(Exception):
    """The model call failed: the answer is a 500, or a response with status `failed`."""


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One run of a tool."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One model call: its size, its speed, and the tools it asks for (none: it answers)."""

    input_tokens: int
    output_tokens: int
    first_token_s: float
    token_s: float
    tools: tuple[ToolRun, ...] = ()

    @property
    def seconds(self) -> float:
        """Return how long the call holds its slot, in seconds."""
        return self.first_token_s + max(0, self.output_tokens - 1) * self.token_s


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that will happen to one request; a pure function of the seed, its number and its size.

    `cut_at` is the output token before which a stream's connection is dropped; `length_limited` says that the client's
    cap on output tokens ended the answer, `buffered` that a stream is sent in one piece at its end.
    """

    number: int
    context_load_s: float
    calls: tuple[ModelCall, ...]
    fails: bool
    cut_at: int | None
    length_limited: bool
    buffered: bool = False

    @property
    def tools(self) -> tuple[ToolRun, ...]:
        """Return all tool runs, in order."""
        return tuple(tool for call in self.calls for tool in call.tools)

    @property
    def instant(self) -> bool:
        """Return whether nothing in it takes time."""
        return not (self.context_load_s or any(c.seconds for c in self.calls) or any(t.seconds for t in self.tools))

    @property
    def served(self) -> Served:
        """Return what the whole answer consumes."""
        return Served(
            input_tokens=sum(call.input_tokens for call in self.calls),
            output_tokens=sum(call.output_tokens for call in self.calls),
            llm_calls=len(self.calls),
            tool_calls=len(self.tools),
        )


def make_plan(
    config: AgentConfig,
    number: int,
    input_tokens: int,
    *,
    tools: bool,
    loops: bool,
    max_output_tokens: int | None = None,
    tool_names: tuple[str, ...] = TOOLS,
) -> Plan:
    """Return the plan of request `number` whose context is `input_tokens` long.

    With `tools`, one or two tools are called: the agent runs them and calls the model again (`loops`), or the answer is
    the calls themselves and the client runs them. Every draw is made for every request, in one order, so that one
    request's kind does not shift the choices of the next.
    """
    # The seed and the number side by side: neighbouring requests share nothing.
    rng = random.Random((config.seed << 48) | number)
    fails = rng.random() < config.server_errors
    cut, cut_place = rng.random() < config.cut_streams, rng.random()

    def about(median: float) -> float:
        return median * math.exp(config.spread * rng.gauss(0, 1))

    context_load_s = about(config.context_load)
    first_s, second_s = about(config.first_token), about(config.first_token)
    length = max(1, round(about(config.output_tokens)))
    how_many = min(len(tool_names), rng.choice((1, 1, 2)))
    runs = tuple(
        ToolRun(name, config.slow_tool_time if rng.random() < config.slow_tools else about(config.tool_time))
        for name in rng.sample(tool_names, how_many)
    )
    token_s = 1 / config.tokens_per_second if config.tokens_per_second else 0.0
    context = SYSTEM_TOKENS + input_tokens
    call_tokens = 12 * len(runs)  # a name and a few arguments each
    calls: tuple[ModelCall, ...]
    limited = False
    if tools and not loops:
        calls = (ModelCall(context, call_tokens, first_s, token_s, tuple(ToolRun(r.name, 0.0) for r in runs)),)
    else:
        if max_output_tokens is not None and length > max_output_tokens:
            length, limited = max_output_tokens, True
        if tools:
            again = context + call_tokens + TOOL_RESULT_TOKENS * len(runs)
            calls = (
                ModelCall(context, call_tokens, first_s, token_s, runs),
                ModelCall(again, length, second_s, token_s),
            )
        else:
            calls = (ModelCall(context, length, first_s, token_s),)
    cut_at = min(calls[-1].output_tokens - 1, int(cut_place * calls[-1].output_tokens)) if cut else None
    buffered = rng.random() < config.buffered_streams
    return Plan(number, context_load_s, calls, fails, cut_at, limited, buffered)


@dataclass(slots=True)
class Timings:
    """Seconds spent so far. `llm_call` holds the wait for a slot too, `queue` is the first such wait alone."""

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


class Brain:
    """Carries out plans, at most `slots` model calls at once, first come first served."""

    def __init__(self, config: AgentConfig) -> None:
        self._slots = asyncio.Semaphore(config.slots) if config.slots else nullcontext()

    async def think(self, plan: Plan, sink: Sink | None = None, phases: Phases | None = None) -> Timings:
        """Carry out `plan`, telling `sink` and `phases` as it goes; without a sink, each call is one sleep.

        Raises ModelError when the plan fails, always before `sink.started`.
        """
        clock = time.perf_counter
        timings = Timings()
        tell = phases or _silent
        mark = clock()
        await tell("context_load", True)
        await _pause(plan.context_load_s)
        await tell("context_load", False)
        timings.context_load = clock() - mark
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

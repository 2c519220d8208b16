"""What will happen to one request, planned by seed: model calls, tools, and what is said."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from agenttop.agent.clerk import Reply, reply
from agenttop.agent.config import AgentConfig
from agenttop.agent.inquiry import CUTS_TEXT, MIXES_ORDER, SKIPS_TOOL, SLIPS, WRONGLY
from agenttop.agent.questions import Question
from agenttop.agent.shop import TOOLS
from agenttop.agent.stats import Served

SYSTEM_TOKENS = 24  # instructions every model call reads
TOOL_RESULT_TOKENS = 30
CUT_TOKENS = 3  # what is left of an answer that is cut for want of slots: too few for a fact

#: Tools that may be called, each with the names of its arguments; none: any will do.
Offer = Mapping[str, tuple[str, ...]]
OWN_TOOLS: Offer = dict.fromkeys(TOOLS, ())


def count_tokens(text: str) -> int:
    """Return the input tokens of a text: one for every four characters, at least one."""
    return max(1, (len(text) + 3) // 4)


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One run of a tool, with its one argument."""

    name: str
    seconds: float
    argument: str
    value: str

    @property
    def arguments(self) -> dict[str, str]:
        """Return the arguments."""
        return {self.argument: self.value}


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
    """Everything that will happen to one request; a pure function of the seed, its number, its size and its question.

    `cut_at` is the output token before which a stream's connection is dropped; `length_limited` says that a cap on
    output tokens ended the answer, `buffered` that a stream is sent in one piece at its end. `slip` is how the answer
    is worse than it should be, and `crowded` the plan to carry out instead if all slots are taken; None: the same.
    """

    number: int
    context_load_s: float
    calls: tuple[ModelCall, ...]
    reply: Reply
    fails: bool
    cut_at: int | None
    length_limited: bool
    buffered: bool = False
    slip: str = ""
    waited: bool = False
    crowded: "Plan | None" = None

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
            waited=self.waited,
            slip=self.slip,
        )


def make_plan(
    config: AgentConfig,
    number: int,
    input_tokens: int,
    question: Question,
    *,
    loops: bool,
    may_call: bool = True,
    max_output_tokens: int | None = None,
    tools: Offer = OWN_TOOLS,
) -> Plan:
    """Return the plan of request `number`, which asks `question` and whose context is `input_tokens` long.

    Where the question needs tools and it `may_call` them, one or two are called: the agent runs them and calls the
    model again (`loops`), or the answer is the calls themselves and the client runs them. Every draw is made for every
    request, in one order, so that one request's kind does not shift the choices of the next.
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
    how_many = min(len(tools), rng.choice((1, 1, 2)))
    drawn = tuple(
        (name, config.slow_tool_time if rng.random() < config.slow_tools else about(config.tool_time))
        for name in rng.sample(tuple(tools), how_many)
    )
    token_s = 1 / config.tokens_per_second if config.tokens_per_second else 0.0
    buffered = rng.random() < config.buffered_streams
    wrong, slips, kind = rng.random() < config.wrong, rng.random() < config.degrade, rng.choice(SLIPS)

    def plan(slip: str) -> Plan:
        said = reply(question, slip)
        context = SYSTEM_TOKENS + input_tokens
        tokens, limited = length, False
        if max_output_tokens is not None and tokens > max_output_tokens:
            tokens, limited = max_output_tokens, True
        if slip == CUTS_TEXT and tokens > CUT_TOKENS:
            tokens, limited = CUT_TOKENS, True
        runs = tool_runs(said, drawn, tools) if may_call and slip != SKIPS_TOOL else ()
        call_tokens = 12 * len(runs)  # a name and a few arguments each
        calls: tuple[ModelCall, ...]
        if not runs or (slip == CUTS_TEXT and not loops):
            calls = (ModelCall(context, tokens, first_s, token_s),)
        elif loops:
            again = context + call_tokens + TOOL_RESULT_TOKENS * len(runs)
            calls = (
                ModelCall(context, call_tokens, first_s, token_s, runs),
                ModelCall(again, tokens, second_s, token_s),
            )
        else:
            runs, limited = tuple(replace(run, seconds=0.0) for run in runs), False
            calls = (ModelCall(context, call_tokens, first_s, token_s, runs),)
        last = calls[-1].output_tokens
        cut_at = min(last - 1, int(cut_place * last)) if cut else None
        return Plan(number, context_load_s, calls, said, fails, cut_at, limited, buffered, slip)

    made = plan(WRONGLY if wrong else "")
    # What needs no tool has none to skip, and no order to mix up: it is spared.
    can_be_cut = made.calls[-1].output_tokens > CUT_TOKENS
    worse = {SKIPS_TOOL: made.tools, MIXES_ORDER: made.reply.needs, CUTS_TEXT: can_be_cut}
    if slips and worse[kind]:
        return replace(made, crowded=replace(plan(kind), waited=True))
    return made


def tool_runs(said: Reply, drawn: tuple[tuple[str, float], ...], tools: Offer) -> tuple[ToolRun, ...]:
    """Return the runs of the tools that an answer needs: as many as were `drawn` (name, seconds), or as it needs.

    The tools that it needs come first, then others that fit, each if it is offered. A tool that the shop does not know
    is taken for the one that is needed.
    """
    if not said.needs:
        return ()
    uses = [use for use in said.needs if use.tool in tools]
    how_many = max(len(drawn), len(uses))
    uses += [use for use in said.more if use.tool in tools]
    named = [(use.tool, use) for use in uses]
    named += [(name, said.needs[0]) for name, _ in drawn if name not in TOOLS]
    return tuple(
        ToolRun(name, drawn[min(index, len(drawn) - 1)][1], _called(use.argument, tools[name]), use.value)
        for index, (name, use) in enumerate(named[:how_many])
    )


def _called(argument: str, known: tuple[str, ...]) -> str:
    """Return the name of an argument by what the client says of its tool."""
    return argument if argument in known or not known else known[0]

"""``agenttop demo``: loads the embedded agent with a profile that is shipped."""

from __future__ import annotations

import argparse

from agenttop.agent.process import AgentProcess
from agenttop.cli.run import run_profile
from agenttop.cli.shipped import builtin_profile
from agenttop.exits import UsageError

#: The demo's agent has fewer model slots than users, and a budget of tokens that growing conversations use up.
AGENT = {"slots": 6, "tokens_per_minute": 300_000}


def demo(options: argparse.Namespace) -> int:
    """Start the embedded agent, load it and return the exit code.

    Raises:
        UsageError: something the user can mend.
    """
    if options.target is not None:
        raise UsageError("demo brings its own target; say: agenttop --profile FILE --target URL")
    with AgentProcess(AGENT) as agent:
        options.target = agent.url
        return run_profile(builtin_profile("demo.toml"), options, own_target=True)

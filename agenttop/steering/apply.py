"""Applies a command: a pure function of the plan, the controls and the time."""

from __future__ import annotations

from collections.abc import Collection

from agenttop.schedule.control import Control
from agenttop.steering.commands import COMMANDS
from agenttop.steering.effects import Change as Change
from agenttop.steering.effects import Moment
from agenttop.steering.effects import Rejected as Rejected
from agenttop.steering.plan import Plan
from agenttop.steering.reading import Command


def steer(
    command: Command, control: Control, plan: Plan, elapsed: float, *, begun: Collection[int] = frozenset()
) -> Change:
    """Return what a command changes; commands without an effect (see ``commands``) are rejected.

    Args:
        command: what is wanted.
        control: the controls as they are.
        plan: the plan of the run.
        elapsed: seconds since the run began.
        begun: indices of the stages that have been under way.

    Raises:
        Rejected: it makes no sense now.
    """
    effect = COMMANDS[command.op].effect
    if effect is None:
        raise Rejected(f"{command.op} does nothing to the controls")
    return effect(command, Moment(control, plan, elapsed, begun))
